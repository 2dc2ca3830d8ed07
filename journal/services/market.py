"""Market files sent to the site: everybody's figures stand on them, so operators alone write them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from hedging.models import IngestRun, Job
from hedging.services.market.fetch import fetch_request
from hedging.services.market.load import market_file_load
from hedging.services.market.stage import files_stage
from journal.models import User
from journal.services.audit import audit_record
from journal.services.guests import operators_only
from journal.services.valuation import accounts_revalue

MAX_UPLOAD = 64 * 1024 * 1024


def market_upload(*, user: User, name: str, data: bytes, symbol: str = "") -> IngestRun:
    """Load a market file and ask for what changes by it.

    Raises RuleError for anybody but an operator, MarketFileError for a file that cannot be read; nothing of
    it is kept then.
    """
    operators_only(user, "file")
    run = market_file_load(name=name, data=data, symbol=symbol, loaded_by=user.get_username(), by_hand=True)
    audit_record(
        actor=user, action="market.load", summary=f"{run.name}: {run.rows_new} new rows as {run.source}",
        changes={
            "run": str(run.pk), "sha256": run.sha256, "source": run.source, "format": run.format,
            "new": run.rows_new, "unchanged": run.rows_unchanged, "left_out": run.rows_dropped,
        },
    )  # fmt: skip
    if run.rows_new:
        accounts_revalue()
    return run


def market_uploads(*, user: User, files: Sequence[tuple[str, bytes]]) -> Job:
    """Leave several files (name, content) to a worker.

    Raises RuleError for anybody but an operator, MarketFileError when they are too many or too large.
    """
    operators_only(user, "file")
    job = files_stage(files=files, loaded_by=user.get_username(), requested_by=str(user.public_id))
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files}
    audit_record(
        actor=user, action="market.load", summary=f"{len(files)} files left to a worker",
        changes={"job": str(job.pk), "files": digests},
    )  # fmt: skip
    return job


def market_fetch_ask(*, user: User, names: Sequence[str], slot: str) -> Job:
    """Ask for a round of fetching. Raises RuleError for anybody but an operator."""
    operators_only(user, "group")
    job, _ = fetch_request(names=names, slot=slot, requested_by=str(user.public_id))
    audit_record(actor=user, action="market.fetch", summary=", ".join(names), changes={"job": str(job.pk)})
    return job

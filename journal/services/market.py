"""Market files sent to the site: one store for everybody, so it is known who loaded what."""

from __future__ import annotations

from collections.abc import Sequence

from hedging.models import IngestRun, Job
from hedging.services.market.load import market_file_load
from hedging.services.market.stage import files_stage
from journal.models import User
from journal.services.guests import known_only
from journal.services.valuation import accounts_revalue

MAX_UPLOAD = 64 * 1024 * 1024


def market_upload(*, user: User, name: str, data: bytes, symbol: str = "") -> IngestRun:
    """Load a market file and ask for what changes by it.

    Raises RuleError for a guest, MarketFileError for a file that cannot be read; nothing of it is kept then.
    """
    known_only(user, "load market data, which everybody sees", "file")
    run = market_file_load(name=name, data=data, symbol=symbol, loaded_by=user.get_username())
    if run.rows_new:
        accounts_revalue()
    return run


def market_uploads(*, user: User, files: Sequence[tuple[str, bytes]]) -> Job:
    """Leave several files (name, content) to a worker.

    Raises RuleError for a guest, MarketFileError when they are too many or too large together.
    """
    known_only(user, "load market data, which everybody sees", "file")
    return files_stage(files=files, loaded_by=user.get_username(), requested_by=str(user.public_id))

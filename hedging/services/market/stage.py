"""Several market files sent at once: kept until a worker has loaded them one by one, with progress."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from hedging.jobs import scopes
from hedging.jobs.context import JobContext, JobError
from hedging.jobs.engine import job_request
from hedging.jobs.kinds import MARKET_LOAD
from hedging.jobs.registry import job_handler
from hedging.models import IngestRun, Job, StagedFile
from hedging.services.market.load import MarketFileError, calendars_first, market_file_load

MOST_FILES: Final = 100
MOST_BYTES: Final = 256 * 1024 * 1024


@transaction.atomic
def files_stage(*, files: Sequence[tuple[str, bytes]], loaded_by: str, requested_by: str) -> Job:
    """Keep the files (name, content) and ask a worker to load them; a second press is the same job.

    Raises MarketFileError when there are too many or they are too large together.
    """
    if len(files) > MOST_FILES:
        raise MarketFileError(f"{len(files)} files at once; at most {MOST_FILES}")
    if sum(len(data) for _, data in files) > MOST_BYTES:
        raise MarketFileError(f"the files are larger than {MOST_BYTES >> 20} MiB together")
    ordered = sorted(files, key=lambda file: calendars_first(Path(file[0])))
    digest = hashlib.sha256()
    for name, data in ordered:
        digest.update(name.encode() + b"\0" + hashlib.sha256(data).digest())
    rows = [
        StagedFile.objects.create(name=name[:255], content=data, loaded_by=loaded_by)
        for name, data in ordered
    ]
    job, made = job_request(
        kind=MARKET_LOAD,
        scope=scopes.MARKET,
        as_of=f"{timezone.now():%Y-%m-%dT%H:%M}",
        input_revision=digest.hexdigest(),
        payload={"files": [row.pk for row in rows]},
        requested_by=requested_by,
    )
    if not made:
        StagedFile.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return job


@job_handler(MARKET_LOAD)
def load_staged(context: JobContext) -> Callable[[], Any]:
    """Load each file in a transaction of its own: a cancel or a lost worker keeps what came."""
    keys = context.job.payload["files"]
    new, failed = 0, []
    for number, key in enumerate(keys):
        row = StagedFile.objects.filter(pk=key).first()
        if row is None:  # loaded before a worker was lost
            continue
        context.progress(number, len(keys), row.name[:60])
        try:
            with transaction.atomic():
                new += market_file_load(
                    name=row.name, data=bytes(row.content), loaded_by=row.loaded_by, by_hand=True
                ).rows_new
                row.delete()
        except MarketFileError as error:
            failed.append(f"{row.name}: {error}")
            IngestRun.objects.create(
                name=row.name, source="file", format="", sha256="", error=str(error)[:1000],
                loaded_by=row.loaded_by,
            )  # fmt: skip
            row.delete()
    if failed and len(failed) == len(keys):
        raise JobError(f"Nothing could be loaded. {failed[0]}")
    summary = {"files": len(keys), "new": new, "failed": failed}
    return lambda: summary

"""A job kind that proves the job engine works end to end: ``manage.py job_probe``.

Each probe leaves exactly one row, named after its number, however often it was tried.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.db import transaction

from hedging.jobs import scopes
from hedging.jobs.context import JobContext
from hedging.jobs.engine import job_request
from hedging.jobs.kinds import PROBE
from hedging.jobs.registry import job_handler
from hedging.models import DailyBar, Job, Quality
from hedging.selectors.calendar import FIRST_DAY

SOURCE = "job-probe"


@job_handler(PROBE)
def probe(context: JobContext) -> Callable[[], dict[str, Any]]:
    """Work for the asked time, then leave one row."""
    time.sleep(float(context.job.payload["seconds"]))
    context.progress(1, 2, "probing")
    name = context.job.input_revision

    def write() -> dict[str, Any]:
        # A plain insert: a second effect of the same job would show as a second row.
        DailyBar.objects.create(
            source=SOURCE, symbol=f"{name}:{context.job.attempts}"[:32], date=FIRST_DAY, close=1,
            quality=Quality.SIMULATED,
        )  # fmt: skip
        return {"probe": name}

    return write


@transaction.atomic
def probes_request(*, count: int, seconds: float) -> list[Job]:
    """Queue ``count`` probes."""
    return [
        job_request(
            kind=PROBE, scope=scopes.PROBE, input_revision=str(number), payload={"seconds": seconds},
            max_attempts=50,
        )[0]
        for number in range(count)
    ]  # fmt: skip


def probe_counts() -> dict[str, int]:
    """How often each probe took effect, by its number."""
    counts: dict[str, int] = {}
    for symbol in DailyBar.objects.filter(source=SOURCE).values_list("symbol", flat=True):
        number = symbol.split(":")[0]
        counts[number] = counts.get(number, 0) + 1
    return counts


def probes_remove() -> None:
    """Remove the probes' rows and jobs."""
    DailyBar.objects.filter(source=SOURCE).delete()
    Job.objects.filter(kind=PROBE).delete()

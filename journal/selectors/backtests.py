"""Reads of backtests: lists, one run with its progress, two side by side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any

from hedging.models import Job
from journal.models import BacktestRun, User

_OPEN = {Job.State.QUEUED, Job.State.RUNNING}
PARTS = {0: "Condor", 1: "Layer 1", 2: "Layer 2", 3: "Layer 3"}
WHYS = {
    "profit": "profit taken",
    "days": "near expiry",
    "roll": "rolled",
    "expiry": "expired",
    "forced": "forced",
    "open": "still open",
}


@dataclass(frozen=True, slots=True)
class RunProgress:
    """``state`` is queued, running, failed, cancelled or ready; ``left`` seconds, None unknown."""

    state: str
    phase: str
    done: int
    total: int
    left: int | None
    error: str
    reference: str

    @property
    def is_open(self) -> bool:
        """Whether a worker has it or will have it."""
        return self.state in {"queued", "running"}


def backtests_for(user: User) -> list[BacktestRun]:
    """The user's runs, the newest first, without their figures by day."""
    rows = BacktestRun.objects.for_user(user).select_related("account", "created_by")
    return list(rows.defer("document")[:100])


def progress_of(run: BacktestRun, now: datetime) -> RunProgress:
    """The run's progress from its jobs."""
    jobs = list(run.jobs.order_by("created_at"))
    states = {job.state for job in jobs}
    parts = len(run.sets) > 0
    done = sum(len(part.figures) for part in run.parts.all()) if parts else 0
    total = len(run.sets)
    running = [job for job in jobs if job.state == Job.State.RUNNING]
    began = min((job.started_at for job in jobs if job.started_at), default=None)
    if not parts and jobs:
        done, total = jobs[0].progress, jobs[0].progress_total
    phase = next((job.phase for job in running), "")
    bad = next((job for job in jobs if job.state in {Job.State.DEAD, Job.State.CANCELLED}), None)
    if run.result is not None or (parts and total and done >= total):
        state = "ready"
    elif states & _OPEN:
        state = "running" if running else "queued"
    elif bad is not None:
        state = "failed" if Job.State.DEAD in states else "cancelled"
    else:
        state = "failed"
    left = None
    if state == "running" and began and done and total:
        left = ceil((now - began).total_seconds() * (total - done) / done)
    error = bad.error if bad is not None and state == "failed" else ""
    return RunProgress(
        state, phase, done, total, left, error, str(bad.correlation_id or bad.pk) if bad else ""
    )


def month_grid(months: list[list[Any]]) -> list[tuple[str, list[float | None], float]]:
    """Rows of (year, twelve returns, the year's return); months outside the range are None."""
    years: dict[str, list[float | None]] = {}
    for name, value in months:
        years.setdefault(name[:4], [None] * 12)[int(name[5:7]) - 1] = value
    grid = []
    for year, values in years.items():
        growth = 1.0
        for value in values:
            growth *= 1 + (value or 0.0)
        grid.append((year, values, growth - 1))
    return grid


def shown_interval(claim: dict[str, Any]) -> dict[str, Any]:
    """A claim with its measured value and interval in words."""

    def text(value: float | None) -> str:
        if value is None:
            return "unknown"
        return f"{value * 100:.1f}%" if claim["unit"] == "fraction" else f"{value:.2f}"

    interval = "unknown" if claim["low"] is None else f"{text(claim['low'])} to {text(claim['high'])}"
    return claim | {"measured": text(claim["value"]).replace("-", "\N{MINUS SIGN}"),
                    "interval": interval.replace("-", "\N{MINUS SIGN}")}  # fmt: skip

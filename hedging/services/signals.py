"""Computing signals once for each state of the data: in a worker for pages, at once for commands."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from time import perf_counter
from typing import Any

from django.db import transaction
from django.utils import timezone

from hedging.engine.signals import codec
from hedging.engine.signals.compute import compute_signals
from hedging.engine.signals.frame import SignalFrame
from hedging.engine.signals.params import SignalParams
from hedging.jobs.context import JobContext, JobError
from hedging.jobs.engine import job_request
from hedging.jobs.kinds import SIGNALS
from hedging.jobs.registry import job_handler
from hedging.jobs.scopes import history_scope
from hedging.models import Job, SignalFrameRow
from hedging.selectors.history import history_revision, market_history
from hedging.selectors.signals import DEFAULT_PARAMS, params_hash, stored_signals


def signals_request(*, simulated: bool = False, params: SignalParams = DEFAULT_PARAMS) -> Job | None:
    """Ask a worker for the frame of the present data; None when it is stored already.

    The same data and thresholds are the same job, however often it is asked.
    """
    revision, name = history_revision(), params_hash(params)
    rows = SignalFrameRow.objects.filter(simulated=simulated, params_hash=name, version=codec.VERSION)
    if rows.filter(revision=revision).exists():
        return None
    with transaction.atomic():
        job, _ = job_request(
            kind=SIGNALS,
            scope=history_scope(simulated=simulated),
            ruleset_version=name,
            input_revision=f"{codec.VERSION}.{hashlib.sha256(revision.encode()).hexdigest()}",
            payload={"simulated": simulated, "params": codec.params_json(params)},
        )
    return job


@job_handler(SIGNALS)
def compute_stored(context: JobContext) -> Callable[[], dict[str, Any]]:
    """Compute the frame of the data as they are now; a request of older data is served by it too."""
    simulated = bool(context.job.payload["simulated"])
    try:
        params = codec.params_from_json(context.job.payload["params"])
    except (TypeError, ValueError, KeyError) as error:
        raise JobError(f"The thresholds cannot be read: {error}") from error
    stored = stored_signals(simulated=simulated, params=params)
    if stored is not None and stored.current:
        return lambda: {"sessions": len(stored.frame), "computed": False}
    context.progress(0, 2, "reading the history")
    history = market_history(simulated=simulated)
    context.progress(1, 2, "computing signals")
    began = perf_counter()
    frame = compute_signals(history, params)
    seconds = perf_counter() - began
    payload = codec.pack(frame)
    context.check()

    def write() -> dict[str, Any]:
        _store(frame, payload, history.revision, params, simulated=simulated, seconds=seconds)
        return {"sessions": len(frame), "computed": True, "seconds": round(seconds, 3)}

    return write


def signals_refresh(*, simulated: bool = False, params: SignalParams = DEFAULT_PARAMS) -> SignalFrame:
    """The frame of the present data, computed and stored now where it is not stored already."""
    stored = stored_signals(simulated=simulated, params=params)
    if stored is not None and stored.current:
        return stored.frame
    history = market_history(simulated=simulated)
    began = perf_counter()
    frame = compute_signals(history, params)
    seconds = perf_counter() - began
    with transaction.atomic():
        _store(frame, codec.pack(frame), history.revision, params, simulated=simulated, seconds=seconds)
    return frame


def _store(
    frame: SignalFrame,
    payload: bytes,
    revision: str,
    params: SignalParams,
    *,
    simulated: bool,
    seconds: float,
) -> None:
    days = frame.days
    SignalFrameRow.objects.update_or_create(
        simulated=simulated,
        params_hash=params_hash(params),
        defaults={
            "revision": revision,
            "version": codec.VERSION,
            "first_day": days[0].item() if len(days) else None,
            "last_day": days[-1].item() if len(days) else None,
            "payload": payload,
            "seconds": seconds,
            "created_at": timezone.now(),  # the cache tells rows apart by it
        },
    )

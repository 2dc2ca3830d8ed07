"""Reads of stored signals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from uuid import UUID

from django.db.models import Max

from hedging.engine.canonical import content_hash
from hedging.engine.signals import codec
from hedging.engine.signals.frame import SignalFrame
from hedging.engine.signals.params import SignalParams
from hedging.models import DailyBar, IngestRun, MacroEvent, SignalFrameRow, VXSettlement
from hedging.selectors.history import history_revision

DEFAULT_PARAMS = SignalParams()


@dataclass(frozen=True, slots=True)
class StoredSignals:
    """A stored frame; ``current`` is False when data changed since and it waits to be computed again."""

    frame: SignalFrame
    current: bool
    first_day: date | None
    last_day: date | None
    computed_at: datetime
    seconds: float


def params_hash(params: SignalParams) -> str:
    """The name of a set of thresholds."""
    return content_hash(codec.params_json(params))


def stored_signals(*, simulated: bool = False, params: SignalParams = DEFAULT_PARAMS) -> StoredSignals | None:
    """The newest stored frame for these thresholds, None when there is none of this version."""
    rows = SignalFrameRow.objects.filter(simulated=simulated, params_hash=params_hash(params))
    row = rows.filter(version=codec.VERSION).defer("payload").first()
    if row is None:
        return None
    frame = _frame(row.pk, row.created_at)
    if frame is None:
        return None
    current = row.revision == _revision_now()
    return StoredSignals(frame, current, row.first_day, row.last_day, row.created_at, row.seconds)


def _revision_now() -> str:
    """The history's revision; counting the rows is left out while nothing newer was stored.

    Rows that were only deleted are noticed by the scheduled request, which counts.
    """
    run = IngestRun.objects.order_by("-created_at").values_list("pk", flat=True).first()
    if run is None:
        return history_revision()
    newest = [model.objects.aggregate(newest=Max("pk"))["newest"] for model in (DailyBar, VXSettlement)]
    event = MacroEvent.objects.aggregate(newest=Max("pk"))["newest"]
    return _counted(run, (*newest, event))


@lru_cache(maxsize=4)
def _counted(run: UUID, newest: tuple[int | None, ...]) -> str:
    """The revision under which these were the newest rows."""
    return history_revision()


@lru_cache(maxsize=8)
def _frame(pk: int, created_at: datetime) -> SignalFrame | None:
    """The unpacked frame; ``created_at`` tells a row written again under the same key apart."""
    payload = (
        SignalFrameRow.objects.filter(pk=pk, created_at=created_at).values_list("payload", flat=True).first()
    )
    return codec.unpack(bytes(payload)) if payload is not None else None

"""The event calendar as the engine reads it."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from hedging.engine.history.build import build_events, known_day
from hedging.engine.history.series import CalendarEvent, Events, to_date
from hedging.models import MacroEvent
from hedging.selectors.calendar import FIRST_DAY, LAST_DAY, sessions_between


def events_current() -> Events:
    """Every current event with the session from whose close its outcome was known."""
    return build_events(event_rows())


def event_rows() -> list[CalendarEvent]:
    """Current events in order of day."""
    sessions = np.array(sessions_between(FIRST_DAY, LAST_DAY), dtype="datetime64[D]")
    return [
        CalendarEvent(
            kind=row.kind,
            day=row.day,
            known=to_date(known_day(row.published_at, sessions)),
            time_et=f"{row.time_et:%H:%M}" if row.time_et else "",
            detail=row.detail,
            period=row.period,
            actual=_float(row.actual),
            forecast=_float(row.forecast),
            previous=_float(row.previous),
            unit=row.unit,
            scheduled=row.scheduled,
            source=row.source,
        )
        for row in MacroEvent.objects.filter(superseded_at__isnull=True).order_by("day", "kind")
    ]


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)

"""Closing figures of one day, each with its change from the session before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from hedging.models import DailyBar, Quality
from hedging.selectors.calendar import CalendarRangeError, previous_session

SYMBOLS = ("SPX", "VIX", "VIX9D", "VIX3M", "VVIX", "SKEW")


@dataclass(frozen=True, slots=True)
class DayFigure:
    """A close in points and its change from the previous session; None where not stored."""

    symbol: str
    close: Decimal
    change: Decimal | None
    change_share: Decimal | None
    quality: str
    source: str


def day_figures(day: date, *, simulated: bool = False) -> list[DayFigure]:
    """The stored closes of the day, in the order of SYMBOLS; empty when nothing is stored."""
    try:
        before = previous_session(day)
    except CalendarRangeError:
        return []
    rows = DailyBar.objects.filter(symbol__in=SYMBOLS, date__in=(before, day), superseded_at=None)
    kind = rows.filter(quality=Quality.SIMULATED) if simulated else rows.exclude(quality=Quality.SIMULATED)
    bars = {(bar.symbol, bar.date): bar for bar in kind.order_by("recorded_at")}
    found = []
    for symbol in SYMBOLS:
        bar, previous = bars.get((symbol, day)), bars.get((symbol, before))
        if bar is None:
            continue
        change = bar.close - previous.close if previous else None
        share = change / previous.close if previous and previous.close and change is not None else None
        found.append(DayFigure(symbol, bar.close, change, share, bar.quality, bar.source))
    return found

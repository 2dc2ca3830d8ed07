"""Assembling a MarketHistory from raw columns, wherever they were read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np

from hedging.engine.history.publication import LATER_VINTAGE, known_days, session_from
from hedging.engine.history.series import (
    Bars,
    CalendarEvent,
    Days,
    Events,
    MarketHistory,
    S,
    Series,
    VXHistory,
    frozen,
)
from hedging.maths.arrays import Floats

NEW_YORK = ZoneInfo("America/New_York")


@dataclass(frozen=True, slots=True)
class RawSeries:
    """Columns of one series in any order; ``known`` NaT where the rule decides; prices None if not bars."""

    days: Days
    close: Floats
    open: Floats | None = None
    high: Floats | None = None
    low: Floats | None = None
    known: Days | None = None
    source: str = ""
    first_print: bool | None = None


@dataclass(frozen=True, slots=True)
class RawVX:
    """One row a contract and day, in any order; ``final`` maps expiries to VRO."""

    days: Days
    expiries: Days
    settle: Floats
    volume: Floats
    open_interest: Floats
    final: Mapping[date, float]


def build_history(
    *,
    sessions: Days,
    early: Iterable[bool],
    raw: Mapping[str, RawSeries],
    vx: RawVX,
    events: Iterable[CalendarEvent],
    revision: str = "",
) -> MarketHistory:
    """The history; publication days are filled in by rule where the rows do not state them."""
    sessions = frozen(sessions, "datetime64[D]")
    calendar = build_events(events)
    series = {name: _series(name, columns, sessions, calendar) for name, columns in raw.items()}
    _price_earnings(series)
    return MarketHistory(
        sessions=sessions,
        early=frozen(list(early), np.bool_),
        series=series,
        bars={name: _bars(name, columns) for name, columns in raw.items() if columns.high is not None},
        vx=build_vx(vx),
        events=calendar,
        revision=revision,
    )


def build_events(events: Iterable[CalendarEvent]) -> Events:
    """Events grouped by kind and ordered by day; one event a kind, day and period."""
    found: dict[str, dict[tuple[date, str], CalendarEvent]] = {}
    for event in events:
        found.setdefault(event.kind, {})[event.day, event.period] = event
    return Events(
        {kind: tuple(sorted(rows.values(), key=lambda e: e.day)) for kind, rows in sorted(found.items())}
    )


def known_day(moment: datetime, sessions: Days) -> np.datetime64:
    """The first session whose close (16:00 New York) is not before the moment."""
    local = moment.astimezone(NEW_YORK)
    day = np.array([local.date()], dtype="datetime64[D]")
    late = (local.hour, local.minute) > (16, 0)
    found: np.datetime64 = session_from(day, sessions, after=late)[0]
    return found


def _series(name: str, raw: RawSeries, sessions: Days, events: Events) -> Series:
    days = raw.days.astype("datetime64[D]")
    known = known_days(name, days, sessions, events)
    if raw.known is not None:
        known = np.where(np.isnat(raw.known), known, raw.known)
    order = np.lexsort((days, known))
    return Series(
        symbol=name,
        days=frozen(days[order], "datetime64[D]"),
        values=frozen(raw.close[order], np.float64),
        known=frozen(known[order], "datetime64[D]"),
        source=raw.source,
        first_print=name not in LATER_VINTAGE if raw.first_print is None else raw.first_print,
    )


def _bars(name: str, raw: RawSeries) -> Bars:
    days, last = np.unique(raw.days[::-1], return_index=True)
    at = len(raw.days) - 1 - last
    nothing = np.full(len(raw.days), np.nan)
    prices = [nothing if p is None else p for p in (raw.open, raw.high, raw.low, raw.close)]
    return Bars(name, frozen(days, "datetime64[D]"), *(frozen(p[at], np.float64) for p in prices))


def _price_earnings(series: dict[str, Series]) -> None:
    """P/E of the month from its average price and the trailing earnings known then."""
    price, earned = series.get(S.SP500_PRICE), series.get(S.SP500_EARNINGS)
    if price is None or earned is None or S.PE in series:
        return
    # The newest price over the newest earnings known then: nobody waits for this month's earnings.
    earnings, _ = earned.aligned(price.known)
    usable = np.isfinite(earnings) & (earnings > 0)
    series[S.PE] = Series(
        symbol=S.PE,
        days=frozen(price.days[usable], "datetime64[D]"),
        values=frozen(price.values[usable] / earnings[usable], np.float64),
        known=frozen(price.known[usable], "datetime64[D]"),
        source=price.source,
        first_print=False,
    )


def build_vx(raw: RawVX) -> VXHistory:
    """Matrices of days and expiries; the final settlement falls back on the settlement of the expiry day."""
    days, row = np.unique(raw.days, return_inverse=True)
    expiries, column = np.unique(raw.expiries, return_inverse=True)

    def matrix(values: Floats) -> Floats:
        table = np.full((len(days), len(expiries)), np.nan)
        table[row, column] = values
        return frozen(table, np.float64)

    final = np.full(len(expiries), np.nan)
    on_expiry = raw.days == raw.expiries
    final[column[on_expiry]] = raw.settle[on_expiry]
    for expiry, value in raw.final.items():
        final[expiries == np.datetime64(expiry, "D")] = value
    return VXHistory(
        days=frozen(days, "datetime64[D]"),
        expiries=frozen(expiries, "datetime64[D]"),
        settle=matrix(raw.settle),
        volume=matrix(raw.volume),
        open_interest=matrix(raw.open_interest),
        final=frozen(final, np.float64),
    )

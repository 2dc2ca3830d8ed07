"""The whole market history as arrays: what was observed, and from which close on it was known.

Two dates belong to every value: ``days``, the day it describes, and ``known``, the first session at
whose close it was public. A closing price is known on its own day, Monday's bill rate on Tuesday, the
CPI of March on its release in April. Reading by ``known`` keeps the future out of a backtest.
All arrays are read-only; days are ``datetime64[D]``; NaN and NaT mean unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from hedging.maths.arrays import Floats, Ints

Days = NDArray[np.datetime64]
Day = date | np.datetime64


class S(StrEnum):
    """Names of the series the engine reads. Units: prices and index points unless noted."""

    SPX = "SPX"
    VIX = "VIX"
    VIX9D = "VIX9D"
    VIX3M = "VIX3M"
    VVIX = "VVIX"
    SKEW = "SKEW"
    VXX = "VXX"  # not adjusted for splits
    VRO = "VRO"  # final settlement of VX and VIX options, dated on the expiry
    DTB3 = "DTB3"  # 3-month bill, discount yield, percent a year
    SOFR = "SOFR"  # percent a year
    DFF = "DFF"  # federal funds, percent a year
    DGS10 = "DGS10"  # 10-year Treasury, percent a year
    CPI = "CPIAUCSL"  # seasonally adjusted index, monthly
    CPI_CORE = "CPILFESL"
    PPI = "PPIACO"  # index, monthly, not adjusted
    GDP = "GDPC1"  # real, billions of chained dollars, quarterly, dated on the quarter's first day
    REER = "RBUSBIS"  # broad real effective exchange rate, index, monthly
    ADVANCES = "BREADTH:ADVANCES"  # counted from one stock universe, not the official figure
    DECLINES = "BREADTH:DECLINES"
    NYSE_ADVANCES = "NYSE:ADVANCES"  # official, to 2015
    NYSE_DECLINES = "NYSE:DECLINES"
    REIT = "VNQ"  # adjusted close
    SP500_PRICE = "SHILLER:P"  # monthly average
    SP500_EARNINGS = "SHILLER:E"  # trailing twelve months, dollars a share
    CAPE = "SHILLER:CAPE"
    PE = "SHILLER:PE"  # price over trailing earnings, from the two above
    PCF = "SPX:PCF"  # price over cash flow, supplied by the user
    CAP_BREADTH = "SPX:CAP_BREADTH"  # share of capitalisation that takes part, supplied; lower is narrower
    SPREAD = "SPX:SPREAD"  # bid-ask of options near the money, % of mid, from stored chains or supplied
    FOREIGN_10Y = "FOREIGN:10Y"  # 10-year yield abroad, percent a year, supplied by the user
    CNDR = "CNDR"  # Cboe iron condor index
    PUT = "PUT"
    PPUT = "PPUT"


def day64(day: Day) -> np.datetime64:
    """The day as ``datetime64[D]``."""
    return day if isinstance(day, np.datetime64) else np.datetime64(day, "D")


def to_date(day: Day) -> date:
    """The day as a ``date``."""
    return cast("date", day64(day).item())


def frozen(values: Any, dtype: Any) -> NDArray[Any]:
    """A read-only array of the dtype."""
    array = np.array(values, dtype=dtype)
    array.setflags(write=False)
    return array


@dataclass(frozen=True, slots=True)
class Observation:
    """One value: the day it describes and the close from which it was known."""

    value: float
    day: date
    known: date


@dataclass(frozen=True)
class Series:
    """One series in order of becoming known.

    A revised value is a second row of the same day with a later ``known``. ``first_print`` is False when
    the values are a later vintage than what was printed at ``known`` (macro files downloaded today).
    """

    symbol: str
    days: Days
    values: Floats
    known: Days
    source: str = ""
    first_print: bool = True

    def __len__(self) -> int:
        return len(self.days)

    @cached_property
    def _newest(self) -> Ints:
        """For each row, the index of the newest observation among the rows so far."""
        if not len(self):
            return np.empty(0, dtype=np.int64)
        newest_day = np.maximum.accumulate(self.days.view("int64"))
        own = self.days.view("int64") >= newest_day
        found: Ints = np.maximum.accumulate(np.where(own, np.arange(len(self)), -1))
        return found

    @cached_property
    def revised(self) -> bool:
        """Whether some day has more than one row."""
        return len(np.unique(self.days)) < len(self)

    def last(self, day: Day) -> Observation | None:
        """The newest observation known at the close of ``day``; None when nothing was known."""
        rows = int(np.searchsorted(self.known, day64(day), side="right"))
        if rows == 0:
            return None
        at = self._newest[rows - 1]
        return Observation(float(self.values[at]), self.days[at].item(), self.known[at].item())

    def on(self, day: Day) -> float | None:
        """The observation of exactly that day, as first known; None when there is none."""
        if self.revised:
            found = np.flatnonzero(self.days == day64(day))
            return float(self.values[found[0]]) if len(found) else None
        at = int(np.searchsorted(self.days, day64(day)))
        return float(self.values[at]) if at < len(self) and self.days[at] == day64(day) else None

    def upto(self, day: Day) -> tuple[Days, Floats]:
        """Everything known at the close of ``day``: (observation days ascending, values)."""
        rows = int(np.searchsorted(self.known, day64(day), side="right"))
        days, values = self.days[:rows], self.values[:rows]
        if self.revised:
            days, last = np.unique(days[::-1], return_index=True)  # the last row of each day wins
            values = values[::-1][last]
        return days, values

    def aligned(self, sessions: Days) -> tuple[Floats, Days]:
        """For each session the newest value known at its close, and the day that value describes.

        NaN and NaT before the first. Sessions need not be ascending.
        """
        rows = np.searchsorted(self.known, sessions, side="right")
        values = np.full(len(sessions), np.nan)
        days = np.full(len(sessions), np.datetime64("NaT"), dtype="datetime64[D]")
        some = rows > 0
        at = self._newest[rows[some] - 1] if some.any() else np.empty(0, dtype=np.int64)
        values[some], days[some] = self.values[at], self.days[at]
        return values, days

    def exact(self, sessions: Days) -> Floats:
        """The observation of each session itself, as first known; NaN where that day has none."""
        days, first = np.unique(self.days, return_index=True)
        values = np.full(len(sessions), np.nan)
        if len(days):
            at = np.minimum(np.searchsorted(days, sessions), len(days) - 1)
            hit = days[at] == sessions
            values[hit] = self.values[first[at[hit]]]
        return values

    def known_at(self, day: Day) -> Series:
        """The series as it stood at the close of ``day``."""
        rows = int(np.searchsorted(self.known, day64(day), side="right"))
        return replace(self, days=self.days[:rows], values=self.values[:rows], known=self.known[:rows])


@dataclass(frozen=True, slots=True)
class Bars:
    """Daily bars in index points or dollars; NaN where a price is unusable (SPX open before 2008)."""

    symbol: str
    days: Days
    open: Floats
    high: Floats
    low: Floats
    close: Floats

    def __len__(self) -> int:
        return len(self.days)

    def known_at(self, day: Day) -> Bars:
        """The bars up to and including ``day``."""
        n = int(np.searchsorted(self.days, day64(day), side="right"))
        return replace(
            self, days=self.days[:n], open=self.open[:n], high=self.high[:n], low=self.low[:n],
            close=self.close[:n],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One monthly contract on one day: settlement in points, counts of contracts (NaN unknown)."""

    expiry: date
    settle: float
    volume: float
    open_interest: float


@dataclass(frozen=True)
class Curve:
    """M1, M2, … on every day: arrays of shape (days, months), NaN and NaT where not listed or unpriced."""

    days: Days
    expiry: Days
    settle: Floats
    volume: Floats
    open_interest: Floats


@dataclass(frozen=True)
class VXHistory:
    """Monthly VX contracts: matrices of shape (days, expiries), settlements in points.

    ``final`` is the final settlement (VRO) by expiry, NaN where unknown; never spot VIX.
    """

    days: Days
    expiries: Days
    settle: Floats
    volume: Floats
    open_interest: Floats
    final: Floats

    def curve(self, day: Day, count: int = 8) -> list[CurvePoint]:
        """M1 to M``count`` of exactly that day; empty when the day has no settlements.

        A contract is out on its settlement day. One listed but unpriced keeps its place with NaN.
        """
        at = int(np.searchsorted(self.days, day64(day)))
        if at >= len(self.days) or self.days[at] != day64(day):
            return []
        table = self.months(count)
        return [
            CurvePoint(e.item(), float(s), float(v), float(o))
            for e, s, v, o in zip(
                table.expiry[at], table.settle[at], table.volume[at], table.open_interest[at], strict=True
            )
            if not np.isnat(e)
        ]

    def months(self, count: int = 8) -> Curve:
        """The nearest ``count`` monthly contracts of every day."""
        return self._months if count == 8 else self._ranked(count)

    @cached_property
    def _months(self) -> Curve:
        return self._ranked(8)

    def _ranked(self, count: int) -> Curve:
        priced = np.isfinite(self.settle)
        n = len(self.days)
        # Listed from its first price on: a later day without a price must not move M2 into M1's place.
        listed = np.logical_or.accumulate(priced, axis=0) & (self.expiries[None, :] > self.days[:, None])
        place = np.cumsum(listed, axis=1) - 1
        take = listed & (place < count)
        at_row, at_col = np.nonzero(take)
        slot = place[at_row, at_col]
        expiry = np.full((n, count), np.datetime64("NaT"), dtype="datetime64[D]")
        expiry[at_row, slot] = self.expiries[at_col]
        tables = []
        for source in (self.settle, self.volume, self.open_interest):
            table = np.full((n, count), np.nan)
            table[at_row, slot] = source[at_row, at_col]
            table.setflags(write=False)
            tables.append(table)
        expiry.setflags(write=False)
        return Curve(self.days, expiry, *tables)

    def settlement(self, day: Day, expiry: Day) -> float | None:
        """Settlement of one contract on one day; None when unknown."""
        i, j = np.searchsorted(self.days, day64(day)), np.searchsorted(self.expiries, day64(expiry))
        if i >= len(self.days) or j >= len(self.expiries):
            return None
        if self.days[i] != day64(day) or self.expiries[j] != day64(expiry) or np.isnan(self.settle[i, j]):
            return None
        return float(self.settle[i, j])

    def final_settlement(self, expiry: Day) -> float | None:
        """VRO of the expiry; None when unknown."""
        j = int(np.searchsorted(self.expiries, day64(expiry)))
        if j >= len(self.expiries) or self.expiries[j] != day64(expiry) or np.isnan(self.final[j]):
            return None
        return float(self.final[j])

    def known_at(self, day: Day) -> VXHistory:
        """The settlements up to ``day``; finals of contracts that had settled by then."""
        n = int(np.searchsorted(self.days, day64(day), side="right"))
        return replace(
            self,
            days=self.days[:n],
            settle=self.settle[:n],
            volume=self.volume[:n],
            open_interest=self.open_interest[:n],
            final=np.where(self.expiries <= day64(day), self.final, np.nan),
        )


class CalendarEventKind(StrEnum):
    """Kinds of calendar events."""

    CPI = "cpi"
    PPI = "ppi"
    NFP = "nfp"
    GDP = "gdp"
    FOMC = "fomc_decision"
    FOMC_UNSCHEDULED = "fomc_intermeeting"
    FOMC_MINUTES = "fomc_minutes"
    JACKSON_HOLE = "jackson_hole"
    ELECTION = "election"
    OPEX = "opex"
    QUAD_WITCHING = "quad_witching"
    VIX_EXPIRY = "vix_expiry"


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """One scheduled or past event; figures in ``unit``, None when unknown or not yet released.

    ``known`` is the first session at whose close its outcome was public; ``scheduled`` False means that
    nobody knew of it before its day.
    """

    kind: str
    day: date
    known: date
    time_et: str = ""
    detail: str = ""
    period: str = ""
    actual: float | None = None
    forecast: float | None = None
    previous: float | None = None
    unit: str = ""
    scheduled: bool = True
    source: str = ""


@dataclass(frozen=True)
class Events:
    """Events by kind, each in order of day."""

    by_kind: Mapping[str, tuple[CalendarEvent, ...]] = field(default_factory=dict)

    @cached_property
    def _days(self) -> dict[str, Days]:
        return {
            kind: np.array([e.day for e in events], "datetime64[D]") for kind, events in self.by_kind.items()
        }

    def __len__(self) -> int:
        return sum(len(events) for events in self.by_kind.values())

    def __iter__(self) -> Iterator[CalendarEvent]:
        return (event for events in self.by_kind.values() for event in events)

    def of(self, kind: str) -> tuple[CalendarEvent, ...]:
        """All events of the kind, ascending."""
        return self.by_kind.get(kind, ())

    def days(self, kind: str) -> Days:
        """Days of the kind, ascending."""
        found = self._days.get(kind)
        return np.empty(0, dtype="datetime64[D]") if found is None else found

    def last_known(self, kind: str, day: Day) -> CalendarEvent | None:
        """The newest event whose outcome was known at the close of ``day``."""
        events = self.of(kind)
        at = int(np.searchsorted(self.days(kind), day64(day), side="right"))
        while at > 0:
            at -= 1
            if day64(events[at].known) <= day64(day):
                return events[at]
        return None

    def next_after(self, kind: str, day: Day) -> CalendarEvent | None:
        """The next scheduled event strictly after ``day``; its figures are blanked, they lie ahead."""
        at = int(np.searchsorted(self.days(kind), day64(day), side="right"))
        for event in self.of(kind)[at:]:
            if event.scheduled:
                return replace(event, actual=None, forecast=None, previous=None)
        return None

    def known_at(self, day: Day) -> Events:
        """The calendar as seen at the close of ``day``: later outcomes blanked, surprises not there."""
        limit = to_date(day)
        seen: dict[str, tuple[CalendarEvent, ...]] = {}
        for kind, events in self.by_kind.items():
            seen[kind] = tuple(
                e if e.known <= limit else replace(e, actual=None, forecast=None, previous=None)
                for e in events
                if e.scheduled or e.day <= limit
            )
        return Events(seen)


@dataclass(frozen=True)
class MarketHistory:
    """Everything the engine reads about the past, real or simulated but never mixed.

    ``sessions`` are the exchange's days, past and planned; ``early`` tells which close at 13:00.
    """

    sessions: Days
    early: NDArray[np.bool_]
    series: Mapping[str, Series]
    bars: Mapping[str, Bars]
    vx: VXHistory
    events: Events
    revision: str = ""  # changes whenever stored data change; part of result keys

    def get(self, symbol: str) -> Series | None:
        """The series, None when absent: absent is unknown."""
        return self.series.get(symbol)

    @cached_property
    def last_day(self) -> date | None:
        """The last day with an SPX close."""
        spx = self.series.get(S.SPX)
        return spx.days[-1].item() if spx is not None and len(spx) else None

    def sessions_until(self, day: Day, first: Day | None = None) -> Days:
        """Sessions up to and including ``day``, from ``first`` on when given."""
        start = 0 if first is None else int(np.searchsorted(self.sessions, day64(first)))
        return self.sessions[start : int(np.searchsorted(self.sessions, day64(day), side="right"))]

    def known_at(self, day: Day) -> MarketHistory:
        """The history as it stood at the close of ``day``: nothing later is in it."""
        return replace(
            self,
            series={name: series.known_at(day) for name, series in self.series.items()},
            bars={name: bars.known_at(day) for name, bars in self.bars.items()},
            vx=self.vx.known_at(day),
            events=self.events.known_at(day),
        )

"""Reading the history for signals: clean series, joins of series, and columns made from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hedging.engine.history.series import Days, MarketHistory, S, Series, VXHistory
from hedging.engine.signals.frame import OFF, ON, UNKNOWN, SignalColumn, States
from hedging.engine.signals.params import SignalParams
from hedging.engine.signals.types import SignalKey
from hedging.maths.arrays import Bools, Floats

#: Figures are compared after rounding here, so that a computed 35 is not 34.999999999999996.
DIGITS: Final = 9


@dataclass(frozen=True)
class DatedValues:
    """A figure on every session, and the day it belongs to; NaN and NaT are unknown."""

    values: Floats
    as_of: Days


class SignalInputs:
    """The history seen session by session: row i is what was known at the close of ``days[i]``."""

    def __init__(self, history: MarketHistory, params: SignalParams) -> None:
        self.history = history
        self.params = params
        closes = [s.days for s in (history.get(S.SPX), history.get(S.VIX)) if s is not None and len(s)]
        if closes:
            first, last = min(days[0] for days in closes), max(days[-1] for days in closes)
            self.days = history.sessions_until(last, first)
        else:
            self.days = np.empty(0, dtype="datetime64[D]")
        self._clean: dict[str, Series | None] = {}

    def __len__(self) -> int:
        return len(self.days)

    def series(self, symbol: str, *, traded: bool = True) -> Series | None:
        """First prints with finite values in order of day; a traded series on sessions only."""
        if symbol not in self._clean:
            self._clean[symbol] = self._cleaned(symbol, traded)
        return self._clean[symbol]

    def _cleaned(self, symbol: str, traded: bool) -> Series | None:
        found = self.history.get(symbol)
        if found is None or not len(found):
            return None
        days, first = np.unique(found.days, return_index=True)
        keep = np.isfinite(found.values[first])
        if traded:
            keep &= np.isin(days, self.history.sessions)
        rows = first[keep]
        if not len(rows):
            return None
        # A value cannot count before an older one of its series did.
        known = np.maximum.accumulate(found.known[rows])
        return replace(found, days=found.days[rows], values=found.values[rows], known=known)

    def joined(self, *symbols: str) -> tuple[Days, Days, list[Floats]] | None:
        """Days on which every series has a value, when all were known, and the values."""
        found = [self.series(symbol) for symbol in symbols]
        if not all(found):
            return None
        present = [series for series in found if series is not None]
        days = present[0].days
        for series in present[1:]:
            days = np.intersect1d(days, series.days, assume_unique=True)
        if not len(days):
            return None
        at = [np.searchsorted(series.days, days) for series in present]
        known = np.max([series.known[i] for series, i in zip(present, at, strict=True)], axis=0)
        return days, known, [series.values[i] for series, i in zip(present, at, strict=True)]

    def figures(self, days: Days, known: Days, values: Floats) -> DatedValues:
        """Values of their own days, carried to the sessions at whose close they were known."""
        found, as_of = Series("", days, values, known).aligned(self.days)
        return DatedValues(found, as_of)

    def apply(self, symbol: str, formula: Callable[[Floats], Floats], *, traded: bool = True) -> DatedValues:
        """An indicator over a series' own observations, carried to the sessions.

        A series with revisions is read anew at each of them: what a release showed on its day is worked
        out from the vintage of that day alone, because vintages may differ in their base year.
        """
        series = self.series(symbol, traded=traded)
        if series is None:
            return self.nothing()
        if not traded and self.history.series[symbol].revised:
            seen = [(known, days[-1], formula(values)[-1]) for known, days, values in self.vintages(symbol)]
            known, days, values = zip(*seen, strict=True)
            return self.figures(np.array(days), np.array(known), np.array(values, dtype=np.float64))
        return self.figures(series.days, series.known, formula(series.values))

    def vintages(self, symbol: str) -> Iterator[tuple[np.datetime64, Days, Floats]]:
        """The day something new was known, and the series as it stood then; oldest first."""
        series = self.history.series[symbol]
        for known in np.unique(series.known):
            days, values = series.upto(known)
            finite = np.isfinite(values)
            if finite.any():
                yield known, days[finite], values[finite]

    def plain(self, symbol: str, *, traded: bool = True) -> DatedValues:
        """The newest known value of a series on every session."""
        return self.apply(symbol, lambda values: values, traded=traded)

    def apply_joined(self, symbols: Sequence[str], formula: Callable[..., Floats]) -> DatedValues:
        """A formula over the common days of several series, carried to the sessions."""
        found = self.joined(*symbols)
        if found is None:
            return self.nothing()
        days, known, values = found
        return self.figures(days, known, formula(*values))

    def nothing(self) -> DatedValues:
        """Unknown on every session."""
        return DatedValues(np.full(len(self), np.nan), np.full(len(self), "NaT", dtype="datetime64[D]"))

    def source(self, symbol: str) -> str:
        """The series' name with its source."""
        found = self.history.get(symbol)
        name = str(symbol)
        return f"{name} ({found.source})" if found is not None and found.source else name

    @cached_property
    def vx(self) -> VXHistory:
        """Monthly VX contracts."""
        return self.history.vx

    @cached_property
    def vx_rows(self) -> tuple[Bools, NDArray[np.int64]]:
        """Which sessions have a VX curve of their own, and its row. A curve is never carried on."""
        if not len(self.vx.days):
            return np.zeros(len(self), dtype=bool), np.zeros(len(self), dtype=np.int64)
        at = np.minimum(np.searchsorted(self.vx.days, self.days), len(self.vx.days) - 1)
        return self.vx.days[at] == self.days, at

    def on_sessions(self, table: NDArray[np.generic]) -> NDArray[np.generic]:
        """Rows of a VX table on the sessions; NaN or NaT where a session has no curve."""
        has, at = self.vx_rows
        empty: object = np.datetime64("NaT") if table.dtype.kind == "M" else np.nan
        out = np.full((len(self), *table.shape[1:]), empty, dtype=table.dtype)
        out[has] = table[at[has]]
        return out

    @cached_property
    def vx_as_of(self) -> Days:
        """The session itself where it has a curve."""
        has, _ = self.vx_rows
        return np.where(has, self.days, np.datetime64("NaT"))

    def too_old(self, figures: DatedValues, max_age: int) -> Bools:
        """Where the figure's day lies further back than it may."""
        with np.errstate(invalid="ignore"):
            return np.asarray((self.days - figures.as_of) > np.timedelta64(max_age, "D"))

    def column(
        self,
        key: SignalKey,
        label: str,
        figures: DatedValues,
        *,
        unit: str,
        threshold: str,
        source: str,
        provenance: str,
        why_unknown: str,
        on: Bools | None = None,
        distance: Floats | None = None,
        levels: tuple[Floats, ...] = (),
        max_age: int | None = None,
        late_sessions: int = 0,
        late_days: int | None = None,
        note: str = "",
    ) -> SignalColumn:
        """A column: unknown where the figure or a moving level is, or where it is too old."""
        limit = self.params.max_age_days if max_age is None else max_age
        lost = self.too_old(figures, limit)
        values = np.where(lost, np.nan, figures.values)
        unknown = np.isnan(values)
        for level in levels:
            unknown |= np.isnan(level)
        return SignalColumn(
            key=key,
            label=label,
            unit=unit,
            values=values,
            state=states(np.zeros(len(self), dtype=bool) if on is None else on, unknown),
            as_of=figures.as_of,
            threshold=threshold,
            source=source,
            provenance=provenance,
            max_age=limit,
            why_unknown=why_unknown,
            distance=None if distance is None else np.where(unknown, np.nan, distance),
            levels=levels,
            late_sessions=late_sessions,
            late_days=late_days,
            note=note,
        )


def lagged(values: Floats, lag: int) -> Floats:
    """Each session's value ``lag`` sessions before; NaN at the beginning."""
    out = np.full(len(values), np.nan)
    if len(values) > lag:
        out[lag:] = values[:-lag]
    return out


def states(on: Bools, unknown: Bools) -> States:
    """States from what fires and what is unknown; unknown wins."""
    return np.where(unknown, UNKNOWN, np.where(on, ON, OFF)).astype(np.int8)


def below(values: Floats, level: Floats | float) -> tuple[Bools, Floats]:
    """Strictly below a level, and how far the value is from it (negative: beyond)."""
    distance = np.round(values - level, DIGITS)
    with np.errstate(invalid="ignore"):
        return distance < 0, distance


def above(values: Floats, level: Floats | float) -> tuple[Bools, Floats]:
    """Strictly above a level, and how far the value is from it (negative: beyond)."""
    distance = np.round(level - values, DIGITS)
    with np.errstate(invalid="ignore"):
        return distance < 0, distance


def oldest(*figures: DatedValues) -> Days:
    """The oldest of the days the figures belong to; NaT where one is unknown."""
    found = figures[0].as_of
    for other in figures[1:]:
        found = np.minimum(found, other.as_of)  # NaT wins
    return found


def all_of(*parts: States) -> States:
    """On when all are on, off when one is off, else unknown."""
    table = np.stack(parts)
    off = (table == OFF).any(axis=0)
    on = (table == ON).all(axis=0)
    return np.where(off, OFF, np.where(on, ON, UNKNOWN)).astype(np.int8)


def count_on(*parts: States) -> NDArray[np.int64]:
    """How many are on; unknown does not count."""
    count: NDArray[np.int64] = (np.stack(parts) == ON).sum(axis=0, dtype=np.int64)
    return count


def run_length(on: Bools) -> NDArray[np.int64]:
    """For each session how many sessions in a row it has been true, itself included."""
    index = np.arange(len(on))
    last_off = np.maximum.accumulate(np.where(on, -1, index))
    return np.where(on, index - last_off, 0)

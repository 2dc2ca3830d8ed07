"""Levels a market page shows beside the signals, each with its place in the last year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from hedging.engine.history.series import Days, S
from hedging.maths.arrays import Floats

INDEXES: Final = (S.SPX, S.VIX, S.VIX9D, S.VIX3M, S.VVIX, S.SKEW)
FIRST, SECOND, RATIO = "M1", "M2", "M1/M2"
_DAY: Final = np.timedelta64(1, "D")


@dataclass(frozen=True)
class LevelSeries:
    """One level on every session; NaN and NaT unknown. ``percentile`` (0 to 1) is among its last 252."""

    name: str
    values: Floats
    as_of: Days
    percentile: Floats
    source: str
    max_age: int

    def on(self, at: int | None, day: date, last_session: np.datetime64 | None) -> LevelDay:
        """The level for ``day`` from row ``at``: unknown beyond its age, stale behind ``last_session``."""
        as_of = np.datetime64("NaT") if at is None else self.as_of[at]
        if at is None or np.isnat(as_of):
            return LevelDay(self.name, self.source)
        age = int((np.datetime64(day, "D") - as_of) // _DAY)
        value = _number(self.values[at]) if age <= self.max_age else None
        before = _number(self.values[at - 1]) if at > 0 and self.name in INDEXES else None
        return LevelDay(
            name=self.name,
            source=self.source,
            value=value,
            percentile=None if value is None else _number(self.percentile[at]),
            change=None if value is None or before is None else value - before,
            as_of=as_of.item(),
            age_days=age,
            stale=last_session is not None and bool(as_of < last_session),
        )


@dataclass(frozen=True, slots=True)
class LevelDay:
    """A level as it stood on a day; ``change`` of an index is against the session before, in points."""

    name: str
    source: str
    value: float | None = None
    percentile: float | None = None
    change: float | None = None
    as_of: date | None = None
    age_days: int | None = None
    stale: bool = False


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)

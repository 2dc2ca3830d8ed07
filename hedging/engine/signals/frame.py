"""Signals of the whole history as columns, and the view of one day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hedging.engine.history.series import Day, Days, day64, to_date
from hedging.engine.signals.levels import LevelDay, LevelSeries
from hedging.engine.signals.regimes import RegimeHistory
from hedging.engine.signals.types import RegimeDay, Signal, SignalDay, SignalKey, SignalState
from hedging.maths.arrays import Floats

States = NDArray[np.int8]

ON: Final = 1
OFF: Final = 0
UNKNOWN: Final = -1
_STATE = {ON: SignalState.ON, OFF: SignalState.OFF, UNKNOWN: SignalState.UNKNOWN}
_ONE_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class SignalColumn:
    """One signal on every session.

    ``state`` is 1 on, 0 off, -1 unknown. ``as_of`` is the day of the newest input (of several inputs the
    oldest of their newest), kept where the value is too old to count. ``threshold`` may hold ``{0}``
    and so on for ``levels``, where the rule moves with the day. ``late_sessions`` is how many sessions a
    value may lie back before it is stale, ``late_days`` the same in calendar days for slow series;
    beyond ``max_age`` calendar days it is unknown.
    """

    key: SignalKey
    label: str
    unit: str
    values: Floats
    state: States
    as_of: Days
    threshold: str
    source: str
    provenance: str
    max_age: int
    why_unknown: str
    distance: Floats | None = None
    levels: tuple[Floats, ...] = ()
    late_sessions: int = 0
    late_days: int | None = None
    note: str = ""

    @cached_property
    def since(self) -> NDArray[np.int64]:
        """For each session the index where its run of equal states began.

        An unknown session ends a run: nobody knows what held in it.
        """
        starts = np.flatnonzero(np.concatenate([[True], self.state[1:] != self.state[:-1]]))
        lengths = np.diff(np.concatenate([starts, [len(self.state)]]))
        return np.repeat(starts, lengths)[: len(self.state)]

    def rule_at(self, at: int | None) -> str:
        """The threshold in words and figures, as it stood on a session."""
        if not self.levels:
            return self.threshold
        levels = [np.nan if at is None else float(level[at]) for level in self.levels]
        return self.threshold.format(*["unknown" if np.isnan(x) else f"{x:,.2f}" for x in levels])


@dataclass(frozen=True)
class SignalFrame:
    """All signals and the regime of every session from the first to the last close.

    Arrays stand on ``days``; row i holds what was known at the close of ``days[i]``.
    """

    days: Days
    columns: Mapping[SignalKey, SignalColumn]
    regimes: RegimeHistory
    alerts: Mapping[int, tuple[str, ...]]
    levels: Mapping[str, LevelSeries]
    sessions: Days

    def __len__(self) -> int:
        return len(self.days)

    def index(self, day: Day) -> int | None:
        """Row of the newest session at or before ``day``; None before the first."""
        at = int(np.searchsorted(self.days, day64(day), side="right")) - 1
        return at if at >= 0 else None

    def values(self, key: SignalKey) -> Floats:
        """The signal's figure on every session; NaN is unknown."""
        return self.columns[key].values

    def state(self, key: SignalKey) -> States:
        """The signal's state on every session: 1 on, 0 off, -1 unknown."""
        return self.columns[key].state

    def day(self, day: date) -> SignalDay:
        """Everything known at the close of ``day``.

        On a day without a session, or after the last stored one, these are the newest values with
        their age; what is older than it may be is unknown.
        """
        at, last = self.index(day), self._last_session(day)
        signals = {key: self._signal(column, at, day, last) for key, column in self.columns.items()}
        alerts = () if at is None else self.alerts.get(at, ())
        return SignalDay(day, signals, self._regime(at, day), alerts)

    def levels_on(self, day: date) -> dict[str, LevelDay]:
        """The shown levels as they stood at the close of ``day``."""
        at, last = self.index(day), self._last_session(day)
        session = self.sessions[last] if last >= 0 else None
        return {name: level.on(at, day, session) for name, level in self.levels.items()}

    def _regime(self, at: int | None, day: date) -> RegimeDay:
        if at is None:
            return self.regimes.unknown(day, "No history by this day.")
        age = (day64(day) - self.days[at]) // _ONE_DAY
        if age > self.columns[SignalKey.VIX].max_age:
            return self.regimes.unknown(day, f"The newest close is {age} days old.")
        return self.regimes.on(at, day)

    def _last_session(self, day: date) -> int:
        """Index of the newest session at or before the day; -1 before the first."""
        return int(np.searchsorted(self.sessions, day64(day), side="right")) - 1

    def _is_late(self, column: SignalColumn, as_of: date, day: date, last: int) -> bool:
        """Whether a column's newest value is older than its publication explains."""
        if column.late_days is not None:
            return (day - as_of).days > column.late_days
        due = last - column.late_sessions
        return due >= 0 and as_of < to_date(self.sessions[due])

    def _signal(self, column: SignalColumn, at: int | None, day: date, last: int) -> Signal:
        as_of: date | None = None if at is None else column.as_of[at].item()
        age = None if as_of is None else (day - as_of).days
        too_old = age is not None and age > column.max_age
        state = UNKNOWN if at is None or too_old else int(column.state[at])
        late = as_of is not None and self._is_late(column, as_of, day, last)
        value = None
        if at is not None and not too_old and not np.isnan(column.values[at]):
            value = float(column.values[at])
        distance = None
        if at is not None and state != UNKNOWN and column.distance is not None:
            found = float(column.distance[at])
            distance = None if np.isnan(found) else found
        return Signal(
            key=column.key,
            label=column.label,
            value=value,
            unit=column.unit,
            threshold=column.rule_at(at),
            state=_STATE[state],
            since=None if at is None or too_old else self.days[column.since[at]].item(),
            source=column.source,
            as_of=as_of,
            age_days=age,
            stale=late,
            distance=distance,
            reason=_reason(column, state, age, late=late, too_old=too_old),
            provenance=column.provenance,
        )


def _reason(column: SignalColumn, state: int, age: int | None, *, late: bool, too_old: bool) -> str:
    if too_old:
        return f"The newest value is {age} days old; beyond {column.max_age} it does not count."
    if state == UNKNOWN:
        return column.why_unknown
    parts = [f"The newest value is {age} days old."] if late else []
    return " ".join([*parts, column.note]).strip()

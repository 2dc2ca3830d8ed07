"""Statistics of trades: what they won and lost, how often, in what order, under which conditions.

The unit is an *outcome*: one closed trade, or one closed chain of rolls; never a leg (docs/adr/0014). P&L is
dollars after fees. What is unknown is None and stays out of its average; the count beside an average says how
many outcomes it rests on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt

import numpy as np

from hedging.engine.results.claims import LEVEL, Interval, bootstrap

#: Outcomes below which a group's figures are called too few to judge (proposed).
ENOUGH = 20
_Z = 1.6448536269514722  # 90%, both sides
_DTE = ((7, "0-7 days"), (21, "8-21 days"), (35, "22-35 days"), (50, "36-50 days"), (90, "51-90 days"))
_VIX = ((13.0, "VIX below 13"), (16.0, "VIX 13-16"), (20.0, "VIX 16-20"), (25.0, "VIX 20-25"),
        (30.0, "VIX 25-30"))  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TradeOutcome:
    """A closed trade or chain. Dollars after fees; days to expiry in calendar days.

    ``mae`` (≤ 0) and ``mfe`` (≥ 0) are the worst and best running P&L at a session's close, over the
    ``marked`` of ``sessions`` whose marks are all known. ``vix`` and ``regime`` are those of the last close
    before entry. ``trades`` counts the chain's members.
    """

    key: str
    label: str
    strategy: str
    opened: date
    closed: date
    pnl: float
    layer: int | None = None
    dte_open: int | None = None
    dte_close: int | None = None
    max_profit: float | None = None
    mae: float | None = None
    mfe: float | None = None
    marked: int = 0
    sessions: int = 0
    vix: float | None = None
    regime: str = UNKNOWN
    tags: tuple[str, ...] = ()
    trades: int = 1

    @property
    def captured(self) -> float | None:
        """P&L over maximum profit, a fraction; None where the maximum is unknown or unlimited."""
        return self.pnl / self.max_profit if self.max_profit and self.max_profit > 0 else None


@dataclass(frozen=True, slots=True)
class OutcomeStatistics:
    """Statistics of a group of outcomes, dollars after fees; None is undefined or unknown.

    ``win_rate`` with its Wilson interval, ``expectancy`` (mean P&L) with a bootstrap interval,
    ``profit_factor`` gross wins over gross losses, ``capture`` ΣP&L over Σmaximum profit of the
    ``capture_count`` with a known one, ``mae`` and ``mfe`` means over ``excursion_count``.
    """

    name: str
    count: int
    wins: int
    losses: int
    total: float
    win_rate: float | None
    win_interval: Interval | None
    expectancy: float | None
    expectancy_interval: Interval | None
    average_win: float | None
    average_loss: float | None
    profit_factor: float | None
    dte_open: float | None
    dte_close: float | None
    days_held: float | None
    capture: float | None
    capture_count: int
    mae: float | None
    mfe: float | None
    excursion_count: int
    win_streak: int
    loss_streak: int
    current_streak: int

    @property
    def enough(self) -> bool:
        """Whether the group is large enough to judge."""
        return self.count >= ENOUGH


def wilson(wins: int, count: int) -> Interval | None:
    """Wilson score interval of a share at 90%; None without observations."""
    if not count:
        return None
    share, square = wins / count, _Z * _Z
    centre = (share + square / (2 * count)) / (1 + square / count)
    half = _Z / (1 + square / count) * sqrt(share * (1 - share) / count + square / (4 * count * count))
    return Interval(max(0.0, centre - half), min(1.0, centre + half), LEVEL)


def streaks(pnls: Sequence[float]) -> tuple[int, int, int]:
    """Longest run of wins, longest run of losses, present run (+ wins, - losses); zero ends a run."""
    best = worst = now = 0
    for pnl in pnls:
        if pnl > 0:
            now = max(now, 0) + 1
        elif pnl < 0:
            now = min(now, 0) - 1
        else:
            now = 0
        best, worst = max(best, now), max(worst, -now)
    return best, worst, now


def figures(name: str, outcomes: Iterable[TradeOutcome]) -> OutcomeStatistics:
    """Statistics of a group, its outcomes taken in order of closing."""
    rows = sorted(outcomes, key=lambda one: (one.closed, one.opened, one.key))
    pnls = [one.pnl for one in rows]
    won, lost = [p for p in pnls if p > 0], [p for p in pnls if p < 0]
    priced = [one for one in rows if one.captured is not None]
    best = sum(one.max_profit for one in priced if one.max_profit is not None)
    longest, worst, now = streaks(pnls)
    resampled = None
    if len(pnls) >= ENOUGH:
        resampled = bootstrap(pnls, lambda samples: samples[..., 0].mean(axis=-1), block=1)
    return OutcomeStatistics(
        name=name,
        count=len(rows),
        wins=len(won),
        losses=len(lost),
        total=sum(pnls),
        win_rate=len(won) / len(rows) if rows else None,
        win_interval=wilson(len(won), len(rows)),
        expectancy=_mean(pnls),
        expectancy_interval=resampled,
        average_win=_mean(won),
        average_loss=_mean(lost),
        profit_factor=sum(won) / -sum(lost) if lost else None,
        dte_open=_mean([one.dte_open for one in rows]),
        dte_close=_mean([one.dte_close for one in rows]),
        days_held=_mean([(one.closed - one.opened).days for one in rows]),
        capture=sum(one.pnl for one in priced) / best if priced else None,
        capture_count=len(priced),
        mae=_mean([one.mae for one in rows]),
        mfe=_mean([one.mfe for one in rows]),
        excursion_count=sum(one.mae is not None for one in rows),
        win_streak=longest,
        loss_streak=worst,
        current_streak=now,
    )


def _mean(values: Sequence[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return sum(found) / len(found) if found else None


def dte_bucket(dte: int | None) -> str:
    """The bucket of days to expiry at entry."""
    if dte is None:
        return UNKNOWN
    return next((name for most, name in _DTE if dte <= most), "over 90 days")


def vix_bucket(vix: float | None) -> str:
    """The bucket of the VIX before entry; a level on a border belongs to the higher one."""
    if vix is None:
        return UNKNOWN
    return next((name for below, name in _VIX if vix < below), "VIX 30 and above")


def _one(name: Callable[[TradeOutcome], str]) -> Callable[[TradeOutcome], tuple[str, ...]]:
    return lambda one: (name(one),)


#: Ways to break outcomes down: heading, groups an outcome belongs to, the order groups stand in.
BREAKDOWNS: dict[str, tuple[str, Callable[[TradeOutcome], tuple[str, ...]], tuple[str, ...]]] = {
    "strategy": ("Strategy", _one(lambda one: one.strategy), ()),
    "layer": ("Hedge layer", lambda one: (f"Layer {one.layer}",) if one.layer else (), ()),
    "weekday": ("Weekday of entry", _one(lambda one: _WEEKDAYS[one.opened.weekday()]), _WEEKDAYS),
    "dte": (
        "Days to expiry at entry", _one(lambda one: dte_bucket(one.dte_open)),
        (*(name for _, name in _DTE), "over 90 days", UNKNOWN),
    ),
    "vix": (
        "VIX before entry", _one(lambda one: vix_bucket(one.vix)),
        (*(name for _, name in _VIX), "VIX 30 and above", UNKNOWN),
    ),
    "regime": ("Regime before entry", _one(lambda one: one.regime), ()),
    "tag": ("Tag", lambda one: one.tags or ("no tag",), ()),
}  # fmt: skip


def breakdown(outcomes: Sequence[TradeOutcome], by: str) -> list[OutcomeStatistics]:
    """Figures of each group of one way to break outcomes down; KeyError for an unknown way.

    An outcome with several tags stands in each of their groups.
    """
    _, names, order = BREAKDOWNS[by]
    groups: dict[str, list[TradeOutcome]] = {}
    for one in outcomes:
        for name in names(one):
            groups.setdefault(name, []).append(one)
    ranks = {name: at for at, name in enumerate(order)}
    last = len(ranks)
    ordered = sorted(groups, key=lambda name: (ranks.get(name, last), name == UNKNOWN, name))
    return [figures(name, groups[name]) for name in ordered]


def excursions(running: Sequence[float]) -> tuple[float, float] | None:
    """(MAE ≤ 0, MFE ≥ 0) of a running P&L at known closes; None without any."""
    if not len(running):
        return None
    values = np.asarray(running, dtype=np.float64)
    return min(0.0, float(values.min())), max(0.0, float(values.max()))

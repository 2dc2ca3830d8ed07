"""Time-weighted returns of an account by session: Sharpe, Sortino, drawdown, months.

A session's return is its P&L over the equity it began with plus what came in that day; the owner's flows
are no return. Ratios annualise by 252 sessions: Sharpe = mean(r - rf) / sd(r - rf) × √252 with the sample
standard deviation; Sortino divides by the root mean square of the excess returns below zero. Drawdowns are
fractions, ≤ 0 under water. What cannot be computed is None.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from hedging.engine.results.claims import DAILY_BLOCK, Interval, bootstrap
from hedging.maths.arrays import Floats

YEAR = 252
#: Sessions below which ratios say nothing (proposed).
ENOUGH = 60


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The worst fall: its depth (positive fraction), peak, trough and the day it was made good again.

    ``peak`` is None when the fall began with the first session.
    """

    depth: float
    peak: date | None
    trough: date
    recovered: date | None
    longest: int


@dataclass(frozen=True, slots=True)
class Month:
    """A month's compounded return over the sessions it has."""

    year: int
    month: int
    value: float
    sessions: int


@dataclass(frozen=True, slots=True)
class Performance:
    """Figures of a series of session returns; rates a year, ``total`` over the whole period.

    ``annual`` (compound) only with a year of sessions; ratios only with 60.
    """

    sessions: int
    total: float | None
    annual: float | None
    volatility: float | None
    sharpe: float | None
    sharpe_interval: Interval | None
    sortino: float | None
    drawdown: Drawdown | None
    best: float | None
    worst: float | None
    up_share: float | None

    @property
    def enough(self) -> bool:
        """Whether ratios mean anything."""
        return self.sessions >= ENOUGH


def session_returns(gain: ArrayLike, equity: ArrayLike) -> Floats:
    """Gain of each session over its base; NaN where there is none.

    ``equity`` at the close less the gain is the earlier equity with the flow of the day: the base.
    """
    gain = np.asarray(gain, dtype=np.float64)
    base = np.asarray(equity, dtype=np.float64) - gain
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(base > 0, gain / base, np.nan))


def until_ruin(returns: ArrayLike) -> tuple[Floats, int | None]:
    """Returns up to the first session that lost all it began with, and its place; None when none did.

    That session counts as -1, whatever was owed beyond it; later ones are unknown (NaN), because returns on
    what is left of nothing cannot be linked to those before.
    """
    found = np.array(returns, dtype=np.float64)
    lost = np.flatnonzero(found <= -1.0)
    if not len(lost):
        return found, None
    at = int(lost[0])
    found[at], found[at + 1 :] = -1.0, np.nan
    return found, at


def underwater(returns: ArrayLike) -> Floats:
    """Fraction below the highest value so far (≤ 0), the starting value included."""
    growth = np.cumprod(1.0 + np.asarray(returns, dtype=np.float64))
    peak = np.maximum(np.maximum.accumulate(growth), 1.0)
    return np.asarray(growth / peak - 1.0)


def worst_fall(days: Sequence[date], returns: ArrayLike) -> Drawdown | None:
    """The deepest drawdown; None when the value never fell. ``longest`` counts sessions under water."""
    below = underwater(returns)
    if not len(below) or below.min() >= 0:
        return None
    trough = int(below.argmin())
    dry = np.flatnonzero(below >= 0)
    before, after = dry[dry < trough], dry[dry > trough]
    edges = np.concatenate([[-1], dry, [len(below)]])
    return Drawdown(
        -float(below[trough]),
        days[int(before[-1])] if len(before) else None,
        days[trough],
        days[int(after[0])] if len(after) else None,
        int(np.diff(edges).max()) - 1,
    )


def sharpe(samples: Floats) -> Floats:
    """Sharpe ratio of excess returns, (draws, n, 1) → (draws,); NaN when nothing moved."""
    excess = samples[..., 0]
    spread = excess.std(axis=-1, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(spread > 1e-12, excess.mean(axis=-1) / spread * sqrt(YEAR), np.nan))


def performance(days: Sequence[date], returns: ArrayLike, bills: ArrayLike | float = 0.0) -> Performance:
    """Figures of session returns; ``bills`` the annual risk-free rate by session, unknown ones as zero.

    Sessions without a base (NaN) count as unmoved in the value and are left out of the ratios.
    """
    every = np.asarray(returns, dtype=np.float64)
    known = np.isfinite(every)
    moved = every[known]
    free = np.nan_to_num(np.broadcast_to(np.asarray(bills, dtype=np.float64), every.shape))[known] / YEAR
    count = len(moved)
    if not count:
        return Performance(0, None, None, None, None, None, None, None, None, None, None)
    excess = moved - free
    total = float(np.prod(1.0 + moved)) - 1.0
    enough = count >= ENOUGH
    ratio = float(sharpe(excess[None, :, None])[0]) if enough else np.nan
    downside = sqrt(float(np.mean(np.minimum(excess, 0.0) ** 2)))
    return Performance(
        sessions=count,
        total=total,
        annual=(1.0 + total) ** (YEAR / count) - 1.0 if count >= YEAR and total > -1 else None,
        volatility=float(moved.std(ddof=1)) * sqrt(YEAR) if enough else None,
        sharpe=ratio if np.isfinite(ratio) else None,
        sharpe_interval=bootstrap(excess, sharpe, block=DAILY_BLOCK, draws=1000) if enough else None,
        sortino=float(excess.mean()) / downside * sqrt(YEAR) if enough and downside > 0 else None,
        drawdown=worst_fall(days, np.where(known, every, 0.0)),
        best=float(moved.max()),
        worst=float(moved.min()),
        up_share=float((moved > 0).mean()),
    )


def months(days: Sequence[date], returns: ArrayLike) -> list[Month]:
    """Compounded return of each calendar month with a known session."""
    found: dict[tuple[int, int], list[float]] = {}
    for day, value in zip(days, np.asarray(returns, dtype=np.float64), strict=True):
        if np.isfinite(value):
            found.setdefault((day.year, day.month), []).append(float(value))
    return [
        Month(year, month, float(np.prod(1.0 + np.array(values))) - 1.0, len(values))
        for (year, month), values in sorted(found.items())
    ]


@dataclass(frozen=True, slots=True)
class MarketFit:
    """Returns over bills against the market's: r - rf = α + β (m - rf) by least squares.

    ``alpha`` a year (daily × 252), standard errors of both, the window and its observations.
    """

    alpha: float
    alpha_error: float
    beta: float
    beta_error: float
    r_squared: float
    first: date
    last: date
    observations: int


def market_fit(
    days: Sequence[date], returns: ArrayLike, market: ArrayLike, bills: ArrayLike
) -> MarketFit | None:
    """CAPM regression over the last year of sessions; None with fewer than 60 or an unmoved market."""
    own, index, rate = (np.asarray(a, dtype=np.float64)[-YEAR:] for a in (returns, market, bills))
    use = np.isfinite(own) & np.isfinite(index) & np.isfinite(rate)
    count = int(use.sum())
    if count < ENOUGH:
        return None
    free = rate[use] / YEAR
    x, y = index[use] - free, own[use] - free
    spread = float(((x - x.mean()) ** 2).sum())
    if spread < 1e-18:
        return None
    beta = float(((x - x.mean()) * (y - y.mean())).sum()) / spread
    alpha = float(y.mean() - beta * x.mean())
    rest = float(((y - alpha - beta * x) ** 2).sum())
    whole = float(((y - y.mean()) ** 2).sum())
    noise = rest / (count - 2)
    kept = [day for day, keep in zip(list(days)[-YEAR:], use, strict=True) if keep]
    return MarketFit(
        alpha * YEAR,
        sqrt(noise * (1 / count + float(x.mean()) ** 2 / spread)) * YEAR,
        beta,
        sqrt(noise / spread),
        1 - rest / whole if whole > 0 else 0.0,
        kept[0],
        kept[-1],
        count,
    )

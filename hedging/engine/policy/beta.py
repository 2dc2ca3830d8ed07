"""How VX moves with SPX, estimated from history: least squares of daily changes over a rolling window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from hedging.engine.history.series import Days, MarketHistory, S, day64
from hedging.maths.arrays import Floats

_MONTH = 30.0
#: The share of a window's days that must be known.
_ENOUGH = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class VXBetas:
    """For each session the slope over the window that ends there, VX points per 1% of SPX; NaN unknown."""

    days: Days
    betas: Floats
    window: int

    def on(self, day: date) -> float | None:
        """The estimate known at the close of the day."""
        at = int(np.searchsorted(self.days, day64(day), side="right")) - 1
        return float(self.betas[at]) if at >= 0 and np.isfinite(self.betas[at]) else None


def vx_betas(history: MarketHistory, window: int) -> VXBetas:
    """Slope of the 30-day VX future's daily change (points) on SPX's daily return (percent).

    The change is that of the two contracts around 30 days, each against its own settlement of the day
    before, so that rolling makes no change. Each window uses its own days only.
    """
    days = history.vx.days
    series = history.get(S.SPX)
    if series is None or len(days) < 2:
        return VXBetas(days, np.full(len(days), np.nan), window)
    close = series.exact(days)
    x = np.full(len(days), np.nan)
    x[1:] = (close[1:] / close[:-1] - 1) * 100
    return VXBetas(days, _slopes(x, _changes(history), window), window)


def _changes(history: MarketHistory) -> Floats:
    """Daily change in points of VX at 30 days; NaN on the first day and where a contract is unpriced."""
    vx = history.vx
    curve = vx.months(3)
    found = np.full(len(vx.days), np.nan)
    tenor = (curve.expiry - vx.days[:, None]).astype("float64")
    tenor[np.isnat(curve.expiry)] = np.nan
    for at in range(1, len(vx.days)):
        days = tenor[at]
        beyond = np.flatnonzero(days >= _MONTH)
        if not len(beyond):
            continue
        far = int(beyond[0])
        near = max(far - 1, 0)
        weight = 1.0 if far == near else (_MONTH - days[near]) / (days[far] - days[near])
        columns = np.searchsorted(vx.expiries, curve.expiry[at, [near, far]])
        moves = vx.settle[at, columns] - vx.settle[at - 1, columns]
        found[at] = (1 - weight) * moves[0] + weight * moves[1]
    return found


def _slopes(x: Floats, y: Floats, window: int) -> Floats:
    """Least-squares slope of y on x over each trailing window, from running sums."""
    known = np.isfinite(x) & np.isfinite(y)
    a, b = np.where(known, x, 0.0), np.where(known, y, 0.0)
    n, sx, sy, sxx, sxy = (_rolling(one, window) for one in (known.astype(float), a, b, a * a, a * b))
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = (n * sxy - sx * sy) / (n * sxx - sx * sx)
    return np.where(n >= _ENOUGH * window, slope, np.nan)


def _rolling(values: Floats, window: int) -> Floats:
    total = np.concatenate([[0.0], np.cumsum(values)])
    start = np.maximum(np.arange(1, len(total)) - window, 0)
    return np.asarray(total[1:] - total[start])

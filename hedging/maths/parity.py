"""Forward and discount factor of an expiry from put-call parity: C - P = D (F - K)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hedging.maths.arrays import Floats

_ROUNDS = 20
_MIN_PAIRS = 3
_HUBER = 1.5


class ParityFit(NamedTuple):
    """Forward in points, discount factor, rate (continuous, per year), pairs used, RMSE in points."""

    forward: float
    discount: float
    rate: float
    n_pairs: int
    rmse: float


def fit_parity(
    strikes: ArrayLike,
    call_mid: ArrayLike,
    put_mid: ArrayLike,
    call_spread: ArrayLike,
    put_spread: ArrayLike,
    t: float,
    spot_hint: float,
    discount: float | None = None,
    near: float = 0.10,
) -> ParityFit | None:
    """Robust regression of C - P on K over near-the-money pairs.

    Arrays share one shape, in points; NaN marks a missing quote; ``t`` in years; ``spot_hint`` and
    ``near`` select the pairs: strikes within ±``near`` of the hint, where both sides are tight. Weights
    are inverse squared quote widths, outliers are down-weighted (Huber). With ``discount`` given (or
    fewer than six pairs, where a slope is mostly noise) only the forward is fitted. None when fewer
    than three pairs remain: the forward is then unknown.
    """
    k, c, p, cs, ps = (
        np.asarray(a, dtype=np.float64) for a in (strikes, call_mid, put_mid, call_spread, put_spread)
    )
    width = np.maximum(cs, 0.0) + np.maximum(ps, 0.0)
    use = np.isfinite(c) & np.isfinite(p) & np.isfinite(width) & (t > 0)
    use &= np.abs(k / spot_hint - 1.0) <= near
    if use.sum() < _MIN_PAIRS:
        return None
    k, y, width = k[use], (c - p)[use], width[use]
    base = 1.0 / np.maximum(width, 0.05) ** 2
    centre = spot_hint
    weights = base
    fixed = discount if discount is not None else (1.0 if len(k) < 6 else None)
    slope, level, residual = -1.0, 0.0, y
    for _ in range(_ROUNDS):
        if fixed is None:
            slope, level = _line(k - centre, y, weights)
        else:
            slope = -fixed
            level = float(np.average(y - slope * (k - centre), weights=weights))
        residual = y - level - slope * (k - centre)
        scale = 1.4826 * float(np.median(np.abs(residual))) + 1e-9
        fresh = base / np.maximum(1.0, np.abs(residual) / (_HUBER * scale))
        if np.allclose(fresh, weights, rtol=1e-9):
            break
        weights = fresh
    found = -slope
    if fixed is None and not 0.5 < found < 1.1:
        return fit_parity(strikes, call_mid, put_mid, call_spread, put_spread, t, spot_hint, 1.0, near)
    forward = centre + level / found
    rmse = float(np.sqrt(np.average(residual**2, weights=weights)))
    return ParityFit(forward, found, float(-np.log(found) / t), len(k), rmse)


def _line(x: Floats, y: Floats, weights: Floats) -> tuple[float, float]:
    mean_x, mean_y = np.average(x, weights=weights), np.average(y, weights=weights)
    slope = np.sum(weights * (x - mean_x) * (y - mean_y)) / np.sum(weights * (x - mean_x) ** 2)
    return float(slope), float(mean_y - slope * mean_x)


def box_rate(low_strike: float, high_strike: float, box_price: float, t: float) -> float:
    """The market's financing rate in a box spread: ln((K2 - K1) / price) / T, continuous."""
    return float(np.log((high_strike - low_strike) / box_price) / t)

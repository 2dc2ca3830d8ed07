"""Risk-neutral probabilities from the smile: digitals, so the skew counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hedging.maths import black76
from hedging.maths.arrays import Floats
from hedging.maths.normal import cdf
from hedging.maths.smile import Smile


def probability_below(level: ArrayLike, smile: Smile) -> Floats:
    """P(S_T < level) = ∂P/∂K of undiscounted puts along the smile, clipped to [0, 1].

    Central difference over ±0.05% of the level: it holds both N(-d2) and the slope of the smile
    (vega × ∂σ/∂K). NaN when the smile is unknown.
    """
    k = np.asarray(level, dtype=np.float64)
    h = 5e-4 * k
    up, down = k + h, k - h
    value = (_put(up, smile) - _put(down, smile)) / (2 * h)
    return np.clip(value, 0.0, 1.0)


def _put(strike: Floats, smile: Smile) -> Floats:
    return black76.price(smile.forward, strike, smile.t, smile.vol(strike), 1.0, -1)


def probability_below_lognormal(level: ArrayLike, forward: float, sigma: float, t: float) -> Floats:
    """P(S_T < level) with one volatility: N(-d2)."""
    k = np.asarray(level, dtype=np.float64)
    spread = sigma * np.sqrt(t)
    d2 = np.log(forward / k) / spread - 0.5 * spread
    return cdf(-d2)


def expected_move(forward: float, sigma: float, t: float) -> float:
    """One standard deviation of the forward in points to ``t``: F σ √T."""
    return float(forward * sigma * np.sqrt(t))

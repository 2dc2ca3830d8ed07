"""Implied volatility of Black-76 prices, vectorised, solved from the out-of-the-money side.

The normalised problem and the choice of objective per price region follow P. Jäckel, "Let's Be
Rational" (2015): with x = -|ln F/K| and s = σ√T the out-of-the-money price over D√(FK) is
b(x, s) = e^{x/2} N(x/s + s/2) - e^{-x/2} N(x/s - s/2), increasing from 0 to e^{x/2}, with its
inflection at s = √(2|x|). Below the inflection 1/ln b is nearly straight in s, above it
ln(e^{x/2} - b) is; a bracketed Newton step on those converges in a handful of rounds everywhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hedging.maths.normal import cdf, pdf

Floats = NDArray[np.float64]

_ROUNDS = 60
_TINY = np.finfo(np.float64).tiny


def _normalised(x: Floats, s: Floats) -> tuple[Floats, Floats]:
    """b(x, s) and its derivative in s, for x <= 0 and s > 0."""
    upper = x / s + 0.5 * s
    lower = x / s - 0.5 * s
    b = np.exp(0.5 * x) * cdf(upper) - np.exp(-0.5 * x) * cdf(lower)
    slope = np.exp(0.5 * x) * pdf(upper)
    return np.maximum(b, _TINY), slope


def implied_vol(
    price: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    t: ArrayLike,
    discount: ArrayLike,
    right: ArrayLike,
) -> Floats:
    """Black-76 implied volatility (0.20 = 20%); arguments broadcast, units as in black76.

    NaN where no volatility exists: price at or below D × intrinsic or at or above its upper bound (D F
    for a call, D K for a put), T <= 0, or any invalid input; other elements are not affected.
    """
    arrays = np.broadcast_arrays(
        *(np.asarray(a, dtype=np.float64) for a in (price, forward, strike, t, discount, right))
    )
    shape = arrays[0].shape
    value, f, k, years, d, sign = (np.ravel(a) for a in arrays)
    result = np.full(value.shape, np.nan)
    with np.errstate(all="ignore"):
        log_m = np.log(f / k)
        scale = d * np.sqrt(f * k)
        time_value = (value - d * np.maximum(sign * (f - k), 0.0)) / scale
        x = -np.abs(log_m)
        top = np.exp(0.5 * x)
        solvable = (time_value > 0) & (time_value < top) & (years > 0) & (d > 0) & np.isfinite(time_value)
    if solvable.any():
        s = _solve(time_value[solvable], x[solvable], top[solvable])
        result[solvable] = s / np.sqrt(years[solvable])
    return result.reshape(shape)


def _solve(beta: Floats, x: Floats, top: Floats) -> Floats:
    """S with b(x, s) = beta, by Newton on the straightened objective inside a shrinking bracket."""
    with np.errstate(all="ignore"):
        inflection = np.sqrt(2.0 * -x)
        at_inflection = np.where(inflection > 0, _normalised(x, np.maximum(inflection, 1e-12))[0], 0.0)
        low_side = beta < at_inflection
        # At the money b = erf(s/√8): s ≈ β√(2π) starts well; elsewhere start at the inflection.
        s = np.maximum(inflection, np.minimum(beta * np.sqrt(2 * np.pi), 5.0))
        lower = np.where(low_side, 0.0, inflection)
        upper = np.where(low_side, inflection, 80.0)
        log_beta = np.log(beta)
        log_gap = np.log(top - beta)
        for _ in range(_ROUNDS):
            b, slope = _normalised(x, s)
            above = b > beta
            upper = np.where(above, s, upper)
            lower = np.where(above, lower, s)
            log_b = np.log(b)
            step_low = (log_b / log_beta - 1.0) * b * log_b / slope
            gap = np.maximum(top - b, _TINY)
            step_high = (np.log(gap) - log_gap) * gap / slope
            step = np.where(low_side, step_low, step_high)
            candidate = s + step
            inside = (candidate > lower) & (candidate < upper) & np.isfinite(candidate)
            fresh = np.where(inside, candidate, 0.5 * (lower + upper))
            done = np.abs(fresh - s) <= 1e-15 * s
            s = fresh
            if done.all():
                break
    return np.asarray(s, dtype=np.float64)

"""Implied volatility of Black-76 prices at machine precision, vectorised in NumPy.

Normalised as in P. Jäckel, "Let's Be Rational" (2015): with x = |ln F/K| and s = σ√T the
out-of-the-money price over D√(FK) is b(x, s), increasing from 0 to e^{-x/2}. The first guess carries the
Bachelier volatility of the time value to Black's by the expansion that is exact at the money; Householder
steps of order four on ln b follow, and whatever did not settle is bracketed. The compiled twin is
``hedging.maths.fast.implied_vol``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hedging.maths.arrays import Floats
from hedging.maths.black76 import log_ratio
from hedging.maths.coefficients import (
    AT_THE_MONEY_BOTTOM,
    AT_THE_MONEY_TOP,
    BACHELIER_BOTTOM,
    BACHELIER_TOP,
    MILLS_BOTTOM,
    MILLS_TOP,
)

#: Two units of a price's last place: nearer than that to a bound, it is at the bound.
ROUNDING = 4.5e-16

_SQRT_2PI = np.sqrt(2.0 * np.pi)
_STEPS = 3
_SETTLED = 2e-4  # size of the last step relative to s: the error after it is of its fourth power
_SMALL = 0.02  # below this half deviation the difference of Mills ratios is taken as a series


def _polynomial(x: Floats, coefficients: tuple[float, ...]) -> Floats:
    result: Floats = np.full_like(x, coefficients[-1])
    for c in coefficients[-2::-1]:
        result = result * x + c
    return result


def _mills(x: Floats) -> Floats:
    """N(-x) e^{x²/2} for x >= 0."""
    x = np.minimum(x, 60.0)
    return _polynomial(x, MILLS_TOP) / _polynomial(x, MILLS_BOTTOM)


def _black(x: Floats, s: Floats) -> tuple[Floats, Floats]:
    """b(x, s) without cancellation, and its derivative in s."""
    a, h = x / s, 0.5 * s
    e = np.exp(-0.5 * (a * a + h * h))
    far = _mills(a + h)
    near = _mills(np.abs(a - h))
    b = np.where(a > h, e * (near - far), np.exp(-0.5 * x) - e * (near + far))
    small = h < _SMALL
    if small.any():
        b[small] = _series(a[small], h[small]) * e[small]
    return b, e / _SQRT_2PI


def _series(a: Floats, h: Floats) -> Floats:
    """R(a-h) - R(a+h) by odd derivatives: R' = aR - 1/√(2π), R⁽ⁿ⁾ = aR⁽ⁿ⁻¹⁾ + (n-1)R⁽ⁿ⁻²⁾."""
    r = [_mills(a)]
    r.append(a * r[0] - 1.0 / _SQRT_2PI)
    for n in range(2, 8):
        r.append(a * r[n - 1] + (n - 1) * r[n - 2])
    h2 = h * h
    return np.asarray(-2.0 * h * (r[1] + h2 * (r[3] / 6.0 + h2 * (r[5] / 120.0 + h2 * r[7] / 5040.0))))


def _first_guess(beta: Floats, x: Floats, xi: Floats) -> Floats:
    gap = np.maximum(xi, 1e-6 * beta)
    y = np.log1p(gap / (_SQRT_2PI * beta))
    bachelier = gap / (y * np.sqrt(_polynomial(y, BACHELIER_TOP) / _polynomial(y, BACHELIER_BOTTOM)))
    w = bachelier * np.where(xi > 1e-6 * beta, x / gap, 1.0)
    z = np.minimum(w * w, 6.0)
    return np.asarray(w * _polynomial(z, AT_THE_MONEY_TOP) / _polynomial(z, AT_THE_MONEY_BOTTOM))


def _householder(s: Floats, beta: Floats, x: Floats) -> Floats:
    """Step of order four towards ln b(x, s) = ln beta."""
    b, slope = _black(x, s)
    g = slope / b
    gap = -np.log(b / beta) / g
    curvature = x * x / s**3
    c2 = curvature - 0.25 * s  # b''/b'
    c3 = c2 * c2 - 3.0 * curvature / s - 0.25  # b'''/b'
    second = c2 - g
    third = c3 - 3.0 * c2 * g + 2.0 * g * g
    return gap * (1.0 + 0.5 * gap * second) / (1.0 + gap * (second + gap * third / 6.0))


def _bracketed(beta: Floats, x: Floats) -> Floats:
    """Newton on the straightened price inside a shrinking bracket, for what did not settle."""
    top = np.exp(-0.5 * x)
    rest = top - beta
    upper_half = beta > rest
    low, high = np.zeros_like(x), np.full_like(x, 80.0)
    s = np.clip(np.sqrt(2.0 * x), 1e-3, 40.0)
    for _ in range(200):
        b, slope = _black(x, s)
        high, low = np.where(b > beta, s, high), np.where(b > beta, low, s)
        log_b = np.log(b)
        step = np.where(log_b < -1.0, (log_b / np.log(beta) - 1.0) * b * log_b, beta - b) / slope
        gap = np.maximum(top - b, np.finfo(np.float64).tiny)
        step = np.where(upper_half, np.log(gap / rest) * gap / slope, step)
        fresh = s + step
        fresh = np.where((fresh > low) & (fresh < high), fresh, 0.5 * (low + high))
        done = np.abs(fresh - s) <= 2e-16 * s
        s = fresh
        if done.all():
            break
    return s


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
        x = np.abs(log_ratio(f, k))
        root = np.sqrt(f * k)
        beta = (value / d - np.maximum(sign * (f - k), 0.0)) / root
        unsure = ROUNDING * value / d / root
        solvable = (beta > unsure) & (beta < np.exp(-0.5 * x) - unsure)
        solvable &= (years > 0) & (d > 0) & (f > 0) & (k > 0)
        solvable &= np.isfinite(years) & np.isfinite(d) & np.isfinite(root) & (np.abs(sign) == 1.0)
        if solvable.any():
            s = _solve(beta[solvable], x[solvable], (np.abs(f - k) / root)[solvable])
            result[solvable] = s / np.sqrt(years[solvable])
    return result.reshape(shape)


def _solve(beta: Floats, x: Floats, xi: Floats) -> Floats:
    s = _first_guess(beta, x, xi)
    last = s
    for _ in range(_STEPS):
        last = _householder(s, beta, x)
        s = s + last
    settled = (np.abs(last) < _SETTLED * s) & (s > 0) & (s < 4.0) & (x < 36.0 * s) & (beta > 1e-290)
    if not settled.all():
        s[~settled] = _bracketed(beta[~settled], x[~settled])
    return s

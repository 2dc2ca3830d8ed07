"""The normal distribution at double precision, vectorised in NumPy.

erfc follows W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23
(1969): three rational approximations, each below one unit of double precision.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_SQRT2 = np.sqrt(2.0)
_INV_SQRT_PI = 5.6418958354775628695e-1
_INV_SQRT_2PI = 0.3989422804014326779

_A = (
    3.16112374387056560e00,
    1.13864154151050156e02,
    3.77485237685302021e02,
    3.20937758913846947e03,
    1.85777706184603153e-1,
)
_B = (2.36012909523441209e01, 2.44024637934444173e02, 1.28261652607737228e03, 2.84423683343917062e03)
_C = (
    5.64188496988670089e-1,
    8.88314979438837594e0,
    6.61191906371416295e01,
    2.98635138197400131e02,
    8.81952221241769090e02,
    1.71204761263407058e03,
    2.05107837782607147e03,
    1.23033935479799725e03,
    2.15311535474403846e-8,
)
_D = (
    1.57449261107098347e01,
    1.17693950891312499e02,
    5.37181101862009858e02,
    1.62138957456669019e03,
    3.29079923573345963e03,
    4.36261909014324716e03,
    3.43936767414372164e03,
    1.23033935480374942e03,
)
_P = (
    3.05326634961232344e-1,
    3.60344899949804439e-1,
    1.25781726111229246e-1,
    1.60837851487422766e-2,
    6.58749161529837803e-4,
    1.63153871373020978e-2,
)
_Q = (
    2.56852019228982242e00,
    1.87295284992346725e00,
    5.27905102951428412e-1,
    6.05183413124413191e-2,
    2.33520497626869185e-3,
)


def _ratio(x: Floats, top: tuple[float, ...], bottom: tuple[float, ...]) -> Floats:
    """Cody's nested form: the last coefficient of ``top`` leads."""
    numerator = top[-1] * x
    denominator = x
    for upper, lower in zip(top[:-2], bottom[:-1], strict=True):
        numerator = (numerator + upper) * x
        denominator = (denominator + lower) * x
    return (numerator + top[-2]) / (denominator + bottom[-1])


def _exp_minus_square(y: Floats) -> Floats:
    """exp(-y²) without the cancellation of squaring: y is split at 1/16."""
    whole = np.trunc(y * 16.0) / 16.0
    rest = (y - whole) * (y + whole)
    return np.asarray(np.exp(-whole * whole) * np.exp(-rest))


def erfc(x: ArrayLike) -> Floats:
    """Complementary error function of an array of any shape; relative error about 1e-15."""
    value = np.asarray(x, dtype=np.float64)
    y = np.abs(value)
    result = np.full(value.shape, np.nan)
    small = y <= 0.46875
    middle = (y > 0.46875) & (y <= 4.0)
    large = y > 4.0
    if small.any():
        s = value[small]
        result[small] = 1.0 - s * _ratio(s * s, _A, _B)
    if middle.any():
        m = y[middle]
        result[middle] = _exp_minus_square(m) * _ratio(m, _C, _D)
    if large.any():
        big = np.minimum(y[large], 40.0)  # exp(-1600) is zero: larger values add nothing
        inverse = 1.0 / (big * big)
        tail = (_INV_SQRT_PI - inverse * _ratio(inverse, _P, _Q)) / big
        result[large] = _exp_minus_square(big) * tail
    negative = (value < 0) & ~small
    result[negative] = 2.0 - result[negative]
    return result


def cdf(x: ArrayLike) -> Floats:
    """Standard normal distribution function N(x)."""
    return 0.5 * erfc(-np.asarray(x, dtype=np.float64) / _SQRT2)


def pdf(x: ArrayLike) -> Floats:
    """Standard normal density n(x)."""
    value = np.asarray(x, dtype=np.float64)
    return np.asarray(_INV_SQRT_2PI * np.exp(-0.5 * value * value))

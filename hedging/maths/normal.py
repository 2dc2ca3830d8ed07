"""The normal distribution at double precision.

erfc is the C library's, one call an element: as fast as rational approximations in array arithmetic for ten
thousand elements and thirty times faster for the handful that a page or a leg asks for.
"""

from __future__ import annotations

from math import erfc as erfc_of_one

import numpy as np
from numpy.typing import ArrayLike

from hedging.maths.arrays import Floats

_SQRT2 = np.sqrt(2.0)
_INV_SQRT_2PI = 0.3989422804014326779


def erfc(x: ArrayLike) -> Floats:
    """Complementary error function of an array of any shape; relative error about 1e-15."""
    value = np.asarray(x, dtype=np.float64)
    return np.fromiter(map(erfc_of_one, value.ravel().tolist()), np.float64, value.size).reshape(value.shape)


def cdf(x: ArrayLike) -> Floats:
    """Standard normal distribution function N(x)."""
    return 0.5 * erfc(-np.asarray(x, dtype=np.float64) / _SQRT2)


def pdf(x: ArrayLike) -> Floats:
    """Standard normal density n(x)."""
    value = np.asarray(x, dtype=np.float64)
    return np.asarray(_INV_SQRT_2PI * np.exp(-0.5 * value * value))

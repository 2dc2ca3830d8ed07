"""exp, log and the Mills ratio as straight-line arithmetic that LLVM turns into vector instructions.

Calls into a mathematics library stop the loop vectoriser, so these are polynomials and rationals
fitted at 40 digits by ``bench/fit_mills.py`` (``hedging.maths.coefficients``; those of exp and log are
written here, with their relative errors). All are defined for
finite arguments in the stated range only: callers select invalid elements out afterwards.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import Enum
from typing import Any, Protocol, TypeVar

import numpy as np
from numba import get_num_threads, njit

from hedging.maths.coefficients import MILLS_BOTTOM, MILLS_TOP

_F = TypeVar("_F", bound=Callable[..., Any])


class _Decorator(Protocol):
    def __call__(self, function: _F, /) -> _F: ...


#: Contraction to fused multiply-add only: reordering would break the range reductions below.
_FLAGS: dict[str, Any] = {"fastmath": {"contract"}, "error_model": "numpy", "cache": True, "nogil": True}

#: A function of its own; one that LLVM always inlines; one whose ``prange`` runs on numba's threads.
compiled: _Decorator = njit(**_FLAGS)
inlined: _Decorator = njit(forceinline=True, **_FLAGS)
threaded: _Decorator = njit(parallel=True, **_FLAGS)

INV_SQRT_2PI = 0.39894228040143267794

#: One parallel region at a time: numba's own thread pool ends the process when two threads enter it.
launching = threading.Lock()


class Threads(Enum):
    """On how many threads a call runs."""

    AUTO = "auto"  # all of numba's, where one thread would need more than about 2 ms
    ONE = "one"
    ALL = "all"

    def pays(self, items: int, per_second: float) -> bool:
        """Whether ``items`` go to several threads, when one does ``per_second`` of them."""
        if self is Threads.AUTO:
            return items > 2e-3 * per_second and get_num_threads() > 1
        return self is Threads.ALL


_LOG2E = 1.4426950408889634074
_LN2_HIGH = 6.93147180369123816490e-01  # low 32 bits zero: n × it is exact
_LN2_LOW = 1.90821492927058770002e-10
_ROUND = 6755399441055744.0  # 1.5 × 2^52: adding it rounds to an integer kept in the low bits
_SQRT_HALF_BITS = 0x3FE6A09E667F3BCD


@inlined
def exp_(x: float) -> float:
    """e^x for x in [-708, 709], error 1 ulp; below -708 it stays at e^-708 (3e-308)."""
    x = max(-708.0, x)
    shifted = x * _LOG2E + _ROUND
    n = shifted - _ROUND
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    p = 2.4994105190616254e-08  # degree 11, 3e-18
    p = p * r + 2.7632290471575896e-07
    p = p * r + 2.7557623119316796e-06
    p = p * r + 2.4801486524871272e-05
    p = p * r + 1.9841269432145916e-04
    p = p * r + 1.3888888951220136e-03
    p = p * r + 8.333333333559552e-03
    p = p * r + 4.166666666649284e-02
    p = p * r + 1.6666666666666166e-01
    p = p * r + 0.5000000000000018
    p = p * r + 1.0
    p = p * r + 1.0
    bits = np.float64(p).view(np.int64) + (np.float64(shifted).view(np.int64) << np.int64(52))
    return np.int64(bits).view(np.float64)


@inlined
def log_(x: float) -> float:
    """Natural logarithm of a normal positive x, error 1 ulp; garbage for others."""
    return float(log_ratio_(x, x - 1.0))


@inlined
def log_ratio_(x: float, excess: float) -> float:
    """The same, given x - 1 as well: relative error 1e-16 around one if ``excess`` has no rounding of x."""
    bits = np.float64(x).view(np.int64)
    exponent = (bits - np.int64(_SQRT_HALF_BITS)) >> np.int64(52)
    m = np.int64(bits - (exponent << np.int64(52))).view(np.float64)  # in [sqrt(1/2), sqrt(2))
    k = np.float64(exponent)
    f = excess if exponent == 0 else m - 1.0
    s = f / (2.0 + f)
    z = s * s
    p = 0.14616867435802905  # degree 6 in s², 5e-16 of a term below 1% of the whole
    p = p * z + 0.15331684734753087
    p = p * z + 0.18182890345394323
    p = p * z + 0.22222211116015192
    p = p * z + 0.28571428626111117
    p = p * z + 0.399999999998991
    p = p * z + 0.666666666666667
    # ln(1+f) = f - s (f - z p): the leading f is exact
    return k * _LN2_HIGH + (f - (s * (f - z * p) - k * _LN2_LOW))


@inlined
def mills_top(x: float) -> float:
    """Numerator of the scaled Mills ratio N(-x) e^{x²/2}, x in [0, 60]."""
    p = MILLS_TOP[9]
    p = p * x + MILLS_TOP[8]
    p = p * x + MILLS_TOP[7]
    p = p * x + MILLS_TOP[6]
    p = p * x + MILLS_TOP[5]
    p = p * x + MILLS_TOP[4]
    p = p * x + MILLS_TOP[3]
    p = p * x + MILLS_TOP[2]
    p = p * x + MILLS_TOP[1]
    return p * x + MILLS_TOP[0]


@inlined
def mills_bottom(x: float) -> float:
    """Denominator of the scaled Mills ratio."""
    q = MILLS_BOTTOM[10]
    q = q * x + MILLS_BOTTOM[9]
    q = q * x + MILLS_BOTTOM[8]
    q = q * x + MILLS_BOTTOM[7]
    q = q * x + MILLS_BOTTOM[6]
    q = q * x + MILLS_BOTTOM[5]
    q = q * x + MILLS_BOTTOM[4]
    q = q * x + MILLS_BOTTOM[3]
    q = q * x + MILLS_BOTTOM[2]
    q = q * x + MILLS_BOTTOM[1]
    return q * x + MILLS_BOTTOM[0]


@inlined
def mills(x: float) -> float:
    """N(-x) e^{x²/2} for x in [0, 60]."""
    return mills_top(x) / mills_bottom(x)

"""Black-76 prices and Greeks of many options into the caller's buffers.

The same formulas, units and edge rules as ``hedging.maths.black76``; one exponential serves both
normal distribution functions, because K n(d2) = F n(d1). Differences from the NumPy path stay below
1e-13 of the largest value of each output.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numba import prange
from numpy.typing import ArrayLike, NDArray

from hedging.maths.fast.vector import (
    INV_SQRT_2PI,
    compiled,
    exp_,
    inlined,
    log_,
    mills_bottom,
    mills_top,
    threaded,
)

Floats = NDArray[np.float64]


#: Options a thread takes at a time: inputs and outputs of a chunk stay in its second-level cache.
CHUNK = 4096


class Outputs(IntEnum):
    """How many rows ``out`` has, in the order of ``hedging.maths.black76.Greeks``."""

    PRICE = 1
    FIRST_ORDER = 6  # price, delta, gamma, vega, theta, rho
    ALL = 9  # and vanna, volga, charm


@inlined
def _six(f: float, k: float, t: float, sigma: float, d: float, phi: float) -> tuple[float, ...]:
    """The six first outputs, and what the cross Greeks reuse: D n(d1), d1, d2, rate, alive, bad."""
    root = np.sqrt(t)
    spread = sigma * root
    alive = spread > 0.0
    inverse = 1.0 / (spread if alive else 1e-300)
    ratio = f / k
    h = log_(ratio) * inverse
    d1 = h + 0.5 * spread
    d2 = h - 0.5 * spread
    a1 = abs(d1)
    a2 = abs(d2)
    a1 = min(40.0, a1)  # the tail is zero there, and σ√T = 0 arrives as infinity
    a2 = min(40.0, a2)
    e = exp_(-0.5 * a1 * a1)
    q1 = mills_bottom(a1)
    q2 = mills_bottom(a2)
    inverse_q = 1.0 / (q1 * q2)
    tail1 = e * mills_top(a1) * q2 * inverse_q
    tail2 = e * ratio * mills_top(a2) * q1 * inverse_q
    n1 = 1.0 - tail1 if phi * d1 > 0.0 else tail1
    n2 = 1.0 - tail2 if phi * d2 > 0.0 else tail2
    delta = d * phi * n1
    price = f * delta - d * phi * k * n2
    price = max(0.0, price)
    density = d * e * INV_SQRT_2PI
    density = density if alive else 0.0
    vega_base = f * density
    rate = -log_(d) / t if t > 0.0 else 0.0
    ok = (f > 0.0) & (k > 0.0) & (t >= 0.0) & (sigma >= 0.0) & (d > 0.0) & (abs(phi) == 1.0)
    ok = ok & (f < np.inf) & (k < np.inf) & (t < np.inf) & (sigma < np.inf) & (d < np.inf)
    bad = 0.0 if ok else np.nan
    theta = rate * price - 0.5 * vega_base * sigma * sigma * inverse
    gamma = density * inverse / f
    s1 = a1 if d1 > 0.0 else -a1
    s2 = a2 if d2 > 0.0 else -a2
    return price, delta, gamma, vega_base * root, theta, -t * price, density, s1, s2, rate, inverse, bad


@inlined
def _first_order(
    i: int, f: Floats, k: Floats, t: Floats, s: Floats, d: Floats, r: Floats, o: tuple[Floats, ...]
) -> None:
    price, delta, gamma, vega, theta, rho, _, _, _, _, _, bad = _six(f[i], k[i], t[i], s[i], d[i], r[i])
    o[0][i] = price + bad
    o[1][i] = delta + bad
    o[2][i] = gamma + bad
    o[3][i] = vega + bad
    o[4][i] = theta + bad
    o[5][i] = rho + bad


@inlined
def _all(
    i: int, f: Floats, k: Floats, t: Floats, s: Floats, d: Floats, r: Floats, o: tuple[Floats, ...]
) -> None:
    price, delta, gamma, vega, theta, rho, density, d1, d2, rate, inverse, bad = _six(
        f[i], k[i], t[i], s[i], d[i], r[i]
    )
    alive = s[i] * t[i] > 0.0
    per_sigma = np.sqrt(t[i]) * inverse if alive else 0.0  # 1/σ
    per_t = s[i] * s[i] * inverse * inverse if alive else 0.0  # 1/T
    o[0][i] = price + bad
    o[1][i] = delta + bad
    o[2][i] = gamma + bad
    o[3][i] = vega + bad
    o[4][i] = theta + bad
    o[5][i] = rho + bad
    o[6][i] = bad - density * d2 * per_sigma
    o[7][i] = vega * d1 * d2 * per_sigma + bad
    o[8][i] = (rate * delta if alive else 0.0) + 0.5 * density * d2 * per_t + bad


@compiled
def _first_order_serial(
    f: Floats, k: Floats, t: Floats, s: Floats, d: Floats, r: Floats, o: tuple[Floats, ...]
) -> None:
    for i in range(f.shape[0]):
        _first_order(i, f, k, t, s, d, r, o)


@compiled
def _all_serial(
    f: Floats, k: Floats, t: Floats, s: Floats, d: Floats, r: Floats, o: tuple[Floats, ...]
) -> None:
    for i in range(f.shape[0]):
        _all(i, f, k, t, s, d, r, o)


@threaded
def _first_order_parallel(
    f: Floats, k: Floats, t: Floats, s: Floats, d: Floats, r: Floats, o: tuple[Floats, ...]
) -> None:
    n = f.shape[0]
    for c in prange((n + CHUNK - 1) // CHUNK):
        a, b = c * CHUNK, min(n, (c + 1) * CHUNK)
        rows = (o[0][a:b], o[1][a:b], o[2][a:b], o[3][a:b], o[4][a:b], o[5][a:b])
        _first_order_serial(f[a:b], k[a:b], t[a:b], s[a:b], d[a:b], r[a:b], rows)


@threaded
def _all_parallel(
    f: Floats, k: Floats, t: Floats, s: Floats, d: Floats, r: Floats, o: tuple[Floats, ...]
) -> None:
    n = f.shape[0]
    for c in prange((n + CHUNK - 1) // CHUNK):
        a, b = c * CHUNK, min(n, (c + 1) * CHUNK)
        rows = (
            o[0][a:b],
            o[1][a:b],
            o[2][a:b],
            o[3][a:b],
            o[4][a:b],
            o[5][a:b],
            o[6][a:b],
            o[7][a:b],
            o[8][a:b],
        )
        _all_serial(f[a:b], k[a:b], t[a:b], s[a:b], d[a:b], r[a:b], rows)


@compiled
def _price_serial(
    f: Floats, k: Floats, t: Floats, s: Floats, d: Floats, r: Floats, o: tuple[Floats, ...]
) -> None:
    for i in range(f.shape[0]):
        figures = _six(f[i], k[i], t[i], s[i], d[i], r[i])
        o[0][i] = figures[0] + figures[11]


_KERNELS = {
    (Outputs.PRICE, False): _price_serial,
    (Outputs.PRICE, True): _price_serial,
    (Outputs.FIRST_ORDER, False): _first_order_serial,
    (Outputs.FIRST_ORDER, True): _first_order_parallel,
    (Outputs.ALL, False): _all_serial,
    (Outputs.ALL, True): _all_parallel,
}


def greeks_into(
    forward: Floats,
    strike: Floats,
    t: Floats,
    sigma: Floats,
    discount: Floats,
    right: Floats,
    out: Floats,
    *,
    parallel: bool = False,
) -> Floats:
    """Fill ``out`` of shape (1, 6 or 9, n) from six contiguous float64 vectors of length n.

    Nothing is allocated. Row order and units are those of ``black76.Greeks``; an invalid, NaN or
    infinite input gives NaN in its own column only. ``parallel`` spreads over numba's threads and
    pays above roughly 50,000 options. Raises ValueError for other shapes, types or memory layouts.
    """
    n = len(forward)
    for column in (forward, strike, t, sigma, discount, right):
        if column.shape != (n,) or column.dtype != np.float64 or not column.flags.c_contiguous:
            raise ValueError("inputs must be contiguous float64 vectors of one length")
    if out.ndim != 2 or out.shape[1] != n or out.dtype != np.float64 or not out[0].flags.c_contiguous:
        raise ValueError("out must be float64 of shape (outputs, n) with contiguous rows")
    kernel = _KERNELS[Outputs(out.shape[0]), parallel]
    kernel(forward, strike, t, sigma, discount, right, tuple(out))
    return out


def greeks(
    forward: ArrayLike,
    strike: ArrayLike,
    t: ArrayLike,
    sigma: ArrayLike,
    discount: ArrayLike,
    right: ArrayLike,
    *,
    outputs: Outputs = Outputs.FIRST_ORDER,
    parallel: bool = False,
) -> Floats:
    """Allocate and fill: arguments broadcast to one shape, the result has ``outputs`` in front."""
    given = (forward, strike, t, sigma, discount, right)
    arrays = [np.asarray(a, dtype=np.float64) for a in given]
    shape = np.broadcast_shapes(*(a.shape for a in arrays))
    flat = [np.ascontiguousarray(np.broadcast_to(a, shape)).reshape(-1) for a in arrays]
    out = np.empty((int(outputs), flat[0].size))
    greeks_into(flat[0], flat[1], flat[2], flat[3], flat[4], flat[5], out, parallel=parallel)
    return out.reshape((int(outputs), *shape))

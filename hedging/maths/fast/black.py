"""Black-76 prices and Greeks of many options into the caller's buffers.

The same formulas, units and edge rules as ``hedging.maths.black76``; one exponential serves both
normal distribution functions, because K n(d2) = F n(d1). Differences from the NumPy path stay below
1e-13 of the largest value of each output. ``hedging.maths.fast.bsm`` shares ``core`` and ``cross``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any

import numpy as np
from numba import prange
from numpy.typing import ArrayLike

from hedging.maths.arrays import Floats
from hedging.maths.fast.vector import (
    INV_SQRT_2PI,
    Threads,
    compiled,
    exp_,
    inlined,
    launching,
    log_,
    log_ratio_,
    mills_bottom,
    mills_top,
    threaded,
)

Rows = tuple[Floats, ...]

#: Options a thread takes at a time: inputs and outputs of a chunk stay in its second-level cache.
CHUNK = 4096
_PER_SECOND = 100e6  # options one thread prices: decides when more threads are worth waking


class Outputs(IntEnum):
    """How many rows ``out`` has, in the order of ``hedging.maths.black76.Greeks``."""

    PRICE = 1
    FIRST_ORDER = 6  # price, delta, gamma, vega, theta, rho
    ALL = 9  # and vanna, volga, charm


@inlined
def core(
    f: float,
    k: float,
    ratio: float,
    log_ratio: float,
    t: float,
    sigma: float,
    d: float,
    rate: float,
    phi: float,
) -> tuple[float, ...]:
    """First outputs at a fixed forward, D φ K N(φ d2), and D n(d1), d1, d2, 1/(σ√T) for ``cross``."""
    root = np.sqrt(t)
    spread = sigma * root
    alive = spread > 0.0
    inverse = 1.0 / (spread if alive else 1e-300)
    h = log_ratio * inverse
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
    strike_side = d * phi * k * n2
    price = f * delta - strike_side
    price = max(0.0, price)
    density = d * e * INV_SQRT_2PI
    density = density if alive else 0.0
    vega_base = f * density
    theta = rate * price - 0.5 * vega_base * sigma * sigma * inverse
    gamma = density * inverse / f
    s1 = a1 if d1 > 0.0 else -a1
    s2 = a2 if d2 > 0.0 else -a2
    return price, delta, gamma, vega_base * root, theta, strike_side, density, s1, s2, inverse


@inlined
def cross(
    t: float,
    sigma: float,
    rate: float,
    delta: float,
    vega: float,
    density: float,
    d1: float,
    d2: float,
    inverse: float,
) -> tuple[float, float, float]:
    """Vanna, volga and charm at a fixed forward; zeros at σ√T = 0."""
    alive = sigma * t > 0.0
    per_sigma = np.sqrt(t) * inverse if alive else 0.0  # 1/σ
    per_t = sigma * sigma * inverse * inverse if alive else 0.0  # 1/T
    charm = (rate * delta if alive else 0.0) + 0.5 * density * d2 * per_t
    return -density * d2 * per_sigma, vega * d1 * d2 * per_sigma, charm


@inlined
def _point(f: float, k: float, t: float, sigma: float, d: float, phi: float) -> tuple[float, ...]:
    """What ``core`` gives, then the rate, and NaN for an invalid element or zero."""
    ok = (f > 0.0) & (k > 0.0) & (t >= 0.0) & (sigma >= 0.0) & (d > 0.0) & (abs(phi) == 1.0)
    ok = ok & (f < np.inf) & (k < np.inf) & (t < np.inf) & (sigma < np.inf) & (d < np.inf)
    per_k = 1.0 / k
    ratio = f * per_k
    rate = -log_(d) / t if t > 0.0 else 0.0
    price, delta, gamma, vega, theta, _, density, d1, d2, inverse = core(
        f, k, ratio, log_ratio_(ratio, (f - k) * per_k), t, sigma, d, rate, phi
    )
    bad = 0.0 if ok else np.nan
    return price, delta, gamma, vega, theta, -t * price, density, d1, d2, inverse, rate, bad


@compiled
def _price_serial(f: Floats, k: Floats, t: Floats, s: Floats, d: Floats, r: Floats, o: Rows) -> None:
    for i in range(f.shape[0]):
        figures = _point(f[i], k[i], t[i], s[i], d[i], r[i])
        o[0][i] = figures[0] + figures[11]


@compiled
def _first_order_serial(f: Floats, k: Floats, t: Floats, s: Floats, d: Floats, r: Floats, o: Rows) -> None:
    for i in range(f.shape[0]):
        price, delta, gamma, vega, theta, rho, _, _, _, _, _, bad = _point(f[i], k[i], t[i], s[i], d[i], r[i])
        o[0][i] = price + bad
        o[1][i] = delta + bad
        o[2][i] = gamma + bad
        o[3][i] = vega + bad
        o[4][i] = theta + bad
        o[5][i] = rho + bad


@compiled
def _all_serial(f: Floats, k: Floats, t: Floats, s: Floats, d: Floats, r: Floats, o: Rows) -> None:
    for i in range(f.shape[0]):
        price, delta, gamma, vega, theta, rho, density, d1, d2, inverse, rate, bad = _point(
            f[i], k[i], t[i], s[i], d[i], r[i]
        )
        vanna, volga, charm = cross(t[i], s[i], rate, delta, vega, density, d1, d2, inverse)
        o[0][i] = price + bad
        o[1][i] = delta + bad
        o[2][i] = gamma + bad
        o[3][i] = vega + bad
        o[4][i] = theta + bad
        o[5][i] = rho + bad
        o[6][i] = vanna + bad
        o[7][i] = volga + bad
        o[8][i] = charm + bad


@threaded
def _first_order_parallel(f: Floats, k: Floats, t: Floats, s: Floats, d: Floats, r: Floats, o: Rows) -> None:
    n = f.shape[0]
    for c in prange((n + CHUNK - 1) // CHUNK):
        a, b = c * CHUNK, min(n, (c + 1) * CHUNK)
        rows = (o[0][a:b], o[1][a:b], o[2][a:b], o[3][a:b], o[4][a:b], o[5][a:b])
        _first_order_serial(f[a:b], k[a:b], t[a:b], s[a:b], d[a:b], r[a:b], rows)


@threaded
def _all_parallel(f: Floats, k: Floats, t: Floats, s: Floats, d: Floats, r: Floats, o: Rows) -> None:
    n = f.shape[0]
    for c in prange((n + CHUNK - 1) // CHUNK):
        a, b = c * CHUNK, min(n, (c + 1) * CHUNK)
        first = (o[0][a:b], o[1][a:b], o[2][a:b], o[3][a:b], o[4][a:b], o[5][a:b])
        rows = (*first, o[6][a:b], o[7][a:b], o[8][a:b])
        _all_serial(f[a:b], k[a:b], t[a:b], s[a:b], d[a:b], r[a:b], rows)


Kernel = Callable[..., None]
_KERNELS: dict[Outputs, tuple[Kernel, Kernel]] = {
    Outputs.PRICE: (_price_serial, _price_serial),
    Outputs.FIRST_ORDER: (_first_order_serial, _first_order_parallel),
    Outputs.ALL: (_all_serial, _all_parallel),
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
    threads: Threads = Threads.AUTO,
) -> Floats:
    """Fill ``out`` of shape (1, 6 or 9, n) from six contiguous float64 vectors of length n.

    Nothing is allocated. Row order and units are those of ``black76.Greeks``; an invalid, NaN or
    infinite input gives NaN in its own column only. Raises ValueError for other shapes, types or
    memory layouts.
    """
    return fill(_KERNELS, (forward, strike, t, sigma, discount, right), out, threads)


def greeks(
    forward: ArrayLike,
    strike: ArrayLike,
    t: ArrayLike,
    sigma: ArrayLike,
    discount: ArrayLike,
    right: ArrayLike,
    *,
    outputs: Outputs = Outputs.FIRST_ORDER,
    threads: Threads = Threads.AUTO,
) -> Floats:
    """Allocate and fill: arguments broadcast to one shape, the result has ``outputs`` in front."""
    return allocate(_KERNELS, (forward, strike, t, sigma, discount, right), outputs, threads)


def fill(
    kernels: dict[Outputs, tuple[Kernel, Kernel]],
    columns: Sequence[Floats],
    out: Floats,
    threads: Threads,
) -> Floats:
    """Check the memory of ``columns`` and ``out`` and run the kernel of as many rows."""
    n = len(columns[0])
    for column in columns:
        if column.shape != (n,) or column.dtype != np.float64 or not column.flags.c_contiguous:
            raise ValueError("inputs must be contiguous float64 vectors of one length")
    if out.ndim != 2 or out.shape[1] != n or out.dtype != np.float64 or not out[0].flags.c_contiguous:
        raise ValueError("out must be float64 of shape (outputs, n) with contiguous rows")
    one, all_threads = kernels[Outputs(out.shape[0])]
    launch(one, all_threads, threads.pays(n, _PER_SECOND), *columns, tuple(out))
    return out


def launch(one: Kernel, many: Kernel, parallel: bool, *arguments: Any) -> None:
    """Run a kernel on this thread, or its twin on numba's threads."""
    if not parallel:
        one(*arguments)
        return
    with launching:
        many(*arguments)


def allocate(
    kernels: dict[Outputs, tuple[Kernel, Kernel]],
    given: Sequence[ArrayLike],
    outputs: Outputs,
    threads: Threads,
) -> Floats:
    """Broadcast and copy what is not already a contiguous float64 vector, then ``fill`` a new array."""
    flat, shape = vectors(given)
    out = np.empty((int(outputs), flat[0].size))
    fill(kernels, flat, out, threads)
    return out.reshape((int(outputs), *shape))


def vectors(given: Sequence[ArrayLike]) -> tuple[list[Floats], tuple[int, ...]]:
    """The arguments as contiguous float64 vectors of one length, and the shape they broadcast to."""
    arrays = [np.asarray(a, dtype=np.float64) for a in given]
    shape = np.broadcast_shapes(*(a.shape for a in arrays))
    return [np.ascontiguousarray(np.broadcast_to(a, shape)).reshape(-1) for a in arrays], shape

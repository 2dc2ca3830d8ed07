"""Black-Scholes-Merton prices and spot Greeks of many options into the caller's buffers.

The twin of ``hedging.maths.bsm``: same formulas, units and edge rules. d1 is built from ln(S/K) and
(r - q) T apart, so that options close to the money minutes before expiry lose no digits.
"""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import ArrayLike

from hedging.maths.arrays import Floats
from hedging.maths.fast.black import CHUNK, Kernel, Outputs, Rows, allocate, core, cross, fill
from hedging.maths.fast.vector import Threads, compiled, exp_, inlined, log_ratio_, threaded

_LARGEST = 700.0  # of |r T| and |(r - q) T|, beyond which an exponential leaves the range of doubles


@inlined
def _point(s: float, k: float, t: float, sigma: float, r: float, q: float, phi: float) -> tuple[float, ...]:
    """As ``core`` but for theta and rho, which are the spot's; then S e^{(r-q)T}, its factor, NaN or 0."""
    drift = (r - q) * t
    growth = r * t
    ok = (s > 0.0) & (k > 0.0) & (t >= 0.0) & (sigma >= 0.0) & (abs(phi) == 1.0)
    ok = ok & (s < np.inf) & (k < np.inf) & (t < np.inf) & (sigma < np.inf)
    ok = ok & (abs(drift) <= _LARGEST) & (abs(growth) <= _LARGEST)
    bad = 0.0 if ok else np.nan
    carry = exp_(drift if ok else 0.0)
    discount = exp_(-growth if ok else 0.0)
    per_k = 1.0 / k
    moneyness = s * per_k
    f = s * carry
    price, delta, gamma, vega, theta, strike_side, density, d1, d2, inverse = core(
        f,
        k,
        moneyness * carry,
        log_ratio_(moneyness, (s - k) * per_k) + drift,
        t,
        sigma,
        discount,
        r,
        phi,
    )
    spot_theta = theta - (r - q) * f * delta if t > 0.0 else 0.0
    return price, delta, gamma, vega, spot_theta, t * strike_side, density, d1, d2, inverse, f, carry, bad


@compiled
def _price_serial(
    s: Floats, k: Floats, t: Floats, v: Floats, r: Floats, q: Floats, phi: Floats, o: Rows
) -> None:
    for i in range(s.shape[0]):
        figures = _point(s[i], k[i], t[i], v[i], r[i], q[i], phi[i])
        o[0][i] = figures[0] + figures[12]


@compiled
def _first_order_serial(
    s: Floats, k: Floats, t: Floats, v: Floats, r: Floats, q: Floats, phi: Floats, o: Rows
) -> None:
    for i in range(s.shape[0]):
        price, delta, gamma, vega, theta, rho, _, _, _, _, _, carry, bad = _point(
            s[i], k[i], t[i], v[i], r[i], q[i], phi[i]
        )
        o[0][i] = price + bad
        o[1][i] = delta * carry + bad
        o[2][i] = gamma * carry * carry + bad
        o[3][i] = vega + bad
        o[4][i] = theta + bad
        o[5][i] = rho + bad


@compiled
def _all_serial(
    s: Floats, k: Floats, t: Floats, v: Floats, r: Floats, q: Floats, phi: Floats, o: Rows
) -> None:
    for i in range(s.shape[0]):
        price, delta, gamma, vega, theta, rho, density, d1, d2, inverse, f, carry, bad = _point(
            s[i], k[i], t[i], v[i], r[i], q[i], phi[i]
        )
        vanna, volga, charm = cross(t[i], v[i], r[i], delta, vega, density, d1, d2, inverse)
        drag = (r[i] - q[i]) * (delta + f * gamma)
        o[0][i] = price + bad
        o[1][i] = delta * carry + bad
        o[2][i] = gamma * carry * carry + bad
        o[3][i] = vega + bad
        o[4][i] = theta + bad
        o[5][i] = rho + bad
        o[6][i] = vanna * carry + bad
        o[7][i] = volga + bad
        o[8][i] = (carry * (charm - drag) if v[i] * t[i] > 0.0 else 0.0) + bad


@threaded
def _first_order_parallel(
    s: Floats, k: Floats, t: Floats, v: Floats, r: Floats, q: Floats, phi: Floats, o: Rows
) -> None:
    n = s.shape[0]
    for c in prange((n + CHUNK - 1) // CHUNK):
        a, b = c * CHUNK, min(n, (c + 1) * CHUNK)
        rows = (o[0][a:b], o[1][a:b], o[2][a:b], o[3][a:b], o[4][a:b], o[5][a:b])
        _first_order_serial(s[a:b], k[a:b], t[a:b], v[a:b], r[a:b], q[a:b], phi[a:b], rows)


@threaded
def _all_parallel(
    s: Floats, k: Floats, t: Floats, v: Floats, r: Floats, q: Floats, phi: Floats, o: Rows
) -> None:
    n = s.shape[0]
    for c in prange((n + CHUNK - 1) // CHUNK):
        a, b = c * CHUNK, min(n, (c + 1) * CHUNK)
        first = (o[0][a:b], o[1][a:b], o[2][a:b], o[3][a:b], o[4][a:b], o[5][a:b])
        rows = (*first, o[6][a:b], o[7][a:b], o[8][a:b])
        _all_serial(s[a:b], k[a:b], t[a:b], v[a:b], r[a:b], q[a:b], phi[a:b], rows)


_KERNELS: dict[Outputs, tuple[Kernel, Kernel]] = {
    Outputs.PRICE: (_price_serial, _price_serial),
    Outputs.FIRST_ORDER: (_first_order_serial, _first_order_parallel),
    Outputs.ALL: (_all_serial, _all_parallel),
}


def greeks_into(
    spot: Floats,
    strike: Floats,
    t: Floats,
    sigma: Floats,
    rate: Floats,
    dividend: Floats,
    right: Floats,
    out: Floats,
    *,
    threads: Threads = Threads.AUTO,
) -> Floats:
    """Fill ``out`` of shape (1, 6 or 9, n) from seven contiguous float64 vectors of length n.

    Rows as in ``black76.Greeks``, Greeks per point of the spot, rates continuous per year; rules and
    errors as in ``hedging.maths.fast.black.greeks_into``.
    """
    return fill(_KERNELS, (spot, strike, t, sigma, rate, dividend, right), out, threads)


def greeks(
    spot: ArrayLike,
    strike: ArrayLike,
    t: ArrayLike,
    sigma: ArrayLike,
    rate: ArrayLike,
    dividend: ArrayLike,
    right: ArrayLike,
    *,
    outputs: Outputs = Outputs.FIRST_ORDER,
    threads: Threads = Threads.AUTO,
) -> Floats:
    """Allocate and fill: arguments broadcast to one shape, the result has ``outputs`` in front."""
    return allocate(_KERNELS, (spot, strike, t, sigma, rate, dividend, right), outputs, threads)

"""Black-76 implied volatility of many options: a fixed number of vectorised steps, then a safety net.

Normalised as in P. Jäckel, "Let's Be Rational" (2015): x = -|ln F/K|, s = σ√T, and the out-of-the-money
price over D√(FK) is b(x, s). The first guess is ours: the Bachelier volatility of the time value, from
a rational fit (``bench/fit_mills.py``), carried to Black's by the expansion that is exact at the money.
Two Householder steps of order four on ln b follow. An element whose last step was not tiny, or whose
numbers left the range of the fits, is solved again by a bracketed Newton iteration.
"""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import ArrayLike

from hedging.maths.arrays import Floats
from hedging.maths.coefficients import AT_THE_MONEY_BOTTOM, AT_THE_MONEY_TOP, BACHELIER_BOTTOM, BACHELIER_TOP
from hedging.maths.fast.black import CHUNK, launch, vectors
from hedging.maths.fast.vector import (
    INV_SQRT_2PI,
    Threads,
    compiled,
    exp_,
    inlined,
    log_,
    log_ratio_,
    mills,
    mills_bottom,
    mills_top,
    threaded,
)
from hedging.maths.implied_vol import ROUNDING

_SQRT_2PI = 2.5066282746310002
_PER_SECOND = 40e6  # options one thread solves
_TOLERANCE = 2e-4  # of the last step: the error after it is of its fourth power


@inlined
def _first_guess(beta: float, x: float, xi: float) -> float:
    """S = σ√T to about 1% for s < 2; ``xi`` = |F - K| / √(FK)."""
    gap = max(1e-06 * beta, xi)
    y = log_(1.0 + gap / (_SQRT_2PI * beta))
    p = BACHELIER_TOP[4]
    p = p * y + BACHELIER_TOP[3]
    p = p * y + BACHELIER_TOP[2]
    p = p * y + BACHELIER_TOP[1]
    p = p * y + BACHELIER_TOP[0]
    q = BACHELIER_BOTTOM[5]
    q = q * y + BACHELIER_BOTTOM[4]
    q = q * y + BACHELIER_BOTTOM[3]
    q = q * y + BACHELIER_BOTTOM[2]
    q = q * y + BACHELIER_BOTTOM[1]
    q = q * y + BACHELIER_BOTTOM[0]
    bachelier = gap / (y * np.sqrt(p / q))
    w = bachelier * (x / gap if xi > 1e-6 * beta else 1.0)
    z = w * w
    z = min(6.0, z)
    n = AT_THE_MONEY_TOP[4]
    n = n * z + AT_THE_MONEY_TOP[3]
    n = n * z + AT_THE_MONEY_TOP[2]
    n = n * z + AT_THE_MONEY_TOP[1]
    n = n * z + AT_THE_MONEY_TOP[0]
    m = AT_THE_MONEY_BOTTOM[4]
    m = m * z + AT_THE_MONEY_BOTTOM[3]
    m = m * z + AT_THE_MONEY_BOTTOM[2]
    m = m * z + AT_THE_MONEY_BOTTOM[1]
    m = m * z + AT_THE_MONEY_BOTTOM[0]
    return float(w * n / m)


@inlined
def _step(s: float, beta: float, x: float, top: float) -> float:
    """Householder's step of order four for ln b(-x, s) = ln beta, with x = |ln F/K|."""
    inverse = 1.0 / s
    a = x * inverse
    h = 0.5 * s
    near = abs(a - h)
    far = a + h
    e = exp_(-0.5 * (a * a + h * h))
    q_near = mills_bottom(near)
    q_far = mills_bottom(far)
    left = mills_top(near) * q_far
    right = mills_top(far) * q_near
    per_q = e / (q_near * q_far)
    b = (left - right) * per_q if a > h else top - (left + right) * per_q
    slope = e * INV_SQRT_2PI
    g = slope / b
    gap = -log_(b / beta) / g
    a2 = a * a * inverse
    c2 = a2 - 0.25 * s  # b''/b'
    c3 = c2 * c2 - 3.0 * a2 * inverse - 0.25  # b'''/b'
    second = c2 - g
    third = c3 - 3.0 * c2 * g + 2.0 * g * g
    return gap * (1.0 + 0.5 * gap * second) / (1.0 + gap * (second + gap * third * (1.0 / 6.0)))


@compiled
def _black(x: float, s: float, top: float) -> tuple[float, float]:
    """b(-x, s) and top - b, each without cancellation."""
    a = x / s
    h = 0.5 * s
    e = np.exp(-0.5 * (a * a + h * h))
    if h < 0.02:  # R(a-h) - R(a+h) by its odd derivatives: R' = aR - 1/√(2π), R⁽ⁿ⁾ = aR⁽ⁿ⁻¹⁾ + (n-1)R⁽ⁿ⁻²⁾
        r0 = mills(min(a, 60.0))
        r1 = a * r0 - INV_SQRT_2PI
        r2 = a * r1 + r0
        r3 = a * r2 + 2.0 * r1
        r4 = a * r3 + 3.0 * r2
        r5 = a * r4 + 4.0 * r3
        r6 = a * r5 + 5.0 * r4
        r7 = a * r6 + 6.0 * r5
        h2 = h * h
        b = -2.0 * e * h * (r1 + h2 * (r3 / 6.0 + h2 * (r5 / 120.0 + h2 * r7 / 5040.0)))
        return b, top - b
    far = mills(min(a + h, 60.0))
    if a > h:
        b = e * (mills(min(a - h, 60.0)) - far)
        return b, top - b
    rest = e * (mills(min(h - a, 60.0)) + far)
    return top - rest, rest


@compiled
def _bracketed(beta: float, x: float, top: float, guess: float) -> float:
    """Newton on ln b (or ln(top - b) in the upper half) inside a shrinking bracket."""
    rest = top - beta
    upper_half = beta > rest
    low = 0.0
    high = 80.0
    s = guess if 0.0 < guess < 80.0 else max(np.sqrt(2.0 * x), 1e-3)
    for _ in range(120):
        b, r = _black(x, s, top)
        if b > beta:
            high = s
        else:
            low = s
        slope = INV_SQRT_2PI * np.exp(-0.5 * ((x / s) ** 2 + 0.25 * s * s))
        if upper_half:
            move = np.log(r / rest) * r / slope
        elif b > 0.0:
            # 1/ln b is nearly straight in s where b is tiny
            log_b = np.log(b)
            move = (log_b / np.log(beta) - 1.0) * b * log_b / slope if log_b < -1.0 else (beta - b) / slope
        else:
            move = np.nan
        fresh = s + move
        if not low < fresh < high:
            fresh = 0.5 * (low + high)
        if abs(fresh - s) <= 2e-16 * s:
            return float(fresh)
        s = fresh
    return float(s)


@compiled
def _solve(p: Floats, f: Floats, k: Floats, t: Floats, d: Floats, phi: Floats, out: Floats) -> None:
    """Vector pass; unconverged elements leave as minus their last s, for the net below."""
    for i in range(p.shape[0]):
        forward = f[i]
        strike = k[i]
        root_fk = np.sqrt(forward * strike)
        per_strike = 1.0 / strike
        x = abs(log_ratio_(forward * per_strike, (forward - strike) * per_strike))
        difference = phi[i] * (forward - strike)
        whole = p[i] / d[i]
        beta = (whole - (max(0.0, difference))) / root_fk
        unsure = ROUNDING * whole / root_fk
        top = exp_(-0.5 * x)
        s = _first_guess(beta, x, abs(difference) / root_fk)
        s = s + _step(s, beta, x, top)
        last = _step(s, beta, x, top)
        s = s + last
        a = x / s
        settled = (abs(last) < _TOLERANCE * s) & (s > 2e-3) & (s < 3.0) & (a * a < 1300.0) & (beta > 1e-290)
        ok = (
            (beta > unsure)
            & (beta < top - unsure)
            & (t[i] > 0.0)
            & (d[i] > 0.0)
            & (forward > 0.0)
            & (strike > 0.0)
        )
        ok = ok & (t[i] < np.inf) & (d[i] < np.inf) & (root_fk < np.inf) & (abs(phi[i]) == 1.0)
        vol = s / np.sqrt(t[i]) if settled else -1.0
        out[i] = vol if ok else np.nan


@compiled
def _rescue(p: Floats, f: Floats, k: Floats, t: Floats, d: Floats, phi: Floats, out: Floats) -> None:
    for i in range(p.shape[0]):
        if out[i] < 0.0:
            x = abs(log_ratio_(f[i] / k[i], (f[i] - k[i]) / k[i]))
            root_fk = np.sqrt(f[i] * k[i])
            beta = (p[i] / d[i] - max(phi[i] * (f[i] - k[i]), 0.0)) / root_fk
            guess = _first_guess(beta, x, abs(f[i] - k[i]) / root_fk)
            out[i] = _bracketed(beta, x, np.exp(-0.5 * x), guess) / np.sqrt(t[i])


@compiled
def _serial(p: Floats, f: Floats, k: Floats, t: Floats, d: Floats, phi: Floats, out: Floats) -> None:
    _solve(p, f, k, t, d, phi, out)
    _rescue(p, f, k, t, d, phi, out)


@threaded
def _parallel(p: Floats, f: Floats, k: Floats, t: Floats, d: Floats, phi: Floats, out: Floats) -> None:
    n = p.shape[0]
    for c in prange((n + CHUNK - 1) // CHUNK):
        a, b = c * CHUNK, min(n, (c + 1) * CHUNK)
        _serial(p[a:b], f[a:b], k[a:b], t[a:b], d[a:b], phi[a:b], out[a:b])


def implied_vol_into(
    price: Floats,
    forward: Floats,
    strike: Floats,
    t: Floats,
    discount: Floats,
    right: Floats,
    out: Floats,
    *,
    threads: Threads = Threads.AUTO,
) -> Floats:
    """Fill ``out`` with volatilities (0.20 = 20%) from six contiguous float64 vectors of one length.

    NaN outside the no-arbitrage bounds, at T <= 0 and for invalid input, in that element only. Raises
    ValueError for other shapes, types or memory layouts.
    """
    for column in (price, forward, strike, t, discount, right, out):
        if column.shape != (len(price),) or column.dtype != np.float64 or not column.flags.c_contiguous:
            raise ValueError("inputs and out must be contiguous float64 vectors of one length")
    parallel = threads.pays(len(price), _PER_SECOND)
    launch(_serial, _parallel, parallel, price, forward, strike, t, discount, right, out)
    return out


def implied_vol(
    price: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    t: ArrayLike,
    discount: ArrayLike,
    right: ArrayLike,
    *,
    threads: Threads = Threads.AUTO,
) -> Floats:
    """Allocate and fill; arguments broadcast, rules as in ``hedging.maths.implied_vol``."""
    (p, f, k, years, d, phi), shape = vectors((price, forward, strike, t, discount, right))
    out = np.empty(p.size)
    implied_vol_into(p, f, k, years, d, phi, out, threads=threads)
    return out.reshape(shape)

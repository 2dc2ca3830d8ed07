"""Black (1976) price and Greeks of European options on a forward, in NumPy.

Every function broadcasts its arguments. Prices, forwards and strikes are in points, ``t`` in years
(ACT/365), ``sigma`` per square root of a year (0.20 = 20%), ``discount`` is D = exp(-r t). ``right``
is +1 for calls and -1 for puts (hedging.maths.types.Right).

Source: F. Black, "The pricing of commodity contracts", J. Financial Economics 3 (1976);
d1 = [ln(F/K) + σ²T/2]/(σ√T), C = D[F N(d1) - K N(d2)].
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hedging.maths.arrays import Floats
from hedging.maths.normal import cdf, pdf

DAYS_PER_YEAR = 365.0


class Greeks(NamedTuple):
    """Price and sensitivities, one array each, in raw units.

    delta: per point of the forward · gamma: per point² · vega: per 1.00 of vol · theta: per year of
    passing time · rho: per 1.00 of rate at a fixed forward (-T × price) · vanna: ∂delta/∂σ ·
    volga: ∂vega/∂σ · charm: ∂delta per year of passing time. All for one long option.
    """

    price: Floats
    delta: Floats
    gamma: Floats
    vega: Floats
    theta: Floats
    rho: Floats
    vanna: Floats
    volga: Floats
    charm: Floats


class ModelInputs(NamedTuple):
    """What both models reduce to, broadcast to one shape; ``log_moneyness`` is ln F/K."""

    forward: Floats
    strike: Floats
    t: Floats
    sigma: Floats
    discount: Floats
    right: Floats
    log_moneyness: Floats


def log_ratio(numerator: Floats, denominator: Floats) -> Floats:
    """ln(numerator / denominator) without the rounding of the quotient where the two are close."""
    excess = (numerator - denominator) / denominator
    return np.asarray(np.where(np.abs(excess) < 0.5, np.log1p(excess), np.log(numerator / denominator)))


def _broadcast(*arguments: ArrayLike) -> ModelInputs:
    f, k, t, sigma, d, right = np.broadcast_arrays(*(np.asarray(a, dtype=np.float64) for a in arguments))
    with np.errstate(all="ignore"):
        return ModelInputs(f, k, t, sigma, d, right, log_ratio(f, k))


def _d1_d2(i: ModelInputs) -> tuple[Floats, Floats, Floats]:
    """d1, d2 and σ√T. At σ√T = 0 the limits ±inf (or 0 at the money) stand in."""
    spread = i.sigma * np.sqrt(i.t)
    log_moneyness = i.log_moneyness
    with np.errstate(divide="ignore", invalid="ignore"):
        d1 = log_moneyness / spread + 0.5 * spread
    d1 = np.where((spread == 0) & (log_moneyness == 0), 0.0, d1)
    return d1, d1 - spread, spread


def price(
    forward: ArrayLike,
    strike: ArrayLike,
    t: ArrayLike,
    sigma: ArrayLike,
    discount: ArrayLike,
    right: ArrayLike,
) -> Floats:
    """Option price in points. T = 0 or σ = 0 gives D × intrinsic; invalid inputs give NaN."""
    i = _broadcast(forward, strike, t, sigma, discount, right)
    with np.errstate(divide="ignore", invalid="ignore"):
        d1, d2, _ = _d1_d2(i)
        value = i.discount * i.right * (i.forward * cdf(i.right * d1) - i.strike * cdf(i.right * d2))
        return np.where(_valid(i), np.maximum(value, 0.0), np.nan)


def _valid(i: ModelInputs) -> NDArray[np.bool_]:
    positive = (i.forward > 0) & (i.strike > 0) & (i.t >= 0) & (i.sigma >= 0) & (i.discount > 0)
    finite = np.isfinite(i.forward + i.strike + i.t + i.sigma + i.discount)
    return np.asarray(positive & finite & (np.abs(i.right) == 1.0))


def greeks(
    forward: ArrayLike,
    strike: ArrayLike,
    t: ArrayLike,
    sigma: ArrayLike,
    discount: ArrayLike,
    right: ArrayLike,
) -> Greeks:
    """Price and Greeks in raw units (see ``Greeks``).

    At σ√T = 0 delta is D × 0, ½ or 1 with the right's sign and the other Greeks are 0, except
    theta and rho, which keep their discounting part. Invalid inputs give NaN in that element only.
    """
    i = _broadcast(forward, strike, t, sigma, discount, right)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(i.t > 0, -np.log(i.discount) / i.t, 0.0)
    return greeks_of(i, rate)


def greeks_of(i: ModelInputs, rate: Floats) -> Greeks:
    """``greeks`` when ln F/K and the rate per year are known better than F and D tell."""
    with np.errstate(divide="ignore", invalid="ignore"):
        d1, d2, spread = _d1_d2(i)
        alive = spread > 0
        root_t = np.sqrt(i.t)
        density = np.where(alive, pdf(d1), 0.0)
        value = i.discount * i.right * (i.forward * cdf(i.right * d1) - i.strike * cdf(i.right * d2))
        value = np.maximum(value, 0.0)
        delta = i.discount * i.right * cdf(i.right * d1)
        gamma = np.where(alive, i.discount * density / (i.forward * spread), 0.0)
        vega = i.discount * i.forward * density * root_t
        decay = np.where(alive, i.discount * i.forward * density * i.sigma / (2.0 * root_t), 0.0)
        theta = -decay + rate * value
        rho = -i.t * value
        vanna = np.where(alive, -i.discount * density * d2 / i.sigma, 0.0)
        volga = np.where(alive, vega * d1 * d2 / i.sigma, 0.0)
        charm = np.where(alive, rate * delta + i.discount * density * d2 / (2.0 * i.t), 0.0)
        bad = ~_valid(i)
    outputs = (value, delta, gamma, vega, theta, rho, vanna, volga, charm)
    return Greeks(*(np.where(bad, np.nan, output) for output in outputs))


def display_units(raw: Greeks) -> Greeks:
    """Greeks as traders read them.

    Theta and charm per calendar day, vega per vol point (1% of
    vol), rho per 1% of rate, vanna and volga per vol point (volga per vol point²).
    """
    return raw._replace(
        vega=raw.vega / 100.0,
        theta=raw.theta / DAYS_PER_YEAR,
        rho=raw.rho / 100.0,
        vanna=raw.vanna / 100.0,
        volga=raw.volga / 10_000.0,
        charm=raw.charm / DAYS_PER_YEAR,
    )

"""Black-Scholes-Merton: Black-76 on the forward S e^{(r-q)T}, with Greeks in the spot.

Sources: R. Merton, "Theory of rational option pricing", Bell J. Economics 4 (1973); conventions of
E. Haug, "The Complete Guide to Option Pricing Formulas", 2nd ed. (2007), chapter 2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hedging.maths import black76
from hedging.maths.black76 import Greeks

Floats = NDArray[np.float64]


def price(
    spot: ArrayLike,
    strike: ArrayLike,
    t: ArrayLike,
    sigma: ArrayLike,
    rate: ArrayLike,
    dividend: ArrayLike,
    right: ArrayLike,
) -> Floats:
    """Price in points; ``rate`` and ``dividend`` continuous per year, the rest as in black76.price."""
    years = np.asarray(t, dtype=np.float64)
    carry = np.exp((np.asarray(rate) - np.asarray(dividend)) * years)
    return black76.price(
        np.asarray(spot) * carry, strike, years, sigma, np.exp(-np.asarray(rate) * years), right
    )


def greeks(
    spot: ArrayLike,
    strike: ArrayLike,
    t: ArrayLike,
    sigma: ArrayLike,
    rate: ArrayLike,
    dividend: ArrayLike,
    right: ArrayLike,
) -> Greeks:
    """Price and Greeks per point of *spot*; arguments broadcast, invalid elements are NaN.

    Theta and charm hold the spot still while time passes; rho is per 1.00 of ``rate`` at a fixed spot
    and dividend yield, so the forward moves with it. Other units as in ``black76.Greeks``.
    """
    years = np.asarray(t, dtype=np.float64)
    r, q = np.asarray(rate, dtype=np.float64), np.asarray(dividend, dtype=np.float64)
    carry = np.exp((r - q) * years)
    forward = np.asarray(spot, dtype=np.float64) * carry
    raw = black76.greeks(forward, strike, years, sigma, np.exp(-r * years), right)
    drift = (r - q) * forward
    # theta of black76 takes the rate from the discount factor, which says nothing at T = 0
    alive = years > 0
    theta = np.where(alive, raw.theta - drift * raw.delta, np.where(np.isnan(raw.price), np.nan, 0.0))
    return Greeks(
        price=raw.price,
        delta=raw.delta * carry,
        gamma=raw.gamma * carry**2,
        vega=raw.vega,
        theta=theta,
        rho=years * (forward * raw.delta - raw.price),
        vanna=raw.vanna * carry,
        volga=raw.volga,
        charm=np.where(
            np.asarray(raw.vega) > 0, carry * (raw.charm - (r - q) * raw.delta - drift * raw.gamma), raw.charm
        ),
    )

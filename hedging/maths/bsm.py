"""Black-Scholes-Merton: Black-76 on the forward S e^{(r-q)T}, with Greeks in the spot.

Sources: R. Merton, "Theory of rational option pricing", Bell J. Economics 4 (1973); conventions of
E. Haug, "The Complete Guide to Option Pricing Formulas", 2nd ed. (2007), chapter 2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hedging.maths import black76
from hedging.maths.arrays import Floats
from hedging.maths.black76 import Greeks, ModelInputs, greeks_of, log_ratio


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
    given = (spot, strike, t, sigma, rate, dividend, right)
    s, k, years, vol, r, q, sign = np.broadcast_arrays(*(np.asarray(a, dtype=np.float64) for a in given))
    with np.errstate(all="ignore"):
        carry = np.exp((r - q) * years)
        forward = s * carry
        log_moneyness = log_ratio(s, k) + (r - q) * years
        inputs = ModelInputs(forward, k, years, vol, np.exp(-r * years), sign, log_moneyness)
        raw = greeks_of(inputs, r)
        drift = (r - q) * forward
        bad = np.isnan(raw.price)
        alive = (vol * years > 0) | bad
        return Greeks(
            price=raw.price,
            delta=raw.delta * carry,
            gamma=raw.gamma * carry**2,
            vega=raw.vega,
            theta=np.where((years > 0) | bad, raw.theta - drift * raw.delta, 0.0),
            rho=years * (forward * raw.delta - raw.price),
            vanna=raw.vanna * carry,
            volga=raw.volga,
            charm=np.where(alive, carry * (raw.charm - (r - q) * raw.delta - drift * raw.gamma), 0.0),
        )

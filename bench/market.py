"""Random options of the kinds the journal holds, from a fixed seed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hedging.maths import black76

Floats = NDArray[np.float64]


class Market(NamedTuple):
    """European options, one element each: points, years, fractions; ``right`` ±1."""

    spot: Floats
    strike: Floats
    t: Floats
    sigma: Floats
    rate: Floats
    dividend: Floats
    right: Floats

    @property
    def forward(self) -> Floats:
        """S e^{(r-q)T}."""
        return np.asarray(self.spot * np.exp((self.rate - self.dividend) * self.t))

    @property
    def discount(self) -> Floats:
        """e^{-rT}."""
        return np.asarray(np.exp(-self.rate * self.t))

    @property
    def black(self) -> tuple[Floats, ...]:
        """Arguments of the Black-76 functions."""
        return self.forward, self.strike, self.t, self.sigma, self.discount, self.right

    @property
    def letters(self) -> NDArray[np.str_]:
        """``c`` and ``p``, as the vollib family wants them."""
        return np.where(self.right > 0, "c", "p")

    def first(self, n: int) -> Market:
        """The first ``n`` options."""
        return Market(*(np.ascontiguousarray(column[:n]) for column in self))

    def out_of_the_money(self) -> Market:
        """The same strikes with the right that holds time value only."""
        return self._replace(right=np.where(self.strike >= self.forward, 1.0, -1.0))


def spx(n: int, seed: int = 1) -> Market:
    """SPX: hours to a year, 10-50% volatility, up to 2.5 deviations from the money."""
    rng = np.random.default_rng(seed)
    spot, t = rng.uniform(5000, 7000, n), 10 ** rng.uniform(-2.5, 0, n)
    sigma = rng.uniform(0.1, 0.5, n)
    return _around(rng, spot, t, sigma, 2.5, rng.uniform(0.01, 0.05, n), rng.uniform(0, 0.02, n))


def vix(n: int, seed: int = 2) -> Market:
    """VIX: a week to half a year, 50-200% volatility; carried at q = r, so that the forward is the future."""
    rng = np.random.default_rng(seed)
    spot, t, sigma = rng.uniform(10, 60, n), rng.uniform(0.02, 0.5, n), rng.uniform(0.5, 2.0, n)
    rate = rng.uniform(0.01, 0.05, n)
    return _around(rng, spot, t, sigma, 2.5, rate, rate)


def same_day(n: int, seed: int = 3) -> Market:
    """SPX with minutes to hours left, within four deviations."""
    rng = np.random.default_rng(seed)
    spot, t = rng.uniform(5000, 7000, n), rng.uniform(5, 390, n) / 525_600
    rate = rng.uniform(0.01, 0.05, n)
    return _around(rng, spot, t, rng.uniform(0.05, 0.8, n), 4.0, rate, np.zeros(n))


def wings(n: int, seed: int = 4) -> Market:
    """Up to eight deviations and 200% volatility, minutes to three years."""
    rng = np.random.default_rng(seed)
    spot, t = rng.uniform(1500, 7500, n), 10 ** rng.uniform(-4.5, 0.5, n)
    return _around(
        rng, spot, t, rng.uniform(0.05, 2.0, n), 8.0, rng.uniform(-0.01, 0.08, n), rng.uniform(0, 0.03, n)
    )


def _around(
    rng: np.random.Generator, spot: Floats, t: Floats, sigma: Floats, deviations: float, r: Floats, q: Floats
) -> Market:
    n = len(spot)
    strike = spot * np.exp(rng.uniform(-deviations, deviations, n) * sigma * np.sqrt(t))
    return Market(spot, strike, t, sigma, r, q, rng.choice([-1.0, 1.0], n))


def prices(market: Market) -> Floats:
    """Black-76 prices of the options, by the NumPy path."""
    return black76.price(*market.black)

"""Risk-neutral density of one expiry as a non-negative mixture of lognormals, fitted to quotes.

Every component is a lognormal with fixed centre and width; only the weights are fitted. Prices are linear
in the weights, so the fit is a convex least-squares problem with weights >= 0, and any solution of it is a
density with the right mean: no butterfly arbitrage by construction, at any strike, quoted or not. Weights
are found by block principal pivoting: L. Portugal, J. Júdice, L. Vicente, "A comparison of block pivoting
and interior-point algorithms for linear least squares problems with nonnegative variables", Math. Comp. 63
(1994).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hedging.maths.arrays import Floats
from hedging.maths.normal import cdf

SPACING = 0.25  # between centres at the money, in deviations σ√T
STRETCH = 4.0  # deviations over which the spacing doubles
OVERLAP = 0.9  # width of a component in spacings
SMOOTHNESS = 0.01
_CONSTRAINT = 1e5  # weight of unit mass and unit mean against rows in half-spreads
_ROUNDS = 100
_RIDGE = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """Density of S_T / F: component j is lognormal with mean exp(centre) and log deviation ``width``."""

    centre: Floats
    width: Floats
    weight: Floats

    def call(self, k: Floats) -> Floats:
        """Undiscounted call price over F at log-moneyness k = ln(K/F), shape of ``k``."""
        return np.asarray(_component_calls(k, self.centre, self.width) @ self.weight)

    def out_of_the_money(self, k: Floats) -> Floats:
        """Undiscounted price over F of the call above the forward and the put below it."""
        return np.asarray(_component_options(k, self.centre, self.width) @ self.weight)

    def below(self, k: Floats) -> Floats:
        """P(S_T < F e^k), exact for the mixture."""
        d2 = (self.centre - k[..., None]) / self.width - 0.5 * self.width
        return np.asarray(cdf(-d2) @ self.weight)


def stretched_grid(low: float, high: float, spacing: float) -> Floats:
    """Points from ``low`` to ``high`` around 0 whose spacing grows linearly with the distance."""
    reach = [STRETCH / spacing * np.log1p(abs(end) / STRETCH) for end in (low, high)]
    steps = np.arange(-np.ceil(reach[0]), np.ceil(reach[1]) + 1)
    return np.asarray(np.sign(steps) * STRETCH * np.expm1(np.abs(steps) * spacing / STRETCH))


def fit_mixture(
    k: Floats, price: Floats, half_spread: Floats, deviation: float, smoothness: float = SMOOTHNESS
) -> Mixture:
    """Fit to out-of-the-money prices over F (undiscounted) at log-moneyness k.

    Residuals are counted in half-spreads; ``deviation`` is σ√T at the money and sets the grid.
    ``smoothness`` weighs the second differences of weight over a fat-tailed prior, which decides only what
    the quotes leave open. Outliers are down-weighted once (Huber).
    """
    z = k / deviation
    grid = stretched_grid(min(1.15 * z.min() - 1.0, -6.0), max(1.15 * z.max() + 1.0, 5.0), SPACING)
    step = SPACING * (1.0 + np.abs(grid) / STRETCH)
    centre, width = grid * deviation, OVERLAP * step * deviation
    # a normal core with exponential tails, the left one fatter: the shape of index and VIX densities alike
    prior = step * (np.exp(-0.5 * grid**2) + 0.05 * np.exp(np.where(grid < 0, 0.3, -0.5) * grid))
    prior /= prior.sum()
    options = _component_options(k, centre, width) * prior
    smooth = np.sqrt(smoothness) * np.diff(np.eye(len(grid)), n=2, axis=0)
    fixed = _CONSTRAINT * np.vstack([prior, prior * np.exp(centre)])
    share = np.ones(len(k))
    ratio = np.ones(len(grid))
    for _ in range(2):
        scale = share / half_spread
        design = np.vstack([options * scale[:, None], smooth, fixed])
        target = np.concatenate([price * scale, np.zeros(len(smooth)), np.full(2, _CONSTRAINT)])
        ratio = nonnegative_least_squares(design.T @ design, design.T @ target)
        misfit = np.abs(options @ ratio - price) / half_spread
        share = 1.0 / np.sqrt(np.maximum(1.0, misfit / 2.0))
        if misfit.max() <= 2.0:
            break
    weight = ratio * prior
    weight /= weight.sum()
    kept = weight > 0
    centre, width, weight = centre[kept], width[kept], weight[kept]
    return Mixture(centre - np.log(weight @ np.exp(centre)), width, weight)


def nonnegative_least_squares(gram: Floats, right: Floats) -> Floats:
    """Minimise |Ax - b|² over x >= 0 from AᵀA and Aᵀb, by block principal pivoting."""
    n = len(right)
    gram = gram + np.diag(np.full(n, _RIDGE))
    tolerance = 1e-10 * np.abs(right).max()
    passive = np.ones(n, dtype=bool)
    x: Floats = np.asarray(np.linalg.solve(gram, right), dtype=np.float64)
    y = np.zeros(n)
    fewest, patience = n + 1, 3
    for _ in range(_ROUNDS):
        wrong = (passive & (x < 0)) | (~passive & (y < -tolerance))
        count = int(wrong.sum())
        if count == 0:
            break
        if count < fewest:
            fewest, patience = count, 3
        elif patience > 0:
            patience -= 1
        else:  # Murty's rule never cycles
            wrong[: np.flatnonzero(wrong)[-1]] = False
        passive ^= wrong
        x = np.zeros(n)
        x[passive] = np.linalg.solve(gram[np.ix_(passive, passive)], right[passive])
        y = gram @ x - right
    return np.asarray(np.maximum(x, 0.0), dtype=np.float64)


def _component_calls(k: Floats, centre: Floats, width: Floats) -> Floats:
    d1 = (centre - k[..., None]) / width + 0.5 * width
    return np.asarray(np.exp(centre) * cdf(d1) - np.exp(k)[..., None] * cdf(d1 - width))


def _component_options(k: Floats, centre: Floats, width: Floats) -> Floats:
    """Component prices of the side that is out of the money against F (not against the component)."""
    sign = np.where(k >= 0, 1.0, -1.0)[..., None]
    d1 = (centre - k[..., None]) / width + 0.5 * width
    value = sign * (np.exp(centre) * cdf(sign * d1) - np.exp(k)[..., None] * cdf(sign * (d1 - width)))
    return np.asarray(np.maximum(value, 0.0))

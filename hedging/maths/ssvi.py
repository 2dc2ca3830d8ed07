"""SSVI: a three-parameter smile for few quotes or none.

w(k, θ) = θ/2 · (1 + ρφk + √((φk + ρ)² + 1 - ρ²)) with θ the variance at the money and φ(θ) = η θ^-γ
(1 + θ)^(γ-1): J. Gatheral, A. Jacquier, "Arbitrage-free SVI volatility surfaces", Quant. Finance 14 (2014),
section 4. φ is held at 2/√(θ(1 + |ρ|)), or 4/(θ(1 + |ρ|)), where the power law exceeds it, which is their
sufficient condition against butterfly arbitrage (theorem 4.2); with ρ common to all expiries and θ rising in
time there is no calendar arbitrage either (theorem 4.1). An index of the VIX family states the value of the
log contract, so θ can be solved from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from hedging.maths.arrays import Floats
from hedging.maths.normal import pdf

_THETA = np.geomspace(1e-6, 12.0, 120)
_STEPS = np.linspace(-6.0, 6.0, 101)  # k/√θ is their sinh: dense at the money, and far into both wings


@dataclass(frozen=True, slots=True)
class SmileShape:
    """``rho`` in (-1, 1) tilts the smile, ``eta`` > 0 bends it, ``gamma`` in (0, 1) spreads it over time."""

    rho: float
    eta: float
    gamma: float

    def phi(self, theta: Floats) -> Floats:
        """Curvature φ(θ), held where butterfly arbitrage could begin."""
        power = self.eta * theta**-self.gamma * (1.0 + theta) ** (self.gamma - 1.0)
        return np.asarray(np.minimum(power, largest_phi(self.rho, theta)))

    def variance(self, k: ArrayLike, theta: ArrayLike) -> Floats:
        """Total variance w at log-moneyness k; arguments broadcast."""
        th = np.asarray(theta, dtype=np.float64)
        return slice_variance(np.asarray(k, dtype=np.float64), th, self.rho, self.phi(th))


def slice_variance(k: Floats, theta: Floats, rho: float | Floats, phi: Floats) -> Floats:
    """Total variance of one slice; arguments broadcast."""
    x = phi * k
    return np.asarray(theta / 2 * (1.0 + rho * x + np.sqrt((x + rho) ** 2 + 1.0 - rho**2)))


def largest_phi(rho: float | Floats, theta: Floats) -> Floats:
    """The largest φ surely free of butterfly arbitrage."""
    room = theta * (1.0 + np.abs(rho))
    return np.asarray(np.minimum(2.0 / np.sqrt(room), 4.0 / room))


def log_contract(shape: SmileShape, theta: Floats) -> Floats:
    """Total variance of the log contract, -2 E ln(S/F), for each θ (one dimension).

    Without a single option price: it is ∫ w dN(z) over z = k/√w + √w/2. M. Fukasawa, "The normalizing
    transformation of the implied volatility smile", Math. Finance 22 (2012), theorem 4.4. The integrand is
    smooth and dies out at both ends, so equal steps of the trapezoid rule lose 2e-7 where θ < 0.3; beyond,
    a wing so heavy that it reaches Lee's bound costs more.
    """
    root_theta = np.sqrt(theta)[:, None]
    k, phi = np.sinh(_STEPS) * root_theta, shape.phi(theta)[:, None]
    w = slice_variance(k, theta[:, None], shape.rho, phi)
    y = phi * k + shape.rho
    slope = theta[:, None] * phi / 2 * (shape.rho + y / np.sqrt(y**2 + 1.0 - shape.rho**2))
    root = np.sqrt(w)
    z_slope = (1.0 - k * slope / (2.0 * w) + slope / 4.0) / root
    density = w * pdf(k / root + root / 2.0) * z_slope * np.cosh(_STEPS) * root_theta
    return np.asarray(np.sum(density, axis=1) * (_STEPS[1] - _STEPS[0]))


@lru_cache(maxsize=64)
def _inverse(shape: SmileShape) -> tuple[Floats, Floats]:
    return np.log(log_contract(shape, _THETA)), np.log(_THETA)


def theta_from_log_contract(shape: SmileShape, variance: ArrayLike) -> Floats:
    """θ whose log contract is worth ``variance`` (total, not per year)."""
    known, theta = _inverse(shape)
    return np.exp(np.interp(np.log(np.asarray(variance, dtype=np.float64)), known, theta))

"""Risk factors and the units of their Greeks: what may be added, and what never.

SPX options move with SPX points and SPX volatility, VIX options and VX futures with VX points and the
volatility of VX. A vega of the one is not a vega of the other, so sums are kept per factor.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

GREEKS = ("delta", "gamma", "theta", "vega", "rho")


class Factor(StrEnum):
    """The risk factor a delta or vega refers to."""

    SPX = "SPX"
    VX = "VX"
    VXX = "VXX"


#: Units of a position's Greeks: per unit × signed quantity × multiplier.
POSITION_UNITS: dict[Factor, dict[str, str]] = {
    factor: {
        "delta": f"$ per {point}",
        "gamma": f"$ per {point}²",
        "theta": "$ per calendar day",
        "vega": f"$ per vol point of {volatility}",
        "rho": "$ per 1% of rate",
    }
    for factor, point, volatility in (
        (Factor.SPX, "SPX point", "SPX"),
        (Factor.VX, "VX point", "VX"),
        (Factor.VXX, "VXX dollar", "VXX"),
    )
}


@dataclass(frozen=True, slots=True)
class FactorGreeks:
    """Dollar Greeks of positions on one factor, in the units of ``POSITION_UNITS``."""

    delta: float = 0.0
    gamma: float = 0.0
    theta: float = 0.0
    vega: float = 0.0
    rho: float = 0.0

    def plus(self, other: FactorGreeks) -> FactorGreeks:
        """Sum on the same factor."""
        return FactorGreeks(
            self.delta + other.delta,
            self.gamma + other.gamma,
            self.theta + other.theta,
            self.vega + other.vega,
            self.rho + other.rho,
        )

    def times(self, size: float) -> FactorGreeks:
        """The Greeks of ``size`` times as much."""
        return FactorGreeks(
            self.delta * size, self.gamma * size, self.theta * size, self.vega * size, self.rho * size
        )


def factor_of(underlying: str) -> Factor:
    """The factor an underlying's Greeks refer to: VIX options move with their VX future.

    Raises KeyError for an underlying the journal does not know.
    """
    return {"SPX": Factor.SPX, "VIX": Factor.VX, "VX": Factor.VX, "VXX": Factor.VXX}[underlying]

"""Margin of SPX option spreads.

Strategy-based: Cboe margin manual and FINRA Notice 12-44 (iron condor: the greater of the two sides'
widths × multiplier × contracts); the Interactive Brokers variant counts unequal widths as two
spreads. Portfolio margin: ten equidistant moves from -8% to +6%, with a minimum a contract.
"""

from __future__ import annotations

import numpy as np

from hedging.maths.arrays import Floats
from hedging.maths.payoff import PayoffLegs, expiry_value

PORTFOLIO_MOVES = np.linspace(-0.08, 0.06, 10)
PORTFOLIO_MINIMUM = 37.5  # dollars a contract: $0.375 × multiplier 100


def condor_margin(put_width: float, call_width: float, multiplier: float, contracts: int) -> float:
    """Gross Cboe margin in dollars of ``contracts`` iron condors; widths in points."""
    return max(put_width, call_width) * multiplier * contracts


def condor_margin_ibkr(put_width: float, call_width: float, multiplier: float, contracts: int) -> float:
    """Gross margin where only equal widths count as one condor, else both spreads."""
    if put_width == call_width:
        return condor_margin(put_width, call_width, multiplier, contracts)
    return (put_width + call_width) * multiplier * contracts


def defined_risk_margin(legs: PayoffLegs) -> float:
    """Gross strategy margin in dollars of any defined-risk legs of one expiry.

    The worst value at expiry before the credit, which for spreads and condors is the rule's width ×
    multiplier × contracts; ``inf`` when a short call is not covered; 0 for long options.
    """
    kinks = np.concatenate([[0.0], np.unique(legs.strike)])
    slope = float(np.sum(np.where(legs.right > 0, legs.quantity * legs.multiplier, 0.0)))
    if slope < -1e-12:
        return float("inf")
    return float(max(0.0, -expiry_value(kinks, legs).min()))


def portfolio_margin_estimate(pnl_at_moves: Floats, contracts: int) -> float:
    """Estimate in dollars: worst revaluation over PORTFOLIO_MOVES, at least the minimum a contract."""
    return float(max(-np.min(pnl_at_moves), PORTFOLIO_MINIMUM * contracts, 0.0))

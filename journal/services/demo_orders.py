"""Orders of the demo: what is listed on the simulated market, filled at its mids."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from hedging.engine.book import ContractSpec, Leg
from hedging.engine.instruments import option_contract
from hedging.engine.market import ExpirySlice, MarketSnapshot
from hedging.engine.pricing.marks import option_quote
from hedging.engine.pricing.valuation import value_leg
from hedging.maths.types import Right
from hedging.selectors.calendar import closes_at
from hedging.services.snapshots.snapshots import snapshot_for, snapshot_load
from journal.services.book.trades import LegInput, OrderInput

_NICKEL = Decimal("0.05")


class DemoError(RuntimeError):
    """The simulated market lacks what the demo needs."""


def market_on(day: date) -> MarketSnapshot:
    """The simulated market at the close of a day. Raises DemoError."""
    row = snapshot_for(as_of=closes_at(day), simulated=True)
    if row is None:
        raise DemoError(f"no simulated market on {day}")
    return snapshot_load(row)


def order_at_mid(legs: Iterable[tuple[ContractSpec, int]], market: MarketSnapshot, day: date) -> OrderInput:
    """Filled at the mid shortly before the close of a simulated session."""
    inputs = []
    for spec, quantity in legs:
        # A wing that left the listed strikes is priced on the fitted smile.
        mid = value_leg(Leg(spec, 1, 0.0), market).price
        if mid is None:
            raise DemoError(f"{spec.symbol} has no price on {day}")
        price = (Decimal(str(round(mid, 4))) / _NICKEL).quantize(Decimal(1), ROUND_HALF_UP) * _NICKEL
        inputs.append(LegInput(spec, quantity, price))
    return OrderInput(inputs, closes_at(day) - timedelta(minutes=12), source="demo")


def slice_near(market: MarketSnapshot, root: str, day: date, days_out: int) -> ExpirySlice:
    """The expiry nearest to ``days_out`` days."""
    keys = [key for key in market.slices if key[0] == root]
    best = min(keys, key=lambda key: abs((key[1] - day).days - days_out))
    return market.slices[best]


def strike_at_delta(expiry: ExpirySlice, right: Right, delta: float, step: int) -> Decimal:
    """Listed strike whose Black-76 delta is nearest, on a grid of ``step`` points."""
    import numpy as np

    from hedging.maths import black76

    strikes = expiry.strikes[np.isclose(expiry.strikes % step, 0)]
    vols = expiry.smile.vol(strikes)
    deltas = black76.greeks(expiry.forward, strikes, expiry.t, vols, expiry.discount, int(right)).delta
    return Decimal(str(strikes[int(np.argmin(np.abs(np.abs(deltas) - delta)))]))


def quoted_legs(
    legs: list[tuple[ContractSpec, int]], market: MarketSnapshot
) -> list[tuple[ContractSpec, int]]:
    """Move an unlisted wing to the next listed strike; the chain thins out away from the money."""
    fixed = []
    for spec, quantity in legs:
        strike = Decimal(str(spec.strike))
        assert spec.expiry is not None
        assert spec.right is not None
        while option_quote(spec, market) is None and 0 < strike < 20_000:
            strike += 5 * int(spec.right)
            spec = option_contract(spec.root, spec.expiry, spec.right, strike)  # noqa: PLW2901
        fixed.append((spec, quantity))
    return fixed

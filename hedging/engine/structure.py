"""What a set of option legs can gain and lose by itself, before any market is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from hedging.engine.book import InstrumentKind, Leg
from hedging.maths import margin
from hedging.maths.payoff import PayoffLegs, expiry_value, profile
from hedging.maths.types import Right


class Shape(StrEnum):
    """The recognised shape of a position."""

    IRON_CONDOR = "iron condor"
    IRON_BUTTERFLY = "iron butterfly"
    VERTICAL = "vertical"
    BUTTERFLY = "butterfly"
    LONG_OPTIONS = "long options"
    FUTURE = "future"
    SHARES = "shares"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Structure:
    """Figures in dollars, break-evens in points. None where a figure is undefined or unbounded.

    ``max_profit``/``max_loss`` are before fees; ``credit`` is what the fills moved (+ received).
    ``margin`` is gross strategy margin (Cboe), ``margin_ibkr`` its variant for unequal widths.
    """

    shape: Shape
    credit: float
    max_profit: float | None
    max_loss: float | None
    break_evens: tuple[float, ...]
    margin: float | None
    margin_ibkr: float | None
    put_width: float | None
    call_width: float | None
    quantity: int


def option_arrays(legs: Sequence[Leg]) -> PayoffLegs:
    """Payoff arrays of option legs."""
    return PayoffLegs(
        np.array([leg.contract.strike for leg in legs], dtype=np.float64),
        np.array([int(leg.contract.right or 0) for leg in legs], dtype=np.float64),
        np.array([leg.quantity for leg in legs], dtype=np.float64),
        np.array([leg.contract.multiplier for leg in legs], dtype=np.float64),
    )


def describe(legs: Sequence[Leg], cash: float) -> Structure:
    """Structure of open legs whose fills moved ``cash`` dollars (+ received) in all.

    Legs of several expiries, futures and shares have no exact payoff at expiry: their extremes are
    None, except that long-only positions cannot lose more than they cost.
    """
    shape = recognise(legs)
    quantity = min((abs(leg.quantity) for leg in legs), default=0)
    one_expiry = len({(leg.contract.underlying, leg.contract.expiry) for leg in legs}) == 1
    if not legs or not one_expiry or any(leg.contract.kind is not InstrumentKind.OPTION for leg in legs):
        return Structure(shape, cash, None, None, (), None, None, None, None, quantity)
    arrays = option_arrays(legs)
    found = profile(arrays, cash)
    gross = margin.defined_risk_margin(arrays)
    put_width, call_width = _widths(legs)
    ibkr = gross
    if shape in (Shape.IRON_CONDOR, Shape.IRON_BUTTERFLY) and put_width and call_width:
        multiplier = float(legs[0].contract.multiplier)
        ibkr = margin.condor_margin_ibkr(put_width, call_width, multiplier, quantity)
    return Structure(
        shape,
        cash,
        _finite(found.max_profit),
        _finite(found.max_loss),
        found.break_evens,
        _finite(gross),
        _finite(ibkr),
        put_width,
        call_width,
        quantity,
    )


def recognise(legs: Sequence[Leg]) -> Shape:
    """The shape of the legs, from strikes, rights and quantities."""
    kinds = {leg.contract.kind for leg in legs}
    if kinds == {InstrumentKind.FUTURE}:
        return Shape.FUTURE
    if kinds == {InstrumentKind.SHARE}:
        return Shape.SHARES
    if kinds != {InstrumentKind.OPTION} or len({leg.contract.expiry for leg in legs}) > 1:
        return Shape.OTHER
    ordered = sorted(legs, key=lambda leg: (leg.contract.strike or 0, -(leg.contract.right or 0)))
    signs = [(int(leg.contract.right or 0), leg.quantity) for leg in ordered]
    strikes = [leg.contract.strike for leg in ordered]
    rights = {right for right, _ in signs}
    if len(legs) == 4:
        return _four_legs(legs)
    if len(legs) == 2 and len(rights) == 1 and signs[0][1] == -signs[1][1]:
        return Shape.VERTICAL
    if len(legs) == 3 and len(rights) == 1 and len(set(strikes)) == 3:
        low, mid, high = (q for _, q in signs)
        if low == high and mid == -2 * low:
            return Shape.BUTTERFLY
    if all(q > 0 for _, q in signs):
        return Shape.LONG_OPTIONS
    return Shape.OTHER


def _four_legs(legs: Sequence[Leg]) -> Shape:
    """An iron condor or butterfly: wings bought, body sold, in equal numbers."""
    puts = sorted((leg for leg in legs if leg.contract.right is Right.PUT), key=_strike)
    calls = sorted((leg for leg in legs if leg.contract.right is Right.CALL), key=_strike)
    if len(puts) != 2 or len(calls) != 2:
        return Shape.LONG_OPTIONS if all(leg.quantity > 0 for leg in legs) else Shape.OTHER
    wing = puts[0].quantity
    if wing <= 0 or [leg.quantity for leg in (*puts, *calls)] != [wing, -wing, -wing, wing]:
        return Shape.LONG_OPTIONS if all(leg.quantity > 0 for leg in legs) else Shape.OTHER
    gap = _strike(calls[0]) - _strike(puts[1])
    if gap < 0:
        return Shape.OTHER
    return Shape.IRON_CONDOR if gap else Shape.IRON_BUTTERFLY


def payoff_curve(legs: Sequence[Leg], cash: float, prices: Sequence[float]) -> list[float]:
    """Profit and loss in dollars at expiry for each settlement price."""
    values = expiry_value(np.asarray(prices, dtype=np.float64), option_arrays(legs)) + cash
    return [float(value) for value in values]


def _strike(leg: Leg) -> float:
    return leg.contract.strike or 0.0


def _widths(legs: Sequence[Leg]) -> tuple[float | None, float | None]:
    def width(right: Right) -> float | None:
        strikes = [_strike(leg) for leg in legs if leg.contract.right is right]
        return max(strikes) - min(strikes) if len(strikes) == 2 else None

    return width(Right.PUT), width(Right.CALL)


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None

"""What a set of legs is for by its shape alone: an iron condor, or an instrument of a hedge layer.

One place says it for the page, the API, imports and rolls, so that an order is the same trade whichever way
it comes. A person or a file decides the layer; the shape does not know it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from hedging.engine.book import InstrumentKind, Leg
from hedging.engine.structure import Shape, recognise
from hedging.maths.types import Right


class HedgeInstrument(StrEnum):
    """What hedge layers are made of, by the names rulesets use (``layer1.allowed``)."""

    VIX_CALL = "vix_call"
    VIX_CALL_SPREAD = "vix_call_spread"
    VIX_CALENDAR = "vix_calendar"
    SPX_PUT = "spx_put"
    SPX_PUT_SPREAD = "spx_put_spread"
    VX_FUTURE = "vx_future"
    VXX = "vxx"


_What = tuple[InstrumentKind, str, Right | None]
_PLAIN: dict[_What, HedgeInstrument] = {
    (InstrumentKind.SHARE, "VXX", None): HedgeInstrument.VXX,
    (InstrumentKind.FUTURE, "VX", None): HedgeInstrument.VX_FUTURE,
}
_BOUGHT: dict[_What, HedgeInstrument] = {
    (InstrumentKind.OPTION, "VIX", Right.CALL): HedgeInstrument.VIX_CALL,
    (InstrumentKind.OPTION, "SPX", Right.PUT): HedgeInstrument.SPX_PUT,
}
_SPREAD = {
    HedgeInstrument.VIX_CALL: HedgeInstrument.VIX_CALL_SPREAD,
    HedgeInstrument.SPX_PUT: HedgeInstrument.SPX_PUT_SPREAD,
}


def is_condor(legs: Sequence[Leg]) -> bool:
    """Whether the legs are an iron condor or butterfly on SPX of one root and expiry with both wings.

    Each side has as many bought as sold; the two sides may differ in number (an unbalanced condor).
    """
    if len(legs) != 4 or len({(leg.contract.root, leg.contract.expiry) for leg in legs}) != 1:
        return False
    if any(leg.contract.underlying != "SPX" or leg.contract.right is None for leg in legs):
        return False
    ordered = sorted(legs, key=lambda leg: (leg.contract.strike or 0.0, leg.contract.right is Right.CALL))
    rights = [leg.contract.right for leg in ordered]
    low, put, call, high = (leg.quantity for leg in ordered)
    return rights == [Right.PUT, Right.PUT, Right.CALL, Right.CALL] and low == -put > 0 and high == -call > 0


def hedge_instrument(legs: Sequence[Leg]) -> HedgeInstrument | None:
    """The instrument of a hedge layer the legs are; None for anything else."""
    held = {(leg.contract.kind, leg.contract.underlying, leg.contract.right) for leg in legs}
    if len(held) != 1:
        return None
    (what,) = held
    if plain := _PLAIN.get(what):
        return plain
    bought = _BOUGHT.get(what)
    if bought is None or all(leg.quantity > 0 for leg in legs):
        return bought
    if recognise(legs) is Shape.VERTICAL:
        return _SPREAD[bought] if _is_debit(legs) else None
    if bought is HedgeInstrument.VIX_CALL and _is_calendar(legs):
        return HedgeInstrument.VIX_CALENDAR
    return None


def _is_debit(legs: Sequence[Leg]) -> bool:
    """Whether the bought strike of a vertical is the dearer one."""
    strikes = {leg.quantity > 0: leg.contract.strike or 0.0 for leg in legs}
    calls = legs[0].contract.right is Right.CALL
    return strikes[True] < strikes[False] if calls else strikes[True] > strikes[False]


def _is_calendar(legs: Sequence[Leg]) -> bool:
    """Equal numbers of one strike, the later expiry bought."""
    if len(legs) != 2 or legs[0].quantity != -legs[1].quantity:
        return False
    sold, bought = sorted(legs, key=lambda leg: leg.quantity)
    if sold.contract.strike != bought.contract.strike:
        return False
    return bool(
        sold.contract.expiry and bought.contract.expiry and sold.contract.expiry < bought.contract.expiry
    )

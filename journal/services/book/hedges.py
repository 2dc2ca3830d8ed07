"""Recording hedge layers: what they are made of, and which condors they protect."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from hedging.engine.book import InstrumentKind, Right
from hedging.engine.structure import Shape
from journal.errors import RuleError
from journal.models import Account, Trade, User
from journal.services.book.orders import LegInput, OrderInput
from journal.services.book.sizing import order_structure
from journal.services.book.trades import trade_create

Instrument = Trade.Instrument


@transaction.atomic
def hedge_layer_create(
    *,
    user: User,
    account: Account,
    layer: int,
    order: OrderInput,
    instrument: str = "",
    protects: Sequence[Trade] = (),
    reason: str = "",
    order_text: str = "",
    accept_size: bool = False,
) -> Trade:
    """Record a hedge layer (1, 2 or 3), optionally linked to condors of the same account.

    An empty ``instrument`` is recognised from the legs; a given one must agree with them. Raises
    RuleError naming the input.
    """
    if any(trade.account_id != account.pk for trade in protects):
        raise RuleError("A layer protects condors of its own account.", "protects")
    if any(trade.kind != Trade.Kind.CONDOR for trade in protects):
        raise RuleError("A layer protects condors.", "protects")
    found = instrument_of(order.legs)
    if instrument and instrument != found:
        wanted = Instrument(instrument).label if instrument in Instrument.values else instrument
        actual = found.label if found else "none of the known instruments"
        raise RuleError(f"The legs are not {wanted}: they are {actual}.", "instrument")
    return trade_create(
        user=user,
        account=account,
        kind=Trade.Kind.HEDGE,
        order=order,
        reason=reason,
        order_text=order_text,
        layer=layer,
        instrument=found.value,
        protects=protects,
        accept_size=accept_size,
    )


def instrument_of(legs: Sequence[LegInput]) -> Trade.Instrument:
    """Recognise the hedge instrument of the legs; NONE when it is no listed one."""
    held = {(leg.spec.kind, leg.spec.underlying, leg.spec.right) for leg in legs}
    if held == {(InstrumentKind.SHARE, "VXX", None)}:
        return Instrument.VXX
    if held == {(InstrumentKind.FUTURE, "VX", None)}:
        return Instrument.VX_FUTURE
    if held == {(InstrumentKind.OPTION, "VIX", Right.CALL)}:
        if all(leg.quantity > 0 for leg in legs):
            return Instrument.VIX_CALLS
        if _bought_spread(legs, Right.CALL):
            return Instrument.VIX_CALL_SPREAD
    if held == {(InstrumentKind.OPTION, "SPX", Right.PUT)} and _bought_spread(legs, Right.PUT):
        return Instrument.SPX_PUT_SPREAD
    return Instrument.NONE


def _bought_spread(legs: Sequence[LegInput], right: Right) -> bool:
    """Whether the legs are a vertical whose bought strike is the dearer one."""
    if order_structure(legs).shape is not Shape.VERTICAL:
        return False
    strikes = {leg.quantity > 0: leg.spec.strike or 0.0 for leg in legs}
    return strikes[True] < strikes[False] if right is Right.CALL else strikes[True] > strikes[False]

"""What a group of imported rows opened, as the rest of the product sees positions."""

from __future__ import annotations

from journal.importers.grouping import TradeGroup
from journal.models import Trade
from journal.selectors.book.purpose import instrument_of
from journal.selectors.book.trades import ZERO, OpenLeg, Position


def group_position(group: TradeGroup) -> Position:
    """What a group opened, without prices: its kind, instrument and label follow from it."""
    legs = tuple(OpenLeg(spec, quantity, ZERO) for spec, quantity in group.opening())
    return Position(legs, ZERO, ZERO)


def group_instrument(group: TradeGroup, kind: str) -> str:
    """What a hedge layer is made of, recognised from its legs as on the page; "" for other kinds."""
    if kind != Trade.Kind.HEDGE:
        return ""
    return instrument_of(group_position(group).engine_legs()).value

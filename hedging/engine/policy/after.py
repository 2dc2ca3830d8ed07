"""The book after an order: legs merged at average cost, cash moved at the order's prices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from hedging.engine.book import Book, BookTrade, InstrumentKind, Leg, TradeRole
from hedging.engine.instruments import parse_symbol
from hedging.engine.policy.types import Action, Order, Proposal

NEW = "proposed"


def merged(held: Iterable[Leg], added: Iterable[Leg]) -> tuple[Leg, ...]:
    """Open legs after adding quantities: average cost while adding, unchanged while reducing."""
    legs = {leg.contract.symbol: leg for leg in held}
    for leg in added:
        symbol = leg.contract.symbol
        before = legs.pop(symbol, None)
        total = leg.quantity + (before.quantity if before else 0)
        if not total:
            continue
        price = leg.entry_price
        if before and (before.quantity > 0) == (leg.quantity > 0):
            price = (before.entry_price * before.quantity + leg.entry_price * leg.quantity) / total
        elif before and (before.quantity > 0) == (total > 0):
            price = before.entry_price
        legs[symbol] = Leg(leg.contract, total, price)
    return tuple(sorted(legs.values(), key=lambda leg: leg.contract.symbol))


def cash_of(legs: Iterable[Leg]) -> float:
    """Dollars the legs move when traded at their prices, + received; opening a future moves none."""
    return -sum(
        leg.quantity * leg.entry_price * leg.contract.multiplier
        for leg in legs
        if leg.contract.kind is not InstrumentKind.FUTURE
    )


def after_legs(
    book: Book, legs: Sequence[Leg], *, trade_id: str | None, role: TradeRole, layer: int | None = None
) -> Book:
    """The book after trading the legs in an open trade, or in a new one when ``trade_id`` is None.

    Raises KeyError when the book has no such trade.
    """
    found = trade_of(book, trade_id) if trade_id is not None else None
    if found is None:
        found = BookTrade(f"{NEW}-{len(book.trades)}", role, layer, (), 0.0, 0.0)
    changed = replace(found, legs=merged(found.legs, legs), cash=found.cash + cash_of(legs))
    others = tuple(trade for trade in book.trades if trade.trade_id != changed.trade_id)
    return replace(book, trades=(*others, changed))


def trade_of(book: Book, trade_id: str) -> BookTrade:
    """An open trade by its id. Raises KeyError."""
    for trade in book.trades:
        if trade.trade_id == trade_id:
            return trade
    raise KeyError(trade_id)


def order_legs(order: Order) -> tuple[Leg, ...]:
    """An order's legs as the engine holds them, at their marks."""
    return tuple(Leg(parse_symbol(leg.symbol), leg.quantity, leg.price) for leg in order.legs)


def after_proposal(book: Book, proposal: Proposal) -> Book:
    """The book once every order of the proposal is filled at its marks."""
    role = TradeRole.CONDOR if proposal.action in CONDOR_ACTIONS else TradeRole.HEDGE
    for order in proposal.orders:
        book = after_legs(book, order_legs(order), trade_id=order.trade_id, role=role, layer=proposal.layer)
    return book


CONDOR_ACTIONS = {Action.OPEN_CONDOR, Action.WING_SHIFT, Action.RECENTER, Action.FULL_ROLL}

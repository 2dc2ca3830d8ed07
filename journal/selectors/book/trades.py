"""Reads of trades: open legs, structure, and the engine's book."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Min, Prefetch, Q, QuerySet
from django.shortcuts import get_object_or_404

from hedging.engine.book import Book, BookTrade, ContractSpec, Leg, TradeRole
from hedging.engine.structure import Structure, describe
from hedging.selectors.calendar import settles_at
from hedging.services.snapshots.contracts import contract_spec
from journal.models import Account, Fill, Trade, TradeLink, User

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class OpenLeg:
    """The open quantity of one contract in a trade; ``entry_price`` is its average in points."""

    spec: ContractSpec
    quantity: int
    entry_price: Decimal


@dataclass(frozen=True, slots=True)
class Position:
    """What a trade's fills add up to, in dollars: cash moved (+ received) and fees paid."""

    legs: tuple[OpenLeg, ...]
    cash: Decimal
    fees: Decimal

    def engine_legs(self) -> tuple[Leg, ...]:
        """Pass the legs through the engine's door."""
        return tuple(Leg(leg.spec, leg.quantity, float(leg.entry_price)) for leg in self.legs)


def live_fills(fills: Iterable[Fill]) -> list[Fill]:
    """Leave out corrected fills and their corrections: what really happened, in time order."""
    every = list(fills)
    reversed_ids = {fill.reverses_id for fill in every if fill.reverses_id is not None}
    live = [f for f in every if f.reverses_id is None and f.pk not in reversed_ids]
    return sorted(live, key=lambda f: (f.executed_at, f.created_at, f.pk))


def position_of(fills: Iterable[Fill]) -> Position:
    """Add up fills in time order, at average cost; the result depends on nothing else.

    A corrected fill and its correction leave quantity, price and cash as if neither had happened.
    """
    every = list(fills)
    return position_of_live(live_fills(every), sum((fill.fees for fill in every), ZERO))


def position_of_live(live: Iterable[Fill], fees: Decimal) -> Position:
    """As ``position_of``, of ``live_fills`` and the fees of all fills."""
    quantity: dict[str, int] = {}
    entry: dict[str, Decimal] = {}
    specs: dict[str, ContractSpec] = {}
    cash = ZERO
    for fill in live:
        symbol = fill.contract.symbol
        if symbol not in specs:
            specs[symbol] = contract_spec(fill.contract)
        held = quantity.get(symbol, 0)
        after = held + fill.quantity
        cash += _cash_of(fill, held, entry.get(symbol, ZERO))
        if held == 0 or (held > 0) == (fill.quantity > 0):
            value = entry.get(symbol, ZERO) * abs(held) + fill.price * abs(fill.quantity)
            entry[symbol] = value / abs(after)
        elif after and (after > 0) != (held > 0):
            entry[symbol] = fill.price
        quantity[symbol] = after
    legs = tuple(
        OpenLeg(specs[symbol], open_quantity, entry[symbol])
        for symbol, open_quantity in quantity.items()
        if open_quantity
    )
    return Position(tuple(sorted(legs, key=_leg_order)), cash, fees)


def _cash_of(fill: Fill, held: int, entry: Decimal) -> Decimal:
    """Dollars a fill moved: the premium of options and shares, the realized gain of futures.

    Opening a future moves no money; closing ``closed`` contracts settles their gain over the entry.
    """
    multiplier = fill.contract.multiplier
    if fill.contract.kind != "future":
        return -fill.quantity * fill.price * multiplier
    if held == 0 or (held > 0) == (fill.quantity > 0):
        return ZERO
    closed = min(abs(fill.quantity), abs(held)) * (1 if held > 0 else -1)
    return closed * (fill.price - entry) * multiplier


def _leg_order(leg: OpenLeg) -> tuple[Any, ...]:
    return (leg.spec.expiry or date.max, leg.spec.strike or 0.0, -(leg.spec.right or 0))


def with_fills(trades: QuerySet[Any]) -> QuerySet[Any]:
    """Trades with fills and contracts fetched: a constant number of queries."""
    return trades.select_related("account").prefetch_related(
        Prefetch("fills", queryset=Fill.objects.select_related("contract"))
    )


def trades_for(user: User) -> QuerySet[Any]:
    """Read the user's trades, newest first."""
    return Trade.objects.for_user(user).select_related("account")


def trade_get(user: User, trade_id: object) -> Trade:
    """One of the user's trades with its fills, or 404."""
    found: Trade = get_object_or_404(with_fills(Trade.objects.for_user(user)), pk=trade_id)
    return found


def chain_near(trade: Trade) -> set[UUID]:
    """The trade and those of its account it is known to be rolled from or to, by their ids."""
    links = TradeLink.objects.filter(account_id=trade.account_id, state=TradeLink.State.CONFIRMED)
    pairs = links.filter(Q(earlier=trade) | Q(later=trade)).values_list("earlier_id", "later_id")
    return {trade.pk, *(pk for pair in pairs for pk in pair if pk is not None)}


def trade_position(trade: Trade, *, until: datetime | None = None) -> Position:
    """Add up the trade's position now, or as it was at a moment (fills executed by then)."""
    fills = trade.fills.all()
    if until is None:
        return position_of(fills)
    return position_of(fill for fill in fills if fill.executed_at <= until)


def live_legs(trade: Trade, now: datetime) -> tuple[tuple[OpenLeg, ...], tuple[OpenLeg, ...]]:
    """Split the open legs into those that still trade and those that expired and await settlement."""
    live: list[OpenLeg] = []
    expired: list[OpenLeg] = []
    for leg in trade_position(trade).legs:
        moment = settles_at(leg.spec)
        (expired if moment is not None and moment <= now else live).append(leg)
    return tuple(live), tuple(expired)


def first_fill_day(account: Account) -> date | None:
    """The session of the account's first fill, None without fills."""
    found: date | None = Fill.objects.filter(account=account).aggregate(day=Min("trade_date"))["day"]
    return found


def opening_position(trade: Trade) -> Position:
    """Read the position the trade was opened with: its fills of the first order."""
    fills = live_fills(trade.fills.all())
    first = min((fill.executed_at for fill in fills), default=None)
    return position_of(fill for fill in fills if fill.executed_at == first)


def trade_structure(trade: Trade, *, until: datetime | None = None) -> Structure:
    """Structure of the open legs with all cash moved so far; of the opening legs once closed."""
    position = trade_position(trade, until=until)
    if not position.legs:
        position = opening_position(trade)
    return describe(position.engine_legs(), float(position.cash))


def book_build(account: Account, *, until: datetime | None = None) -> Book:
    """Build the account's open trades as the engine sees them, in a stable order."""
    trades = with_fills(
        Trade.objects.filter(account=account, status=Trade.Status.OPEN).order_by("opened_at", "pk")
    )
    return Book(
        account_id=str(account.pk),
        revision=account.book_revision,
        capital=float(account.base_capital),
        trades=tuple(book_trade(trade, trade_position(trade, until=until)) for trade in trades),
    )


def book_trade(trade: Trade, position: Position) -> BookTrade:
    """One trade as the engine sees it."""
    return BookTrade(
        trade_id=str(trade.pk),
        role=TradeRole(trade.kind),
        layer=trade.layer,
        legs=position.engine_legs(),
        cash=float(position.cash),
        fees=float(position.fees),
    )

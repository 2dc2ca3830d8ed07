"""The journal as it stood at the end of a past day: positions of then on the market of then.

Computed for the page that asks and not stored; results at rest belong to the present book only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from hedging.engine.book import Book
from hedging.engine.market import MarketSnapshot
from hedging.engine.pricing.valuation import value_book
from hedging.services.snapshots.snapshots import snapshot_for, snapshot_load
from journal.errors import RuleError
from journal.models import Account, Trade, User
from journal.selectors.book.trades import book_trade, trade_position, with_fills
from journal.selectors.book.valuation import Current
from journal.selectors.book.valued import account_result, trade_result, valuation_as_of

NO_MARKET_THEN = "No market data is loaded for that day, so nothing can be valued."


@dataclass(frozen=True, slots=True)
class PastAccount:
    """Open trades of then, each with its value (``valued`` None: unknown), totals, and the realized P&L.

    ``book`` and ``market`` are what they were valued from; ``market`` None where nothing was known.
    """

    current: Current
    trades: list[Trade]
    realized: Decimal
    book: Book
    market: MarketSnapshot | None
    reason: str = ""


def trade_then(*, trade: Trade, moment: datetime) -> tuple[dict[str, Any] | None, str]:
    """(result, reason): the trade's valuation at the moment, or why there is none."""
    try:
        _, result = valuation_as_of(trade=trade, as_of=moment)
    except RuleError as error:
        return None, error.message
    return result, ""


def account_then(*, user: User, account: Account, moment: datetime) -> PastAccount:
    """The account's open trades, totals and realized P&L at the moment, in dollars."""
    trades = list(
        with_fills(Trade.objects.for_user(user).filter(account=account)).order_by("opened_at", "pk")
    )
    begun = [t for t in trades if any(fill.executed_at <= moment for fill in t.fills.all())]
    positions = {trade.pk: trade_position(trade, until=moment) for trade in begun}
    opened = [trade for trade in begun if positions[trade.pk].legs]
    closed = [positions[trade.pk] for trade in begun if not positions[trade.pk].legs]
    realized = sum((position.cash - position.fees for position in closed), Decimal(0))
    row = snapshot_for(as_of=moment, simulated=account.is_demo)
    market = snapshot_load(row) if row is not None else None
    for trade in opened:
        trade.net_cash = positions[trade.pk].cash
        expiries = [leg.spec.expiry for leg in positions[trade.pk].legs if leg.spec.expiry is not None]
        trade.nearest_expiry = min(expiries, default=None)
        trade.valued = trade_result(book_trade(trade, positions[trade.pk]), market) if market else None
    book = Book(
        account_id=str(account.pk),
        revision=account.book_revision,
        capital=float(account.base_capital),
        trades=tuple(book_trade(trade, positions[trade.pk]) for trade in opened),
    )
    if market is None:
        nothing = Current(None, is_current=True, job=None)
        return PastAccount(nothing, opened, realized, book, None, NO_MARKET_THEN)
    result = account_result(book, value_book(book, market), market)
    return PastAccount(Current(result, is_current=True, job=None), opened, realized, book, market)

"""The list of trades: filters as they stand in the address, and totals of what they leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import QuerySet

from journal.models import Trade, User
from journal.selectors.trades import trades_for

_TEXT_LENGTH = 80


@dataclass(frozen=True, slots=True)
class TradeFilters:
    """What a list is narrowed to; empty values narrow nothing."""

    status: str = ""
    kind: str = ""
    account: UUID | None = None
    text: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> TradeFilters:
        """Read filters from an address; values nobody offers narrow nothing."""
        status, kind = query.get("status", ""), query.get("kind", "")
        try:
            account = UUID(query.get("account", ""))
        except ValueError:
            account = None
        return cls(
            status if status in Trade.Status.values else "",
            kind if kind in Trade.Kind.values else "",
            account,
            query.get("q", "").strip()[:_TEXT_LENGTH],
        )


@dataclass(frozen=True, slots=True)
class TradeTotals:
    """Totals of a filtered list in dollars; ``realized`` is of its closed trades, after fees."""

    count: int
    realized: Decimal
    fees: Decimal


def trades_filtered(user: User, filters: TradeFilters) -> QuerySet[Trade]:
    """Read the user's trades that pass the filters, newest first."""
    trades: QuerySet[Trade] = trades_for(user)
    if filters.status:
        trades = trades.filter(status=filters.status)
    if filters.kind:
        trades = trades.filter(kind=filters.kind)
    if filters.account is not None:
        trades = trades.filter(account_id=filters.account)
    if filters.text:
        trades = trades.filter(label__icontains=filters.text)
    return trades


def trade_totals(trades: QuerySet[Trade]) -> TradeTotals:
    """Add up a list in Decimal; one database keeps no exact sums."""
    rows = list(trades.values_list("net_cash", "fees_total", "status"))
    closed = Trade.Status.CLOSED
    return TradeTotals(
        len(rows),
        sum((cash - fees for cash, fees, status in rows if status == closed), Decimal(0)),
        sum((fees for _, fees, _ in rows), Decimal(0)),
    )

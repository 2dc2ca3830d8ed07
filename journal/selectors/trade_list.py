"""The list of trades: filters as they stand in the address, and totals of what they leave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import FloatField, OuterRef, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast

from hedging.engine.money import to_cents
from journal.models import Trade, User, Valuation
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


@dataclass(frozen=True, slots=True)
class TradeRow:
    """A trade of the list: ``pnl`` in dollars after fees is realized once closed, else as valued.

    ``stale`` is whether the book changed since that valuation; None figures are unknown.
    """

    trade: Trade
    pnl: Decimal | None
    mark: Decimal | None
    stale: bool


def with_newest_value(trades: QuerySet[Trade]) -> QuerySet[Any]:
    """Fetch the newest P&L and market value of each trade along with it, in the same query."""
    newest = Valuation.objects.filter(trade=OuterRef("pk")).order_by("-book_revision", "-as_of")

    def figure(name: str) -> Subquery:
        found = Cast(KeyTextTransform(name, KeyTransform("totals", "result")), FloatField())
        return Subquery(newest.annotate(figure=found).values("figure")[:1])

    return trades.annotate(
        valued_pnl=figure("pnl"),
        valued_mark=figure("market_value"),
        valued_revision=Subquery(newest.values("book_revision")[:1]),
    )


def trade_rows(trades: Iterable[Any]) -> list[TradeRow]:
    """Make the rows of a page of ``with_newest_value``."""
    rows = []
    for trade in trades:
        if trade.status == Trade.Status.CLOSED:
            rows.append(TradeRow(trade, trade.realized, None, stale=False))
            continue
        revision = trade.valued_revision
        stale = revision is not None and revision != trade.account.book_revision
        rows.append(TradeRow(trade, _money(trade.valued_pnl), _money(trade.valued_mark), stale))
    return rows


def _money(value: float | None) -> Decimal | None:
    return None if value is None else to_cents(Decimal(str(value)))


def trade_totals(trades: QuerySet[Trade]) -> TradeTotals:
    """Add up a list in Decimal; one database keeps no exact sums."""
    rows = list(trades.values_list("net_cash", "fees_total", "status"))
    closed = Trade.Status.CLOSED
    return TradeTotals(
        len(rows),
        sum((cash - fees for cash, fees, status in rows if status == closed), Decimal(0)),
        sum((fees for _, fees, _ in rows), Decimal(0)),
    )

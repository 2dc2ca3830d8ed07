"""What a page of the list shows beyond its rows: sizes, settlement, chains of adjustments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet

from journal.models import Fill, Trade, TradeLink, User
from journal.selectors.book.trade_list import TradeRow, pnl_of, with_pnl
from journal.selectors.book.trades import trade_position, trade_structure


@dataclass(frozen=True, slots=True)
class ChainSum:
    """The chain of adjustments a trade belongs to: how many trades, and their P&L after fees together.

    ``pnl`` in dollars is realized plus open as valued, None while one of them is not valued.
    """

    trades: int
    pnl: Decimal | None


@dataclass(frozen=True, slots=True)
class TradeFigures:
    """Figures of one trade.

    ``quantity`` counts the smallest leg, of the opening once closed. ``settles`` is AM or PM of the
    nearest open expiry, empty where nothing settles so. ``chain`` is None for a lone trade.
    """

    quantity: int
    settles: str
    chain: ChainSum | None


def with_fills_of(trades: QuerySet[Any]) -> QuerySet[Any]:
    """Fetch the fills along with each trade of a page, in one query."""
    return trades.prefetch_related(Prefetch("fills", queryset=Fill.objects.select_related("contract")))


def figures_of(user: User, rows: Sequence[TradeRow]) -> dict[UUID, TradeFigures]:
    """Figures of the rows of a page read through ``with_fills_of``, by trade."""
    chains = chain_sums(user, [row.trade.pk for row in rows])
    return {row.trade.pk: _figures(row.trade, chains.get(row.trade.pk)) for row in rows}


def _figures(trade: Trade, chain: ChainSum | None) -> TradeFigures:
    nearest = [leg.spec for leg in trade_position(trade).legs if leg.spec.expiry == trade.nearest_expiry]
    return TradeFigures(
        quantity=trade_structure(trade).quantity,
        settles=nearest[0].settlement.value if nearest else "",
        chain=chain,
    )


def chain_sums(user: User, ids: Sequence[UUID]) -> dict[UUID, ChainSum]:
    """The chains that any of the trades belongs to, by trade: two queries however long the list."""
    accounts = Trade.objects.filter(pk__in=ids).values("account")
    links = (
        TradeLink.objects.for_user(user)
        .filter(account__in=accounts, state=TradeLink.State.CONFIRMED)
        .exclude(Q(earlier=None) | Q(later=None))
        .values_list("earlier", "later")
    )
    around: dict[UUID, set[UUID]] = {}
    for earlier, later in links:
        around.setdefault(earlier, set()).add(later)
        around.setdefault(later, set()).add(earlier)
    members: dict[UUID, frozenset[UUID]] = {}
    for pk in ids:
        if pk in around and pk not in members:
            whole = _reached(around, pk)
            members |= dict.fromkeys(whole, whole)
    if not members:
        return {}
    pnl = {trade.pk: pnl_of(trade) for trade in with_pnl(Trade.objects.filter(pk__in=list(members)))}
    return {pk: _sum([pnl.get(one) for one in members[pk]]) for pk in ids if pk in members}


def chain_pnl(user: User, trade: Trade) -> Decimal | None:
    """P&L after fees through the chain of a trade; None for a lone one, or while a part is not valued."""
    found = chain_sums(user, [trade.pk]).get(trade.pk)
    return found.pnl if found is not None else None


def _reached(around: dict[UUID, set[UUID]], start: UUID) -> frozenset[UUID]:
    reach, seen = [start], {start}
    while reach:
        for step in around[reach.pop()] - seen:
            seen.add(step)
            reach.append(step)
    return frozenset(seen)


def _sum(values: Sequence[Decimal | None]) -> ChainSum:
    known = [value for value in values if value is not None]
    total = sum(known, Decimal(0)) if len(known) == len(values) else None
    return ChainSum(len(values), total)

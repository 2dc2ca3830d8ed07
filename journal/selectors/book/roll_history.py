"""Chains of adjustments: the trades a position went through, and their P&L together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from hedging.engine.structure import describe, payoff_curve
from journal.models import Trade, TradeLink, User
from journal.selectors.book.structures import structure_figures
from journal.selectors.book.trades import opening_position, with_fills

ZERO = Decimal(0)
_POINTS = 41


@dataclass(frozen=True, slots=True)
class ChainStep:
    """One trade of a chain, in dollars: ``credit`` of its opening before fees (+ received), cash after fees.

    ``cumulative_credit`` and ``cumulative_cash`` add the steps up to this one. ``link`` led to it.
    """

    trade: Trade
    link: TradeLink | None
    credit: Decimal
    cash: Decimal
    cumulative_credit: Decimal
    cumulative_cash: Decimal


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain in time order. ``realized`` is None while one of its trades is open."""

    steps: Sequence[ChainStep]

    @property
    def cash(self) -> Decimal:
        """Cash of all trades after fees, in dollars."""
        return self.steps[-1].cumulative_cash if self.steps else ZERO

    @property
    def realized(self) -> Decimal | None:
        """P&L through the whole chain, None while a part of it is open."""
        return self.cash if all(step.trade.status == Trade.Status.CLOSED for step in self.steps) else None


def chain_of(user: User, trade: Trade) -> Chain:
    """All trades that confirmed links join to this one, oldest first; a lone trade is a chain of one."""
    links = list(
        TradeLink.objects.for_user(user)
        .filter(account=trade.account_id, state=TradeLink.State.CONFIRMED)
        .exclude(Q(earlier=None) | Q(later=None))
    )
    around: dict[UUID, set[UUID]] = {}
    for link in links:
        assert link.earlier_id is not None
        assert link.later_id is not None
        around.setdefault(link.earlier_id, set()).add(link.later_id)
        around.setdefault(link.later_id, set()).add(link.earlier_id)
    reach, seen = [trade.pk], {trade.pk}
    while reach:
        for step in around.get(reach.pop(), set()) - seen:
            seen.add(step)
            reach.append(step)
    trades = with_fills(Trade.objects.for_user(user).filter(pk__in=seen)).order_by("opened_at", "pk")
    led = {link.later_id: link for link in links}
    steps: list[ChainStep] = []
    credit = cash = ZERO
    for one in trades:
        own = opening_position(one).cash
        credit, cash = credit + own, cash + one.realized
        steps.append(ChainStep(one, led.get(one.pk), own, one.realized, credit, cash))
    return Chain(steps)


def links_about(user: User, trade: Trade) -> QuerySet[TradeLink]:
    """Links that name the trade and are proposed or confirmed, both ends recorded."""
    links = TradeLink.objects.for_user(user).filter(Q(earlier=trade) | Q(later=trade))
    links = links.exclude(Q(earlier=None) | Q(later=None)).exclude(state=TradeLink.State.DISMISSED)
    return links.select_related("earlier", "later")


def chain_context(user: User, trade: Trade) -> dict[str, Any]:
    """The chain of a trade and how many of its links wait for a decision, for the trade's page."""
    links = list(links_about(user, trade))
    confirmed = any(link.state == TradeLink.State.CONFIRMED for link in links)
    chain = chain_of(user, trade) if confirmed else Chain(())
    proposed = sum(link.state == TradeLink.State.PROPOSED for link in links)
    return {
        "chain": chain,
        "chain_proposed": proposed,
        "shows_chain": len(chain.steps) > 1 or bool(proposed),
    }


def link_payoff(link: TradeLink) -> dict[str, Any] | None:
    """Payoff at expiry of the position before and after an adjustment, each by its own opening.

    None where one of them has no exact payoff at one expiry.
    """
    if link.earlier is None or link.later is None:
        return None
    series, strikes = [], []
    positions = [
        (name, opening_position(trade)) for name, trade in (("Before", link.earlier), ("After", link.later))
    ]
    for _, position in positions:
        legs = position.engine_legs()
        figures = structure_figures(describe(legs, float(position.cash)))
        if any(leg.contract.strike is None for leg in legs):
            return None
        if not legs or (figures.max_profit is None and figures.max_loss is None):
            return None
        strikes += [leg.contract.strike or 0.0 for leg in legs]
    low, high = min(strikes), max(strikes)
    pad = max((high - low) * 0.25, 0.005 * high)
    step = (high - low + 2 * pad) / (_POINTS - 1)
    prices = sorted({*strikes, *(round(low - pad + step * at, 2) for at in range(_POINTS))})
    for name, position in positions:
        values = payoff_curve(position.engine_legs(), float(position.cash), prices)
        series.append({"name": name, "data": [[p, round(v, 2)] for p, v in zip(prices, values, strict=True)]})
    return {
        "series": series, "x_type": "value", "x_label": f"{link.later.underlying} at expiry", "unit": "pnl",
        "y_label": "P&L, $",
    }  # fmt: skip


def links_proposed(user: User, account_id: UUID) -> QuerySet[TradeLink]:
    """Possible rolls of an account that nobody decided about."""
    links = TradeLink.objects.for_user(user).filter(account=account_id, state=TradeLink.State.PROPOSED)
    return links.exclude(Q(earlier=None) | Q(later=None)).select_related("earlier", "later")

"""What decided recommendations earned afterwards, costs included.

What was executed counts its linked fills with their fees. What was not is valued at the proposed limits less
assumed costs: the account's fees, and half the spread of each leg as quoted with the proposal, else the
backtest's (a share of the price, at least some points; a tick of futures and shares).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction

from hedging.engine.backtest.types import Costs
from hedging.engine.book import ContractSpec, InstrumentKind, Leg
from hedging.engine.instruments import ROOTS, parse_symbol
from hedging.engine.market import MarketSnapshot as EngineSnapshot
from hedging.engine.money import to_cents
from hedging.engine.valuation import PriceSource, value_leg
from hedging.services.contracts import contract_spec
from hedging.services.snapshots import snapshot_for, snapshot_load
from journal.models import Account, Decision, Fill, Outcome, Recommendation

_DECIDED = (
    Recommendation.State.EXECUTED,
    Recommendation.State.OVERRIDDEN,
    Recommendation.State.EXPIRED,
)


def outcomes_update(*, simulated: bool = False) -> int:
    """Value the orders of every decided recommendation on the newest snapshot; returns how many."""
    row = snapshot_for(simulated=simulated)
    if row is None:
        return 0
    rows = (
        Recommendation.objects.filter(
            state__in=_DECIDED, account__is_demo=simulated, run__as_of__lt=row.as_of
        )
        .exclude(outcome__is_final=True)
        .exclude(outcome__snapshot=row)
    )
    rows = rows.select_related("account").prefetch_related("decisions")
    market: EngineSnapshot | None = None
    count = 0
    for recommendation in rows.iterator(chunk_size=500):
        if not recommendation.proposal["orders"]:
            continue
        market = market or snapshot_load(row)
        fills = _linked(recommendation)
        if fills:
            pnl, reason, final = fills_pnl(fills, market)
            costs = sum((fill.fees for fill in fills), Decimal(0))
        else:
            pnl, reason, final = proposal_pnl(recommendation.proposal, market)
            costs = assumed_costs(recommendation.account, recommendation.proposal)
            pnl = None if pnl is None else pnl - costs
        with transaction.atomic():
            Outcome.objects.update_or_create(
                recommendation=recommendation,
                defaults={
                    "account_id": recommendation.account_id, "snapshot": row, "as_of": row.as_of,
                    "pnl": pnl, "reason": reason, "is_final": final, "costs": costs,
                    "at_fills": bool(fills),
                },
            )  # fmt: skip
        count += 1
    return count


def proposal_pnl(proposal: dict[str, Any], market: EngineSnapshot) -> tuple[Decimal | None, str, bool]:
    """P&L in dollars of the orders since their limits, why it is unknown, and whether it is final.

    Before costs: cash at the limits plus the value of what was bought and sold; a future counts from its mark
    then. Final once every leg has settled.
    """
    total, final = Decimal(0), True
    for order in proposal["orders"]:
        total += Decimal(str(order["cash"]))
        for given in order["legs"]:
            spec = parse_symbol(given["symbol"])
            leg = value_leg(Leg(spec, given["quantity"], given["price"]), market)
            if leg.price is None:
                return None, f"{given['symbol']}: {leg.reason}"[:200], False
            start = Decimal(str(given["price"])) if spec.kind is InstrumentKind.FUTURE else Decimal(0)
            total += (Decimal(str(leg.price)) - start) * leg.size
            final = final and leg.source is PriceSource.FINAL
    return to_cents(total), "", final


def fills_pnl(fills: Sequence[Fill], market: EngineSnapshot) -> tuple[Decimal | None, str, bool]:
    """The same of fills as they were made: cash moved, fees paid, and what they are worth."""
    total, final = Decimal(0), True
    for fill in fills:
        spec = contract_spec(fill.contract)
        leg = value_leg(Leg(spec, fill.quantity, float(fill.price)), market)
        if leg.price is None:
            return None, f"{spec.symbol}: {leg.reason}"[:200], False
        total += (Decimal(str(leg.price)) - fill.price) * leg.size - fill.fees
        final = final and leg.source is PriceSource.FINAL
    return to_cents(total), "", final


def assumed_costs(account: Account, proposal: dict[str, Any]) -> Decimal:
    """Fees by the account's schedule and half the spread of every leg, dollars."""
    fees = {
        InstrumentKind.OPTION: account.fee_per_option,
        InstrumentKind.FUTURE: account.fee_per_future,
        InstrumentKind.SHARE: Decimal(0),
    }
    total = Decimal(0)
    for order in proposal["orders"]:
        for given in order["legs"]:
            spec = parse_symbol(given["symbol"])
            half = _half_spread(spec, given)
            total += abs(given["quantity"]) * (fees[spec.kind] + half * spec.multiplier)
    return to_cents(total)


def _half_spread(spec: ContractSpec, given: dict[str, Any]) -> Decimal:
    """Points: as quoted, else assumed."""
    bid, ask = given.get("bid"), given.get("ask")
    if bid is not None and ask is not None and ask >= bid:
        return (Decimal(str(ask)) - Decimal(str(bid))) / 2
    price = Decimal(str(given["price"]))
    if spec.kind is not InstrumentKind.OPTION:
        return ROOTS[spec.root].tick(price) / 2
    assumed = Costs()
    floor = assumed.vix_floor if spec.underlying == "VIX" else assumed.spx_floor
    return max(Decimal(str(assumed.share)) * price, Decimal(str(floor)))


def _linked(recommendation: Recommendation) -> list[Fill]:
    """The fills that carried it out."""
    ids = [
        pk for one in recommendation.decisions.all() if one.kind == Decision.Kind.EXECUTED for pk in one.fills
    ]
    return list(Fill.objects.filter(pk__in=ids).select_related("contract")) if ids else []

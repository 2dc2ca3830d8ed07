"""What decided recommendations earned afterwards: their orders at the proposed limits, valued later."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import transaction

from hedging.engine.book import Leg
from hedging.engine.instruments import parse_symbol
from hedging.engine.market import MarketSnapshot as EngineSnapshot
from hedging.engine.money import to_cents
from hedging.engine.valuation import PriceSource, value_leg
from hedging.services.snapshots import snapshot_for, snapshot_load
from journal.models import Outcome, Recommendation

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
    market: EngineSnapshot | None = None
    count = 0
    for recommendation in rows.iterator():
        if not recommendation.proposal["orders"]:
            continue
        market = market or snapshot_load(row)
        pnl, reason, final = proposal_pnl(recommendation.proposal, market)
        with transaction.atomic():
            Outcome.objects.update_or_create(
                recommendation=recommendation,
                defaults={
                    "account_id": recommendation.account_id, "snapshot": row, "as_of": row.as_of,
                    "pnl": pnl, "reason": reason, "is_final": final,
                },
            )  # fmt: skip
        count += 1
    return count


def proposal_pnl(proposal: dict[str, Any], market: EngineSnapshot) -> tuple[Decimal | None, str, bool]:
    """P&L in dollars of the orders since their limits, why it is unknown, and whether it is final.

    Cash at the limits plus the value of what was bought and sold. Final once every leg has settled.
    """
    total, final = Decimal(0), True
    for order in proposal["orders"]:
        total += Decimal(str(order["cash"]))
        for given in order["legs"]:
            spec = parse_symbol(given["symbol"])
            leg = value_leg(Leg(spec, given["quantity"], given["price"]), market)
            if leg.price is None:
                return None, f"{given['symbol']}: {leg.reason}"[:200], False
            total += Decimal(str(leg.price)) * leg.size
            final = final and leg.source is PriceSource.FINAL
    return to_cents(total), "", final

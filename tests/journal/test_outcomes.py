"""Outcomes after costs: linked fills with their fees, else the limits less fees and half the spread."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from hedging.engine.book import Leg
from hedging.engine.instruments import parse_symbol
from hedging.engine.valuation import value_leg
from journal.models import Trade
from journal.services.orders import LegInput
from journal.services.outcomes import assumed_costs, fills_pnl, proposal_pnl
from journal.services.trades import trade_create
from tests.journal.people import ET, make_people, order
from tests.policy.worlds import market

pytestmark = pytest.mark.django_db
CALL = "VIX   260218C00022000"


def proposal(symbol: str, quantity: int, price: float, cash: float, **quote: Any) -> dict[str, Any]:
    leg = {"symbol": symbol, "quantity": quantity, "price": price, **quote}
    return {"orders": [{"cash": cash, "legs": [leg]}]}


@pytest.mark.parametrize(
    ("symbol", "quantity", "price", "quote", "costs"),
    [
        (CALL, 4, 1.20, {"bid": 1.10, "ask": 1.30}, "45.20"),  # 4 × (1.30 + 100 × 0.10)
        (CALL, -4, 1.20, {}, "13.20"),  # assumed: the floor of 0.02 points
        (CALL, 4, 4.00, {}, "29.20"),  # assumed: 1.5% of the price
        ("SPXW  260220P06000000", 2, 2.00, {}, "12.60"),  # the floor of 0.05 points
        ("VX/2026-02-18", 2, 17.0, {}, "54.80"),  # 2 × (2.40 + 1000 × 0.025)
        ("VXX", 100, 40.0, {}, "0.50"),  # half a cent
    ],
)
def test_gov_3_what_was_not_traded_is_charged_fees_and_half_the_spread(
    symbol: str, quantity: int, price: float, quote: dict[str, float], costs: str
) -> None:
    account = make_people().account
    assert assumed_costs(account, proposal(symbol, quantity, price, 0.0, **quote)) == Decimal(costs)


def test_gov_3_what_was_executed_counts_its_fills_and_their_fees() -> None:
    people = make_people()
    legs = [LegInput(parse_symbol(CALL), 4, Decimal("1.50"))]
    when = datetime(2026, 1, 5, 11, 0, tzinfo=ET)
    trade = trade_create(
        user=people.owner, account=people.account, kind=Trade.Kind.HEDGE, layer=1, order=order(legs, when)
    )
    price = value_leg(Leg(parse_symbol(CALL), 4, 1.5), market()).price
    assert price is not None
    pnl, reason, final = fills_pnl(list(trade.fills.select_related("contract")), market())
    assert (reason, final) == ("", False)
    assert pnl == (Decimal(str(price)) * 400 - 600 - Decimal("5.20")).quantize(Decimal("0.01"))


def test_a_future_that_was_not_bought_counts_from_its_mark() -> None:
    settle = market().vx_settle(parse_symbol("VX/2026-02-18").expiry)  # type: ignore[arg-type]  # has one
    assert settle is not None
    pnl, _, _ = proposal_pnl(proposal("VX/2026-02-18", 2, settle - 1, 0.0), market())
    assert pnl == Decimal(2000)

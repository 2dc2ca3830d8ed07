"""Outcomes after costs: linked fills with their fees, else the limits less fees and half the spread."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from hedging.engine.instruments import parse_symbol
from hedging.models import DailyBar, VXSettlement
from journal.models import Decision, Fill, Outcome, Recommendation, Trade
from journal.services.book.fills import fill_reverse
from journal.services.book.orders import LegInput, OrderInput
from journal.services.book.settlement import settlements_book_loaded
from journal.services.book.trades import trade_close, trade_create
from journal.services.governance.outcomes import (
    NO_FILLS,
    Prices,
    assumed_costs,
    outcomes_update,
    proposal_result,
)
from tests.journal.governance.cases import snapshot, stored
from tests.journal.people import ET, People, make_people, order

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


# -- what was executed, followed through its trade. VX of 14 February 2024, fees of 2.40 a contract

VX = parse_symbol("VX/2024-02-14")
EXPIRY = date(2024, 2, 14)


def day(number: int, month: int = 1, hour: int = 11) -> datetime:
    return datetime(2024, month, number, hour, 0, tzinfo=ET)


def settles(on: datetime, price: str, vix: str = "14") -> None:
    """Closing figures of a session: the future's settlement and the VIX."""
    DailyBar.objects.create(source="test", symbol="VIX", date=on.date(), close=Decimal(vix))
    VXSettlement.objects.create(source="test", date=on.date(), expiry=EXPIRY, settle=Decimal(price))


def vx_order(quantity: int, price: str, when: datetime) -> OrderInput:
    return order([LegInput(VX, quantity, Decimal(price))], when)


def buy(people: People, quantity: int, price: str, when: datetime) -> Trade:
    return trade_create(
        user=people.owner, account=people.account, kind=Trade.Kind.HEDGE, layer=1, instrument="vx_future",
        order=vx_order(quantity, price, when), accept_size=True, reason="a test of outcomes",
    )  # fmt: skip


def executed(people: People, *fills: Fill) -> Recommendation:
    """A recommendation of 3 January that these fills carried out."""
    settles(day(3), "15.00")
    stored(people.account, now=day(4))
    row = Recommendation.objects.get(account=people.account)
    Recommendation.objects.filter(pk=row.pk).update(state="executed")
    Decision.objects.create(
        account=people.account, recommendation=row, kind="executed", actor=people.owner, actor_name="owner",
        fills=[str(fill.pk) for fill in fills], trade=fills[0].trade,
    )  # fmt: skip
    return row


def outcome() -> Outcome:
    outcomes_update()
    return Outcome.objects.get()


def money(text: str) -> Decimal:
    return Decimal(text)


def test_gov_3_an_open_position_is_valued_and_a_partly_closed_one_in_part() -> None:
    people = make_people()
    trade = buy(people, 2, "15.10", day(4))
    executed(people, trade.fills.get())
    settles(day(5), "16.10")
    held = outcome()
    assert (held.pnl, held.costs, held.realized) == (money("1995.20"), money("4.80"), None)
    assert (held.at_fills, held.is_final, held.reason) == (True, False, "")
    assert outcomes_update() == 0  # nothing new
    trade_close(user=people.owner, trade=trade, order=vx_order(-1, "17.10", day(8)))
    partly = outcome()  # no new prices, but a new fill
    assert (partly.pnl, partly.costs) == (money("2992.80"), money("7.20"))  # +2,000 and +1,000
    assert (partly.realized, partly.is_final) == (money("2000.00"), False)


def test_gov_3_a_closed_position_counts_what_it_brought_and_is_valued_no_more() -> None:
    people = make_people()
    trade = buy(people, 2, "15.10", day(4))
    executed(people, trade.fills.get())
    settles(day(5), "16.10")
    assert outcome().pnl == money("1995.20")
    trade = trade_close(user=people.owner, trade=trade, order=vx_order(-2, "14.10", day(8)))
    closed = outcome()
    assert (closed.pnl, closed.realized, closed.costs) == (money("-2009.60"), money("-2000"), money("9.60"))
    assert closed.is_final
    assert closed.as_of == day(8)
    settles(day(9), "25.00")
    assert outcomes_update() == 0
    # another trade changes the book, not this story
    buy(people, 1, "20.00", day(10))
    assert outcomes_update() == 0
    # a closing fill that was wrong brings it back
    fill_reverse(user=people.owner, fill=trade.fills.get(quantity=-2), reason="typed the wrong price")
    again = outcome()
    assert (again.pnl, again.realized, again.is_final) == (money("19795.20"), None, False)


def test_gov_3_a_settled_position_counts_its_settlement() -> None:
    people = make_people()
    trade = buy(people, 1, "15.10", day(4))
    executed(people, trade.fills.get())
    settles(day(15, 2), "15.00")  # the contract is gone from the curve
    DailyBar.objects.create(source="test", symbol="VRO", date=EXPIRY, close=Decimal("14.60"))
    expired = outcome()  # before anybody booked the settlement
    assert (expired.pnl, expired.is_final, expired.realized) == (money("-502.40"), True, None)
    assert settlements_book_loaded() == 1
    settled = outcome()
    assert (settled.pnl, settled.is_final, settled.realized) == (money("-502.40"), True, money("-500.00"))


def test_gov_3_a_trim_is_compared_until_the_rest_is_closed() -> None:
    people = make_people()
    trade = buy(people, 3, "14.00", day(2))
    trade_close(user=people.owner, trade=trade, order=vx_order(-1, "15.10", day(4)))
    executed(people, trade.fills.get(quantity=-1))
    settles(day(5), "16.10")
    going = outcome()
    assert (going.pnl, going.costs, going.is_final) == (money("-1002.40"), money("2.40"), False)
    trade.refresh_from_db()
    trade_close(user=people.owner, trade=trade, order=vx_order(-2, "18.00", day(8)))
    settles(day(9), "25.00")
    over = outcome()  # at the prices when it was over, not at later ones
    assert (over.pnl, over.is_final, over.as_of) == (money("-1002.40"), True, day(8))


def test_gov_3_corrected_fills_leave_the_outcome_unknown() -> None:
    people = make_people()
    trade = buy(people, 1, "15.10", day(4))
    executed(people, trade.fills.get())
    settles(day(5), "16.10")
    fill_reverse(user=people.owner, fill=trade.fills.get(), reason="never happened")
    assert (outcome().pnl, outcome().reason) == (None, NO_FILLS)


def test_an_override_of_an_expired_contract_ends_at_its_official_value() -> None:
    people = make_people()
    settles(day(3), "15.00")
    call = "VIX   240214C00013000"
    wanted = proposal(call, 4, 1.20, -480.0)
    prices = Prices(snapshot(day(15, 2).date()))
    assert proposal_result(wanted, prices, Decimal("5.20")).reason.endswith("official settlement value")
    DailyBar.objects.create(source="test", symbol="VRO", date=EXPIRY, close=Decimal("14.60"))
    known = proposal_result(wanted, Prices(prices.row), Decimal("5.20"))
    assert (known.pnl, known.is_final) == (money("154.80"), True)  # 4 × 160 - 480 - 5.20
    assert people.account


def test_a_future_that_was_not_bought_counts_from_its_mark() -> None:
    settles(day(3), "15.00")
    settles(day(5), "16.00")
    prices = Prices(snapshot(day(5).date()))
    found = proposal_result(proposal("VX/2024-02-14", 2, 15.0, 0.0), prices, Decimal(0))
    assert found.pnl == Decimal(2000)

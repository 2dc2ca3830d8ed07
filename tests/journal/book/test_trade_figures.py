"""What the list shows beside its rows, and entering the legs of a trade again."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from hedging.models import MarketSnapshot
from journal.models import Trade, Valuation
from journal.selectors.book.trade_figures import TradeFigures, chain_pnl, figures_of, with_fills_of
from journal.selectors.book.trade_list import TradeFilters, trade_rows, trades_filtered, with_page_details
from journal.services.book.links import link_decide, link_draw
from journal.services.book.trades import trade_create
from tests.journal.people import (
    FILLED,
    LATER,
    People,
    answers,
    close_condor,
    condor_legs,
    make_people,
    open_condor,
    order,
    vix_call,
    vx,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> People:
    return make_people()


def _figures(people: People) -> dict[Any, TradeFigures]:
    found = trades_filtered(people.owner, TradeFilters(), today=timezone.now().date())
    return figures_of(people.owner, trade_rows(with_fills_of(with_page_details(found))))


def _value(trade: Trade, pnl: float) -> None:
    snapshot, _ = MarketSnapshot.objects.get_or_create(
        content_hash="x" * 64, defaults={"as_of": FILLED, "flags": [], "summary": {}}
    )
    totals = {"pnl": pnl, "market_value": 1.0, "greeks": {}}
    Valuation.objects.create(
        trade=trade, account=trade.account, snapshot=snapshot, book_revision=1, as_of=FILLED,
        result={
            "totals": totals, "legs": [], "market": {"flags": [], "as_of": FILLED.isoformat()},
            "analysis": {"payoff": None, "reason": "no quotes"}, "structure": {},
        },
    )  # fmt: skip


def test_quantity_and_settlement(people: People) -> None:
    condor = open_condor(people, order=order(condor_legs(quantity=3)))
    am = open_condor(people, order=order(condor_legs(root="SPX")))
    layer = trade_create(
        user=people.owner, account=people.account, kind=Trade.Kind.HEDGE, layer=1, instrument="vix_calls",
        order=order([vix_call()]),
    )  # fmt: skip
    closed = close_condor(people, open_condor(people))
    found = _figures(people)
    assert found[condor.pk] == TradeFigures(3, "PM", None)
    assert found[am.pk] == TradeFigures(1, "AM", None)
    assert found[layer.pk] == TradeFigures(10, "AM", None)
    assert found[closed.pk] == TradeFigures(1, "", None)


def test_a_chain_is_added_up_on_each_of_its_trades(people: People) -> None:
    first = close_condor(people, open_condor(people))
    second = open_condor(people, order=order(condor_legs(strikes=(6400, 6450, 6850, 6900)), LATER))
    link = link_draw(user=people.owner, earlier=first, later=second, kind="recenter")
    lone = open_condor(people)
    found = _figures(people)
    chain = found[first.pk].chain
    assert chain is not None
    assert (chain.trades, chain.pnl) == (2, None)  # the open one is not valued yet
    _value(second, -500.0)
    chain = _figures(people)[second.pk].chain
    assert chain is not None
    assert chain.pnl == Decimal("2244.60") - 500
    assert chain_pnl(people.owner, first) == chain.pnl
    assert found[lone.pk].chain is None
    link_decide(user=people.owner, link=link, confirm=False)
    assert _figures(people)[first.pk].chain is None


def test_the_list_and_the_chain_page_show_it(people: People, client: Client) -> None:
    first = close_condor(people, open_condor(people))
    second = open_condor(people, order=order(condor_legs(strikes=(6400, 6450, 6850, 6900)), LATER))
    link_draw(user=people.owner, earlier=first, later=second, kind="recenter")
    _value(second, -500.0)
    client.force_login(people.owner)
    assert "chain of 2" in client.get("/trades/").content.decode()
    page = client.get(f"/trades/{second.pk}/chain/").content.decode()
    assert "+$1,744.60" in page
    assert "open legs as valued" in page
    assert "+$1,744.60" in client.get(f"/trades/{second.pk}/").content.decode()


# -- duplicate ----------------------------------------------------------------------------


def _initial(client: Client, url: str) -> dict[str, Any]:
    form = client.get(url).context["form"]
    return {name: form[name].value() for name in form.fields if name not in ("token", "filled_at")}


def test_a_condor_is_entered_again_without_its_price(people: People, client: Client) -> None:
    client.force_login(people.owner)
    trade = open_condor(people, order=order(condor_legs(root="SPX")))
    page = client.get(f"/trades/{trade.pk}/").content.decode()
    assert f"/trades/new/?from={trade.pk}" in page
    found = _initial(client, f"/trades/new/?from={trade.pk}")
    assert {n: found[n] for n in ("root", "long_put", "short_put", "short_call", "long_call")} == {
        "root": "SPX", "long_put": "6450", "short_put": "6500", "short_call": "6900", "long_call": "6950",
    }  # fmt: skip
    assert (found["expiry"], found["contracts"], found["credit"]) == (date(2026, 12, 18), 1, None)
    assert found["account"] == people.account.pk


@pytest.mark.parametrize(
    ("instrument", "legs", "wanted"),
    [
        ("vix_calls", [vix_call(strike=30, quantity=10)], {"strike": "30", "contracts": 10}),
        (
            "vix_call_spread",
            [vix_call(strike=30, quantity=-5), vix_call(strike=20, quantity=5)],
            {"strike": "20", "second_strike": "30", "contracts": 5},
        ),
        ("vx_future", [vx(2)], {"contracts": 2, "expiry": date(2026, 12, 16)}),
    ],
)
def test_a_layer_is_entered_again(
    people: People, client: Client, instrument: str, legs: list[Any], wanted: dict[str, Any]
) -> None:
    client.force_login(people.owner)
    trade = trade_create(
        user=people.owner, account=people.account, kind=Trade.Kind.HEDGE, layer=2, instrument=instrument,
        order=order(legs), reason="size", accept_size=True,
    )  # fmt: skip
    found = _initial(client, f"/trades/new/hedge/?from={trade.pk}")
    assert {name: found[name] for name in wanted} == wanted
    assert (found["layer"], found["instrument"], found["price"]) == (2, instrument, None)


def test_what_no_form_holds_has_no_duplicate_and_nobody_copies_anothers(
    people: People, client: Client
) -> None:
    trade = open_condor(people)
    other = trade_create(
        user=people.owner, account=people.account, kind=Trade.Kind.OTHER, order=order(condor_legs()[:2])
    )
    client.force_login(people.owner)
    assert "?from=" not in client.get(f"/trades/{other.pk}/").content.decode()
    url = f"/trades/new/?from={trade.pk}"
    assert answers(client, "get", url, people) == {
        "owner": 200, "teammate": 200, "stranger": 404, "nobody": 302,
    }  # fmt: skip
    client.force_login(people.owner)
    assert client.get("/trades/new/?from=junk").status_code == 404

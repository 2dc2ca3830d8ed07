"""Hedge layers: what they are made of, which condors they protect, and their page."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from hedging.engine.book import Right
from hedging.engine.instruments import option_contract, share
from journal.errors import RuleError
from journal.models import Account, Trade
from journal.selectors.book.purpose import instrument_of
from journal.services.book.orders import order_position
from journal.services.book.trades import LegInput, trade_create
from tests.journal.people import (
    EXPIRY,
    People,
    answers,
    condor_legs,
    make_account,
    make_people,
    open_condor,
    order,
    vix_call,
    vx,
)

pytestmark = pytest.mark.django_db
Instrument = Trade.Instrument


@pytest.fixture
def people() -> People:
    return make_people()


def put(strike: int, quantity: int, price: str = "10") -> LegInput:
    spec = option_contract("SPXW", EXPIRY, Right.PUT, Decimal(strike))
    return LegInput(spec, quantity, Decimal(price))


def layer(people: People, legs, number: int = 1, **values) -> Trade:
    return trade_create(
        user=people.owner, account=people.account, kind=Trade.Kind.HEDGE, layer=number, order=order(legs),
        **values,
    )  # fmt: skip


def january(strike: int, quantity: int, price: str = "2.50") -> LegInput:
    spec = option_contract("VIX", date(2027, 1, 20), Right.CALL, Decimal(strike))
    return LegInput(spec, quantity, Decimal(price))


KINDS = [
    (Instrument.VIX_CALLS, [vix_call(30, 10)]),
    (Instrument.VIX_CALLS, [vix_call(30, 10), vix_call(40, 5)]),
    (Instrument.VIX_CALL_SPREAD, [vix_call(25, 10), vix_call(40, -10, "0.50")]),
    (Instrument.VX_FUTURE, [vx(2)]),
    (Instrument.SPX_PUT_SPREAD, [put(6400, 1, "30"), put(6200, -1)]),
    (Instrument.VXX, [LegInput(share("VXX"), 100, Decimal("45.10"))]),
    (Instrument.SPX_PUTS, [put(6200, 1)]),
    (Instrument.VIX_CALENDAR, [vix_call(30, -10, "1.00"), january(30, 10)]),
    (Instrument.NONE, [vix_call(30, 10, "1.00"), january(30, -10)]),
    (Instrument.NONE, [vix_call(30, -10, "1.00"), january(35, 10)]),
    (Instrument.NONE, [put(6400, -1, "30"), put(6200, 1)]),
    (Instrument.NONE, [vix_call(40, 10), vix_call(25, -10)]),
    (Instrument.NONE, condor_legs()),
    (Instrument.NONE, [vix_call(), vx()]),
]


@pytest.mark.parametrize(("instrument", "legs"), KINDS)
def test_the_instrument_is_recognised(instrument: Trade.Instrument, legs) -> None:
    assert instrument_of(order_position(legs).engine_legs()) == instrument


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize(("instrument", "legs"), KINDS[:8])
def test_every_instrument_on_every_layer(people: People, number: int, instrument, legs) -> None:
    trade = layer(people, legs, number)
    assert (trade.kind, trade.layer, trade.instrument) == (Trade.Kind.HEDGE, number, instrument)
    assert trade.label.startswith(f"L{number} ")
    stated = layer(people, legs, number, instrument=instrument.value)
    assert stated.instrument == instrument


def test_a_stated_instrument_must_agree(people: People) -> None:
    with pytest.raises(RuleError) as caught:
        layer(people, [vix_call()], instrument="vx_future")
    assert caught.value.field == "instrument"
    assert caught.value.message == "The legs are not VX futures: they are VIX calls."
    with pytest.raises(RuleError, match="not bonds"):
        layer(people, [vix_call()], instrument="bonds")


def test_layers_are_one_to_three(people: People) -> None:
    for number in (0, 4, -1):
        with pytest.raises(RuleError) as caught:
            layer(people, [vix_call()], number)
        assert caught.value.field == "layer"
    with pytest.raises(RuleError, match="Only hedge layers"):
        trade_create(
            user=people.owner,
            account=people.account,
            kind=Trade.Kind.CONDOR,
            layer=1,
            order=order(condor_legs()),
        )


def test_never_net_short_vix_calls(people: People) -> None:
    with pytest.raises(RuleError, match="never net short VIX calls"):
        layer(people, [vix_call(25, 5), vix_call(40, -10)])


def test_layers_link_to_condors_of_their_account(people: People) -> None:
    condor = open_condor(people)
    trade = layer(people, [vix_call()], protects=[condor])
    assert list(trade.protects.all()) == [condor]
    assert list(condor.protected_by.all()) == [trade]
    with pytest.raises(RuleError, match="protects condors"):
        layer(people, [vix_call()], protects=[trade])
    other = make_account(people.owner, name="Second")
    with pytest.raises(RuleError) as caught:
        trade_create(
            user=people.owner, account=other, kind=Trade.Kind.HEDGE, layer=1, order=order([vix_call()]),
            protects=[condor],
        )  # fmt: skip
    assert caught.value.field == "protects"
    assert Trade.objects.filter(account=other).count() == 0


def test_what_a_future_may_lose_is_confirmed_when_sold(people: People) -> None:
    with pytest.raises(RuleError, match="no long one"):
        layer(people, [vx(-1)])
    trade = layer(people, [vx(-1)], accept_size=True, reason="short leg of a calendar")
    assert trade.instrument == Instrument.VX_FUTURE


# -- page ---------------------------------------------------------------------------------

FORM = {
    "token": "hedge-1", "layer": "1", "instrument": "vix_calls", "expiry": "2026-12-16",
    "strike": "30", "contracts": "10", "price": "1.25", "filled_at": "2026-11-02T10:30",
    "fees": "13.00", "reason": "cheap convexity", "order_text": "",
}  # fmt: skip


def post(client: Client, people: People, **values: object):
    data = {**FORM, "account": str(people.account.pk), **values}
    return client.post(reverse("journal:hedge_entry"), data)


def test_the_page_for_each_user(client: Client, people: People) -> None:
    found = answers(client, "get", reverse("journal:hedge_entry"), people)
    assert found == {"owner": 200, "teammate": 200, "stranger": 200, "nobody": 302}


@pytest.mark.parametrize(
    ("values", "instrument", "legs"),
    [
        ({}, "vix_calls", 1),
        ({"instrument": "vix_call_spread", "second_strike": "40"}, "vix_call_spread", 2),
        ({"instrument": "vx_future", "price": "20.50", "contracts": "2"}, "vx_future", 1),
        ({"instrument": "vxx", "price": "45.10", "contracts": "100", "expiry": ""}, "vxx", 1),
        (
            {
                "instrument": "spx_put_spread", "expiry": "2026-12-18", "strike": "6400",
                "second_strike": "6200", "price": "18.40", "contracts": "1",
            },
            "spx_put_spread",
            2,
        ),
        (
            {"order_text": "BOT +10 VIX 100 16 DEC 26 30 CALL @1.25", "strike": "", "price": ""},
            "vix_calls",
            1,
        ),
    ],
)  # fmt: skip
def test_each_instrument_through_the_page(
    client: Client, people: People, values: dict[str, str], instrument: str, legs: int
) -> None:
    client.force_login(people.owner)
    condor = open_condor(people)
    answer = post(client, people, protects=[str(condor.pk)], **values)
    assert answer.status_code == 302, answer.content.decode()
    trade = Trade.objects.get(kind=Trade.Kind.HEDGE)
    assert trade.instrument == instrument
    assert trade.fills.count() == legs
    assert trade.fees_total == Decimal("13.00")
    assert list(trade.protects.all()) == [condor]
    page = client.get(answer["Location"])
    assert page.status_code == 200
    assert escape(condor.label) in page.content.decode()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"expiry": "2026-12-18"}, "settle on 2026-12-16"),
        ({"strike": ""}, "Enter the strike"),
        ({"contracts": "-3"}, "Option layers are long"),
        ({"contracts": "0"}, "Enter how many"),
        ({"price": ""}, "Enter the price"),
        ({"instrument": "vix_call_spread"}, "Enter the sold strike"),
        ({"order_text": "BOT +1 VIX 100 16 DEC 26 30 PUT @1.25"}, "The legs are not VIX calls"),
        ({"order_text": "BOT +1 VIX 100 16 DEC 26 30 KALL @1.25"}, "CALL or PUT"),
        ({"filled_at": "2026-03-08T02:30"}, "not at all"),
        ({"filled_at": "2025-11-02T01:30"}, "twice"),
        ({"filled_at": "yesterday"}, "Enter a time such as"),
        ({"filled_at": "2026-11-02T10:30+01:00"}, "Enter a time such as"),
        ({"filled_at": "0001-01-01T00:00"}, "trading day"),
        ({"filled_at": "9999-12-31T23:59"}, "future"),
        ({"filled_at": ""}, "This field is required"),
    ],
)
def test_refusals_name_the_input_and_keep_the_text(
    client: Client, people: People, values: dict[str, str], words: str
) -> None:
    client.force_login(people.owner)
    answer = post(client, people, **values)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert words in page
    assert values.get("order_text", "cheap convexity") in page
    assert not Trade.objects.exists()


def test_a_layer_cannot_protect_somebody_elses_condor(client: Client, people: People) -> None:
    elsewhere = Account.objects.for_user(people.stranger).get()
    condor = open_condor(People(people.stranger, people.teammate, people.owner, elsewhere))
    client.force_login(people.owner)
    assert escape(condor.label) not in client.get(reverse("journal:hedge_entry")).content.decode()
    answer = post(client, people, protects=[str(condor.pk)])
    assert answer.status_code == 200
    assert not Trade.objects.filter(kind=Trade.Kind.HEDGE).exists()


def test_an_account_one_may_only_read_is_not_offered(client: Client, people: People) -> None:
    client.force_login(people.teammate)
    assert post(client, people).status_code == 200
    assert not Trade.objects.exists()


def test_calls_of_two_dates_stay_recognised() -> None:
    far = option_contract("VIX", date(2027, 1, 20), Right.CALL, Decimal(30))
    legs = [vix_call(), LegInput(far, 5, Decimal(2))]
    assert instrument_of(order_position(legs).engine_legs()) == Instrument.VIX_CALLS

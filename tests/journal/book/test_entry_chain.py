"""Strikes by delta and along the chain: what the entry form is told of the account's market."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from math import log, sqrt
from statistics import NormalDist
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from hedging.models import ChainSnapshot
from hedging.services.market.load import market_file_load
from journal.models import Trade
from tests.journal.book.test_entry import TYPED, form
from tests.journal.people import People, collapsed, make_people

pytestmark = pytest.mark.django_db
CHAIN, PREVIEW = reverse("journal:entry_chain"), reverse("journal:entry_preview", args=["condor"])
DAY, FORWARD, VOL = "2026-11-18", 6700.0, 0.20
YEARS = 30 / 365  # from 16:00 on the day to 16:00 of 18 December
STRIKES = range(5400, 8001, 5)
N = NormalDist().cdf


def black(strike: float, sign: int) -> tuple[float, float]:
    """Price and absolute delta on a forward, without discount."""
    spread = VOL * sqrt(YEARS)
    d1 = log(FORWARD / strike) / spread + spread / 2
    return sign * (FORWARD * N(sign * d1) - strike * N(sign * (d1 - spread))), N(sign * d1)


def load_chain() -> ChainSnapshot:
    """One SPXW expiry quoted a dime around Black's price at one volatility."""
    options = []
    for strike in STRIKES:
        for letter, sign in (("C", 1), ("P", -1)):
            price, delta = black(strike, sign)
            bid = round(max(price - 0.1, 0.0), 2)
            options.append({
                "option": f"SPXW261218{letter}{strike * 1000:08d}", "bid": bid, "ask": round(bid + 0.2, 2),
                "iv": VOL, "open_interest": 1, "volume": 1, "delta": sign * delta, "gamma": 0.001,
            })  # fmt: skip
    document = {"timestamp": f"{DAY} 21:00:00", "data": {"current_price": FORWARD, "options": options}}
    run = market_file_load(name="_SPX.json", data=json.dumps(document).encode())
    return ChainSnapshot.objects.get(run=run)


@pytest.fixture
def people() -> People:
    return make_people()


@pytest.fixture
def owner(client: Client, people: People) -> Client:
    client.force_login(people.owner)
    return client


def ask(client: Client, people: People, *, as_of: str = DAY, **values: object) -> str:
    answer = client.get(CHAIN, {"account": str(people.account.pk), "as_of": as_of, **values})
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def pick(client: Client, people: People, **values: object) -> str:
    asked = {
        "chain-listed": "SPXW:2026-12-18", "chain-put_delta": "16", "chain-call_delta": "10",
        "chain-width": "50", **values,
    }  # fmt: skip
    return ask(client, people, pick="1", **asked)


def sent(page: str, name: str) -> dict[str, Any]:
    found = re.search(rf'<script id="{name}"[^>]*>(.*?)</script>', page)
    assert found is not None, page
    data: dict[str, Any] = json.loads(found[1])
    return data


def nearest(delta: float, sign: int) -> int:
    return min(STRIKES, key=lambda strike: abs(black(strike, sign)[1] - delta))


def test_four_strikes_are_picked_by_delta_and_width(owner: Client, people: People) -> None:
    load_chain()
    fill = sent(pick(owner, people), "chain-fill")
    put, call = nearest(0.16, -1), nearest(0.10, 1)
    assert fill["set"] == {
        "id_expiry": "2026-12-18", "id_root": "SPXW", "id_long_put": f"{put - 50}", "id_short_put": f"{put}",
        "id_short_call": f"{call}", "id_long_call": f"{call + 50}",
    }  # fmt: skip
    legs = ((put, -1, 1), (put - 50, -1, -1), (call, 1, 1), (call + 50, 1, -1))
    mid = sum(side * (round(black(strike, sign)[0] - 0.1, 2) + 0.1) for strike, sign, side in legs)
    offered = Decimal(fill["offered"]["id_credit"])
    assert offered % Decimal("0.05") == 0
    assert 0 <= mid - float(offered) < 0.0501
    assert not Trade.objects.exists()


def test_the_helper_starts_with_the_rules_of_the_account(owner: Client, people: People) -> None:
    load_chain()
    page = ask(owner, people)
    for name, value in (("put_delta", "16"), ("call_delta", "16"), ("width", "50")):
        assert re.search(rf'name="chain-{name}" value="{value}"', page)
    assert "18 Dec 26 · 30 d · SPXW PM" in page
    assert sent(page, "chain-strikes")["strikes"] == [float(strike) for strike in STRIKES]
    assert "chain-fill" not in page


def test_what_was_typed_stays_when_the_expiry_of_the_order_changes(owner: Client, people: People) -> None:
    load_chain()
    page = ask(owner, people, root="SPX", expiry="2026-12-19", **{"chain-put_delta": "12"})
    assert 'name="chain-put_delta" value="12"' in page
    assert "The chain of 2026-11-18 has no SPX options of 2026-12-19. Steppers rest." in page
    assert "chain-strikes" not in page


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"chain-put_delta": "0"}, "greater than or equal to 1"),
        ({"chain-call_delta": "60"}, "less than or equal to 50"),
        ({"chain-width": "nan"}, "Enter a number"),
        ({"chain-put_delta": ""}, "This field is required"),
        ({"chain-listed": "SPXW:2026-12-19"}, "not one of the available choices"),
        ({"chain-listed": "x"}, "not one of the available choices"),
        ({"chain-width": "1999", "chain-put_delta": "1"}, ""),
    ],
)
def test_a_bad_wish_is_named_and_fills_nothing(
    owner: Client, people: People, values: dict[str, str], words: str
) -> None:
    load_chain()
    page = pick(owner, people, **values)
    assert words in page
    assert ("chain-fill" in page) is (not words)  # a wing too wide ends at the last strike


def test_no_chain_and_an_old_one_say_so(owner: Client, people: People) -> None:
    page = ask(owner, people)
    assert "No option chain is loaded" in page
    assert "chain-strikes" not in page
    load_chain()
    assert "No option chain is loaded" in ask(owner, people, as_of="2026-11-17")  # not known yet
    assert "stale" not in ask(owner, people)
    old = ask(owner, people, as_of="2026-11-24")
    assert "6 days old" in old
    assert "no longer the market" in old


def test_strikes_from_index_levels_alone_are_called_modelled(owner: Client, people: People) -> None:
    for name, level in (("SPX", FORWARD), ("VIX", 20.0)):
        market_file_load(name=f"{name}.csv", data=f"date,close\n{DAY},{level}\n".encode())
    page = pick(owner, people)
    assert "No SPX options are loaded, only index levels" in page
    assert "a model&#x27;s" in page or "a model's" in page
    assert sent(page, "chain-fill")["set"]["id_expiry"] == "2026-12-18"
    shown = preview(owner, people, **TYPED)
    assert "At least one leg has no usable quote" in shown


def preview(client: Client, people: People, *, kind: str = "condor", **values: object) -> str:
    url = reverse("journal:entry_preview", args=[kind])
    answer = client.post(f"{url}?as_of={DAY}", form(people, **values))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_the_preview_tells_the_chain_beside_each_strike(owner: Client, people: People) -> None:
    load_chain()
    page = preview(owner, people, **TYPED)
    for name in ("long_put", "short_put", "short_call", "long_call"):
        sign = -1 if "put" in name else 1
        price, delta = black(float(TYPED[name]), sign)
        near = re.search(rf'id="near-{name}" hx-swap-oob="innerHTML">(.*?)</div>', page)
        assert near is not None
        text = re.sub(r"<[^>]+>", "", near[1]).replace("\N{MINUS SIGN}", "-")
        assert float(text.split()[1]) == pytest.approx(sign * delta, abs=0.002)
        assert float(text.split()[2]) == pytest.approx(price - 0.1, abs=0.006)
    assert '"today": [' in page  # the curve of today, beside the one at expiry
    assert "These are not the quotes of your fill, which is of 2 Nov 2026" in page


def test_the_probability_holds_for_the_price_entered_or_else_for_the_mid(
    owner: Client, people: People
) -> None:
    """Black at one volatility: the probability between break-evens is N(-d2) of both."""
    load_chain()

    def between(credit: float) -> float:
        spread = VOL * sqrt(YEARS)
        low, high = (log(FORWARD / level) / spread - spread / 2 for level in (6500 - credit, 6900 + credit))
        return N(low) - N(high)

    def shown(page: str) -> float:
        found = re.search(r"Probability of profit</dt><dd><span class=\"num\">([\d.]+)", collapsed(page))
        assert found is not None, page
        return float(found[1]) / 100

    assert shown(preview(owner, people, **TYPED)) == pytest.approx(between(2.55), abs=0.003)
    waiting = preview(owner, people, **{**TYPED, "credit": ""})
    assert "Enter the credit" in waiting
    assert "risk-neutral, at the mid" in waiting
    sides = {"short_put": (-1, 1), "long_put": (-1, -1), "short_call": (1, 1), "long_call": (1, -1)}
    mid = sum(side * black(float(TYPED[name]), sign)[0] for name, (sign, side) in sides.items())
    assert shown(waiting) == pytest.approx(between(mid), abs=0.003)


def test_only_members_who_write_are_told_of_an_account(client: Client, people: People) -> None:
    load_chain()
    for user, status in ((people.owner, 200), (people.teammate, 404), (people.stranger, 404)):
        client.force_login(user)
        answer = client.get(CHAIN, {"account": str(people.account.pk), "as_of": DAY})
        assert answer.status_code == status
    client.force_login(people.owner)
    for wrong in ("", "x", "00000000-0000-0000-0000-000000000000"):
        assert client.get(CHAIN, {"account": wrong}).status_code == 404


def test_a_hedge_steps_along_its_own_options_and_futures_have_none(owner: Client, people: People) -> None:
    load_chain()
    puts = ask(owner, people, instrument="spx_put_spread", expiry="2026-12-18")
    assert sent(puts, "chain-strikes")["strikes"][0] == 5400.0
    assert "chain-pick" not in puts
    assert "chain-strikes" not in ask(owner, people, instrument="vix_calls", expiry="2026-12-16")
    for linear in ("vx_future", "vxx", "nonsense"):
        assert ask(owner, people, instrument=linear, expiry="2026-12-16") == ""


@pytest.mark.parametrize("expiry", ["9999-12-31", "1800-01-01", "2026-11-26", "2026-02-30", "x\0"])
@pytest.mark.parametrize("root", ["SPXW", "VIX", "VX", "\N{SNOWMAN}"])
def test_an_absurd_expiry_or_root_is_answered(owner: Client, people: People, expiry: str, root: str) -> None:
    load_chain()
    answer = owner.get(
        CHAIN, {"account": str(people.account.pk), "as_of": DAY, "root": root, "expiry": expiry}
    )
    assert answer.status_code in (200, 400)
    assert b"chain-fill" not in answer.content

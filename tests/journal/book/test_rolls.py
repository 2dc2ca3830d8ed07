"""Rolling by hand: closed, opened and linked at once, once, and never larger without approval."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from journal.models import Fill, Trade, TradeLink
from tests.journal.people import People, make_people, open_condor

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> People:
    return make_people()


def client(user: object) -> Client:
    found = Client()
    found.force_login(user)  # type: ignore[arg-type]
    return found


def inputs(page: Any, **changes: Any) -> dict[str, Any]:
    form = page.context["form"]
    values = {name: form[name].value() for name in form.fields if form[name].value() not in (None, False)}
    for row in form.roll_rows():
        values |= {row.price.name: "1.00", row.new_price.name: "2.00"}
    values |= {"filled_at": "2026-11-09T15:00"} | changes
    return values


def test_a_time_shift_closes_opens_and_links_once(people: People) -> None:
    trade = open_condor(people)
    owner, url = client(people.owner), f"/trades/{trade.pk}/roll/"
    sent = inputs(owner.get(url), expiry="2027-01-15")
    first, again = owner.post(url, sent), owner.post(url, sent)
    assert first.status_code == 302, first.context["form"].errors
    assert again.status_code == 302
    trade.refresh_from_db()
    assert trade.status == "closed"
    later = Trade.objects.get(status="open")
    link = TradeLink.objects.get()
    assert (link.earlier, link.later, link.kind, link.state) == (trade, later, "time_shift", "confirmed")
    assert str(later.nearest_expiry) == "2027-01-15"
    assert Fill.objects.count() == 12
    page = owner.get(f"/trades/{later.pk}/chain/").content.decode()
    assert "Time-shift" in page


@pytest.mark.parametrize(("both", "kind"), [(False, "wing_shift"), (True, "recenter")])
def test_moved_strikes_name_the_adjustment(people: People, both: bool, kind: str) -> None:
    trade = open_condor(people)
    owner, url = client(people.owner), f"/trades/{trade.pk}/roll/"
    page = owner.get(url)
    moved = {
        row.strike.name: float(row.strike.value()) - 25
        for row in page.context["form"].roll_rows()
        if both or row.leg.spec.right < 0
    }
    answer = owner.post(url, inputs(page, **moved))
    assert answer.status_code == 302, answer.context["form"].errors
    assert TradeLink.objects.get().kind == kind


def test_a_larger_size_a_wrong_expiry_and_nothing_moved_are_refused_whole(people: People) -> None:
    trade = open_condor(people)
    owner, url = client(people.owner), f"/trades/{trade.pk}/roll/"
    page = owner.get(url)
    refused = (
        ({"expiry": "2027-01-15", "contracts": 50}, "a larger roll needs approval"),
        ({"expiry": "2026-12-25"}, "2026-12-25"),
        ({}, "Nothing moves"),
        ({"expiry": "2027-01-15", "kind": "nonsense"}, "nonsense"),
    )
    for changes, words in refused:
        answer = owner.post(url, inputs(page, **changes))
        assert answer.status_code == 200
        assert words in answer.content.decode()
    trade.refresh_from_db()
    assert trade.status == "open"
    assert (Trade.objects.count(), TradeLink.objects.count()) == (1, 0)


def test_readers_and_strangers_roll_nothing(people: People) -> None:
    trade = open_condor(people)
    url = f"/trades/{trade.pk}/roll/"
    assert client(people.teammate).get(url).status_code == 403
    assert client(people.stranger).get(url).status_code == 404
    assert client(people.stranger).post(url, {}).status_code == 404

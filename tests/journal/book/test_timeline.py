"""The timeline of a trade and its chain: what happened, cash so far, and the payoff after each event."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from journal.models import Trade
from journal.selectors.book.payoffs import payoff_after
from journal.selectors.book.timeline import EventKind, timeline_of
from journal.services.book.links import link_draw
from journal.services.book.settlement import settlement_book
from journal.services.book.trades import fill_reverse, trade_close
from journal.services.review.notes import note_create, note_delete
from tests.journal.people import (
    ET,
    FILLED,
    LATER,
    People,
    answers,
    close_condor,
    closing,
    condor_legs,
    make_people,
    open_condor,
    order,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> People:
    return make_people()


@pytest.fixture
def rolled(people: People) -> tuple[Trade, Trade]:
    """A condor for 22.55, closed at no net cost a week later and opened again 50 points lower for 15.05."""
    first = close_condor(people, open_condor(people))
    lower = condor_legs(prices=("10", "20", "15.05", "10"), strikes=(6400, 6450, 6850, 6900))
    second = open_condor(people, order=order(lower, LATER))
    link_draw(user=people.owner, earlier=first, later=second, kind="recenter")
    return first, second


def _kinds(people: People, trade: Trade) -> list[EventKind]:
    return [event.kind for event in timeline_of(people.owner, trade).events]


def test_a_roll_is_one_event_with_the_cash_of_the_chain(people: People, rolled: tuple[Trade, Trade]) -> None:
    for trade in rolled:
        events = timeline_of(people.owner, trade).events
        assert [e.kind for e in events] == [EventKind.OPENED, EventKind.ROLLED]
        assert [e.title for e in events] == ["Opened", "Recenter"]
        # 22.55 less 5.20 of fees; the roll: 15.05 less 10.40.
        assert [e.cash for e in events] == [Decimal("2249.80"), Decimal("1494.60")]
        assert [e.cumulative for e in events] == [Decimal("2249.80"), Decimal("3744.40")]
        assert [t.pk for t in events[1].trades] == [rolled[0].pk, rolled[1].pk]


def test_the_payoff_after_a_roll_holds_what_the_chain_made_before(
    people: People, rolled: tuple[Trade, Trade]
) -> None:
    chart = payoff_after(timeline_of(people.owner, rolled[1]).trades, LATER).chart
    assert chart is not None
    after = dict(zip(chart["prices"], chart["expiry"], strict=True))
    # Inside the new short strikes the whole credit of the chain is kept.
    assert after[6450.0] == pytest.approx(3744.40)
    # 50 points of the put wing lost.
    assert after[6400.0] == pytest.approx(3744.40 - 5000)
    (before,) = chart["more"]
    line = dict(zip(chart["prices"], before["pnl"], strict=True))
    assert line[6850.0] == pytest.approx(2249.80)
    assert line[6400.0] == pytest.approx(2249.80 - 5000)


def test_every_kind_of_event_is_told_apart(people: People) -> None:
    trade = open_condor(people, order=order(condor_legs(quantity=2)))
    note = note_create(user=people.owner, account=people.account, trade=trade, text="a\n\nlong " + "x" * 400)
    removed = note_create(user=people.owner, account=people.account, trade=trade, text="gone")
    note_delete(user=people.owner, note=removed)
    trade_close(user=people.owner, trade=trade, order=order(closing(condor_legs(quantity=1)), LATER))
    half = order(closing(condor_legs()[:2]), LATER + timedelta(hours=1))
    trade_close(user=people.owner, trade=trade, order=half)
    rest = order(closing(condor_legs()[2:]), LATER + timedelta(days=1))
    trade_close(user=people.owner, trade=trade, order=rest)
    assert _kinds(people, trade) == [
        EventKind.OPENED, EventKind.REDUCED, EventKind.REDUCED, EventKind.CLOSED, EventKind.NOTE,
    ]  # fmt: skip
    shown = timeline_of(people.owner, trade).events[-1]
    assert shown.moment == note.created_at
    assert len(shown.text) == 160
    words = timeline_of(people.owner, trade).events[0].legs
    assert words.startswith("18 Dec 26: +2 6450 put at 10; −2 6500 put at 22.5; ")


def test_a_settlement_is_told_as_one_and_a_corrected_fill_is_not_told(people: People) -> None:
    expiry = date(2026, 11, 20)
    trade = open_condor(people, order=order(condor_legs(expiry=expiry)))
    level = {"symbol": "SPX", "expiry": expiry, "level": Decimal("6700.12")}
    settlement_book(user=people.owner, trade=trade, **level)  # type: ignore[arg-type]
    assert _kinds(people, trade) == [EventKind.OPENED, EventKind.SETTLED]
    for fill in trade.fills.filter(source="settlement"):
        fill_reverse(user=people.owner, fill=fill, reason="wrong level")
    assert _kinds(people, trade) == [EventKind.OPENED]


def test_the_timeline_of_a_past_day_ends_there(people: People) -> None:
    trade = close_condor(people, open_condor(people))
    then = timeline_of(people.owner, trade, datetime(2026, 11, 5, 16, 0, tzinfo=ET))
    assert [e.kind for e in then.events] == [EventKind.OPENED]


def _panel(client: Client, trade: Trade, query: str = "") -> Any:
    return client.get(f"/trades/{trade.pk}/payoff/{query}")


def test_choosing_an_event_redraws_its_payoff(
    people: People, rolled: tuple[Trade, Trade], client: Client
) -> None:
    client.force_login(people.owner)
    second = rolled[1]
    events = timeline_of(people.owner, second).events
    opened = _panel(client, second, f"?at={events[0].key}")
    assert opened.context["event"].kind is EventKind.OPENED
    assert 'aria-current="true"' in opened.content.decode()
    assert "more" not in opened.context["payoff"].chart
    rolled_panel = _panel(client, second, f"?at={events[1].key}")
    assert rolled_panel.context["payoff"].chart["more"][0]["name"] == "Before, at its expiry"
    assert "Before, at its expiry" in rolled_panel.content.decode()
    # The same address on the page itself, for a reload and without scripts.
    page = client.get(f"/trades/{second.pk}/?at={events[1].key}")
    assert page.context["event"] == events[1]
    assert f'data-address="/trades/{second.pk}/?at=' in rolled_panel.content.decode()


@pytest.mark.parametrize(
    "query", ["?at=x", "?at=2026-11-02T15:30:00Z", "?date=x", "?iv=1e400", "?spot=-1", "?iv=nan&spot=inf"]
)
def test_an_address_that_means_nothing_shows_the_present(
    people: People, rolled: tuple[Trade, Trade], client: Client, query: str
) -> None:
    client.force_login(people.owner)
    assert _panel(client, rolled[1], query).status_code == 200


def test_three_users_on_the_panel(people: People, rolled: tuple[Trade, Trade], client: Client) -> None:
    url = f"/trades/{rolled[1].pk}/payoff/"
    assert answers(client, "get", url, people) == {
        "owner": 200, "teammate": 200, "stranger": 404, "nobody": 302,
    }  # fmt: skip


def test_a_closed_trade_is_shown_as_it_was_opened(people: People, client: Client) -> None:
    client.force_login(people.owner)
    trade = close_condor(people, open_condor(people))
    panel = _panel(client, trade)
    assert panel.context["event"].moment == FILLED
    chart = panel.context["payoff"].chart
    assert max(chart["expiry"]) == pytest.approx(2249.80)
    assert "only the payoff at expiry is known" in panel.content.decode()

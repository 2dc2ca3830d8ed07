"""Looking at a past day: the address, the session, the banner and the figures of then."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from hedging.selectors.calendar import previous_session, session_date
from hedging.services.market.load import market_file_load
from hedging.services.signals import signals_refresh
from journal.models import Trade, User
from journal.selectors.as_of import past_day
from journal.services.book.trades import trade_create
from tests.journal.governance.cases import stored
from tests.journal.people import (
    EXPIRY,
    FILLED,
    People,
    close_condor,
    collapsed,
    make_people,
    open_condor,
    order,
    vix_call,
)

pytestmark = pytest.mark.django_db
THEN = "2026-11-04"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def people() -> People:
    return make_people()


@pytest.fixture
def vix() -> None:
    rows = "".join(f"2026-11-{day:02d},{day}.5\n" for day in range(2, 13))
    market_file_load(name="vix.csv", data=f"date,close\n{rows}".encode())


def choose(client: Client, day: str, back: str = "/market/") -> str:
    answer = client.post(
        reverse("journal:as_of"), {"day": day}, headers={"referer": f"http://testserver{back}"}
    )
    assert answer.status_code == 302
    return str(answer["Location"])


@pytest.mark.usefixtures("vix")
def test_the_market_page_shows_the_figures_of_the_chosen_day_until_back_to_now(people: People) -> None:
    client = signed_in(people.owner)
    assert choose(client, THEN) == "/market/"
    page = client.get("/market/").content.decode()
    assert "Viewing as of <strong>4 Nov 2026</strong>" in page
    assert "4.50" in page
    assert "12.50" not in page
    assert choose(client, "") == "/market/"
    page = client.get("/market/").content.decode()
    assert "Viewing as of" not in page
    assert "12.50" in page


@pytest.mark.usefixtures("vix")
def test_the_address_wins_over_the_session_and_is_not_kept(people: People) -> None:
    client = signed_in(people.owner)
    assert "5.50" in client.get("/market/?as_of=2026-11-05").content.decode()
    assert "12.50" in client.get("/market/").content.decode()
    choose(client, THEN)
    assert "5.50" in client.get("/market/?as_of=2026-11-05").content.decode()
    assert "Viewing as of" not in client.get("/market/?as_of=now").content.decode()


def test_back_to_now_leaves_the_day_out_of_the_address(people: People) -> None:
    client = signed_in(people.owner)
    assert choose(client, "", "/market/?as_of=2026-11-05&expiry=SPXW%3A2026-12-18") == (
        "/market/?expiry=SPXW%3A2026-12-18"
    )
    answer = client.post(
        reverse("journal:as_of"), {"day": ""}, headers={"referer": "https://elsewhere.test/x"}
    )
    assert answer["Location"] == reverse("journal:dashboard")


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-01", "1850-01-01", "9999-12-31", "2026-11-04T10:00"]
)
def test_a_day_that_cannot_be_looked_at_is_now(text: str) -> None:
    assert past_day(text) is None


def test_today_is_now_and_a_weekend_is_the_friday_before() -> None:
    today = session_date(timezone.now())
    assert past_day(today.isoformat()) is None
    assert past_day("2024-01-06") == date(2024, 1, 5)
    yesterday = today - timedelta(days=1)
    assert past_day(yesterday.isoformat()) in (yesterday, previous_session(yesterday))


def test_a_wrong_day_says_so_and_shows_now(people: People) -> None:
    client = signed_in(people.owner)
    choose(client, "2999-01-01")
    page = client.get("/market/").content.decode()
    assert "Choose a day in the past" in page
    assert "Viewing as of" not in page


def test_a_page_that_shows_the_present_says_so(people: People) -> None:
    client = signed_in(people.owner)
    choose(client, THEN)
    page = client.get(reverse("journal:accounts")).content.decode()
    assert "but this page shows the present" in collapsed(page)


@pytest.mark.usefixtures("vix")
def test_a_trade_is_shown_as_it_was(people: People) -> None:
    trade = open_condor(people)
    url = reverse("journal:trade_detail", args=[trade.pk])
    for user in (people.owner, people.teammate):
        client = signed_in(user)
        before = client.get(f"{url}?as_of=2026-10-30").content.decode()
        assert "was not open yet on that day" in before
        assert "Correct</summary>" not in before
        then = client.get(f"{url}?as_of={THEN}").content.decode()
        assert f"{(EXPIRY - date(2026, 11, 4)).days} days to expiry" in then
    stranger = signed_in(people.stranger)
    assert stranger.get(f"{url}?as_of={THEN}").status_code == 404
    fragment = reverse("journal:trade_valuation", args=[trade.pk])
    assert stranger.get(f"{fragment}?as_of={THEN}").status_code == 404


@pytest.mark.usefixtures("vix")
def test_the_dashboard_lists_the_trades_of_then(people: People) -> None:
    trade = open_condor(people)
    client = signed_in(people.owner)
    assert (
        escape(trade.label) not in client.get(f"/?as_of={FILLED.date() - timedelta(days=1)}").content.decode()
    )
    page = client.get(f"/?as_of={THEN}").content.decode()
    assert escape(trade.label) in page
    assert "Viewing as of" in page
    assert f'class="num">{(EXPIRY - date(2026, 11, 4)).days}<' in page
    close_condor(people, trade)
    page = client.get(f"/?as_of={THEN}").content.decode()
    assert escape(trade.label) in page
    assert f'class="num">{(EXPIRY - date(2026, 11, 4)).days}<' in page
    assert escape(trade.label) not in signed_in(people.stranger).get(f"/?as_of={THEN}").content.decode()


def test_the_calendar_ends_with_the_day_in_view(people: People) -> None:
    trade = close_condor(people, open_condor(people))
    closed = trade.closed_at.date()
    client = signed_in(people.owner)
    now, then = (
        collapsed(client.get(f"/calendar/{query}").content.decode()) for query in ("", f"?as_of={THEN}")
    )
    assert reverse("journal:day", args=[closed]) in now
    assert "on 2 days with fills" in now
    assert "on 1 day with fills" in then
    assert "Viewing as of <strong>4 Nov 2026</strong>" in then
    assert "Fills after 2026-11-04 are left out" in then
    assert "no fills" in client.get("/calendar/?as_of=2026-10-30").content.decode()
    assert (
        signed_in(people.stranger).get(f"/calendar/?as_of={THEN}&account={people.account.pk}").status_code
        == 404
    )


@pytest.mark.usefixtures("vix")
def test_the_hedge_page_shows_the_layers_advice_and_triggers_of_then(people: People) -> None:
    layer = trade_create(
        user=people.owner, account=people.account, kind=Trade.Kind.HEDGE, layer=1,
        order=order([vix_call()], FILLED),
    )  # fmt: skip
    said = stored(people.account, now=datetime(2026, 11, 4, 22, tzinfo=UTC))
    stored(people.account, now=datetime(2026, 11, 11, 22, tzinfo=UTC))
    said.refresh_from_db()
    assert said.superseded_at is not None, "a newer answer took its place"
    signals_refresh()
    client = signed_in(people.owner)
    now = client.get("/hedge/").content.decode()
    assert "Ask the rules now" in now
    assert "At the close of 12 Nov 2026" in now
    then = client.get(f"/hedge/?as_of={THEN}").content.decode()
    assert "Viewing as of <strong>4 Nov 2026</strong>" in then
    assert "At the close of 4 Nov 2026" in then
    assert "Ask the rules now" not in then
    assert "Approve" not in then
    assert "2026-11-04" in then[then.index("What the rules said") - 900 : then.index("What the rules said")]
    assert escape(layer.label) in then
    before = client.get("/hedge/?as_of=2026-10-30").content.decode()
    assert escape(layer.label) not in before
    assert "No answer of the rules is stored for this day" in before
    assert "No market data is loaded for that day" in before
    assert escape(layer.label) not in signed_in(people.stranger).get(f"/hedge/?as_of={THEN}").content.decode()


def test_without_market_data_the_past_is_unknown_and_said_so(people: People) -> None:
    trade = open_condor(people)
    client = signed_in(people.owner)
    assert "No market data is loaded for that day" in client.get(f"/?as_of={THEN}").content.decode()
    page = client.get(reverse("journal:trade_detail", args=[trade.pk]) + f"?as_of={THEN}").content.decode()
    assert "No market data is loaded for that time" in page


def test_the_picker_needs_a_login() -> None:
    answer = Client().post(reverse("journal:as_of"), {"day": THEN})
    assert answer.status_code == 302
    assert reverse("account_login") in answer["Location"]

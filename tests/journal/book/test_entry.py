"""Entering condors: preview, saving, the list, the trade page, closing and correcting."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from decimal import Decimal
from html import unescape
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from hedging.models import MarketSnapshot
from journal.models import Account, Fill, Trade, Valuation
from journal.services.accounts import account_archive
from journal.services.book.trades import fill_reverse, trade_create
from journal.views.common import likely_fill_time
from tests.journal.people import (
    ET,
    EXPIRY,
    FILLED,
    LATER,
    People,
    answers,
    close_condor,
    collapsed,
    condor_legs,
    make_people,
    make_user,
    open_condor,
    order,
    vix_call,
)

pytestmark = pytest.mark.django_db

SAMPLE = "SOLD -1 IRON CONDOR SPX 100 (Weeklys) 18 DEC 26 6900/6950/6500/6450 CALL/PUT @2.55 LMT"
TYPED = {
    "expiry": "2026-12-18", "root": "SPXW", "contracts": "1", "long_put": "6450",
    "short_put": "6500", "short_call": "6900", "long_call": "6950", "credit": "2.55",
}  # fmt: skip
ENTRY, PREVIEW = reverse("journal:trade_entry"), reverse("journal:entry_preview", args=["condor"])


@pytest.fixture
def people() -> People:
    return make_people()


def form(people: People, **values: object) -> dict[str, object]:
    return {
        "token": "t-1", "account": str(people.account.pk), "filled_at": "2026-11-02T10:30",
        "fees": "", "reason": "", "order_text": "", **values,
    }  # fmt: skip


def as_owner(client: Client, people: People) -> Client:
    client.force_login(people.owner)
    return client


# -- preview ------------------------------------------------------------------------------


@pytest.mark.parametrize("values", [{"order_text": SAMPLE}, TYPED])
def test_the_preview_shows_the_figures_before_saving(
    client: Client, people: People, values: dict[str, str]
) -> None:
    page = as_owner(client, people).post(PREVIEW, form(people, **values)).content.decode()
    for figure in ("$255.00", "$4,745.00", "6,497.45", "6,902.55", "$5,000.00", "$5.20"):
        assert figure in page
    assert page.count("PM</td>") == 4
    assert 'data-chart="payoff"' in page
    assert not Trade.objects.exists()


def test_the_preview_marks_what_each_word_means(client: Client, people: People) -> None:
    page = as_owner(client, people).post(PREVIEW, form(people, order_text=SAMPLE)).content.decode()
    assert '<span class="understood" title="strikes">6900/6950/6500/6450</span>' in collapsed(page)


def test_the_preview_marks_the_token_and_keeps_the_text(client: Client, people: People) -> None:
    text = SAMPLE.replace("CONDOR", "<b>CONDR")
    page = as_owner(client, people).post(PREVIEW, form(people, order_text=text)).content.decode()
    assert '<mark class="bad-token">&lt;b&gt;CONDR</mark> SPX 100' in page
    assert "After IRON follows CONDOR." in page


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "Enter the expiry"),
        ({**TYPED, "credit": ""}, "Enter the credit"),
        ({**TYPED, "long_put": "6600"}, "Strikes must rise"),
        ({**TYPED, "long_put": "6450.0001"}, "Enter the bought put"),
        ({**TYPED, "contracts": "9"}, "above its limit of 10%"),
        ({**TYPED, "contracts": "2"}, "above its limit of 2%"),
        ({"order_text": "BUY +1 SPX 100 18 DEC 26 6900 CALL @20"}, "recorded as Other"),
        ({"order_text": "SELL -1 SPX 100 18 DEC 26 6900 CALL @20"}, "not limited"),
        ({"order_text": "BUY +1 SPX 100 18 DEC 26 6900 CALL @20.05"}, "multiple of the tick 0.10"),
        ({**TYPED, "credit": "2.57"}, "The package price 2.57 is no multiple of the tick 0.05"),
    ],
)
def test_the_preview_says_what_is_missing_or_unusual(
    client: Client, people: People, values: dict[str, str], words: str
) -> None:
    people.account.base_capital = Decimal(400_000 if "9" in str(values.get("contracts")) else 150_000)
    people.account.save()
    page = as_owner(client, people).post(PREVIEW, form(people, **values))
    assert page.status_code == 200
    assert words in page.content.decode()


def test_the_preview_answers_anybody_signed_in_and_nobody_else(client: Client, people: People) -> None:
    found = answers(client, "post", PREVIEW, people, order_text=SAMPLE)
    assert found == {"owner": 200, "teammate": 200, "stranger": 200, "nobody": 302}
    assert as_owner(client, people).get(PREVIEW).status_code == 405


# -- saving -------------------------------------------------------------------------------


@pytest.mark.parametrize("values", [{"order_text": SAMPLE}, TYPED])
def test_saving_through_the_page(client: Client, people: People, values: dict[str, str]) -> None:
    data = form(people, reason="16 delta", **values)
    answer = as_owner(client, people).post(ENTRY, data)
    trade = Trade.objects.get()
    assert answer["Location"] == reverse("journal:trade_detail", args=[trade.pk])
    assert (trade.kind, trade.net_cash, trade.fees_total) == (
        "condor",
        Decimal(255),
        Decimal("5.20"),
    )
    assert trade.order_text == values.get("order_text", "")
    assert trade.opened_at is not None
    assert trade.opened_at.isoformat() == "2026-11-02T15:30:00+00:00"
    assert {fill.note for fill in trade.fills.all()} == {"package price split over the legs"}
    page = client.get(answer["Location"]).content.decode()
    for figure in ("$255.00", "$4,745.00", "6,497.45", "6,902.55"):
        assert figure in page


def test_a_second_click_records_nothing_more(client: Client, people: People) -> None:
    as_owner(client, people)
    first = client.post(ENTRY, form(people, order_text=SAMPLE))
    again = client.post(ENTRY, form(people, order_text=SAMPLE))
    assert first["Location"] == again["Location"]
    assert Fill.objects.count() == 4


def test_other_shapes_are_recorded_as_other(client: Client, people: People) -> None:
    text = "BOT +1 BUTTERFLY SPX 100 (Weeklys) 18 DEC 26 6700/6600/6500 PUT @18.75 CBOE"
    as_owner(client, people).post(ENTRY, form(people, order_text=text))
    trade = Trade.objects.get()
    assert (trade.kind, trade.net_cash) == ("other", Decimal(-1875))


def test_bad_text_keeps_everything_entered(client: Client, people: People) -> None:
    text = SAMPLE.replace("(Weeklys)", "(Weaklys)")
    answer = as_owner(client, people).post(ENTRY, form(people, order_text=text, reason="my reason"))
    page = answer.content.decode()
    assert "(Weaklys)" in page
    assert "my reason" in page
    assert "The expiry looks like 18 DEC 26." in page
    assert not Trade.objects.exists()


def test_errors_are_tied_to_their_inputs(client: Client, people: People) -> None:
    page = as_owner(client, people).post(ENTRY, form(people, filled_at="")).content.decode()
    assert 'aria-describedby="id_filled_at_error"' in page
    assert 'id="id_filled_at_error"' in page


def test_an_oversized_trade_asks_for_confirmation(client: Client, people: People) -> None:
    data = form(people, order_text=SAMPLE.replace("-1", "-9"))
    page = as_owner(client, people).post(ENTRY, data).content.decode()
    assert "17.08% of the account" in page
    assert not Trade.objects.exists()
    client.post(ENTRY, {**data, "accept_size": "on", "reason": "scaled in"})
    assert Trade.objects.count() == 1


def test_reading_members_and_strangers_cannot_record(client: Client, people: People) -> None:
    found = answers(client, "get", ENTRY, people)
    assert found == {"owner": 200, "teammate": 200, "stranger": 200, "nobody": 302}
    for user in (people.teammate, people.stranger):
        client.force_login(user)
        answer = client.post(ENTRY, form(people, order_text=SAMPLE))
        assert answer.status_code == 200
    assert not Trade.objects.exists()


def test_an_archived_account_is_not_offered(client: Client, people: People) -> None:
    account_archive(user=people.owner, account=people.account)
    page = as_owner(client, people).get(ENTRY).content.decode()
    assert "First an account" in page
    client.post(ENTRY, form(people, order_text=SAMPLE))
    assert not Trade.objects.exists()


# -- list and CSV -------------------------------------------------------------------------


def two_trades(people: People) -> tuple[Trade, Trade]:
    closed = close_condor(people, open_condor(people, reason='=HYPERLINK("http://x")'))
    hedge = trade_create(
        user=people.owner, account=people.account, kind=Trade.Kind.HEDGE, layer=1,
        order=order([vix_call()]),
    )  # fmt: skip
    return closed, hedge


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", 2),
        ("status=open", 1),
        ("status=closed", 1),
        ("kind=hedge_layer", 1),
        ("kind=condor&status=open", 0),
        ("kind=nonsense", 2),
        ("account=nonsense", 2),
        ("q=6450", 1),
        ("page=99", 2),
    ],
)
def test_filters_stand_in_the_address(client: Client, people: People, query: str, shown: int) -> None:
    two_trades(people)
    as_owner(client, people)
    page = client.get(f"{reverse('journal:trades')}?{query}").content.decode()
    assert f"{shown} in this view" in page
    rows = client.get(f"{reverse('journal:trades_csv')}?{query}").content.decode()
    assert len(rows.strip().splitlines()) == shown + 1


def test_totals_are_of_the_filter(client: Client, people: People) -> None:
    two_trades(people)
    page = as_owner(client, people).get(reverse("journal:trades") + "?status=closed").content.decode()
    # 2,255.00 received, four legs at 5.00 net to nothing, eight contracts at 1.30.
    assert "+$2,244.60" in page
    assert "$10.40" in page


def test_the_list_shows_the_newest_valuation_and_its_age(client: Client, people: People) -> None:
    trade = open_condor(people)
    url = reverse("journal:trades")
    assert "unknown" in as_owner(client, people).get(url).content.decode()
    snapshot = MarketSnapshot.objects.create(as_of=FILLED, content_hash="x" * 64, flags=[], summary={})
    for revision, pnl in ((0, 1.0), (1, -123.456)):
        Valuation.objects.create(
            account=people.account, trade=trade, snapshot=snapshot, as_of=FILLED,
            book_revision=revision, result={"totals": {"pnl": pnl, "market_value": None}},
        )  # fmt: skip
    page = client.get(url).content.decode()
    assert "−$123.46" in page
    assert ">stale</span>" not in page
    open_condor(people)
    assert ">stale</span>" in client.get(url).content.decode()


def test_filter_by_account_stays_inside_the_gate(client: Client, people: People) -> None:
    two_trades(people)
    client.force_login(people.stranger)
    url = f"{reverse('journal:trades')}?account={people.account.pk}"
    assert "0 in this view" in client.get(url).content.decode()


def test_csv_is_safe_and_numeric(client: Client, people: People) -> None:
    closed, hedge = two_trades(people)
    answer = as_owner(client, people).get(reverse("journal:trades_csv"))
    rows = {row["status"]: row for row in csv.DictReader(io.StringIO(answer.content.decode()))}
    assert rows["closed"]["reason"].startswith("'=HYPERLINK")
    assert rows["closed"]["realized"] == "2244.60"
    assert rows["open"]["net_cash"] == "-1250.00"
    assert rows["open"]["label"] == hedge.label
    assert rows["closed"]["label"] == closed.label


def test_lists_for_each_user(client: Client, people: People) -> None:
    trade = open_condor(people)
    for name in ("trades", "trades_csv"):
        url = reverse(f"journal:{name}")
        found = answers(client, "get", url, people)
        assert found == {"owner": 200, "teammate": 200, "stranger": 200, "nobody": 302}
        client.force_login(people.teammate)
        assert trade.label in unescape(client.get(url).content.decode())
        client.force_login(people.stranger)
        assert trade.label not in unescape(client.get(url).content.decode())


def test_an_empty_list_explains_itself(client: Client) -> None:
    client.force_login(make_user("new"))
    page = client.get(reverse("journal:trades")).content.decode()
    assert "No trades yet" in page


def test_the_list_asks_a_constant_number_of_queries(
    client: Client, people: People, django_assert_max_num_queries
) -> None:
    for _ in range(6):
        open_condor(people)
    as_owner(client, people)
    with django_assert_max_num_queries(19):
        client.get(reverse("journal:trades"))


# -- trade page, closing, correcting ------------------------------------------------------


@pytest.mark.parametrize("name", ["trade_detail", "trade_valuation"])
def test_the_trade_page_for_each_user(client: Client, people: People, name: str) -> None:
    trade = open_condor(people)
    found = answers(client, "get", reverse(f"journal:{name}", args=[trade.pk]), people)
    assert found == {"owner": 200, "teammate": 200, "stranger": 404, "nobody": 302}
    client.force_login(people.owner)
    assert client.get(reverse(f"journal:{name}", args=[uuid4()])).status_code == 404


def test_the_trade_page_knows_the_structure_from_the_fills(client: Client, people: People) -> None:
    trade = open_condor(people, reason="<script>alert(1)</script>")
    url = reverse("journal:trade_detail", args=[trade.pk])
    page = as_owner(client, people).get(url).content.decode()
    for figure in ("$2,255.00", "$2,745.00", "6,477.45", "6,922.55", "$5,000.00"):
        assert figure in page
    assert "2026-11-02 10:30 ET" in page
    assert "&lt;script&gt;" in page
    assert page.count(">PM</td>") == 4
    assert reverse("journal:trade_close", args=[trade.pk]) in page
    client.force_login(people.teammate)
    page = client.get(url).content.decode()
    assert reverse("journal:trade_close", args=[trade.pk]) not in page
    assert "Reverse this fill" not in page


def close_data(people: People, trade: Trade, **values: object) -> dict[str, object]:
    data: dict[str, object] = {
        "token": "c-1", "version": trade.version, "filled_at": "2026-11-09T15:00", "fees": "5.20",
    }  # fmt: skip
    for leg in condor_legs():
        key = leg.spec.symbol.replace(" ", "")
        data |= {f"quantity_{key}": abs(leg.quantity), f"price_{key}": "5.00"}
    return {**data, **values}


def test_closing_the_whole_trade_by_the_page(client: Client, people: People) -> None:
    trade = open_condor(people)
    url = reverse("journal:trade_close", args=[trade.pk])
    as_owner(client, people)
    assert 'value="1"' in client.get(url).content.decode()
    assert client.post(url, close_data(people, trade)).status_code == 302
    trade.refresh_from_db()
    assert (trade.status, trade.closed_at) == ("closed", LATER)
    again = client.post(url, close_data(people, trade))
    assert again["Location"] == reverse("journal:trade_detail", args=[trade.pk])
    assert Fill.objects.count() == 8
    assert "no open legs" in client.get(url, follow=True).content.decode()


def test_closing_one_leg_by_the_page(client: Client, people: People) -> None:
    trade = open_condor(people)
    url = reverse("journal:trade_close", args=[trade.pk])
    keys = [leg.spec.symbol.replace(" ", "") for leg in condor_legs()]
    bought_back, *left = keys[1], keys[0], *keys[2:]
    others = {f"quantity_{key}": "0" for key in left}
    blank = {f"price_{key}": "" for key in left}
    as_owner(client, people).post(url, close_data(people, trade, **others, **blank))
    assert Fill.objects.count() == 5
    page = client.get(url).content.decode()
    assert condor_legs()[1].spec.symbol not in page
    assert bought_back not in page


@pytest.mark.parametrize(
    ("values", "status", "words"),
    [
        ({"version": 1}, 409, "changed meanwhile"),
        ({"filled_at": "2026-10-30T15:00"}, 200, "before the trade was opened"),
        ({"filled_at": "2026-11-08T15:00"}, 200, "not a trading day"),
        ({"price_SPXW261218P06450000": ""}, 200, "Enter the price, or 0 contracts"),
        ({"quantity_SPXW261218P06450000": "2"}, 200, "less than or equal to 1"),
        ({"price_SPXW261218P06450000": "-1"}, 200, "greater than or equal to 0"),
        (
            {f"quantity_{leg.spec.symbol.replace(' ', '')}": "0" for leg in condor_legs()},
            200,
            "Nothing",
        ),
        ({"fees": "-1"}, 200, "greater than or equal to 0"),
    ],
)
def test_refused_closes_write_nothing(
    client: Client, people: People, values: dict[str, object], status: int, words: str
) -> None:
    trade = open_condor(people)
    url = reverse("journal:trade_close", args=[trade.pk])
    answer = as_owner(client, people).post(url, close_data(people, trade, **values))
    assert answer.status_code == status
    assert words in answer.content.decode()
    assert Fill.objects.count() == 4


@pytest.mark.parametrize("method", ["get", "post"])
def test_closing_is_for_traders(client: Client, people: People, method: str) -> None:
    trade = open_condor(people)
    url = reverse("journal:trade_close", args=[trade.pk])
    found = answers(client, method, url, people, **close_data(people, trade))
    assert found["teammate"] == 403
    assert found["stranger"] == 404
    assert found["nobody"] == 302
    assert found["owner"] == (200 if method == "get" else 302)


def test_correcting_a_fill_by_the_page(client: Client, people: People) -> None:
    trade = open_condor(people)
    fill = trade.fills.order_by("pk")[0]
    url = reverse("journal:fill_reverse", args=[fill.pk])
    as_owner(client, people)
    for reason in ("", "  ", "a\x00b", "x" * 201):
        client.post(url, {"reason": reason})
    assert Fill.objects.count() == 4
    page = client.post(url, {"reason": "wrong strike"}, follow=True).content.decode()
    assert "The fill was reversed" in page
    assert "wrong strike" in page
    assert Fill.objects.count() == 5
    page = client.post(url, {"reason": "again"}, follow=True).content.decode()
    assert "already corrected" in page
    assert client.get(url).status_code == 405


def test_correcting_is_for_traders(client: Client, people: People) -> None:
    fill = open_condor(people).fills.first()
    url = reverse("journal:fill_reverse", args=[fill.pk])
    found = answers(client, "post", url, people, reason="typo")
    assert found == {"owner": 302, "teammate": 403, "stranger": 404, "nobody": 302}


def test_a_fully_corrected_trade_still_has_a_page(client: Client, people: People) -> None:
    trade = open_condor(people)
    for fill in trade.fills.all():
        fill_reverse(user=people.owner, fill=fill, reason="never happened")
    page = as_owner(client, people).get(reverse("journal:trade_detail", args=[trade.pk]))
    assert page.status_code == 200
    assert "Reverse this fill" not in page.content.decode()


def test_times_are_right_across_both_clock_changes(client: Client, people: People) -> None:
    as_owner(client, people)
    for number, (typed, utc) in enumerate(
        [
            ("2026-03-06T10:00", "2026-03-06T15:00:00+00:00"),
            ("2026-03-09T10:00", "2026-03-09T14:00:00+00:00"),
            ("2026-10-30T10:00", "2026-10-30T14:00:00+00:00"),
            ("2026-11-02T10:00", "2026-11-02T15:00:00+00:00"),
        ]
    ):
        data = form(people, order_text=SAMPLE, filled_at=typed, token=f"dst-{number}")
        location = client.post(ENTRY, data)["Location"]
        trade = Trade.objects.order_by("-created_at")[0]
        assert trade.opened_at is not None
        assert trade.opened_at.isoformat() == utc
        assert f"{typed.replace('T', ' ')} ET" in client.get(location).content.decode()


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 11, 20, 10, 30, tzinfo=ET), "2026-11-20T10:30"),
        (datetime(2026, 11, 20, 19, 49, tzinfo=ET), "2026-11-20T16:00"),
        (datetime(2026, 11, 21, 11, 0, tzinfo=ET), "2026-11-20T16:00"),
        (datetime(2026, 11, 23, 8, 0, tzinfo=ET), "2026-11-20T16:00"),
        (datetime(2026, 11, 27, 15, 0, tzinfo=ET), "2026-11-27T13:00"),
    ],
)
def test_the_offered_fill_time_is_one_that_can_be(now: datetime, expected: str) -> None:
    assert likely_fill_time(now) == expected


def test_the_gate_shuts_when_a_membership_ends(client: Client, people: People) -> None:
    trade = open_condor(people)
    people.account.memberships.filter(user=people.teammate).delete()
    client.force_login(people.teammate)
    assert client.get(reverse("journal:trade_detail", args=[trade.pk])).status_code == 404
    assert Account.objects.for_user(people.teammate).count() == 0
    assert trade.nearest_expiry == EXPIRY

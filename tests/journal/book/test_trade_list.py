"""The list of trades: filters and order in the address, totals, saved views, CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from hedging.models import MarketSnapshot
from journal.models import SavedView, Trade, Valuation
from journal.selectors.book.trade_list import (
    TradeFilters,
    trade_rows,
    trade_totals,
    trades_filtered,
    with_page_details,
)
from journal.services.book.trades import trade_create
from journal.services.review.notes import note_create
from journal.services.review.reviews import trade_rate, trade_tag
from journal.services.saved_views import canonical_query
from tests.journal.people import (
    LATER,
    People,
    answers,
    close_condor,
    condor_legs,
    make_people,
    open_condor,
    order,
    vix_call,
)

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 20)


@pytest.fixture
def people() -> People:
    return make_people()


@pytest.fixture
def book(people: People) -> dict[str, Trade]:
    """A condor closed at a gain, an open one later, and an open VIX layer."""
    closed = close_condor(people, open_condor(people, reason="calm market"))
    later = open_condor(people, order=order(condor_legs(), LATER))
    layer = trade_create(
        user=people.owner, account=people.account, kind=Trade.Kind.HEDGE, layer=1,
        instrument="vix_calls", order=order([vix_call()]),
    )  # fmt: skip
    return {"closed": closed, "later": later, "layer": layer}


def _found(people: People, query: str) -> list[Trade]:
    filters = TradeFilters.from_query(QueryDict(query))
    assert not filters.ignored
    return list(trades_filtered(people.owner, filters, today=TODAY))


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("status=closed", {"closed"}), ("kind=hedge_layer", {"layer"}), ("layer=1", {"layer"}),
        ("layer=2", set()),
        ("underlying=vix", {"layer"}), ("underlying=SPX&status=open", {"later"}), ("q=calm", {"closed"}),
        ("q=6450/6500", {"closed", "later"}), ("from=2026-11-09", {"later"}),
        ("to=2026-11-08", {"closed", "layer"}), ("from=2026-11-02&to=2026-11-02", {"closed", "layer"}),
        ("dte_min=27", {"later"}), ("dte_max=26", {"layer"}), ("dte_min=26&dte_max=28", {"later", "layer"}),
        ("pnl_min=1", {"closed"}), ("pnl_max=100000", {"closed"}), ("pnl_max=0", set()),
        ("", {"closed", "later", "layer"}),
    ],
)  # fmt: skip
def test_each_filter_keeps_what_it_names(
    people: People, book: dict[str, Trade], query: str, names: set[str]
) -> None:
    assert {t.pk for t in _found(people, query)} == {book[name].pk for name in names}


def test_tags_and_notes_are_filters(people: People, book: dict[str, Trade]) -> None:
    trade_tag(user=people.owner, trade=book["later"], name="motion")
    trade_tag(user=people.owner, trade=book["later"], name="late")
    trade_tag(user=people.owner, trade=book["layer"], name="motion")
    note_create(user=people.owner, account=people.account, trade=book["closed"], text="post-press")
    assert set(_found(people, "tag=Motion")) == {book["later"], book["layer"]}
    assert _found(people, "tag=motion&tag=late") == [book["later"]]
    assert _found(people, "q=POST-press") == [book["closed"]]


@pytest.mark.parametrize(
    ("sort", "wanted"),
    [
        ("opened", ["closed", "layer", "later"]), ("-rating", ["layer", "later", "closed"]),
        ("rating", ["later", "layer", "closed"]), ("cash", ["closed", "layer", "later"]),
    ],
)  # fmt: skip
def test_the_order_puts_unknown_last(
    people: People, book: dict[str, Trade], sort: str, wanted: list[str]
) -> None:
    trade_rate(user=people.owner, trade=book["layer"], rating=5)
    trade_rate(user=people.owner, trade=book["later"], rating=2)
    found = [t.pk for t in _found(people, f"sort={sort}")]
    if sort == "opened":  # opened at the same minute: either may come first
        assert found[-1] == book["later"].pk
    elif sort == "cash":
        assert found[0] == book["layer"].pk
    else:
        assert found == [book[name].pk for name in wanted]


def test_what_cannot_be_read_is_named_and_narrows_nothing(people: People, book: dict[str, Trade]) -> None:
    query = QueryDict(
        "status=x&kind=y&layer=9&account=z&underlying=%3Cb&from=2026-13-01&dte_min=9e99&pnl_min=nan"
        "&pnl_max=1e99&sort=pk&to=&dte_max=1.5"
    )
    filters = TradeFilters.from_query(query)
    assert set(filters.ignored) == {
        "status", "kind", "layer", "account", "underlying", "from", "dte_min", "pnl_min", "pnl_max", "sort",
        "dte_max",
    }  # fmt: skip
    assert len(trades_filtered(people.owner, filters, today=TODAY)) == 3


def test_totals_are_exact(people: People, book: dict[str, Trade]) -> None:
    totals = trade_totals(trades_filtered(people.owner, TradeFilters(), today=TODAY))
    assert totals.realized == book["closed"].realized
    assert totals.fees == sum((t.fees_total for t in book.values()), Decimal(0))
    assert (totals.count, totals.open_count, totals.unknown) == (3, 2, 2)


def test_a_filtered_address_reproduces_the_view_and_its_csv(
    people: People, book: dict[str, Trade], client: Client
) -> None:
    trade_tag(user=people.owner, trade=book["later"], name="=cmd")
    client.force_login(people.owner)
    query = "?status=open&kind=condor&sort=-opened"
    first, again = client.get(f"/trades/{query}"), client.get(f"/trades/{query}")
    assert str(book["later"].pk) in first.content.decode()
    assert str(book["closed"].pk) not in first.content.decode()
    assert [r.trade for r, _ in first.context["rows"]] == [r.trade for r, _ in again.context["rows"]]
    rows = list(csv.DictReader(io.StringIO(client.get(f"/trades.csv{query}").content.decode())))
    assert [row["label"] for row in rows] == [book["later"].label]
    assert rows[0]["tags"] == "'=cmd"


def _many(people: People, count: int) -> None:
    model = open_condor(people)
    Trade.objects.bulk_create(
        Trade(
            account=people.account, kind="condor", status="closed", label=f"SPX condor {n}", underlying="SPX",
            opened_at=model.opened_at, closed_at=LATER + timedelta(minutes=n), net_cash=n, fees_total=1,
        )
        for n in range(count)
    )  # fmt: skip


@pytest.mark.parametrize("query", ["", "?sort=-pnl&pnl_min=1", "?q=condor&tag=x", "?status=closed&page=2"])
def test_the_number_of_queries_does_not_grow_with_the_list(
    people: People, client: Client, query: str, django_assert_num_queries: Callable[..., Any]
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.force_login(people.owner)
    _many(people, 55)
    with CaptureQueriesContext(connection) as few:
        client.get(f"/trades/{query}")
    _many(people, 200)
    with CaptureQueriesContext(connection) as many:
        client.get(f"/trades/{query}")
    assert len(many) <= len(few) + 1
    assert len(many) < 30


def test_a_saved_view_survives_signing_out_and_is_private(people: People, client: Client) -> None:
    client.force_login(people.owner)
    sent = {"name": "Open condors", "query": "page=3&status=open&kind=condor&q="}
    answer = client.post("/trades/views/", sent)
    assert answer["Location"] == "/trades/?kind=condor&status=open"
    client.logout()
    client.force_login(people.owner)
    page = client.get("/trades/").content.decode()
    assert "Open condors" in page
    assert "?kind=condor&amp;status=open" in page
    view = SavedView.objects.get()
    found = answers(client, "post", f"/trades/views/{view.pk}/remove/", people)
    assert found == {"owner": 302, "teammate": 404, "stranger": 404, "nobody": 302}
    assert not SavedView.objects.exists()


def test_the_same_name_saves_the_view_again(people: People, client: Client) -> None:
    client.force_login(people.owner)
    for query in ("status=open", "status=closed"):
        client.post("/trades/views/", {"name": "Mine", "query": query})
    assert SavedView.objects.get().query == "status=closed"
    assert client.post("/trades/views/", {"name": " ", "query": ""}).status_code == 302
    assert SavedView.objects.count() == 1


def test_a_stored_address_has_no_passing_parts() -> None:
    assert canonical_query("?b=2&a=1&page=4&empty=&a=3") == "a=1&a=3&b=2"


def test_a_stranger_sees_none_of_it(people: People, book: dict[str, Trade], client: Client) -> None:
    client.force_login(people.stranger)
    assert client.get("/trades/?status=open").context["totals"].count == 0
    assert client.get(f"/trades/?account={people.account.pk}").context["totals"].count == 0


def test_an_open_trade_shows_its_share_of_the_most_and_its_delta(
    people: People, book: dict[str, Trade], client: Client
) -> None:
    trade = next(one for one in book.values() if one.status == Trade.Status.OPEN)
    at = timezone.now()
    Valuation.objects.create(
        trade=trade, account=trade.account, as_of=at, book_revision=trade.account.book_revision,
        snapshot=MarketSnapshot.objects.create(as_of=at, content_hash="y" * 64, flags=[], summary={}),
        result={
            "totals": {"pnl": 64.0, "market_value": -191.0, "greeks": {"SPX": {"delta": -4.9}}},
            "structure": {"max_profit": 256.0}, "legs": [], "market": {"flags": []},
        },
    )  # fmt: skip
    found = trades_filtered(people.owner, TradeFilters(), today=date(2026, 11, 26))
    rows = {row.trade.pk: row for row in trade_rows(with_page_details(found))}
    assert rows[trade.pk].share == pytest.approx(0.25)
    assert rows[trade.pk].deltas == (("SPX", -4.9),)
    client.force_login(people.owner)
    page = client.get("/trades/").content.decode()
    assert "25</span>% of max" in page
    assert '\N{MINUS SIGN}4.9</span> <span class="muted">SPX' in page

"""Closing many trades: all or none, once per form, never on a stale page, undone whole by reversal."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from threading import Thread
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from rest_framework.authtoken.models import Token

from hedging.models import Job, MarketSnapshot
from journal.errors import RuleError
from journal.job_kinds import VALUE_ACCOUNT
from journal.models import AuditEvent, BulkChange, Fill, Role, Trade, Valuation
from journal.selectors.book.closing import ClosingTrade, closing_trades
from journal.selectors.book.trades import trade_get, trade_position
from journal.services.accounts import account_archive, member_add
from journal.services.book.bulk_close import Closing, RowsRefusedError, bulk_close, closing_order
from journal.services.book.trades import trade_close, trade_create
from journal.services.review.notes import note_create
from journal.services.undo import change_undo
from journal.services.undo_records import UNDO_FOR
from tests.journal.people import (
    ET,
    LATER,
    People,
    answers,
    closing,
    condor_legs,
    make_account,
    make_people,
    open_condor,
    order,
    vix_call,
    vx,
)

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 10, 20, 0, tzinfo=UTC)


@pytest.fixture
def people() -> People:
    return make_people()


@pytest.fixture
def trades(people: People) -> list[Trade]:
    """Two condors of 3 and a VIX layer of 10 calls."""
    layer = trade_create(
        user=people.owner, account=people.account, kind=Trade.Kind.HEDGE, layer=1, instrument="vix_calls",
        order=order([vix_call()]),
    )  # fmt: skip
    condors = [open_condor(people, order=order(condor_legs(quantity=3))) for _ in range(2)]
    return [*condors, layer]


def _rows(people: People, trades: list[Trade]) -> dict[Any, ClosingTrade]:
    return {row.trade.pk: row for row in closing_trades(people.owner, [t.pk for t in trades], NOW)}


def _closings(people: People, trades: list[Trade], *prices: str) -> list[Closing]:
    rows = _rows(people, trades)
    return [
        Closing(
            t.pk, t.version,
            closing_order(rows[t.pk], Decimal(price), LATER, fees=None, source="form"),
        )
        for t, price in zip(trades, prices, strict=True)
    ]  # fmt: skip


def _close(people: People, trades: list[Trade], *prices: str, token: str = "t") -> BulkChange:
    return bulk_close(user=people.owner, closings=_closings(people, trades, *prices), token=token)


def _fresh(trades: list[Trade]) -> list[Trade]:
    found = {t.pk: t for t in Trade.objects.all()}
    return [found[t.pk] for t in trades]


def test_package_prices_become_the_cash_of_each_trade(people: People, trades: list[Trade]) -> None:
    # A credit of 22.55 x 3 x 100, closed for a debit of 5.55 a condor: 17.00 x 300 left; ten calls bought
    # at 1.25 sold at 2.10; fees 1.30 for each of 12 + 12 contracts, and of 10 + 10.
    change = _close(people, trades, "-5.55", "-6.10", "2.10")
    one, two, layer = _fresh(trades)
    assert [t.status for t in (one, two, layer)] == ["closed"] * 3
    assert (one.net_cash, one.fees_total) == (Decimal(5100), Decimal("31.20"))
    assert two.net_cash == Decimal("16.45") * 300
    assert (layer.net_cash, layer.fees_total) == (Decimal(850), Decimal("26.00"))
    assert (change.count, change.summary) == (3, "3 trades closed")
    assert AuditEvent.objects.get(action="bulk.close").changes["changed"] == 3
    assert AuditEvent.objects.filter(action="trade.close").count() == 3


def test_one_valuation_is_asked_for_however_many_are_closed(people: People, trades: list[Trade]) -> None:
    before = Job.objects.filter(kind=VALUE_ACCOUNT).count()
    _close(people, trades, "-5.55", "-6.10", "2.10")
    people.account.refresh_from_db()
    jobs = Job.objects.filter(kind=VALUE_ACCOUNT)
    assert jobs.count() == before + 1
    assert jobs.filter(input_revision=str(people.account.book_revision)).count() == 1


def test_one_bad_row_closes_nothing_and_every_bad_row_is_named(people: People, trades: list[Trade]) -> None:
    closings = _closings(people, trades, "-5.55", "-6.10", "2.10")
    trade_close(
        user=people.owner, trade=trades[0], order=order(closing(condor_legs(quantity=1)), LATER)
    )  # somebody closed a third of it in another tab
    early = order([vix_call(quantity=-10)], datetime(2026, 10, 1, 15, 0, tzinfo=ET))
    closings[2] = Closing(trades[2].pk, trades[2].version, early)
    fills, before = Fill.objects.count(), AuditEvent.objects.count()
    with pytest.raises(RowsRefusedError) as refused:
        bulk_close(user=people.owner, closings=closings, token="t")
    found = {r.trade: r for r in refused.value.refusals}
    assert set(found) == {trades[0].pk, trades[2].pk}
    assert found[trades[0].pk].conflict
    assert "changed meanwhile" in found[trades[0].pk].message
    assert (found[trades[2].pk].field, found[trades[2].pk].conflict) == ("filled_at", False)
    assert "before the trade was opened" in found[trades[2].pk].message
    assert (Fill.objects.count(), AuditEvent.objects.count()) == (fills, before)
    assert not BulkChange.objects.exists()
    assert _fresh(trades)[1].status == "open"


def test_the_same_form_twice_closes_once(people: People, trades: list[Trade]) -> None:
    closings = _closings(people, trades, "-5.55", "-6.10", "2.10")
    first = bulk_close(user=people.owner, closings=closings, token="t")
    fills = Fill.objects.count()
    assert bulk_close(user=people.owner, closings=closings, token="t") == first
    assert Fill.objects.count() == fills
    # Even after its record is gone, the form is not a second closing.
    BulkChange.objects.all().delete()
    with pytest.raises(RowsRefusedError, match="recorded before"):
        bulk_close(user=people.owner, closings=closings, token="t")


def test_undo_reverses_every_closing_fill_and_leaves_the_figures_as_before(
    people: People, trades: list[Trade]
) -> None:
    before = [(t.status, t.net_cash, t.fees_total, t.label) for t in _fresh(trades)]
    legs = [trade_position(trade_get(people.owner, t.pk)).legs for t in trades]
    change = _close(people, trades, "-5.55", "-6.10", "2.10")
    written = Fill.objects.count()
    done = change_undo(user=people.owner, change=change)
    assert done.undone_count == 3
    assert Fill.objects.count() == written + 9  # 4 + 4 + 1 closing fills, each with its mirror
    assert Fill.objects.filter(reverses__isnull=False).count() == 9
    assert [(t.status, t.net_cash, t.fees_total, t.label) for t in _fresh(trades)] == before
    assert [trade_position(trade_get(people.owner, t.pk)).legs for t in trades] == legs
    assert change_undo(user=people.owner, change=change).undone_count == 3
    assert Fill.objects.count() == written + 9


def test_undo_leaves_a_trade_that_changed_since(people: People, trades: list[Trade]) -> None:
    change = _close(people, trades, "-5.55", "-6.10", "2.10")
    from journal.services.book.trades import fill_reverse

    wrong = Fill.objects.filter(trade=trades[2], quantity=-10).get()
    fill_reverse(user=people.owner, fill=wrong, reason="wrong price")
    note_create(user=people.owner, account=people.account, trade=trades[0], text="no change of the book")
    assert change_undo(user=people.owner, change=change).undone_count == 2
    assert [t.status for t in _fresh(trades)] == ["open", "open", "open"]
    assert Fill.objects.filter(trade=trades[2]).count() == 3


def test_undo_ends_after_a_while_and_asks_for_the_right_to_write(people: People, trades: list[Trade]) -> None:
    change = _close(people, trades[:1], "-5.55")
    account_archive(user=people.owner, account=people.account, archived=True)
    assert change_undo(user=people.owner, change=change).undone_count == 0
    assert _fresh(trades)[0].status == "closed"
    BulkChange.objects.update(created_at=timezone.now() - UNDO_FOR - timedelta(seconds=1), undone_at=None)
    with pytest.raises(RuleError, match="no longer"):
        change_undo(user=people.owner, change=change)


def test_expired_legs_belong_to_their_settlement(people: People) -> None:
    expiry = date(2026, 11, 6)
    trade = open_condor(people, order=order(condor_legs(expiry=expiry)))
    row = _rows(people, [trade])[trade.pk]
    assert (row.legs, len(row.expired)) == ((), 4)
    assert "settled, not closed" in row.reason
    with pytest.raises(RuleError, match="settled, not closed"):
        closing_order(row, Decimal(-1), LATER, fees=None, source="form")
    # Nor with a time before they expired.
    before = order(closing(condor_legs(expiry=expiry)), datetime(2026, 11, 5, 15, 0, tzinfo=ET))
    with pytest.raises(RowsRefusedError, match="settled, not closed"):
        bulk_close(user=people.owner, closings=[Closing(trade.pk, trade.version, before)], token="t")


def test_only_whole_trades_are_closed_here(people: People, trades: list[Trade]) -> None:
    part = order(closing(condor_legs(quantity=2)), LATER)
    with pytest.raises(RowsRefusedError, match="Every open leg"):
        bulk_close(user=people.owner, closings=[Closing(trades[0].pk, trades[0].version, part)], token="t")


def test_a_closed_trade_and_one_of_somebody_else_are_named(people: People, trades: list[Trade]) -> None:
    _close(people, trades[:1], "-5.55")
    mine = trade_create(
        user=people.stranger, account=people.stranger.accounts.get(), kind=Trade.Kind.HEDGE, layer=1,
        instrument="vix_calls", order=order([vix_call()]),
    )  # fmt: skip
    again = order(closing(condor_legs(quantity=3)), LATER)
    stale = [Closing(trades[0].pk, 1, again), Closing(mine.pk, 1, order([vix_call(quantity=-10)], LATER))]
    with pytest.raises(RowsRefusedError) as refused:
        bulk_close(user=people.owner, closings=stale, token="t2")
    found = {r.trade: r.message for r in refused.value.refusals}
    assert found == {
        trades[0].pk: "It is closed already.", mine.pk: "It is not there, or you may not change it.",
    }  # fmt: skip


def test_trades_of_two_accounts_are_closed_together(people: People, trades: list[Trade]) -> None:
    other = make_account(people.owner, name="IRA")
    more = trade_create(user=people.owner, account=other, kind=Trade.Kind.OTHER, order=order([vx()]))
    rows = _rows(people, [more])
    assert rows[more.pk].is_single
    _close(people, [trades[0], more], "-5.55", "21.50")
    assert [t.status for t in _fresh([trades[0], more])] == ["closed", "closed"]
    assert _fresh([more])[0].net_cash == Decimal(1000)


@pytest.fixture
def mixed(people: People) -> Trade:
    """A VX future at 20.50 and a VIX call at 1.25 in one trade."""
    return trade_create(
        user=people.owner, account=people.account, kind=Trade.Kind.OTHER,
        order=order([vx(), vix_call(quantity=1)]),
    )  # fmt: skip


def test_legs_of_different_multipliers_have_no_package_price(people: People, mixed: Trade) -> None:
    row = _rows(people, [mixed])[mixed.pk]
    assert (row.reason, row.is_mixed, row.at_mark, row.at_market) == ("", True, None, None)
    with pytest.raises(RuleError, match="give a price for each leg"):
        _closings(people, [mixed], "1.00")


# -- page ---------------------------------------------------------------------------------


def _form(trades: list[Trade], *prices: str, token: str = "web") -> dict[str, Any]:
    data: dict[str, Any] = {
        "token": token, "filled_at": "2026-11-09T15:00", "query": "status=open",
        "id": [str(t.pk) for t in trades],
    }  # fmt: skip
    for trade, price in zip(trades, prices, strict=True):
        data |= {
            f"{trade.pk}-take": "on", f"{trade.pk}-version": trade.version, f"{trade.pk}-price": price,
            f"{trade.pk}-side": "paid",
        }  # fmt: skip
    return data


def _mixed_form(condor: Trade, mixed: Trade, future: str, call: str) -> dict[str, Any]:
    data = _form([condor], "5.55") | {"id": [str(condor.pk), str(mixed.pk)]}
    symbols = mixed.fills.order_by("contract__kind").values_list("contract__symbol", flat=True)
    names = [f"{mixed.pk}-price_{symbol.replace(' ', '').replace('/', '-')}" for symbol in symbols]
    prices = dict(zip(names, (future, call), strict=True))
    return data | {f"{mixed.pk}-take": "on", f"{mixed.pk}-version": mixed.version} | prices


def test_mixed_multipliers_are_closed_with_a_price_for_each_leg(
    people: People, trades: list[Trade], mixed: Trade, client: Client
) -> None:
    # The future gains 1.00 x 1,000, the call 0.85 x 100; the condor 17.00 x 300, as alone.
    client.force_login(people.owner)
    page = client.get("/trades/close/", {"id": [str(trades[0].pk), str(mixed.pk)]}).content.decode()
    data = _mixed_form(trades[0], mixed, "21.50", "2.10")
    assert all(f'name="{name}"' in page for name in data if "price" in name)
    assert "× $1,000" in page
    missing = client.post("/trades/close/", data | _mixed_form(trades[0], mixed, "21.50", ""))
    assert missing.status_code == 400
    assert "Enter the price, or leave this trade out." in missing.content.decode()
    assert [t.status for t in _fresh([trades[0], mixed])] == ["open", "open"]
    assert client.post("/trades/close/", data).status_code == 302
    condor, done = _fresh([trades[0], mixed])
    assert (condor.status, condor.net_cash) == ("closed", Decimal(5100))
    assert (done.status, done.net_cash) == ("closed", Decimal(1085))
    change_undo(user=people.owner, change=BulkChange.objects.get())
    assert [t.status for t in _fresh([trades[0], mixed])] == ["open", "open"]


def test_the_list_leads_to_the_page_and_back_with_undo(
    people: People, trades: list[Trade], client: Client
) -> None:
    client.force_login(people.owner)
    bulk = {"token": "b", "query": "status=open", "all": "1", "expected": "3", "action": "close"}
    asked = client.post("/trades/bulk/", bulk)
    page = client.get(asked["Location"]).content.decode()
    for trade in trades:
        assert f"{trade.pk}-price" in page
    assert "unknown" in page  # nothing is valued yet
    assert "Close 3 trades" in page
    done = client.post("/trades/close/", _form(trades, "5.55", "6.10", "2.10"))
    assert done["Location"] == "/trades/?status=open"
    listed = client.get("/trades/").content.decode()
    assert "3 trades closed" in listed
    assert "data-list-undo" in listed
    change = BulkChange.objects.get()
    client.post(f"/trades/bulk/{change.pk}/undo/", {"next": "/trades/?status=open"})
    assert [t.status for t in _fresh(trades)] == ["open"] * 3


def test_bad_rows_are_named_and_keep_what_was_typed(
    people: People, trades: list[Trade], client: Client
) -> None:
    client.force_login(people.owner)
    form = _form(trades, "5.55", "", "-2")
    form[f"{trades[0].pk}-version"] = "7"
    answer = client.post("/trades/close/", form)
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "Enter the price, or leave this trade out." in page
    assert 'value="5.55"' in page
    form = _form(trades, "5.55", "6", "2")
    form[f"{trades[0].pk}-version"] = "7"
    answer = client.post("/trades/close/", form)
    assert answer.status_code == 409
    assert "changed meanwhile" in answer.content.decode()
    assert not BulkChange.objects.exists()
    # The stale one left out, the others are closed.
    del form[f"{trades[0].pk}-take"]
    assert client.post("/trades/close/", form).status_code == 302
    assert [t.status for t in _fresh(trades)] == ["open", "closed", "closed"]


def test_a_row_may_have_its_own_time_and_fees(people: People, trades: list[Trade], client: Client) -> None:
    client.force_login(people.owner)
    form = _form(trades[:2], "5.55", "6.10")
    form |= {f"{trades[1].pk}-filled_at": "2026-11-10T11:00", f"{trades[1].pk}-fees": "3.21"}
    assert client.post("/trades/close/", form).status_code == 302
    one, two, _ = _fresh(trades)
    assert one.closed_at == datetime(2026, 11, 9, 15, 0, tzinfo=ET)
    assert two.closed_at == datetime(2026, 11, 10, 11, 0, tzinfo=ET)
    assert two.fees_total == Decimal("15.60") + Decimal("3.21")


def test_times_the_clock_never_showed_are_refused_at_the_input(
    people: People, trades: list[Trade], client: Client
) -> None:
    client.force_login(people.owner)
    form = {**_form(trades[:1], "5.55"), "filled_at": "2027-03-14T02:30"}
    answer = client.post("/trades/close/", form)
    assert answer.status_code == 400
    assert "happened not at all" in answer.content.decode()


def _valued(trade: Trade, quotes: dict[int, tuple[float, float]]) -> None:
    """Store a valuation of the trade with these bids and asks by strike, marked at their mids."""
    at = datetime(2026, 11, 3, 16, 0, tzinfo=ET)
    snapshot = MarketSnapshot.objects.create(as_of=at, content_hash="x" * 64, flags=[], summary={})
    legs = [
        {
            "symbol": leg.spec.symbol, "price": sum(quotes[int(leg.spec.strike or 0)]) / 2,
            "bid": quotes[int(leg.spec.strike or 0)][0], "ask": quotes[int(leg.spec.strike or 0)][1],
            "source": "quote", "quality": "delayed", "flags": ["stale"], "quoted_at": at.isoformat(),
            "reason": "",
        }
        for leg in trade_position(trade_get(trade.created_by, trade.pk)).legs  # type: ignore[arg-type]
    ]  # fmt: skip
    Valuation.objects.create(
        trade=trade, account=trade.account, snapshot=snapshot, book_revision=1, as_of=at,
        result={"legs": legs, "market": {"flags": []}, "totals": {}, "structure": {}},
    )  # fmt: skip


def test_marks_are_filled_in_only_when_asked_for(people: People, trades: list[Trade], client: Client) -> None:
    _valued(trades[0], {6450: (1, 2), 6500: (4, 5), 6900: (4, 5), 6950: (1, 2)})
    client.force_login(people.owner)
    url = f"/trades/close/?id={trades[0].pk}"
    row = _rows(people, trades[:1])[trades[0].pk]
    # Long wings at 1/2, shorts at 4/5: two shorts cost 9 at mids, wings bring 3; crossed 10 against 2.
    assert (row.at_mark, row.at_market) == (Decimal("-6.00"), Decimal("-8.00"))
    plain = client.get(url).content.decode()
    assert "stale" in plain
    assert 'value="6.00"' not in plain
    assert 'value="6.00"' in client.get(f"{url}&prefill=marks").content.decode()
    assert 'value="8.00"' in client.get(f"{url}&prefill=market").content.decode()


def test_three_users_on_the_page(people: People, trades: list[Trade], client: Client) -> None:
    url = f"/trades/close/?id={trades[0].pk}"
    assert answers(client, "get", url, people) == {
        "owner": 200, "teammate": 302, "stranger": 302, "nobody": 302,
    }  # fmt: skip
    form = _form(trades, "5.55", "6.10", "2.10")
    for user in (people.teammate, people.stranger):
        client.force_login(user)
        assert client.post("/trades/close/", form).status_code in (302, 400)
    assert not BulkChange.objects.exists()
    assert [t.status for t in _fresh(trades)] == ["open"] * 3


@pytest.mark.parametrize("junk", ["x", "9" * 5000, "", "\x00"])
def test_junk_breaks_nothing(people: People, trades: list[Trade], client: Client, junk: str) -> None:
    client.force_login(people.owner)
    form = _form(trades, "1", "1", "1")
    for name in list(form):
        if name != "id":
            answer = client.post("/trades/close/", {**form, name: junk})
            assert answer.status_code in (302, 400, 409), name
    assert client.get(f"/trades/close/?id={junk}&id={trades[0].pk}").status_code in (200, 302, 400)


# -- API ----------------------------------------------------------------------------------


def _api(user: Any, url: str, data: Any, **headers: str) -> Any:
    client = Client(
        headers={"Authorization": f"Token {Token.objects.get_or_create(user=user)[0].key}", **headers}
    )
    return client.post(url, json.dumps(data), content_type="application/json")


def test_the_api_closes_all_or_none_once_per_key(people: People, trades: list[Trade]) -> None:
    body = {
        "filled_at": LATER.isoformat(),
        "trades": [
            {"trade": str(trades[0].pk), "version": trades[0].version, "price": "-5.55"},
            {"trade": str(trades[2].pk), "version": trades[2].version, "fees": "1.00",
             "legs": [{"occ_symbol": vix_call().spec.symbol, "quantity": -10, "price": "2.10"}]},
        ],
    }  # fmt: skip
    bad = json.loads(json.dumps(body))
    bad["trades"][1]["version"] = 9
    refused = _api(people.owner, "/api/v1/trades/close/", bad)
    assert refused.status_code == 409
    assert [e["trade"] for e in refused.json()["errors"]] == [str(trades[2].pk)]
    assert [t.status for t in _fresh(trades)] == ["open"] * 3
    key = {"Idempotency-Key": "k"}
    done = _api(people.owner, "/api/v1/trades/close/", body, **key)
    assert done.status_code == 200
    assert {t["status"] for t in done.json()["trades"]} == {"closed"}
    again = _api(people.owner, "/api/v1/trades/close/", body, **key)
    assert (again.json(), again["Idempotent-Replayed"]) == (done.json(), "true")
    assert BulkChange.objects.count() == 1
    undo = f"/api/v1/changes/{done.json()['id']}/undo/"
    member_add(user=people.owner, account=people.account, member=people.stranger, role=Role.TRADER)
    assert _api(people.stranger, undo, {}).status_code == 404
    assert _api(people.owner, undo, {}).json()["undone_count"] == 2
    assert [t.status for t in _fresh(trades)] == ["open"] * 3


def test_the_api_names_what_is_not_there(people: People, trades: list[Trade]) -> None:
    body = {
        "filled_at": LATER.isoformat(),
        "trades": [{"trade": str(trades[0].pk), "version": trades[0].version, "price": "-5.55"}],
    }
    for user in (people.teammate, people.stranger):
        answer = _api(user, "/api/v1/trades/close/", body)
        assert answer.status_code == 400
        assert "not there" in answer.json()["errors"][0]["message"]
    neither = {**body, "trades": [{"trade": str(trades[0].pk), "version": 1}]}
    assert _api(people.owner, "/api/v1/trades/close/", neither).status_code == 400
    assert _api(people.owner, "/api/v1/trades/close/", {**body, "trades": []}).status_code == 400
    assert Client().post("/api/v1/trades/close/", body).status_code in (401, 403)


@pytest.mark.django_db(transaction=True)
def test_two_tabs_at_once_close_once() -> None:
    people = make_people(is_demo=True)
    trades = [open_condor(people) for _ in range(3)]
    closings = _closings(people, trades, "-5", "-5", "-5")
    done: list[str] = []

    def press(token: str) -> None:
        try:
            bulk_close(user=people.owner, closings=closings, token=token)
            done.append("closed")
        except RowsRefusedError:
            done.append("refused")
        finally:
            connection.close()

    threads = [Thread(target=press, args=(token,)) for token in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == ["closed", "refused"]
    assert Fill.objects.count() == 24
    assert BulkChange.objects.count() == 1

"""What is removed can be brought back: by who removed it, once, without overwriting what came since."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from hedging.models import Contract
from journal.errors import RuleError
from journal.models import (
    AlertChannel,
    BulkChange,
    Membership,
    ReportSchedule,
    Role,
    SavedView,
    Tagging,
    TradeLink,
    YearEndMark,
)
from journal.services.accounts import member_add, member_remove
from journal.services.alerts.alerts import channel_add, channel_remove
from journal.services.book.links import link_decide, link_draw
from journal.services.book.trades import trade_create
from journal.services.reports.schedules import schedule_add, schedule_stop
from journal.services.review.reviews import range_tag, range_untag, trade_tag
from journal.services.saved_views import view_remove, view_save
from journal.services.tax import year_end_mark_set
from journal.services.undo import change_undo
from journal.services.undo_records import UNDO_FOR
from tests.journal.people import (
    LATER,
    People,
    answers,
    condor_legs,
    make_people,
    make_user,
    open_condor,
    order,
    vix_call,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> People:
    return make_people()


def _view(people: People) -> BulkChange | None:
    view = view_save(user=people.owner, name="Open", query="status=open")
    return view_remove(user=people.owner, view=view)


def _views(people: People) -> list[tuple[str, str]]:
    return list(SavedView.objects.for_user(people.owner).values_list("name", "query"))


def _days(people: People) -> BulkChange | None:
    days = {"date_from": date(2026, 11, 2), "date_to": date(2026, 11, 6)}
    return range_untag(
        user=people.owner,
        tagging=range_tag(user=people.owner, account=people.account, name="motion", **days),
    )


def _tagged_days(people: People) -> list[Any]:
    return list(Tagging.objects.filter(review=None).values_list("tag__name", "date_from", "date_to"))


def _channel(people: People) -> BulkChange | None:
    channel = channel_add(
        user=people.owner, account=people.account, kind="email", target="a@example.org",
        kinds=[], quiet_from=time(22), quiet_to=time(7),
    )  # fmt: skip
    AlertChannel.objects.update(secret="s3cret")
    channel.refresh_from_db()
    return channel_remove(user=people.owner, channel=channel)


def _channels(people: People) -> list[Any]:
    return list(AlertChannel.objects.values_list("target", "secret", "quiet_from", "quiet_to"))


def _member(people: People) -> BulkChange | None:
    role = Membership.objects.get(user=people.teammate, account=people.account)
    return member_remove(user=people.owner, membership=role)


def _members(people: People) -> list[Any]:
    return list(Membership.objects.filter(user=people.teammate).values_list("account__name", "role"))


def _schedule(people: People) -> BulkChange | None:
    schedule = schedule_add(user=people.owner, account=people.account, every="week", format="pdf")
    return schedule_stop(user=people.owner, schedule=schedule)


def _schedules(people: People) -> list[Any]:
    return list(ReportSchedule.objects.filter(stopped_at=None).values_list("every", "format"))


def _mark(people: People) -> BulkChange | None:
    trade_create(
        user=people.owner, account=people.account, kind="hedge_layer", layer=1, instrument="vix_calls",
        order=order([vix_call()]),
    )  # type: ignore[arg-type]  # fmt: skip
    given: dict[str, Any] = {
        "user": people.owner, "account": people.account, "contract": Contract.objects.get(), "year": 2026,
    }  # fmt: skip
    assert year_end_mark_set(**given, price=Decimal("1.75")) is None
    return year_end_mark_set(**given, price=None)


def _marks(people: People) -> list[Any]:
    return list(YearEndMark.objects.values_list("year", "price"))


def _link(people: People) -> BulkChange | None:
    one = open_condor(people)
    two = open_condor(people, order=order(condor_legs(strikes=(6400, 6450, 6850, 6900)), LATER))
    link = link_draw(user=people.owner, earlier=one, later=two, kind="recenter")
    return link_decide(user=people.owner, link=link, confirm=False)


def _links(people: People) -> list[Any]:
    return list(TradeLink.objects.exclude(state="dismissed").values_list("kind", "state"))


CASES: dict[str, tuple[Callable[[People], BulkChange | None], Callable[[People], list[Any]], list[Any]]] = {
    "view": (_view, _views, [("Open", "status=open")]),
    "days": (_days, _tagged_days, [("motion", date(2026, 11, 2), date(2026, 11, 6))]),
    "channel": (_channel, _channels, [("a@example.org", "s3cret", time(22), time(7))]),
    "member": (_member, _members, [("Main", Role.VIEWER)]),
    "schedule": (_schedule, _schedules, [("week", "pdf")]),
    "mark": (_mark, _marks, [(2026, Decimal("1.75"))]),
    "link": (_link, _links, [("recenter", "confirmed")]),
}


@pytest.mark.parametrize("name", CASES)
def test_what_was_removed_comes_back_once(people: People, name: str) -> None:
    remove, read, whole = CASES[name]
    change = remove(people)
    assert change is not None
    assert read(people) == []
    assert change_undo(user=people.owner, change=change).undone_count == 1
    assert read(people) == whole
    assert change_undo(user=people.owner, change=change).undone_count == 1
    assert read(people) == whole


@pytest.mark.parametrize("name", CASES)
def test_only_who_removed_it_may_undo_and_only_for_a_while(people: People, name: str, client: Client) -> None:
    remove, read, _ = CASES[name]
    change = remove(people)
    assert change is not None
    late = BulkChange.objects.filter(pk=change.pk)
    late.update(created_at=timezone.now() - UNDO_FOR - timedelta(seconds=1))
    with pytest.raises(RuleError, match="no longer"):
        change_undo(user=people.owner, change=change)
    assert read(people) == []
    found = answers(client, "post", f"/trades/bulk/{change.pk}/undo/", people)
    assert found == {"owner": 302, "teammate": 404, "stranger": 404, "nobody": 302}


@pytest.mark.parametrize("name", ["days", "member", "mark", "link", "schedule", "channel"])
def test_rights_are_checked_again(people: People, name: str) -> None:
    remove, read, _ = CASES[name]
    change = remove(people)
    assert change is not None
    successor = make_user("successor")
    member_add(user=people.owner, account=people.account, member=successor, role=Role.OWNER)
    Membership.objects.filter(user=people.owner, account=people.account).delete()
    assert change_undo(user=people.owner, change=change).undone_count == 0
    assert read(people) == []


def test_a_view_of_the_same_name_saved_since_stays(people: People) -> None:
    change = _view(people)
    assert change is not None
    view_save(user=people.owner, name="open", query="status=closed")
    assert change_undo(user=people.owner, change=change).undone_count == 0
    assert _views(people) == [("open", "status=closed")]


def test_what_was_entered_anew_since_stays(people: People) -> None:
    change = _mark(people)
    assert change is not None
    year_end_mark_set(
        user=people.owner, account=people.account, contract=Contract.objects.get(), year=2026,
        price=Decimal(3),
    )  # fmt: skip
    assert change_undo(user=people.owner, change=change).undone_count == 0
    assert _marks(people) == [(2026, Decimal(3))]
    change = _schedule(people)
    assert change is not None
    schedule_add(user=people.owner, account=people.account, every="week", format="pdf")
    assert change_undo(user=people.owner, change=change).undone_count == 0
    assert len(_schedules(people)) == 1


def test_who_leaves_does_not_let_himself_in_again(people: People) -> None:
    member_add(user=people.owner, account=people.account, member=people.teammate, role=Role.OWNER)
    mine = Membership.objects.get(user=people.owner, account=people.account)
    assert member_remove(user=people.owner, membership=mine, signed=True) is None
    assert not BulkChange.objects.exists()


def test_removing_twice_is_one_removal(people: People) -> None:
    view = view_save(user=people.owner, name="Open", query="")
    assert view_remove(user=people.owner, view=view) is not None
    assert view_remove(user=people.owner, view=view) is None
    assert BulkChange.objects.count() == 1


def test_the_page_offers_undo_and_comes_back_to_itself(people: People, client: Client) -> None:
    client.force_login(people.owner)
    view = view_save(user=people.owner, name="Open <b>", query="status=open")
    client.post(f"/trades/views/{view.pk}/remove/", {"query": "status=open"})
    page = client.get("/trades/?status=open").content.decode()
    change = BulkChange.objects.get()
    assert f"/trades/bulk/{change.pk}/undo/" in page
    assert "data-undo" in page
    assert "data-undo" not in client.get("/trades/").content.decode()
    back = client.post(f"/trades/bulk/{change.pk}/undo/", {"next": "/trades/?status=open"})
    assert back["Location"] == "/trades/?status=open"
    assert _views(people) == [("Open <b>", "status=open")]
    abroad = client.post(f"/trades/bulk/{change.pk}/undo/", {"next": "https://example.org/"})
    assert abroad["Location"] == "/trades/"


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("member", "/books/{account}/members/{member}/remove/"),
        ("schedule", "/report-schedules/{schedule}/stop/"),
        ("days", "/tags/ranges/{days}/remove/"),
        ("channel", "/channels/{channel}/remove/"),
        ("link", "/links/{link}/"),
    ],
)
def test_every_page_that_removes_offers_undo(people: People, name: str, url: str, client: Client) -> None:
    """Removed, undone, then removed again through the page, which offers Undo after its redirect."""
    remove, read, whole = CASES[name]
    change = remove(people)
    assert change is not None
    change_undo(user=people.owner, change=change)
    rows: dict[str, Any] = {
        "account": people.account.pk,
        "member": Membership.objects.get(user=people.teammate).pk,
        "schedule": getattr(ReportSchedule.objects.first(), "pk", None),
        "days": getattr(Tagging.objects.filter(review=None).first(), "pk", None),
        "channel": getattr(AlertChannel.objects.first(), "pk", None),
        "link": getattr(TradeLink.objects.first(), "pk", None),
    }
    client.force_login(people.owner)
    page = client.post(url.format(**rows), {"do": "dismiss"}, follow=True).content.decode()
    assert read(people) == []
    assert "data-undo" in page
    newest = BulkChange.objects.exclude(pk=change.pk).get()
    client.post(f"/trades/bulk/{newest.pk}/undo/")
    assert read(people) == whole


def test_forgetting_a_year_end_value_offers_undo(people: People, client: Client) -> None:
    change = _mark(people)
    assert change is not None
    change_undo(user=people.owner, change=change)
    client.force_login(people.owner)
    form = {"account": people.account.pk, "year": "2026", "contract": vix_call().spec.symbol, "price": ""}
    page = client.post("/tax/marks/", form, follow=True).content.decode()
    assert "forgotten" in page
    assert "data-undo" in page


def test_a_tag_taken_off_a_trade_is_put_on_again_from_the_panel(people: People, client: Client) -> None:
    client.force_login(people.owner)
    trade = open_condor(people)
    tag = trade_tag(user=people.owner, trade=trade, name="too large", kind="mistake")
    htmx = {"HX-Request": "true"}
    url = f"/trades/{trade.pk}/untag/"
    panel = client.post(url, {"tag": str(tag.pk)}, headers=htmx).content.decode()
    assert "too large taken off." in panel
    assert not Tagging.objects.exists()
    again = {"name": "too large", "kind": "mistake"}
    panel = client.post(f"/trades/{trade.pk}/tag/", again, headers=htmx).content.decode()
    assert "taken off" not in panel
    assert Tagging.objects.get().tag == tag

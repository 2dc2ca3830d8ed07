"""Changes of many trades: exact counts, once per form, undone without overwriting anybody."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from journal.errors import ConflictError, RuleError
from journal.models import AuditEvent, BulkChange, Fill, Role, Tag, Tagging, Trade, TradeReview
from journal.selectors.book.trade_list import TradeFilters, trades_filtered
from journal.services.accounts import member_add
from journal.services.book.bulk_edit import BulkOrder, bulk_apply
from journal.services.book.trades import trade_create
from journal.services.review.notes import note_create
from journal.services.review.reviews import trade_rate, trade_tag, trade_untag
from journal.services.undo import change_undo
from journal.services.undo_records import UNDO_FOR
from tests.journal.people import People, answers, make_account, make_people, open_condor, order, vix_call

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> People:
    return make_people()


@pytest.fixture
def trades(people: People) -> list[Trade]:
    return [open_condor(people) for _ in range(4)]


def _apply(people: People, action: str, value: str, expected: int = 4, token: str = "t1") -> BulkChange:
    mine = Trade.objects.for_user(people.owner)
    return bulk_apply(user=people.owner, trades=mine, order=BulkOrder(action, value, expected, token))


def _tagged(name: str = "motion") -> set[object]:
    return set(Tagging.objects.filter(tag__name=name).values_list("review__trade_id", flat=True))


def test_every_matching_trade_is_tagged_and_the_count_is_told(people: People, trades: list[Trade]) -> None:
    trade_tag(user=people.owner, trade=trades[0], name="motion")
    change = _apply(people, "tag", "motion")
    assert change.count == 4
    assert "4 trades; 1 trade had it already" in change.summary
    assert _tagged() == {t.pk for t in trades}
    event = AuditEvent.objects.get(action="bulk.tag")
    assert len(event.changes["trades"]) == 4


def test_undo_leaves_what_was_there_before(people: People, trades: list[Trade]) -> None:
    trade_tag(user=people.owner, trade=trades[0], name="motion")
    change = change_undo(user=people.owner, change=_apply(people, "tag", "motion"))
    assert change.undone_count == 3
    assert _tagged() == {trades[0].pk}


def test_the_same_form_twice_is_one_change_and_undo_twice_is_one_undo(
    people: People, trades: list[Trade]
) -> None:
    first, second = _apply(people, "tag", "motion"), _apply(people, "tag", "other")
    assert first == second
    assert not Tag.objects.filter(name="other").exists()
    change_undo(user=people.owner, change=first)
    _apply(people, "tag", "motion", token="t2")
    again = change_undo(user=people.owner, change=first)
    assert again.undone_count == 4
    assert len(_tagged()) == 4
    assert AuditEvent.objects.filter(action="bulk.undo").count() == 1


def test_a_list_that_changed_since_is_not_touched(people: People, trades: list[Trade]) -> None:
    open_condor(people)
    with pytest.raises(ConflictError, match="5 trades would be changed now, not 4"):
        _apply(people, "tag", "motion")
    assert not Tagging.objects.exists()
    assert not BulkChange.objects.exists()


def test_undo_does_not_overwrite_what_somebody_did_since(people: People, trades: list[Trade]) -> None:
    trade_rate(user=people.owner, trade=trades[0], rating=2)
    change = _apply(people, "rate", "5")
    trade_rate(user=people.owner, trade=trades[1], rating=1)
    assert change_undo(user=people.owner, change=change).undone_count == 3
    found = dict(TradeReview.objects.values_list("trade_id", "rating"))
    assert [found[t.pk] for t in trades] == [2, 1, None, None]


def test_a_tag_taken_off_and_put_on_again_by_hand_stays(people: People, trades: list[Trade]) -> None:
    change = _apply(people, "tag", "motion")
    tag = Tag.objects.get()
    trade_untag(user=people.owner, trade=trades[0], tag=tag)
    trade_tag(user=people.owner, trade=trades[0], name="motion")
    change_undo(user=people.owner, change=change)
    assert _tagged() == {trades[0].pk}


def test_taking_a_tag_off_is_undone_where_it_was(people: People, trades: list[Trade]) -> None:
    for trade in trades[:2]:
        trade_tag(user=people.owner, trade=trade, name="motion")
    change = _apply(people, "untag", "Motion")
    assert "2 trades did not have it" in change.summary
    assert _tagged() == set()
    trade_tag(user=people.owner, trade=trades[0], name="motion")
    assert change_undo(user=people.owner, change=change).undone_count == 1
    assert _tagged() == {t.pk for t in trades[:2]}


def test_undo_ends_after_a_while(people: People, trades: list[Trade]) -> None:
    change = _apply(people, "tag", "motion")
    BulkChange.objects.update(created_at=timezone.now() - UNDO_FOR - timedelta(seconds=1))
    with pytest.raises(RuleError, match="no longer"):
        change_undo(user=people.owner, change=change)


@pytest.mark.parametrize(
    ("action", "value"), [("tag", ""), ("rate", "9"), ("rate", "x"), ("move", "x"), ("drop", "x"), ("", "")]
)
def test_what_means_nothing_is_refused_whole(
    people: People, trades: list[Trade], action: str, value: str
) -> None:
    with pytest.raises(RuleError):
        _apply(people, action, value)
    assert not BulkChange.objects.exists()
    assert not Tagging.objects.exists()


def test_trades_the_user_may_only_read_are_not_among_the_chosen(people: People, trades: list[Trade]) -> None:
    mine = trade_create(
        user=people.stranger, account=people.stranger.accounts.get(), kind=Trade.Kind.HEDGE, layer=1,
        instrument="vix_calls", order=order([vix_call()]),
    )  # fmt: skip
    member_add(user=people.owner, account=people.account, member=people.stranger, role=Role.VIEWER)
    seen = trades_filtered(people.stranger, TradeFilters(), today=timezone.now().date())
    assert seen.count() == 5
    bulk_apply(user=people.stranger, trades=seen, order=BulkOrder("tag", "x", 1, "t"))
    assert _tagged("x") == {mine.pk}


def test_a_move_takes_fills_and_reviews_along_and_comes_back(people: People, trades: list[Trade]) -> None:
    target = make_account(people.owner, name="IRA")
    trade_tag(user=people.owner, trade=trades[0], name="motion")
    note_create(user=people.owner, account=people.account, trade=trades[0], text="keep")
    before = people.account.book_revision
    change = _apply(people, "move", str(target.pk))
    assert set(Trade.objects.values_list("account__name", flat=True)) == {"IRA"}
    assert set(Fill.objects.values_list("account__name", flat=True)) == {"IRA"}
    assert Tagging.objects.get().tag.account == target
    people.account.refresh_from_db()
    assert people.account.book_revision > before
    Trade.objects.filter(pk=trades[1].pk).update(version=99)  # somebody closed it meanwhile
    assert change_undo(user=people.owner, change=change).undone_count == 3
    found = {t.pk: t.account.name for t in Trade.objects.select_related("account")}
    assert [found[t.pk] for t in trades] == ["Main", "IRA", "Main", "Main"]
    assert Tagging.objects.get().tag.account == people.account


def test_a_move_does_not_part_a_hedge_from_its_condor(people: People, trades: list[Trade]) -> None:
    layer = trade_create(
        user=people.owner, account=people.account, kind=Trade.Kind.HEDGE, layer=1, instrument="vix_calls",
        order=order([vix_call()]), protects=[trades[0]],
    )  # fmt: skip
    target = make_account(people.owner, name="IRA")
    alone = Trade.objects.filter(pk=layer.pk)
    with pytest.raises(RuleError, match="together"):
        bulk_apply(user=people.owner, trades=alone, order=BulkOrder("move", str(target.pk), 1, "t"))
    euro = make_account(people.owner, name="Euro", currency="EUR")
    with pytest.raises(RuleError, match="cannot move between"):
        _apply(people, "move", str(euro.pk), 5, token="t3")
    assert set(Trade.objects.values_list("account__name", flat=True)) == {"Main"}


def test_the_form_changes_all_that_match_and_offers_undo(
    people: People, trades: list[Trade], client: Client
) -> None:
    client.force_login(people.owner)
    form = {
        "token": "web", "query": "status=open", "all": "1", "expected": "4", "action": "tag",
        "tag_value": "motion",
    }  # fmt: skip
    assert client.post("/trades/bulk/", form)["Location"] == "/trades/?status=open"
    page = client.get("/trades/?status=open").content.decode()
    assert "put on 4 trades" in page
    change = BulkChange.objects.get()
    url = f"/trades/bulk/{change.pk}/undo/"
    found = answers(client, "post", url, people)
    assert found == {"owner": 302, "teammate": 404, "stranger": 404, "nobody": 302}
    assert _tagged() == set()
    assert "data-list-undo" not in client.get("/trades/").content.decode()


def test_three_users_on_the_bulk_form(people: People, trades: list[Trade], client: Client) -> None:
    form = {"token": "web", "id": [str(trades[0].pk)], "expected": "1", "action": "tag", "tag_value": "x"}
    found = answers(client, "post", "/trades/bulk/", people, **form)
    assert found == {"owner": 302, "teammate": 302, "stranger": 302, "nobody": 302}
    assert BulkChange.objects.get().user == people.owner


def test_numbers_nobody_types_break_nothing(people: People, trades: list[Trade], client: Client) -> None:
    client.force_login(people.owner)
    huge = "9" * 5000
    form = {"token": "web", "all": "1", "expected": huge, "action": "rate", "rate_value": huge}
    assert client.post("/trades/bulk/", form).status_code == 302
    assert client.post(f"/trades/{trades[0].pk}/rate/", {"rating": huge}).status_code == 302
    note = note_create(user=people.owner, account=people.account, trade=trades[0], text="x")
    assert client.post(f"/notes/{note.pk}/", {"text": "y", "version": huge}).status_code == 409
    assert not BulkChange.objects.exists()

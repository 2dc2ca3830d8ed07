"""Tags, ratings, mistakes and checklists: what a trader thinks of a trade."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.test import Client

from journal.errors import ConflictError, RuleError
from journal.models import AuditEvent, Playbook, Tag, Tagging, Trade, TradeReview
from journal.services.review.playbooks import checklist_items, playbook_save
from journal.services.review.reviews import (
    checklist_store,
    range_tag,
    review_of,
    reviews_of,
    tag_rename,
    trade_rate,
    trade_tag,
    trade_untag,
)
from tests.journal.people import People, answers, close_condor, condor_legs, make_people, open_condor, order

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> People:
    return make_people()


def _erase(trade: Trade) -> None:
    """What undoing an import leaves: neither the trade nor its fills."""
    trade.fills.all().delete()
    trade.delete()


def test_a_tag_is_one_whatever_its_case_and_stays_once_on_a_trade(people: People) -> None:
    trade = open_condor(people)
    first = trade_tag(user=people.owner, trade=trade, name="Big  Top Cash Press ")
    second = trade_tag(user=people.owner, trade=trade, name="big top cash press")
    assert first == second
    assert first.name == "Big Top Cash Press"
    assert Tagging.objects.count() == 1
    assert AuditEvent.objects.filter(action="review.tag").count() == 1
    trade_untag(user=people.owner, trade=trade, tag=first)
    trade_untag(user=people.owner, trade=trade, tag=first)
    assert AuditEvent.objects.filter(action="review.untag").count() == 1


@pytest.mark.parametrize("name", ["", "   ", "x" * 41, "a,b"])
def test_a_name_no_tag_can_have_is_refused(people: People, name: str) -> None:
    with pytest.raises(RuleError):
        trade_tag(user=people.owner, trade=open_condor(people), name=name)
    assert not Tag.objects.exists()


def test_a_review_survives_the_trade_being_removed_and_recorded_again(people: People) -> None:
    trade = open_condor(people)
    trade_tag(user=people.owner, trade=trade, name="motion")
    trade_rate(user=people.owner, trade=trade, rating=4)
    _erase(trade)
    review = TradeReview.objects.get()
    assert review.trade is None
    again = open_condor(people)
    review.refresh_from_db()
    assert review.trade == again
    assert review.rating == 4
    assert [t.tag.name for t in review.taggings.all()] == ["motion"]


def test_a_review_does_not_join_a_different_trade(people: People) -> None:
    trade = open_condor(people)
    trade_rate(user=people.owner, trade=trade, rating=4)
    _erase(trade)
    open_condor(people, order=order(condor_legs(("10.00", "22.50", "20.10", "10.00"))))
    assert TradeReview.objects.get().trade is None


def test_the_anchor_stays_when_the_trade_closes(people: People) -> None:
    trade = open_condor(people)
    anchor = review_of(trade).anchor
    close_condor(people, trade)
    assert len(anchor) == 64
    assert TradeReview.objects.get().anchor == anchor


def test_many_reviews_are_made_in_a_few_queries(people: People, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    trades = [open_condor(people) for _ in range(6)]
    reviews_of(trades[:2])
    with django_assert_max_num_queries(6):
        reviews = reviews_of(trades)
    assert [review.trade_id for review in reviews] == [trade.pk for trade in trades]
    assert TradeReview.objects.count() == 6


@pytest.mark.parametrize("rating", [0, 6, -1])
def test_a_rating_is_between_1_and_5(people: People, rating: int) -> None:
    with pytest.raises(RuleError):
        trade_rate(user=people.owner, trade=open_condor(people), rating=rating)


def test_answers_to_a_checklist_are_kept_as_they_were_given(people: People) -> None:
    trade = open_condor(people)
    playbook = playbook_save(
        user=people.owner, account=people.account, name="45 DTE", text="", items=["Calm?", "Hedged?"]
    )
    checklist_store(user=people.owner, trade=trade, playbook=playbook, checked=[1, 7], at_entry=True)
    playbook_save(
        user=people.owner, account=people.account, name="45 DTE", text="", items=["Other?"], playbook=playbook
    )
    with pytest.raises(ConflictError):
        checklist_store(user=people.owner, trade=trade, playbook=playbook, checked=[0], at_entry=False)
    review = TradeReview.objects.get()
    assert review.checklist == [{"text": "Calm?", "checked": False}, {"text": "Hedged?", "checked": True}]
    assert review.checklist_at_entry


def test_a_stale_form_does_not_overwrite_a_playbook(people: People) -> None:
    values = {"user": people.owner, "account": people.account, "text": "", "items": []}
    playbook = playbook_save(name="One", **values)
    playbook_save(name="Two", playbook=playbook, version=1, **values)
    with pytest.raises(ConflictError):
        playbook_save(name="Three", playbook=playbook, version=1, **values)
    with pytest.raises(RuleError):
        playbook_save(name="two", **values)
    assert Playbook.objects.get().name == "Two"


def test_a_checklist_reads_one_question_a_line() -> None:
    assert checklist_items(" Calm? \r\n\n  Hedged   now? ") == ["Calm?", "Hedged now?"]
    with pytest.raises(RuleError, match="Question 2"):
        checklist_items("a\n" + "b" * 201)
    with pytest.raises(RuleError, match="At most 30"):
        checklist_items("a\n" * 31)


def test_days_are_tagged_once_and_never_backwards(people: People) -> None:
    days = {"date_from": date(2026, 11, 2), "date_to": date(2026, 11, 6)}
    range_tag(user=people.owner, account=people.account, name="Big Top Cash Press", **days)
    range_tag(user=people.owner, account=people.account, name="Big Top Cash Press", **days)
    assert Tagging.objects.count() == 1
    with pytest.raises(RuleError):
        range_tag(
            user=people.owner, account=people.account, name="x", date_from=date(2026, 11, 6),
            date_to=date(2026, 11, 2),
        )  # fmt: skip


def test_a_tag_cannot_take_the_name_of_another(people: People) -> None:
    trade = open_condor(people)
    trade_tag(user=people.owner, trade=trade, name="motion")
    other = trade_tag(user=people.owner, trade=trade, name="loyalty")
    with pytest.raises(RuleError):
        tag_rename(user=people.owner, tag=other, name="Motion", kind="label")
    assert tag_rename(user=people.owner, tag=other, name="held", kind="mistake").kind == "mistake"


def test_the_panel_shows_a_teammate_everything_and_lets_only_writers_change_it(
    people: People, client: Client
) -> None:
    trade = open_condor(people)
    trade_tag(user=people.owner, trade=trade, name="motion")
    url = f"/trades/{trade.pk}/"
    assert answers(client, "get", url, people) == {
        "owner": 200,
        "teammate": 200,
        "stranger": 404,
        "nobody": 302,
    }
    for part, data in (
        ("tag", {"name": "x"}), ("rate", {"rating": "3"}), ("notes", {"text": "x"}), ("untag", {"tag": "-"}),
    ):  # fmt: skip
        found = answers(client, "post", f"{url}{part}/", people, **data)
        assert found == {"owner": 302, "teammate": 403, "stranger": 404, "nobody": 302}
    client.force_login(people.teammate)
    page = client.get(url).content.decode()
    assert "motion" in page
    assert "Save the note" not in page


def test_the_panel_answers_htmx_with_itself_and_names_what_is_wrong(people: People, client: Client) -> None:
    trade = open_condor(people)
    client.force_login(people.owner)
    answer = client.post(f"/trades/{trade.pk}/tag/", {"name": "a,b"}, headers={"HX-Request": "true"})
    assert 'id="review"' in answer.content.decode()
    assert "no comma" in answer.content.decode()
    answer = client.post(f"/trades/{trade.pk}/rate/", {"rating": "²"}, headers={"HX-Request": "true"})
    assert "A rating is a number" in answer.content.decode()


def test_a_mistake_is_listed_with_what_its_trades_realized(people: People, client: Client) -> None:
    trade = close_condor(people, open_condor(people))
    trade_tag(user=people.owner, trade=trade, name="too large", kind="mistake")
    client.force_login(people.owner)
    page = client.get("/tags/").content.decode()
    assert "too large" in page
    assert f"{abs(trade.realized):,.2f}" in page
    assert trade.realized != Decimal(0)


def test_a_checklist_is_stored_with_the_entry_form(people: People, client: Client) -> None:
    playbook = playbook_save(
        user=people.owner, account=people.account, name="45 DTE", text="", items=["Calm?", "Hedged?"]
    )
    client.force_login(people.owner)
    assert "Hedged?" in client.get(f"/playbooks/checklist/?playbook={playbook.pk}").content.decode()
    form = {
        "token": "t1", "account": str(people.account.pk), "order_text": "", "root": "SPXW",
        "expiry": "2026-12-18", "long_put": "6450", "short_put": "6500", "short_call": "6900",
        "long_call": "6950", "contracts": "1", "credit": "2.55", "filled_at": "2026-11-02T10:30",
        "fees": "5.20", "reason": "calm", "playbook": str(playbook.pk), "checked": ["1"],
    }  # fmt: skip
    for _ in range(2):
        assert client.post("/trades/new/", form).status_code == 302
    review = TradeReview.objects.get()
    assert [item["checked"] for item in review.checklist] == [False, True]
    assert review.checklist_at_entry

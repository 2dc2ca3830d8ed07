"""The finder: own trades, accounts, tags, notes, pages and actions, and nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.test import Client

from journal.selectors.finder import find
from journal.services.review.notes import note_create, note_delete
from journal.services.review.reviews import trade_tag
from tests.journal.people import People, answers, make_people, open_condor

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> People:
    found = make_people()
    trade = open_condor(found, reason="post-press entry")
    trade_tag(user=found.owner, trade=trade, name="Big Top Cash Press")
    note_create(user=found.owner, account=found.account, trade=trade, text="IV rank was 41 and falling")
    return found


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("6450/6500", {"trade"}), ("condor 18 dec", {"trade"}), ("main open", set()), ("schwab", {"account"}),
        ("868", {"account"}), ("cash press", {"tag"}), ("rank falling", {"note"}), ("post-press", {"trade"}),
        ("falling condor", set()), ("", set()), ("%", set()), ("_", set()), ("\x00", set()),
    ],
)  # fmt: skip
def test_every_word_must_match(people: People, text: str, kinds: set[str]) -> None:
    assert {f.kind for f in find(people.owner, text)} == kinds


def test_a_stranger_finds_nothing_and_a_teammate_the_same(people: People) -> None:
    for text in ("6450", "press", "rank", "schwab main"):
        assert find(people.teammate, text) == find(people.owner, text)
        assert not [f for f in find(people.stranger, text) if f.detail != "Schwab ****868"]
    assert find(people.stranger, "6450") == []


def test_a_removed_note_is_not_found(people: People) -> None:
    note = note_create(user=people.owner, account=people.account, day=date(2026, 11, 2), text="unique-word")
    note_delete(user=people.owner, note=note)
    assert find(people.owner, "unique-word") == []


def test_the_fragment_has_links_and_actions(people: People, client: Client) -> None:
    assert answers(client, "get", "/find/?q=calendar", people) == {
        "owner": 200, "teammate": 200, "stranger": 200, "nobody": 302,
    }  # fmt: skip
    client.force_login(people.owner)
    assert 'href="/calendar/"' in client.get("/find/?q=heat map").content.decode()
    assert 'data-action="theme"' in client.get("/find/?q=dark").content.decode()
    assert 'href="/trades/new/"' in client.get("/find/?q=log condor").content.decode()
    assert "Nothing matches" in client.get("/find/?q=zzz").content.decode()
    page = client.get("/find/?q=press").content.decode()
    assert "tag=Big+Top+Cash+Press" in page


def test_the_number_of_queries_is_constant(
    people: People, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for _ in range(3):
        open_condor(people)
    with django_assert_max_num_queries(4):
        find(people.owner, "condor")

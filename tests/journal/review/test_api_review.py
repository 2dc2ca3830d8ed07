"""Reviews, days and the tax year over the API, for three users."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from journal.models import AuditEvent, Note, Tagging
from tests.journal.people import People, close_condor, make_people, open_condor

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> People:
    return make_people()


def _client(user: object) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)  # type: ignore[arg-type]
    return client


def test_a_review_is_set_whole_and_read_back(people: People) -> None:
    trade, client = open_condor(people), _client(people.owner)
    url = f"/api/v1/trades/{trade.pk}/review/"
    answer = client.patch(url, {"rating": 4, "tags": ["motion", "Press"], "mistakes": ["too large"]})
    assert answer.status_code == 200, answer.json()
    assert set(answer.json()["tags"]) == {"motion", "Press"}
    answer = client.patch(url, {"rating": 1, "tags": ["new", "too large"]})
    assert (answer.status_code, client.get(url).json()["rating"]) == (400, 4)  # all or nothing
    answer = client.patch(url, {"tags": ["MOTION"], "rating": None})
    assert (answer.json()["tags"], answer.json()["rating"]) == (["motion"], None)
    assert client.get(url).json()["mistakes"] == ["too large"]
    assert Tagging.objects.count() == 2


@pytest.mark.parametrize("body", [{"rating": 6}, {"tags": ["a,b"]}, {"tags": "x"}, {"tags": ["x"] * 41}])
def test_what_no_review_can_have_is_refused(people: People, body: dict[str, object]) -> None:
    answer = _client(people.owner).patch(f"/api/v1/trades/{open_condor(people).pk}/review/", body)
    assert answer.status_code == 400
    assert not Tagging.objects.exists()


def test_a_note_is_written_once_for_a_key(people: People) -> None:
    trade, client = open_condor(people), _client(people.owner)
    for number in range(2):
        answer = client.post(
            f"/api/v1/trades/{trade.pk}/notes/", {"text": "**x**"}, headers={"Idempotency-Key": "k"}
        )
        assert answer.status_code == 201
        assert ("Idempotent-Replayed" in answer) == bool(number)
    assert Note.objects.get().text == "**x**"
    assert client.get(f"/api/v1/trades/{trade.pk}/review/").json()["notes"][0]["version"] == 1


def test_days_and_tax_agree_with_the_trade(people: People) -> None:
    trade, client = close_condor(people, open_condor(people)), _client(people.owner)
    days = client.get(f"/api/v1/accounts/{people.account.pk}/realized-days/?from=2026-01-01&to=2026-12-31")
    assert sum(float(day["pnl"]) for day in days.json()["days"]) == pytest.approx(float(trade.realized))
    tax = client.get(f"/api/v1/accounts/{people.account.pk}/tax/2026/").json()
    assert float(tax["net"]) == pytest.approx(float(trade.realized))
    assert client.get(f"/api/v1/accounts/{people.account.pk}/tax/1200/").status_code == 400
    bad = client.get(f"/api/v1/accounts/{people.account.pk}/realized-days/?from=x")
    assert bad.status_code == 400


def test_three_users(people: People) -> None:
    trade = open_condor(people)
    review, account = f"/api/v1/trades/{trade.pk}/review/", f"/api/v1/accounts/{people.account.pk}"
    for path in (review, f"{account}/realized-days/", f"{account}/tax/2026/"):
        found = [
            _client(user).get(path).status_code for user in (people.owner, people.teammate, people.stranger)
        ]
        assert found == [200, 200, 404]
        assert APIClient().get(path).status_code == 401
    before = AuditEvent.objects.count()
    for user in (people.teammate, people.stranger):
        assert _client(user).patch(review, {"rating": 1}).status_code == 404
        assert _client(user).post(f"/api/v1/trades/{trade.pk}/notes/", {"text": "x"}).status_code == 404
    assert AuditEvent.objects.count() == before

"""Every route of the API × method × role: an unmapped route fails, strangers reach nothing (G9)."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.urls import get_resolver
from rest_framework.test import APIClient

from journal.models import AuditEvent, Fill, Trade
from tests.journal.people import People
from tests.security.test_tenancy import ids, people, routes

pytestmark = pytest.mark.django_db
__all__ = ["ids", "people"]  # fixtures

ROUTES = sorted({p for _, p in routes(get_resolver().url_patterns) if p.startswith("api/v1/")})
METHODS = ("get", "post", "put", "patch", "delete")
#: The object a route is about, by its first part; whose id the tests know.
KNOWN = {
    "accounts": "books", "trades": "trade", "hedge-layers": "trade", "fills": "fills", "imports": "imports",
    "rulesets": "rules", "recommendations": "recommendations", "reports": "reports", "jobs": "jobs",
    "cash": "cash", "backtests": "backtest", "report-schedules": "report-schedules",
    "changes": "trades/bulk",
}  # fmt: skip
#: Objects no test makes: only a missing one is asked for.
MISSING = {"alerts", "cash-imports", "approval-changes", "risk"}
#: Routes about the market, which is everybody's.
SHARED = {"market", "market-data"}
#: Lists and creation: no object in the address.
LISTS = {
    "accounts", "trades", "hedge-layers", "fills", "imports", "rulesets", "recommendations", "alerts",
    "reports",
}  # fmt: skip


def first(path: str) -> str:
    return path.removeprefix("api/v1/").split("/", 1)[0]


def address(path: str, ids: dict[str, Any]) -> str:
    own = ids.get(KNOWN.get(first(path), ""), uuid.uuid4())
    return "/" + path.replace("<uuid:pk>", str(own)).replace("<int:year>", "2026")


def test_every_route_is_mapped() -> None:
    known = KNOWN.keys() | MISSING | SHARED | LISTS
    assert {first(path) for path in ROUTES} <= known
    for path in ROUTES:
        if "<" in path:
            assert "<uuid:pk>" in path, path
            assert first(path) in KNOWN.keys() | MISSING, path


def written(people: People) -> tuple[int, int, int]:
    mine = AuditEvent.objects.filter(account_id=str(people.account.pk))
    return Trade.objects.count(), Fill.objects.count(), mine.count()


@pytest.mark.parametrize("path", ROUTES)
def test_strangers_and_visitors_reach_nothing(path: str, people: People, ids: dict[str, Any]) -> None:
    url, before = address(path, ids), written(people)
    stranger, nobody = APIClient(), APIClient()
    stranger.force_authenticate(people.stranger)
    for method in METHODS:
        body = {"account": str(people.account.pk), "name": "x"}
        seen = getattr(stranger, method)(url, body, format="json")
        if "<uuid:pk>" in path:
            assert seen.status_code in (400, 404, 405, 415), (method, seen.status_code)
            if seen.status_code == 400:  # the body is read first: a missing object is answered alike
                missing = getattr(stranger, method)(address(path, {}), body, format="json")
                assert (missing.status_code, missing.json()["errors"]) == (400, seen.json()["errors"])
        else:
            assert seen.status_code < 500 or "Retry-After" in seen
            assert str(ids["trade"]) not in seen.content.decode()
            assert str(people.account.pk) not in seen.content.decode()
        assert getattr(nobody, method)(url, body, format="json").status_code == 401
    assert written(people) == before


#: What a member who only reads may send: nothing is changed by it.
READER_POSTS = {
    "api/v1/accounts/<uuid:pk>/reports/", "api/v1/accounts/<uuid:pk>/report-schedules/",
    "api/v1/accounts/<uuid:pk>/attribution/",
}  # fmt: skip


@pytest.mark.parametrize("path", [p for p in ROUTES if "<uuid:pk>" in p])
def test_a_reader_reads_and_writes_nothing(path: str, people: People, ids: dict[str, Any]) -> None:
    url, before = address(path, ids), written(people)
    reader = APIClient()
    reader.force_authenticate(people.teammate)
    assert reader.get(url).status_code in (200, 404, 405)
    if path in READER_POSTS:
        return
    for method in METHODS[1:]:
        answer = getattr(reader, method)(url, {}, format="json")
        assert answer.status_code in (400, 403, 404, 405, 415), (method, answer.status_code)
    assert written(people) == before


@pytest.mark.parametrize("path", [p for p in ROUTES if "<uuid:pk>" in p])
def test_the_owner_gets_an_answer(path: str, people: People, ids: dict[str, Any]) -> None:
    owner = APIClient()
    owner.force_authenticate(people.owner)
    allowed = 0
    for method in METHODS:
        answer = getattr(owner, method)(address(path, ids), {}, format="json")
        assert answer.status_code < 500
        allowed += answer.status_code not in (404, 405)
    assert allowed or first(path) in MISSING

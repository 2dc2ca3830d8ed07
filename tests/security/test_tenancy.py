"""Every route of the site, asked by everybody: nobody reaches another trader's rows."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from journal.models import AuditEvent, Fill, Report, Trade
from journal.services.demo import demo_login
from journal.services.reports.jobs import report_request
from tests.journal.people import People, make_people, open_condor
from tests.security import (
    attribution_routes,
    backtest_routes,
    governance_routes,
    import_routes,
    review_routes,
    risk_routes,
    statistics_routes,
)
from tests.security.attribution_routes import attribution_ids
from tests.security.backtest_routes import backtest_ids
from tests.security.governance_routes import governance_ids
from tests.security.import_routes import import_ids
from tests.security.review_routes import review_ids
from tests.security.risk_routes import risk_ids
from tests.security.statistics_routes import statistics_ids

pytestmark = pytest.mark.django_db

#: Routes open to everybody.
OPEN = {"health", "api-schema", "api-docs", "glossary"}
RISK = risk_routes.RISK
POST_ONLY = {
    "account_archive", "switch_account", "entry_preview", "fill_reverse", "data_upload", "demo_start",
    "demo_remove", "job_cancel", "job_retry",
    "as_of", "data_fetch", *governance_routes.POST_ONLY, *review_routes.POST_ONLY,
    *import_routes.POST_ONLY, *attribution_routes.POST_ONLY, *statistics_routes.POST_ONLY,
    *backtest_routes.POST_ONLY, *risk_routes.POST_ONLY,
}  # fmt: skip


def routes(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin" and not path.startswith("accounts/"):
                yield from routes(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            yield str(pattern.name), path


PAGES = sorted({(n, p) for n, p in routes(get_resolver().url_patterns) if not p.startswith("api/")})


@pytest.fixture
def people() -> People:
    return make_people()


@pytest.fixture
def ids(people: People) -> dict[str, Any]:
    from datetime import date

    trade = open_condor(people)
    job = report_request(
        user=people.owner,
        account=people.account,
        format="csv",
        date_from=date(2026, 1, 1),
        date_to=date(2026, 2, 1),
    )
    report = Report.objects.create(
        account=people.account, job_id=uuid.uuid4(), format="csv", date_from=date(2026, 1, 1),
        date_to=date(2026, 2, 1), filename="r.csv", content=b"a", sha256=sha256(b"a").hexdigest(),
    )  # fmt: skip
    fill = Fill.objects.filter(trade=trade).first()
    assert fill is not None
    return {
        **review_ids(people, trade), **import_ids(people, trade),
        "trade": trade.pk, "fills": fill.pk, "books": people.account.pk, "reports": report.pk, "jobs": job.pk,
        **risk_ids(people), **governance_ids(people), **attribution_ids(people),
        **statistics_ids(people), **backtest_ids(people),
    }  # fmt: skip


def address(path: str, ids: dict[str, Any]) -> str:
    kind = path.split("/", 1)[0]
    kind = next((key for key in ids if "/" in key and path.startswith(f"{key}/")), kind)
    own = ids.get({"trades": "trade"}.get(kind, kind), uuid.uuid4())
    path = (
        path.replace("<day:day>", "2026-11-02")
        .replace("<slug:name>", "neutral-vxth")
        .replace("<int:spot>/<int:vix>", "0/0")
        .replace("<int:membership>", str(ids["membership"]))
    )
    return "/" + path.replace("<uuid:pk>", str(own)).replace("<slug:kind>", "condor")


def ask(user: Any, name: str, url: str) -> int:
    client = Client()
    if user is not None:
        client.force_login(user)
    return (client.post(url) if name in POST_ONLY else client.get(url)).status_code


@pytest.mark.parametrize(("name", "path"), PAGES)
def test_a_page_about_an_object_is_404_for_a_stranger(
    name: str, path: str, people: People, ids: dict[str, Any]
) -> None:
    url = address(path, ids)
    before = (
        Trade.objects.count(),
        Fill.objects.count(),
        AuditEvent.objects.filter(account_id=str(people.account.pk)).count(),
    )
    stranger, nobody = ask(people.stranger, name, url), ask(None, name, url)
    if "<uuid:pk>" in path or name in RISK:
        assert stranger == 404
    else:
        assert stranger < 500 or name in OPEN
    assert nobody in ((200, 503) if name in OPEN else (302,))
    after = (
        Trade.objects.count(),
        Fill.objects.count(),
        AuditEvent.objects.filter(account_id=str(people.account.pk)).count(),
    )
    if name != "demo_start":
        assert after == before


@pytest.mark.parametrize(("name", "path"), [(n, p) for n, p in PAGES if "<uuid:pk>" in p and n not in RISK])
def test_a_viewer_reads_but_does_not_write(name: str, path: str, people: People, ids: dict[str, Any]) -> None:
    writes = {
        "account_edit", "account_archive", "trade_close", "fill_reverse", "job_cancel", "job_retry",
        *attribution_routes.WRITES, *governance_routes.WRITES, *review_routes.WRITES, *import_routes.WRITES,
        *statistics_routes.WRITES, *backtest_routes.WRITES,
    }  # fmt: skip
    expected = {403, 404} if name in writes else {200}
    assert ask(people.teammate, name, address(path, ids)) in expected


@pytest.mark.parametrize(("name", "path"), PAGES)
def test_the_owner_reaches_every_page(name: str, path: str, people: People, ids: dict[str, Any]) -> None:
    status = ask(people.owner, name, address(path, ids))
    # Switching without naming an account finds none.
    missing = RISK | {"switch_account", *backtest_routes.INCOMPLETE, *review_routes.INCOMPLETE}
    assert status == 404 if name in missing else status in (200, 204, 302, 400, 503)


def test_the_risk_console_is_recorded(people: People, ids: dict[str, Any]) -> None:
    risk = demo_login(username="watcher", password="x", groups=["risk"])
    assert ask(risk, "risk", "/risk/") == 200
    assert ask(risk, "risk_account", f"/risk/accounts/{people.account.pk}/") == 200
    assert list(AuditEvent.objects.filter(actor_name="watcher").values_list("action", flat=True)) == [
        "risk.view_account", "risk.view_all",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "query", ["?page=9999999999999999999999", "?q=%00", "?account=%F0%9F%98%80", "?as_of=1e30", "?expiry=x:y"]
)
@pytest.mark.parametrize("path", ["/trades/", "/market/", "/find/", "/trades.csv", "/"])
def test_hostile_queries_never_break_a_page(path: str, query: str, people: People) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(people.owner)
    assert client.get(path + query).status_code < 500


def test_every_page_carries_the_strict_policy(people: People) -> None:
    client = Client()
    client.force_login(people.owner)
    policy = client.get("/").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy

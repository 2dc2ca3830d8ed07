"""The desk's pages: roles, filters, export, who loses what, breaches, limits by two, the trader's answer."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from hedging.selectors.calendar import session_date
from journal.models import (
    Account,
    AuditEvent,
    BreachCase,
    Measure,
    RiskGroup,
    RiskLimit,
    RiskRow,
    User,
)
from journal.selectors.risk.console import COLUMNS
from journal.services.demo_firm import faults_of, firm_load
from tests.journal.people import make_user
from tests.journal.risk.test_sheet import new_sheet

if TYPE_CHECKING:
    from pytest_django import DjangoDbBlocker

pytestmark = pytest.mark.django_db
ACCOUNTS = 20


@pytest.fixture(scope="module")
def _firm_of_module(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A firm in a transaction around the module's tests: each of them is rolled back to it."""
    with django_db_blocker.unblock(), transaction.atomic():
        firm_load(accounts=ACCOUNTS)
        new_sheet()
        yield
        transaction.set_rollback(True)


@pytest.fixture
def firm(_firm_of_module: None, db: None) -> None:
    """A firm of twenty accounts with its first sheet."""


def of_desk(name: str, group: str) -> User:
    user = make_user(name)
    user.groups.add(Group.objects.get_or_create(name=group)[0])
    return user


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def officer() -> User:
    return of_desk("officer", "risk-officer")


@pytest.fixture
def desk(officer: User) -> Client:
    return client_of(officer)


def page(client: Client, name: str, *args: Any, **query: str) -> str:
    answer = client.get(reverse(f"journal:{name}", args=args), query)
    assert answer.status_code == 200
    return answer.content.decode()


def names(client: Client, **query: str) -> list[str]:
    answer = client.get(reverse("journal:risk"), query)
    return [line.row.account.name for line in answer.context["rows"]]


def worst() -> BreachCase:
    found = BreachCase.objects.filter(measure=Measure.MARGIN, severity=3).first()
    assert found is not None
    return found


def test_the_known_fault_stands_first(firm: None, desk: Client) -> None:
    wrong = [number for number in range(1, ACCOUNTS + 1) if "margin" in faults_of(number)]
    assert [int(name[-3:]) for name in names(desk)][: len(wrong)] == wrong
    assert "hard breach" in page(desk, "risk")
    assert {int(name[-3:]) for name in names(desk, breach="hard")} >= set(wrong)


def test_a_reader_of_the_desk_reads_and_changes_nothing(firm: None) -> None:
    reader, case = client_of(of_desk("reader", "risk")), worst()
    assert "Acknowledge</button>" not in page(reader, "risk_case", case.pk)
    assert "Set limit" not in page(reader, "risk_limits")
    for name in ("risk_acknowledge", "risk_assign"):
        assert reader.post(reverse(f"journal:{name}", args=[case.pk])).status_code == 404
    for name in ("risk_limits", "risk_groups"):
        assert reader.post(reverse(f"journal:{name}"), {"name": "x"}).status_code == 404
    assert not RiskGroup.objects.filter(name="x").exists()


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.key)
@pytest.mark.parametrize("sign", ["", "-"])
def test_every_column_orders_and_unknown_comes_first(
    firm: None, desk: Client, column: Any, sign: str
) -> None:
    RiskRow.objects.filter(pk=RiskRow.objects.order_by("pk").values("pk")[:1]).update(drawdown_pct=None)
    answer = desk.get(reverse("journal:risk"), {"sort": f"{sign}{column.key}"})
    assert answer.status_code == 200
    if column.key == "net_liq":
        found = [line.row.net_liq for line in answer.context["rows"]]
        assert found == sorted(found, reverse=sign == "-")
    if column.key == "drawdown":
        assert answer.context["rows"][0].row.drawdown_pct is None


def test_filters_narrow_rows_and_totals_alike(firm: None, desk: Client) -> None:
    group = RiskGroup.objects.get(name="Desk North")
    answer = desk.get(reverse("journal:risk"), {"group": str(group.pk), "q": "north"})
    rows, totals = answer.context["rows"], answer.context["totals"]
    assert {line.row.account.name.split()[0] for line in rows} == {"North"}
    assert totals.accounts == len(rows) == group.accounts.count()
    assert totals.net_liq.amount == sum(line.row.net_liq for line in rows)
    assert "No account matches" in page(desk, "risk", q="nobody has this name")


@pytest.mark.parametrize(
    "query", ["group=x", "sort=pk;drop", "breach=9", "measure=q", "market=moon", "page=zz"]
)
def test_an_address_that_makes_no_sense_narrows_nothing(firm: None, desk: Client, query: str) -> None:
    assert desk.get(f"{reverse('journal:risk')}?{query}").status_code == 200


def test_what_is_unknown_is_not_in_a_sum_and_counted(firm: None, desk: Client) -> None:
    RiskRow.objects.filter(account__name="North 004").update(net_liq=None)
    totals = desk.get(reverse("journal:risk")).context["totals"]
    assert totals.net_liq.unknown == 1
    assert "without 1 unknown" in page(desk, "risk")


def test_the_export_has_the_rows_of_the_page(firm: None, desk: Client) -> None:
    answer = desk.get(reverse("journal:risk_csv"), {"q": "south"})
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [row["Account"] for row in rows] == names(desk, q="south")
    stored = RiskRow.objects.get(account__name=rows[0]["Account"])
    assert rows[0]["Net liq $"] == str(stored.net_liq)
    assert desk.get(reverse("journal:risk_xlsx")).content[:2] == b"PK"
    assert AuditEvent.objects.filter(action="risk.export").count() == 2


def test_a_cell_says_who_loses_what(firm: None, desk: Client) -> None:
    answer = desk.get(reverse("journal:risk_cell", args=[0, 2]))
    shown = answer.context["cell"]
    assert shown.spot == -20
    assert [one.pnl for one in shown.rows] == sorted(one.pnl for one in shown.rows)
    firm_answer = desk.get(reverse("journal:risk_firm"))
    assert firm_answer.context["firm"].rows[0].cells[2].pnl == pytest.approx(shown.total, rel=1e-5)
    assert desk.get(reverse("journal:risk_cell", args=[21, 0])).status_code == 404


def test_the_firm_s_grid_of_a_group_is_the_sum_of_its_accounts(firm: None, desk: Client) -> None:
    groups = RiskGroup.objects.all()
    parts = [desk.get(reverse("journal:risk_firm"), {"group": str(g.pk)}).context["firm"] for g in groups]
    whole = desk.get(reverse("journal:risk_firm")).context["firm"]
    assert sum(part.accounts for part in parts) == whole.accounts
    total = sum(part.rows[3].cells[4].pnl for part in parts)
    assert whole.rows[3].cells[4].pnl == pytest.approx(total, rel=1e-5)
    gross = desk.get(reverse("journal:risk_firm"), {"view": "gross"}).context["firm"]
    assert gross.rows[3].cells[4].pnl <= whole.rows[3].cells[4].pnl


def test_an_officer_acknowledges_and_the_form_says_what_is_wrong(
    firm: None, desk: Client, officer: User
) -> None:
    case, today = worst(), session_date(timezone.now())
    address = reverse("journal:risk_acknowledge", args=[case.pk])
    bad = desk.post(address, {"reason": "ok", "until": str(today)})
    assert bad.status_code == 400
    assert "at least 10 characters" in bad.content.decode()
    good = {"reason": "reduced by Friday", "until": str(today + timedelta(days=3))}
    assert desk.post(address, good).status_code == 302
    case.refresh_from_db()
    assert case.acknowledged_by == officer
    assert "acknowledged" in page(desk, "risk")


def test_a_raised_firm_limit_takes_a_second_person(firm: None, desk: Client) -> None:
    address = reverse("journal:risk_limits")
    for hard in ("30", "35"):
        answer = desk.post(address, {"measure": "fall", "hard": hard, "reason": "as agreed today"})
        assert answer.status_code == 302
    raised = RiskLimit.objects.get(state="proposed")
    assert "second person" in page(desk, "risk")
    desk.post(reverse("journal:risk_limit_approve", args=[raised.pk]))
    raised.refresh_from_db()
    assert raised.state == "proposed"
    client_of(of_desk("second", "risk-officer")).post(reverse("journal:risk_limit_approve", args=[raised.pk]))
    raised.refresh_from_db()
    assert raised.state == "in_force"
    new_sheet()
    assert {line.fall.limit for line in desk.get(reverse("journal:risk")).context["rows"]} == {35.0}


def test_a_bad_limit_is_shown_with_its_reason(firm: None, desk: Client) -> None:
    given = {"measure": "fall", "hard": "20", "soft": "25", "reason": "as agreed today"}
    answer = desk.post(reverse("journal:risk_limits"), given)
    assert answer.status_code == 400
    assert "comes too late" in answer.content.decode()


def test_groups_are_made_filled_and_removed(firm: None, desk: Client) -> None:
    assert desk.post(reverse("journal:risk_groups"), {"name": "Trend"}).status_code == 302
    group = RiskGroup.objects.get(name="Trend")
    address = reverse("journal:risk_group", args=[group.pk])
    some = [str(pk) for pk in Account.objects.values_list("pk", flat=True)[:3]]
    desk.post(address, {"account": some})
    assert group.accounts.count() == 3
    assert len(names(desk, group=str(group.pk))) == 3
    desk.post(address, {"remove": "1"})
    assert not RiskGroup.objects.filter(pk=group.pk).exists()


def test_the_trader_sees_the_breach_and_answers(firm: None, desk: Client) -> None:
    case = worst()
    trader = client_of(case.account.members.get())
    assert "risk desk was told" in page(trader, "breach", case.pk)
    trader.post(reverse("journal:breach", args=[case.pk]), {"text": "Closing two of three today."})
    assert "Closing two of three today." in page(desk, "risk_case", case.pk)
    assert Client().get(reverse("journal:breach", args=[case.pk])).status_code == 302
    assert client_of(make_user("other")).get(reverse("journal:breach", args=[case.pk])).status_code == 404


def test_the_account_page_shows_limits_positions_and_who_looked(firm: None, desk: Client) -> None:
    case = worst()
    shown = page(desk, "risk_account", case.account_id)
    for text in ("SPXW iron condor", "Used, %", "Who looked", "officer"):
        assert text in shown


def test_operations_and_the_audit_trail(firm: None, desk: Client) -> None:
    assert "Slowest jobs" in page(desk, "risk_operations")
    page(desk, "risk_firm")
    assert "risk.view_all" in page(desk, "risk_audit", q="firm view")
    assert "firm view" in page(desk, "risk_audit", q="firm view", export="csv")


def test_queries_of_the_console_do_not_grow_with_the_accounts(firm: None, desk: Client) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            page(desk, "risk")
        return len(queries)

    page(desk, "risk")
    few = count()
    firm_load(accounts=ACCOUNTS + 6)
    new_sheet()
    assert count() <= few


def api_of(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def test_the_api_answers_as_the_page_filters(firm: None, desk: Client, officer: User) -> None:
    found = api_of(officer).get("/api/v1/risk/accounts/?q=south&sort=-margin").json()
    assert [row["name"] for row in found["results"]] == names(desk, q="south", sort="-margin")
    assert found["count"] == len(names(desk, q="south"))
    assert found["as_of"]
    for path in ("accounts", "cases", "limits"):
        assert api_of(make_user(f"not-{path}")).get(f"/api/v1/risk/{path}/").status_code == 404


def test_the_api_acknowledges_for_officers_alone(firm: None, officer: User) -> None:
    case = worst()
    address = f"/api/v1/risk/cases/{case.pk}/acknowledge/"
    body = {"reason": "reduced by Friday", "until": str(session_date(timezone.now()))}
    assert api_of(of_desk("reader", "risk")).post(address, body).status_code == 404
    assert api_of(officer).post(address, body | {"reason": "no"}).status_code == 400
    answer = api_of(officer).post(address, body)
    assert (answer.status_code, answer.json()["acknowledged_reason"]) == (200, "reduced by Friday")
    listed = api_of(officer).get("/api/v1/risk/cases/").json()["results"]
    assert str(case.pk) in {one["id"] for one in listed}


def test_an_alert_leads_the_trader_to_the_breach(firm: None) -> None:
    case = worst()
    trader = client_of(case.account.members.get())
    trader.post(reverse("journal:switch_account"), {"account": str(case.account_id)})
    assert case.get_measure_display() in page(trader, "breaches")
    assert reverse("journal:breaches") in page(trader, "alerts")

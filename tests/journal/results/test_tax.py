"""The tax worksheet of an account: figures, marks, CSV, PDF, and who may see it."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.test import Client
from pypdf import PdfReader

from hedging.engine.instruments import share
from hedging.jobs.engine import job_run
from hedging.models import Job
from journal.errors import RuleError
from journal.job_kinds import TAX_PDF
from journal.models import Report, Trade, YearEndMark
from journal.reports.tax import line_groups
from journal.services.book.trades import LegInput, trade_close, trade_create
from journal.services.tax import tax_year, year_end_mark_set
from tests.journal.people import (
    ET,
    People,
    answers,
    close_condor,
    collapsed,
    make_people,
    open_condor,
    order,
    vx,
)

pytestmark = pytest.mark.django_db
LATER = datetime(2027, 1, 4, 12, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def people() -> People:
    return make_people()


def _future(people: People, quantity: int, price: str) -> Trade:
    return trade_create(
        user=people.owner, account=people.account, kind=Trade.Kind.OTHER, accept_size=True, reason="test",
        order=order([vx(quantity, price)], fees=Decimal(0)),
    )  # fmt: skip


def test_a_closed_condor_is_split_60_40(people: People) -> None:
    trade = close_condor(people, open_condor(people))
    found = tax_year(account=people.account, year=2026, now=NOW)
    assert len(found.lines) == 4
    assert found.net == trade.realized == sum((line.total or Decimal(0) for line in found.lines), Decimal(0))
    assert found.long_term + found.short_term == found.net
    assert found.gains + found.losses == found.net
    assert found.unknown == 0


def test_ten_thousand_is_six_and_four(people: People) -> None:
    trade = _future(people, 2, "20.00")
    trade_close(
        user=people.owner, trade=trade,
        order=order([vx(-2, "25.00")], datetime(2026, 11, 10, 11, 0, tzinfo=ET), fees=Decimal(0)),
    )  # fmt: skip
    found = tax_year(account=people.account, year=2026, now=NOW)
    assert (found.net, found.long_term, found.short_term) == (Decimal(10000), Decimal(6000), Decimal(4000))
    assert not found.carryback


def test_before_the_year_is_over_nothing_is_marked(people: People) -> None:
    _future(people, 1, "20.50")
    found = tax_year(account=people.account, year=2026, now=NOW)
    assert not found.is_final
    assert found.lines[0].total == 0
    assert found.unknown == 0


def test_a_missing_mark_is_asked_for_and_then_used(people: People) -> None:
    trade = _future(people, 1, "20.50")
    contract = trade.fills.get().contract
    found = tax_year(account=people.account, year=2026, now=LATER)
    assert found.unknown == 1
    assert [line.contract for line in found.missing] == [contract]
    year_end_mark_set(
        user=people.owner, account=people.account, contract=contract, year=2026, price=Decimal("19.00")
    )
    found = tax_year(account=people.account, year=2026, now=LATER)
    assert (found.net, found.unknown, found.missing) == (Decimal(-1500), 0, ())
    assert "three years" in found.carryback
    after = tax_year(account=people.account, year=2027, now=datetime(2027, 1, 5, tzinfo=UTC))
    assert after.lines[0].result.open_start == 1
    year_end_mark_set(user=people.owner, account=people.account, contract=contract, year=2026, price=None)
    assert not YearEndMark.objects.exists()


def test_shares_stand_apart(people: People) -> None:
    trade = trade_create(
        user=people.owner, account=people.account, kind=Trade.Kind.OTHER, accept_size=True, reason="test",
        order=order([LegInput(share("VXX"), 100, Decimal(50))], fees=Decimal(0)),
    )  # fmt: skip
    trade_close(
        user=people.owner, trade=trade,
        order=order(
            [LegInput(share("VXX"), -100, Decimal(55))], datetime(2026, 11, 10, 11, 0, tzinfo=ET),
            fees=Decimal(0),
        ),
    )  # fmt: skip
    found = tax_year(account=people.account, year=2026, now=NOW)
    assert (found.lines, found.net) == ((), Decimal(0))
    assert (found.security_short, found.security_long) == (Decimal(500), Decimal(0))


@pytest.mark.parametrize("price", ["-1", "NaN", "1e9"])
def test_an_impossible_mark_is_refused(people: People, price: str) -> None:
    contract = _future(people, 1, "20.50").fills.get().contract
    with pytest.raises(RuleError):
        year_end_mark_set(
            user=people.owner, account=people.account, contract=contract, year=2026, price=Decimal(price)
        )


def test_the_csv_adds_up(people: People, client: Client) -> None:
    trade = close_condor(people, open_condor(people))
    client.force_login(people.owner)
    text = client.get(f"/tax.csv?account={people.account.pk}&year=2026").content.decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    contracts = [row for row in rows if row["line"] == "1"]
    net = sum(Decimal(row["gain"] or 0) - Decimal(row["loss"] or 0) for row in contracts)
    assert net == trade.realized
    by_line = {row["line"]: row["gain"] for row in rows if row["part"] == "6781-I"}
    assert Decimal(by_line["8"]) + Decimal(by_line["9"]) == net
    assert "not tax advice" in text


def test_three_users_on_the_worksheet(people: People, client: Client) -> None:
    contract = _future(people, 1, "20.50").fills.get().contract
    query = f"?account={people.account.pk}&year=2026"
    everybody = {"owner": 200, "teammate": 200, "stranger": 404, "nobody": 302}
    assert answers(client, "get", f"/tax/{query}", people) == everybody
    assert answers(client, "get", f"/tax.csv{query}", people) == everybody
    sent = {"account": str(people.account.pk), "year": "2026", "contract": contract.symbol, "price": "19"}
    found = answers(client, "post", "/tax/marks/", people, **sent)
    assert found == {"owner": 302, "teammate": 403, "stranger": 404, "nobody": 302}
    assert YearEndMark.objects.get().price == 19
    found = answers(client, "post", "/tax/pdf/", people, **{**sent, "token": "t"})
    assert found == {"owner": 302, "teammate": 302, "stranger": 404, "nobody": 302}
    assert Job.objects.filter(kind=TAX_PDF).count() == 1
    client.force_login(people.owner)
    assert client.get("/tax/?year=99999999999").status_code == 404
    assert client.get("/tax/?year=x").status_code == 404


def test_the_pdf_says_what_the_page_says(people: People, client: Client) -> None:
    close_condor(people, open_condor(people))
    client.force_login(people.owner)
    client.post("/tax/pdf/", {"account": str(people.account.pk), "year": "2026", "token": "t"})
    job_run(Job.objects.get(kind=TAX_PDF).pk)
    report = Report.objects.get()
    assert report.filename == "form-6781-main-2026-01-01-2026-12-31.pdf"
    assert report.date_from == date(2026, 1, 1)
    printed = " ".join(
        "\n".join(p.extract_text() for p in PdfReader(io.BytesIO(report.content)).pages).split()
    )
    found = tax_year(account=people.account, year=2026, now=NOW)
    for wanted in ("Form 6781 worksheet 2026", "not tax advice", f"{found.long_term:,.2f}", "Long-term, 60%"):
        assert wanted in printed
    shown = client.get(f"/tax/?account={people.account.pk}&year=2026").content.decode()
    assert f"/reports/{report.pk}/" in shown


def test_contracts_are_folded_by_root_and_month_and_add_up(people: People, client: Client) -> None:
    trade = close_condor(people, open_condor(people))
    _future(people, 1, "20.50")
    found = tax_year(account=people.account, year=2026, now=NOW)
    groups = line_groups(found)
    assert [(group.name, len(group.lines), group.open_count) for group in groups] == [
        ("SPXW, December 2026", 4, 0), ("VX, December 2026", 1, 1),
    ]  # fmt: skip
    assert [group.total for group in groups] == [trade.realized, Decimal(0)]
    later = line_groups(tax_year(account=people.account, year=2026, now=LATER))
    assert [group.total for group in later] == [trade.realized, None]  # its mark is not known
    client.force_login(people.owner)
    page = client.get(f"/tax/?account={people.account.pk}&year=2026").content.decode()
    assert collapsed(page).count("<summary><span>") == 2
    assert "5 contracts" not in page

"""The equity curve, the months and the residuals of a report, by hand."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pypdf
import pytest

from hedging.selectors.calendar import sessions_between
from journal.models import Account, AttributionDay
from journal.reports import data as gathering
from journal.reports.curves import _ticks, equity_chart
from journal.reports.model import ReportData, Sum
from journal.reports.render import render
from journal.reports.results import result_sections
from journal.services.cash.ledger import cash_record
from tests.journal.people import FILLED, make_people, open_condor
from tests.journal.reports.cases import market, report
from tests.journal.results.test_statistics_pages import session

pytestmark = pytest.mark.django_db
FIRST = FILLED.date()
DAYS = sessions_between(FIRST, date(2026, 11, 20))


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch) -> ReportData:
    """Condors gain 100 a session and lose 1,500 on the fourth; the hedge costs 20 and brings 500 that day."""
    people = make_people()
    open_condor(people)
    monkeypatch.setattr(gathering, "_market", lambda account, moment: market())
    for at, day in enumerate(DAYS):
        session(people, day, -1500 if at == 3 else 100, 500 if at == 3 else -20)
    row = AttributionDay.objects.get(account=people.account, day=DAYS[3])
    row.residual_share, row.result["effects"][-1] = 0.3, -45_600
    row.save()
    cash_record(user=people.owner, account=people.account, kind="deposit", amount=Decimal(5000), day=DAYS[5])
    return report(Account.objects.get(pk=people.account.pk))


def test_the_curve_says_where_it_began_fell_and_ended(data: ReportData) -> None:
    assert data.results is not None
    chart = equity_chart(data.results.performance)
    assert chart is not None
    gained, hedge = 80 * (len(DAYS) - 1) - 1000, 500 - 20 * (len(DAYS) - 1)
    end = 250_000 + gained + 5_000
    assert f"from $250,000 to ${end:,}; without the hedge's gains and losses it would end at" in chart.summary
    assert f"end at ${end - hedge:,}; deposits of $5,000 net are part of it" in chart.summary
    assert f"deepest fall, 0.4%, ended on {DAYS[3]} and was not made good in the period" in chart.summary
    assert "without hedge" in chart.svg
    assert "<script" not in chart.svg


def test_one_session_is_no_curve(data: ReportData) -> None:
    assert data.results is not None
    found = data.results.performance
    assert found is not None
    assert equity_chart(None) is None
    assert equity_chart(replace(found, days=found.days[:1])) is None


def test_months_residuals_and_the_other_valuation_are_told(data: ReportData) -> None:
    sections = {one.title: one for one in result_sections(data.results, Sum(Decimal("1.00")))}
    months = sections["Months"].table
    assert months is not None
    (row,) = months.rows
    gained = 80 * (len(DAYS) - 1) - 1000
    sign = "+" if gained > 0 else "\N{MINUS SIGN}"
    assert (row[0], row[1:11], row[-1]) == ("2026", ("",) * 10, f"{sign}{abs(gained):,}.00")
    told = sections["P&L attribution"].intro
    assert "1 session is beyond the limits of 15% of what moved and $100.00" in told
    assert f"most \N{MINUS SIGN}$456.00 on {DAYS[3]}" in told
    assert "The result of the period, +$1.00, compares" in told
    assert f"${gained - 1:,}.00 apart" in told
    same = result_sections(data.results, Sum(Decimal(gained)))[0].intro
    assert "compares" not in same


def test_the_pdf_holds_curve_and_months_as_vectors(data: ReportData) -> None:
    reader = pypdf.PdfReader(io.BytesIO(render(data, "pdf")))
    text = "\n".join(page.extract_text() for page in reader.pages)
    assert "Equity and drawdown" in text
    assert "without hedge" in text
    assert "Months" in text
    assert not [image for page in reader.pages for image in page.images]


@pytest.mark.parametrize(
    ("first", "last", "names"),
    [
        (date(2026, 11, 2), date(2026, 11, 20), ["02 Nov 2026", "20 Nov 2026"]),
        (date(2026, 10, 12), date(2027, 2, 3), ["Nov 2026", "Dec", "Jan 2027", "Feb"]),
        (
            date(2021, 11, 15),
            date(2026, 11, 20),
            [
                "Jan 2022",
                "Jul",
                "Jan 2023",
                "Jul",
                "Jan 2024",
                "Jul",
                "Jan 2025",
                "Jul",
                "Jan 2026",
                "Jul",
            ],
        ),
    ],
)
def test_the_time_axis_names_months_quarters_or_years(first: date, last: date, names: list[str]) -> None:
    days = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    places, found = _ticks([day for day in days if day.isoweekday() < 6])
    assert found == names
    assert len(places) == len(found)

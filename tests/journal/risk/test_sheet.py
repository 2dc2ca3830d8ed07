"""The sheet: each account's figures equal its own pages; the same inputs make the same rows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from hedging.jobs.engine import job_run
from hedging.models import Job
from hedging.selectors.calendar import session_date
from journal.job_kinds import ATTRIBUTE, RISK_SHEET, VALUE_ACCOUNT
from journal.models import Account, AccountRisk, BreachCase, Measure, RiskRow, RiskSheet
from journal.selectors.book.valuation import account_current
from journal.selectors.overview import net_liquidation, realized_total
from journal.selectors.results.performance import glance
from journal.services.accounts import account_create
from journal.services.demo import demo_login, demo_start
from journal.services.risk.limits import limit_set
from journal.services.risk.sheet import sheet_request
from tests.journal.people import make_user

pytestmark = pytest.mark.django_db


def run(kind: str) -> None:
    for job in Job.objects.filter(kind=kind, state=Job.State.QUEUED).order_by("created_at"):
        assert job_run(job.pk) in {Job.State.DONE, Job.State.CANCELLED}  # replaced by a later request


def new_sheet() -> RiskSheet:
    assert sheet_request(simulated=True) is not None
    run(RISK_SHEET)
    sheet = RiskSheet.objects.filter(simulated=True).order_by("-pk").first()
    assert sheet is not None
    return sheet


def figures(row: RiskRow) -> dict[str, Any]:
    return {
        f.name: bytes(row.grid) if f.name == "grid" else getattr(row, f.attname)
        for f in RiskRow._meta.concrete_fields
        if f.name not in {"id", "sheet"}
    }


def test_the_figures_of_an_account_are_those_of_its_own_pages(demo_account: Account) -> None:
    run(VALUE_ACCOUNT)
    run(ATTRIBUTE)
    row = new_sheet().rows.get(account=demo_account)
    owner = demo_account.members.get()
    result = account_current(demo_account).result
    assert result is not None
    today = session_date(timezone.now())
    realized = realized_total(owner, demo_account)
    assert row.net_liq == net_liquidation(demo_account, today, realized=realized, result=result)
    assert row.margin == pytest.approx(result["margin"])
    assert max(row.fall_loss or 0, row.rally_loss or 0) == pytest.approx(result["stressed_loss"], abs=1e-5)
    assert (row.coverage_pct or 0) / 100 == pytest.approx(result["coverage"])
    for name, factor, greek in (
        ("spx_delta", "SPX", "delta"), ("spx_gamma", "SPX", "gamma"), ("spx_vega", "SPX", "vega"),
        ("vx_delta", "VX", "delta"), ("vx_vega", "VX", "vega"),
    ):  # fmt: skip
        assert getattr(row, name) == pytest.approx(result["total"]["greeks"][factor][greek], rel=1e-8)
    own = glance(demo_account, today)
    assert own is not None
    assert (row.day_pnl, row.month_pnl) == (own.last, own.month)
    assert row.drawdown_pct == pytest.approx(own.below, abs=1e-9) or row.drawdown_pct == pytest.approx(
        own.below * 100, abs=1e-9
    )


def test_the_same_inputs_make_one_sheet_and_equal_rows(demo_account: Account) -> None:
    first = new_sheet()
    assert new_sheet() == first
    Job.objects.filter(kind=RISK_SHEET).delete()
    before = figures(first.rows.get())
    first.delete()
    assert figures(new_sheet().rows.get()) == before


def test_a_changed_limit_makes_a_new_sheet(demo_account: Account) -> None:
    first = new_sheet()
    limit_set(user=make_user("officer"), measure=Measure.MARGIN, hard=0.5, reason="smaller from today on")
    assert new_sheet() != first


def test_a_breach_opens_one_case_and_the_figures_close_it(demo_account: Account) -> None:
    officer = make_user("officer")
    limit_set(user=officer, measure=Measure.FALL, hard=0.5, account=demo_account, reason="smaller from today")
    new_sheet()
    case = BreachCase.objects.get(account=demo_account, measure=Measure.FALL)
    assert case.severity == BreachCase.Severity.HARD
    assert demo_account.alerts.filter(kind="risk", cleared_at__isnull=True, key="risk:fall").exists()
    limit_set(user=officer, measure=Measure.FALL, hard=99, account=demo_account, reason="it was too small")
    new_sheet()
    case.refresh_from_db()
    assert case.closed_at is not None
    assert not demo_account.alerts.filter(key="risk:fall", cleared_at__isnull=True).exists()


def test_an_account_without_trades_is_there_and_breaks_nothing(demo_account: Account) -> None:
    user = demo_login(username="second", password="second-demo")
    empty = account_create(user=user, is_demo=True, name="Empty", broker="B", base_capital=Decimal(10_000))
    row = new_sheet().rows.get(account=empty)
    assert (row.severity, row.net_liq, row.margin, row.unknown_legs) == (0, Decimal(10_000), 0, 0)
    assert row.drawdown_pct is None


def test_the_queries_of_a_sheet_do_not_grow_with_the_accounts(demo_account: Account) -> None:
    def count() -> int:
        job = sheet_request(simulated=True)
        assert job is not None
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert job_run(job.pk) == Job.State.DONE
        return len(queries)

    few = count()
    for name in ("ben", "cid"):
        demo_start(user=demo_login(username=name, password=f"{name}-demo"))
    assert abs(count() - few) <= 12  # cases of new breaches alone


def test_the_account_s_own_result_is_not_needed(demo_account: Account) -> None:
    assert not AccountRisk.objects.exists()
    assert new_sheet().rows.get().margin is not None


def test_margin_that_is_partly_unknown_is_at_least_what_is_known(demo_account: Account) -> None:
    officer = make_user("officer")
    row = new_sheet().rows.get()
    assert (row.margin, row.unmargined) == (40_000, 1)  # the VX future of layer 3
    for hard, severity in ((99, BreachCase.Severity.UNKNOWN), (1, BreachCase.Severity.HARD)):
        limit_set(user=officer, measure=Measure.MARGIN, hard=hard, account=demo_account, reason="as tried it")
        new_sheet()
        assert BreachCase.objects.get(measure=Measure.MARGIN).severity == severity

"""The valuation job: written once, for the book it valued, on data of its own kind."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client

from hedging.jobs.engine import job_run
from hedging.jobs.scopes import account_scope
from hedging.models import Job
from hedging.services.market.simulated import simulated_market_load
from journal.models import Account, AccountRisk, Trade, Valuation
from journal.selectors.book.valuation import account_current, trade_current, trade_marks
from journal.services.demo import demo_guest, demo_remove, demo_start
from journal.services.valuation import NO_MARKET, accounts_revalue
from tests.journal.people import make_people, open_condor

pytestmark = pytest.mark.django_db


def newest_job(account: Account) -> Job:
    job = (
        Job.objects.filter(scope=account_scope(account.pk), state=Job.State.QUEUED)
        .order_by("-created_at")
        .first()
    )
    assert job is not None
    return job


def test_the_demo_is_valued_whole_and_leaves_no_trace_when_removed() -> None:
    user = demo_guest()
    account = demo_start(user=user)
    assert job_run(newest_job(account).pk) == Job.State.DONE
    open_trades = Trade.objects.filter(account=account, status="open")
    assert {trade.layer for trade in open_trades} == {None, 1, 2, 3}
    assert Valuation.objects.filter(account=account).count() == open_trades.count() >= 6
    risk = AccountRisk.objects.get(account=account).result
    assert risk["total"]["pnl"] == pytest.approx(risk["condors"]["pnl"] + risk["hedges"]["pnl"])
    assert not risk["total"]["partial"]
    assert risk["market"]["flags"] == ["simulated"]
    demo_remove(user=user)
    for model in (Account, Trade, Valuation, AccountRisk, Job):
        assert not model.objects.exists(), model
    from hedging.models import ChainSnapshot, DailyBar, MarketSnapshot
    from journal.models import AuditEvent, Fill, User

    for model in (ChainSnapshot, DailyBar, MarketSnapshot, AuditEvent, Fill, User):
        assert not model.objects.exists(), model


def test_a_real_account_never_sees_simulated_data() -> None:
    people = make_people()
    simulated_market_load(now=datetime(2026, 11, 21, tzinfo=UTC))
    trade = open_condor(people)
    job = newest_job(people.account)
    assert job_run(job.pk) == Job.State.DEAD
    job.refresh_from_db()
    assert job.error == NO_MARKET
    current = trade_current(trade)
    assert current.result is None
    assert not current.waiting


def test_a_job_for_an_older_book_is_not_written() -> None:
    people = make_people(is_demo=True)
    simulated_market_load(now=datetime(2026, 11, 21, tzinfo=UTC))
    open_condor(people)
    first = newest_job(people.account)
    second_trade = open_condor(people)
    assert job_run(first.pk) == Job.State.CANCELLED
    assert not Valuation.objects.exists()
    second_trade.account.refresh_from_db()
    assert account_current(second_trade.account).result is None


def test_the_same_snapshot_asks_once() -> None:
    people = make_people(is_demo=True)
    simulated_market_load(now=datetime(2026, 11, 21, tzinfo=UTC))
    open_condor(people)
    before = Job.objects.count()
    accounts_revalue(simulated=True)
    accounts_revalue(simulated=True)
    assert Job.objects.count() == before + 1


def test_marks_fill_the_closing_form_only_when_asked() -> None:
    user = demo_guest()
    account = demo_start(user=user)
    trade = Trade.objects.filter(account=account, status="open", kind=Trade.Kind.CONDOR).first()
    assert trade is not None
    client = Client()
    client.force_login(user)
    url = f"/trades/{trade.pk}/close/"
    assert "Fill in the marks" not in client.get(url).content.decode()  # never valued: no marks
    job_run(newest_job(account).pk)
    marks = trade_marks(trade)
    assert marks is not None
    assert len(marks.prices) == 4
    plain, filled = (client.get(url + query).context["form"] for query in ("", "?prefill=marks"))
    assert [row.price.value() for row in plain.rows()] == [None] * 4
    assert [row.price.value() for row in filled.rows()] == [
        marks.prices[r.leg.spec.symbol] for r in filled.rows()
    ]

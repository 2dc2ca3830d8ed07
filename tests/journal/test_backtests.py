"""Backtests from the form to the stored figures, alone and as many sets, seen by three users."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client

from hedging.engine.backtest.types import Hedge, Settings
from hedging.engine.rulesets.presets import preset
from hedging.jobs.engine import job_run
from hedging.models import Job
from hedging.selectors.history import market_history
from journal.errors import RuleError
from journal.models import Account, BacktestRun
from journal.services.backtests import (
    PORTION,
    backtest_cancel,
    backtest_delete,
    backtest_request,
    backtest_resume,
)
from tests.journal.people import make_people

pytestmark = pytest.mark.django_db
RULES = preset("seed-s4-credit-budget")


@pytest.fixture
def account(demo_account: Account) -> Account:
    return demo_account


def span() -> tuple[date, date]:
    spx = market_history(simulated=True).series["SPX"]
    return spx.days[-120].item(), spx.days[-1].item()


def ask(account: Account, **changes: Any) -> BacktestRun:
    first, last = span()
    user = account.members.get()
    grid = changes.pop("grid", None)
    return backtest_request(
        user=user, account=account, ruleset=RULES, settings=Settings(first, last, **changes), grid=grid
    )


def test_a_run_is_asked_once_computed_shown_and_downloaded(account: Account) -> None:
    client = Client()
    client.force_login(account.members.get())
    first, last = span()
    form = {
        "account": account.pk, "rules": RULES.name, "first": first, "last": last, "hedge": "on",
        "capital": "1000000", "fee": "1", "spread": "1.5", "seed": "7",
    }  # fmt: skip
    assert client.get("/backtest/").status_code == 200
    answers = [client.post("/backtest/", form) for _ in range(2)]
    run = BacktestRun.objects.get()
    assert [answer["Location"] for answer in answers] == [f"/backtest/{run.pk}/"] * 2
    waiting = client.get(f"/backtest/{run.pk}/").content.decode()
    assert "Waiting for a worker" in waiting
    assert job_run(run.jobs.get().pk) == Job.State.DONE
    run.refresh_from_db()
    assert run.result is not None
    assert run.result["settings"]["seed"] == 7
    page = client.get(f"/backtest/{run.pk}/").content.decode()
    for text in ("Final equity", "Assumptions", "Holes in the data", "Months", "The deepest fall"):
        assert text in page
    assert client.get(f"/backtest/{run.pk}/json/").json()["sessions"] == 120
    table = client.get(f"/backtest/{run.pk}/csv/").content.decode().splitlines()
    assert len(table) == 1 + len(run.result["trades"])


def test_two_runs_stand_side_by_side(account: Account) -> None:
    client = Client()
    client.force_login(account.members.get())
    runs = [ask(account), ask(account, hedge=Hedge.PERMANENT)]
    for run in runs:
        assert job_run(run.jobs.get().pk) == Job.State.DONE
    page = client.get(f"/backtest/compare/?a={runs[0].pk}&b={runs[1].pk}")
    assert "Days to unwind" in page.content.decode()
    assert client.get("/backtest/compare/?a=x&b=y").status_code == 404


def test_sets_are_spread_in_parts_cancelled_and_resumed_where_they_stopped(account: Account) -> None:
    run = ask(account, grid={"condor.dte": [35, 40, 45], "layer1.budget": [0.04, 0.06, 0.08, 0.1]})
    assert len(run.sets) == 12
    jobs = list(run.jobs.order_by("payload__first"))
    assert [job.payload["first"] for job in jobs] == [0, PORTION]
    assert job_run(jobs[0].pk) == Job.State.DONE
    backtest_cancel(run=run)
    assert job_run(jobs[1].pk) is None
    assert run.parts.count() == 1
    backtest_resume(run=run)
    assert job_run(jobs[1].pk) == Job.State.DONE
    figures = [row for part in run.parts.all() for row in part.figures]
    assert [row["values"] for row in figures] == run.sets
    assert len({row["final"] for row in figures}) > 1


@pytest.mark.parametrize(
    "grid",
    [{"condor.nothing": [1]}, {"condor.dte": [-5]}, {"condor.dte": []}, {"layer1.budget": [0.1] * 1001}],
)
def test_a_grid_that_makes_no_rules_is_refused(account: Account, grid: dict[str, list[Any]]) -> None:
    with pytest.raises(RuleError):
        ask(account, grid=grid)
    assert not BacktestRun.objects.exists()


def test_a_range_without_data_fails_with_the_reason(account: Account) -> None:
    run = backtest_request(
        user=account.members.get(), account=account, ruleset=RULES,
        settings=Settings(date(1990, 1, 2), date(1991, 1, 2)),
    )  # fmt: skip
    assert job_run(run.jobs.get().pk) == Job.State.DEAD
    assert "fewer than two sessions" in run.jobs.get().error.lower()


def test_a_deleted_run_is_forgotten_by_its_worker(account: Account) -> None:
    run = ask(account)
    job = run.jobs.get()
    backtest_delete(user=account.members.get(), run=run)
    assert not BacktestRun.objects.exists()
    assert job_run(job.pk) is None


def test_a_reader_sees_but_does_not_ask_and_a_stranger_finds_nothing() -> None:
    people = make_people()
    run = backtest_request(
        user=people.owner, account=people.account, ruleset=RULES,
        settings=Settings(date(2015, 1, 2), date(2016, 1, 4)),
    )  # fmt: skip
    for user, page, cancel in (
        (people.owner, 200, 302),
        (people.teammate, 200, 403),
        (people.stranger, 404, 404),
    ):
        client = Client()
        client.force_login(user)
        assert client.get(f"/backtest/{run.pk}/").status_code == page
        assert client.post(f"/backtest/{run.pk}/cancel/").status_code == cancel


def test_the_api_asks_once_tells_progress_and_hides_from_strangers() -> None:
    people = make_people()
    asked = {
        "rules": RULES.name,
        "first": "2015-01-02",
        "last": "2016-01-04",
        "grid": {"condor.dte": [40, 45]},
    }
    address = f"/api/v1/accounts/{people.account.pk}/backtests/"
    client = Client()
    client.force_login(people.owner)
    answers = [client.post(address, asked, content_type="application/json") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    run = answers[0].json()
    assert run["id"] == answers[1].json()["id"]
    assert (run["state"], run["done"], run["total"]) == ("queued", 0, 2)
    wrong = client.post(address, asked | {"rules": "none"}, content_type="application/json")
    assert wrong.status_code in (400, 409, 422)
    for user, read, write in ((people.teammate, 200, 404), (people.stranger, 404, 404)):
        client.force_login(user)
        assert client.get(f"/api/v1/backtests/{run['id']}/").status_code == read
        assert client.get(address).status_code == read
        assert client.post(address, asked, content_type="application/json").status_code == write

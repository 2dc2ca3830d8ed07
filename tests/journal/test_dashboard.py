"""The dashboard: net liquidation to the cent, coverage, drawdown, P&L calendar, and what is not known."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from hedging.models import MarketSnapshot
from hedging.selectors.calendar import previous_session, sessions_between
from journal.models import AccountRisk
from journal.selectors.overview import net_liquidation
from journal.selectors.results.performance import glance
from journal.services.cash.ledger import cash_record
from tests.journal.people import FILLED, People, make_people, open_condor
from tests.journal.results.test_statistics_pages import session

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> People:
    return make_people()


def result(pnl: float, *, partial: bool = False) -> dict[str, Any]:
    return {"total": {"pnl": pnl, "partial": partial}}


def test_net_liquidation_adds_capital_ledger_closed_and_open_pnl(people: People) -> None:
    trade = open_condor(people)
    day = trade.opened_at.date()
    both = {"realized": Decimal("-12.34"), "result": result(100.01)}
    assert net_liquidation(people.account, day, **both) == Decimal("250087.67")
    cash_record(
        user=people.owner, account=people.account, day=day, kind="interest_earned", amount=Decimal("10.01")
    )
    later = day + timedelta(days=3)
    cash_record(user=people.owner, account=people.account, day=later, kind="withdrawal", amount=Decimal(500))
    none = {"realized": Decimal(0), "result": result(-1.25)}
    assert net_liquidation(people.account, day, **none) == Decimal("250008.76")
    assert net_liquidation(people.account, later, **none) == Decimal("249508.76")


def test_a_first_deposit_takes_the_place_of_the_base_capital(people: People) -> None:
    trade = open_condor(people)
    day = trade.opened_at.date()
    cash_record(user=people.owner, account=people.account, day=day, kind="deposit", amount=Decimal(40_000))
    assert net_liquidation(people.account, day, realized=Decimal(0), result=result(0.0)) == Decimal(40_000)


def test_net_liquidation_is_unknown_without_a_value_or_a_mark(people: People) -> None:
    for shown in (None, result(5.0, partial=True)):
        assert net_liquidation(people.account, FILLED.date(), realized=Decimal(0), result=shown) is None


def test_the_glance_measures_drawdown_and_says_how_old_it_is(people: People) -> None:
    open_condor(people)
    days = sessions_between(FILLED.date(), FILLED.date() + timedelta(days=5))[:3]
    for day, condor, hedge in zip(days, (2_500, -5_050, 1_000), (0, 0, 500), strict=True):
        session(people, day, condor, hedge)
    found = glance(people.account, days[-1])
    assert found is not None
    # 252,500 is the peak; 247,450 is 2 % below it, 248,950 1.406 %.
    assert found.depth == pytest.approx(5_050 / 252_500)
    assert found.below == pytest.approx(1 - 248_950 / 252_500)
    assert found.days_chart["days"] == [
        [str(d), p] for d, p in zip(days, (2500.0, -5050.0, 1500.0), strict=True)
    ]
    assert (found.quality, found.stale) == ("", False)
    late = glance(people.account, days[-1] + timedelta(days=30))
    assert late is not None
    assert late.stale
    assert previous_session(days[-1]) == days[-2]


def test_the_page_shows_what_is_unknown_as_unknown(people: People) -> None:
    open_condor(people)
    client = Client()
    client.force_login(people.owner)
    page = client.get("/").content.decode()
    for name in ("Net liquidation", "Drawdown", "Hedge coverage", "SPX gamma", "VX gamma"):
        tile = page[page.index(f"<dt>{name}</dt>") :][:120]
        assert '<span class="unknown">unknown</span>' in tile
    assert "P&amp;L calendar" not in page


def test_the_page_shows_coverage_and_the_calendar(people: People) -> None:
    open_condor(people)
    session(people, FILLED.date(), 100, -20)
    row = {
        "total": {"pnl": 80.0, "partial": False, "theta": 1.0, "greeks": {"SPX": {"gamma": -1.234}}},
        "condors": {"pnl": 100.0}, "hedges": {"pnl": -20.0}, "margin": 1.0, "stressed_loss": 2.0,
        "stress": {"spot": -0.1, "vix": 10.0}, "coverage": 0.37,
        "market": {"as_of": "2026-11-12T20:00:00+00:00", "flags": []},
    }  # fmt: skip
    people.account.refresh_from_db()
    AccountRisk.objects.create(
        account=people.account, snapshot=MarketSnapshot.objects.create(as_of=FILLED, content_hash="x"),
        book_revision=people.account.book_revision, as_of=FILLED, result=row,
    )  # fmt: skip
    client = Client()
    client.force_login(people.owner)
    page = client.get("/").content.decode()
    assert ">37</span>%" in page
    assert "$250,080.00" in page
    assert "−1.23" in page
    assert 'data-chart="heatmap"' in page
    row["coverage"] = None
    AccountRisk.objects.update(result=row)
    assert "nothing to cover" in client.get("/").content.decode()

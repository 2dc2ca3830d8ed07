"""Cash and T-bills apart, the quick ratio by hand, CON-7, and residual limits of the account."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from hedging.engine.results.capital import Funds
from hedging.selectors.calendar import sessions_between
from journal.models import Account, Alert, AttributionDay, CapitalDay, DailyMark
from journal.selectors.attribution import account_attribution
from journal.selectors.cash.capital import capital
from journal.selectors.cash.liquidity import account_funds
from journal.services.accounts import account_update
from journal.services.attribution.residuals import residuals_follow
from journal.services.book.trades import trade_create
from journal.services.cash.ledger import cash_record
from journal.services.governance.advice import account_facts
from tests.journal.people import FILLED, People, close_condor, make_people, open_condor, order, vx
from tests.journal.results.test_statistics_pages import ZEROS, session

pytestmark = pytest.mark.django_db
DAY = FILLED.date()
LAST = DAY + timedelta(days=7)


@pytest.fixture
def people() -> People:
    return make_people()


def record(people: People, kind: str, amount: str, day: date = DAY, **more: Any) -> None:
    cash_record(user=people.owner, account=people.account, kind=kind, amount=Decimal(amount), day=day, **more)


def test_cash_is_the_ledger_less_what_fills_paid_and_bills_are_apart(people: People) -> None:
    open_condor(people)  # brings 2,255.00 less 5.20
    record(people, "deposit", "100000.00")
    record(people, "bill_buy", "40000.00")
    record(people, "interest_earned", "12.50")
    record(people, "allocate", "5000.00", purpose="wing_adjustment")
    record(people, "borrow", "10000.00", LAST)
    assert account_funds(people.account, DAY) == Funds(62_262.30, 40_000.0, 0.0)
    assert account_funds(people.account, LAST) == Funds(72_262.30, 40_000.0, 10_000.0)


def test_without_an_opening_deposit_nothing_is_known(people: People) -> None:
    open_condor(people)
    record(people, "interest_earned", "12.50")
    record(people, "deposit", "100.00", LAST)  # after the first session: not what it began with
    assert account_funds(people.account, LAST) is None
    assert account_facts(people.account, LAST).funds is None


def test_futures_count_by_their_daily_settlement(people: People) -> None:
    trade = trade_create(
        user=people.owner, account=people.account, kind="hedge_layer", layer=3, order=order([vx()])
    )
    record(people, "deposit", "1000.00")
    fill = trade.fills.get()
    DailyMark.objects.create(
        account=people.account, trade=trade, contract=fill.contract, day=DAY, quantity=1, held=1, known=True,
        value=0, pnl=-352_400_000, **ZEROS,
    )  # fmt: skip
    assert account_funds(people.account, DAY) == Funds(647.60, 0.0, 0.0)


def test_overdrawn_cash_is_owed() -> None:
    funds = Funds(-2_000.0, 30_000.0, 3_000.0)
    assert (funds.liquid, funds.owed) == (30_000.0, 5_000.0)
    assert funds.ratio(10_000.0) == 2.0
    assert Funds(5.0).ratio(0.0) is None


def test_the_page_shows_the_ratio_with_its_parts_and_history(people: People) -> None:
    client = Client()
    client.force_login(people.owner)
    close_condor(people, open_condor(people))
    days = sessions_between(DAY, LAST)
    for day in days:
        session(people, day, 10, 0)
        CapitalDay.objects.create(
            account=people.account, day=day, book_revision=1, content_hash="h",
            margin=Decimal(5000), margin_ibkr=Decimal(5000), margin_partial=day == LAST,
            result={"margin": {"condor": 5000.0}, "premium": {"condor": 0.0}},
        )  # fmt: skip
    assert capital(people.account).quick_ratio is None  # type: ignore[union-attr]
    assert "does not say what the account began with" in client.get("/attribution/capital/").content.decode()
    record(people, "deposit", "20000.00")
    record(people, "bill_buy", "10000.00")
    found = capital(people.account)
    assert found is not None
    first, last = found.liquidity[0], found.liquidity[-1]
    assert first.ratio == pytest.approx((20_000 + 2_255 - 5.20) / 5_000)
    assert (first.at_most, last.at_most) == (False, True)
    assert last.funds == Funds(12_244.60, 10_000.0, 0.0)  # closed at no net cost: fees twice
    assert found.quick_ratio == pytest.approx(22_244.60 / 5_000)
    page = client.get("/attribution/capital/").content.decode()
    assert "at most" in page
    assert "$12,244.60" in page
    answer = client.get(f"/api/v1/accounts/{people.account.pk}/capital/").json()
    assert answer["quick_ratio"] == pytest.approx(4.44892)
    assert answer["liquidity"][-1]["funds"] == {"cash": 12244.6, "bills": 10000.0, "loan": 0.0}


def unexplained(people: People, day: date, share: float, cents: int) -> None:
    session(people, day, 10, 0)
    row = AttributionDay.objects.get(account=people.account, day=day)
    row.residual_share = share
    row.result["effects"][-1] = cents
    row.save()


def limits(people: People, share: str, dollars: str) -> Account:
    account = Account.objects.get(pk=people.account.pk)
    return account_update(
        user=people.owner, account=account, version=account.version, residual_share_pct=Decimal(share),
        residual_limit=Decimal(dollars),
    )  # fmt: skip


def test_residuals_are_called_out_by_the_accounts_own_limits(people: People) -> None:
    unexplained(people, DAY, 0.16, -10_000)
    unexplained(people, DAY + timedelta(days=1), 0.15, 50_000)  # at the share, not above it
    unexplained(people, DAY + timedelta(days=2), 0.90, 9_999)  # a cent short
    assert [day.day for day in account_attribution(people.account).alerts] == [DAY]
    account = limits(people, "14.99", "99.99")
    assert len(account_attribution(account).alerts) == 3
    assert account_attribution(limits(people, "95", "0")).alerts == ()


def test_an_alert_is_raised_once_and_follows_the_limits(people: People) -> None:
    unexplained(people, DAY, 0.20, -12_345)
    unexplained(people, DAY - timedelta(days=3), 0.90, 99_999)  # history is told on the page, not mailed
    assert (residuals_follow(day=DAY), residuals_follow(day=DAY)) == (1, 1)
    alert = Alert.objects.get()
    assert alert.message.startswith(f"The effects leave $123.45 of {DAY} unexplained, 20% of what moved")
    limits(people, "25", "100")
    assert residuals_follow(day=DAY) == 0
    assert Alert.objects.get().cleared_at is not None
    limits(people, "15", "100")
    residuals_follow(day=DAY)
    assert Alert.objects.filter(cleared_at=None).count() == 1
    residuals_follow(day=DAY + timedelta(days=1))  # not attributed yet: nothing is known to be over
    assert Alert.objects.filter(cleared_at=None).count() == 1

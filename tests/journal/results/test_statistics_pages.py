"""Statistics, performance and hedge value: figures of a small book by hand, filters, three users, CSV."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.test import Client

from journal.models import AttributionDay, DailyMark, Tag, Tagging, Trade, TradeLink, TradeReview
from journal.selectors.results.hedge_value import FORCED_UNWIND, hedge_cash, hedge_value
from journal.selectors.results.performance import account_performance
from journal.selectors.results.statistics import OutcomeFilters, outcomes
from journal.services.book.trades import trade_close, trade_create
from journal.services.cash.ledger import cash_record
from tests.journal.people import (
    EXPIRY,
    FILLED,
    LATER,
    People,
    answers,
    close_condor,
    closing,
    make_people,
    open_condor,
    order,
    vix_call,
)

pytestmark = pytest.mark.django_db
URLS = (
    "/statistics/", "/statistics.csv", "/performance/", "/performance.csv", "/hedge-value/",
    "/hedge-value/claims.csv",
)  # fmt: skip
ZEROS = dict.fromkeys(
    ("delta", "gamma", "vega", "theta", "vanna", "volga", "rho", "trading", "fees", "residual"), 0
)
NONE = OutcomeFilters()


@pytest.fixture
def people() -> People:
    return make_people()


def closed_condor(people: People) -> Trade:
    return close_condor(people, open_condor(people))


def mark(trade: Trade, day: date, pnl: int, *, known: bool = True, value: int = 0) -> None:
    """A session of one leg, P&L in dollars."""
    fill = trade.fills.first()
    assert fill is not None
    DailyMark.objects.create(
        account=trade.account, trade=trade, contract=fill.contract, day=day, quantity=1, held=1,
        known=known, value=value * 10**6, pnl=pnl * 10**6, **ZEROS,
    )  # fmt: skip


def session(people: People, day: date, condor: int, hedge: int) -> None:
    """A stored session of the account, dollars."""

    def group(pnl: int):
        return {"pnl": pnl * 10**6, "effects": [0] * 10}

    AttributionDay.objects.create(
        account=people.account, day=day, book_revision=people.account.book_revision, market_hash="m",
        content_hash=str(day), value=0, pnl=(condor + hedge) * 10**6, legs=1, unknown_legs=0,
        modelled_legs=0,
        result={"groups": {"condor": group(condor), "hedge": group(hedge)}, "effects": [0] * 10,
                "full": [0] * 8, "interaction": 0},
    )  # fmt: skip


def test_a_closed_trade_is_one_outcome_with_its_realized_pnl(people: People) -> None:
    trade = closed_condor(people)
    found = outcomes(people.account, NONE)
    (one,) = found.rows
    assert Decimal(str(one.pnl)) == Trade.objects.get(pk=trade.pk).realized
    assert one.max_profit == pytest.approx(2255.0)
    assert one.dte_open == (EXPIRY - one.opened).days
    assert found.still_open == 0


def test_an_open_trade_is_counted_but_no_result(people: People) -> None:
    open_condor(people)
    found = outcomes(people.account, NONE)
    assert (found.rows, found.still_open) == ((), 1)


def test_running_pnl_counts_known_sessions_only(people: People) -> None:
    trade = closed_condor(people)
    start = FILLED.date()
    for at, (pnl, known) in enumerate([(-100, True), (0, False), (350, True), (-50, True)]):
        mark(trade, start + timedelta(days=at), pnl, known=known)
    session(people, start, 0, 0)
    (one,) = outcomes(people.account, NONE).rows
    assert (one.mae, one.mfe, one.marked, one.sessions) == (-100.0, 250.0, 3, 4)


def test_a_confirmed_roll_is_one_result_and_a_proposed_one_two(people: People) -> None:
    first, second = closed_condor(people), closed_condor(people)
    link = TradeLink.objects.create(
        account=people.account, earlier=first, later=second, earlier_anchor="a", later_anchor="b",
        kind=TradeLink.Kind.FULL_ROLL, moment=LATER,
    )  # fmt: skip
    assert len(outcomes(people.account, NONE).rows) == 2
    link.state = TradeLink.State.CONFIRMED
    link.save()
    (one,) = outcomes(people.account, NONE).rows
    assert one.trades == 2
    assert one.max_profit is None
    assert len(outcomes(people.account, OutcomeFilters(by_trade=True)).rows) == 2


def test_filters_by_tag_strategy_and_closing_day(people: People) -> None:
    trade = closed_condor(people)
    tag = Tag.objects.create(account=people.account, name="fomc")
    review, _ = TradeReview.objects.get_or_create(account=people.account, trade=trade)
    Tagging.objects.create(account=people.account, tag=tag, review=review)
    closed = outcomes(people.account, NONE).rows[0].closed

    def count(**values) -> int:
        return len(outcomes(people.account, OutcomeFilters(**values)).rows)

    assert count(tag="FOMC") == 1
    assert count(tag="other") == 0
    assert count(kind="hedge_layer") == 0
    assert count(date_from=closed, date_to=closed) == 1
    assert count(date_to=closed - timedelta(days=1)) == 0


def test_a_history_that_is_not_attributed_from_its_first_fill_shows_no_sums(
    people: People, client: Client
) -> None:
    trade = open_condor(people)
    fill = trade.fills.first()
    assert fill is not None
    later = fill.trade_date + timedelta(days=1)
    session(people, later, 100, 0)
    assert account_performance(people.account) is None
    client.force_login(people.owner)
    assert "Workers mark and explain" in client.get("/").content.decode()
    assert "Year so far" not in client.get("/").content.decode()
    session(people, fill.trade_date, -40, 0)
    found = account_performance(people.account)
    assert found is not None
    assert found.pnl == (Decimal("-40.00"), Decimal("100.00"))
    assert "Year so far" in client.get("/").content.decode()


def test_performance_leaves_deposits_out_and_subtracts_the_hedge(people: People) -> None:
    days = [date(2026, 11, 2), date(2026, 11, 3), date(2026, 11, 4)]
    for day, condor, hedge in zip(days, (2500, -5000, 0), (0, 2500, 0), strict=True):
        session(people, day, condor, hedge)
    cash_record(
        user=people.owner, account=people.account, kind="deposit", amount=Decimal(50_000), day=days[2]
    )
    found = account_performance(people.account)
    assert found is not None
    # 250,000 → 252,500 → 250,000, and 50,000 come in without a gain.
    assert list(found.returns) == pytest.approx([0.01, -2500 / 252_500, 0.0])
    assert list(found.returns_unhedged) == pytest.approx([0.01, -5000 / 252_500, 0.0])
    assert found.equity[-1] == pytest.approx(300_000)
    assert found.equity_unhedged[-1] == pytest.approx(297_500)
    assert found.cut == pytest.approx(0.5)
    (month,) = found.months
    assert month.pnl == pytest.approx(0.0)


def test_returns_end_with_the_session_that_lost_everything(people: People, client: Client) -> None:
    """250,000 → 200,000 → -50,000 → -20,000: a gain on a debt is no return, its dollars stay."""
    days = [date(2026, 10, 29), date(2026, 10, 30), date(2026, 11, 2)]
    for day, condor in zip(days, (-50_000, -250_000, 30_000), strict=True):
        session(people, day, condor, 0)
    found = account_performance(people.account)
    assert found is not None
    assert list(found.returns[:2]) == pytest.approx([-0.2, -1.0])
    assert np.isnan(found.returns[2])
    assert (found.ruined, found.hedged.total, found.hedged.sessions) == (days[1], -1.0, 2)
    assert found.hedged.drawdown is not None
    assert (found.hedged.drawdown.depth, found.hedged.drawdown.recovered) == (1.0, None)
    assert list(found.below) == pytest.approx([-0.2, -1.0, -1.0])
    october, november = found.months
    assert (october.hedged, october.pnl) == (-1.0, pytest.approx(-300_000))
    assert np.isnan(november.hedged)
    assert november.pnl == pytest.approx(30_000)
    client.force_login(people.owner)
    page = client.get("/performance/").content.decode()
    assert "lost all it began with" in page
    assert "nan" not in page.lower().replace("finan", "")
    answer = client.get(f"/api/v1/accounts/{people.account.pk}/performance/")
    assert answer.status_code == 200
    assert answer.json()["months"][1]["hedged"] is None
    assert client.get("/performance.csv").status_code == 200


def test_irr_2_premium_and_claims_of_the_hedge(people: People) -> None:
    leg = vix_call(quantity=10, price="1.25")
    trade = trade_create(
        user=people.owner, account=people.account, kind=Trade.Kind.HEDGE, layer=1, order=order([leg])
    )
    trade_close(user=people.owner, trade=trade, order=order(closing([leg], "3.00"), LATER))
    cash = hedge_cash(people.account, LATER.date())
    assert sum(cash.premium.values()) == Decimal(1250) + Decimal("13.00")
    assert sum(cash.claims.values()) == Decimal(3000) - Decimal("13.00")
    for day in (FILLED.date(), LATER.date()):
        session(people, day, 0, 100)
    found = hedge_value(people.account)
    assert found is not None
    assert found.loss_ratio == pytest.approx(2987 / 1263)
    assert found.permanent.early == 1
    assert found.permanent.irr is None
    assert {one.verdict.value for one in found.findings} == {"not enough data"}


def test_forced_unwinds_are_unknown_until_the_tag_exists(people: People) -> None:
    leg = vix_call()
    trade = trade_create(
        user=people.owner, account=people.account, kind=Trade.Kind.HEDGE, layer=1, order=order([leg])
    )
    session(people, FILLED.date(), 0, 0)

    def verdict() -> tuple[float | None, str]:
        found = hedge_value(people.account)
        assert found is not None
        one = next(one for one in found.findings if one.claim.key == "forced_unwinds")
        return one.value, one.verdict.value

    assert verdict() == (None, "not enough data")
    tag = Tag.objects.create(account=people.account, name=FORCED_UNWIND)
    assert verdict() == (0.0, "not enough data")
    review, _ = TradeReview.objects.get_or_create(account=people.account, trade=trade)
    Tagging.objects.create(account=people.account, tag=tag, review=review)
    assert verdict()[1] == "not supported"


@pytest.mark.parametrize("url", URLS)
def test_members_see_their_account_and_strangers_their_own(people: People, client: Client, url: str) -> None:
    closed_condor(people)
    assert answers(client, "get", url, people) == {
        "owner": 200, "teammate": 200, "stranger": 200, "nobody": 302,
    }  # fmt: skip
    client.force_login(people.stranger)
    assert b"iron condor" not in client.get("/statistics.csv").content


def test_the_csv_follows_the_filters_and_its_numbers_are_numbers(people: People, client: Client) -> None:
    closed_condor(people)
    client.force_login(people.owner)
    rows = list(csv.DictReader(io.StringIO(client.get("/statistics.csv").content.decode())))
    assert len(rows) == 1
    assert float(rows[0]["max_profit"]) == 2255.0
    assert rows[0]["mae"] == ""
    empty = client.get("/statistics.csv?kind=hedge_layer").content.decode()
    assert len(list(csv.DictReader(io.StringIO(empty)))) == 0
    groups = list(csv.DictReader(io.StringIO(client.get("/statistics.csv?groups=1&by=dte").content.decode())))
    assert groups[0]["count"] == "1"


def test_small_samples_are_called_out_and_bad_filters_do_no_harm(people: People, client: Client) -> None:
    closed_condor(people)
    client.force_login(people.owner)
    page = client.get("/statistics/").content.decode()
    assert "not enough data to judge" in page
    for query in ("?by=nonsense", "?layer=9", "?date_from=2026-13-01", "?tag=%00", "?unit=x"):
        assert client.get("/statistics/" + query).status_code in (200, 400)


def test_pages_cost_a_constant_number_of_queries(
    people: People, client: Client, django_assert_max_num_queries
) -> None:
    closed_condor(people)
    client.force_login(people.owner)
    client.get("/statistics/")
    for _ in range(5):
        closed_condor(people)
    with django_assert_max_num_queries(30):
        client.get("/statistics/")

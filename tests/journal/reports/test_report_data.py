"""What a report counts: hand-worked cents, sums of lines, unknown marks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from hedging.engine.market import MarketSnapshot
from journal.models import Account, Trade
from journal.reports import data as gathering
from journal.reports.model import UNKNOWN, Sum, add_results, total
from journal.selectors.reports import period_as_of, period_presets
from journal.services.book.fills import fill_reverse, fills_write
from journal.services.book.trades import trade_create
from tests.journal.people import (
    FILLED,
    People,
    close_condor,
    closing,
    condor_legs,
    make_people,
    open_condor,
    order,
    vix_call,
    vx,
)
from tests.journal.reports.cases import MADE, dollars, market, report

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> People:
    return make_people()


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> Callable[[MarketSnapshot | None, MarketSnapshot | None], None]:
    """Give the report a hand-made market at its end and at its start."""

    def use(closing_market: MarketSnapshot | None, opening_market: MarketSnapshot | None = None) -> None:
        def pick(_account: Account, moment: datetime) -> MarketSnapshot | None:
            return closing_market if moment == MADE else opening_market

        monkeypatch.setattr(gathering, "_market", pick)

    return use


def hedge(people: People, legs, layer: int) -> Trade:
    return trade_create(
        user=people.owner, account=people.account, kind=Trade.Kind.HEDGE, layer=layer, order=order(legs)
    )


def test_hand_worked_open_book_with_and_without_the_hedge(people: People, marked) -> None:
    # Condor: sold for 22.55, worth 18.00: +455.00, fees 4 × 1.30 = 5.20.
    # Calls: 10 bought at 1.25, worth 1.55: +300.00, fees 13.00. Future: 20.50 to 21.15: +650.00, fee 2.40.
    open_condor(people)
    hedge(people, [vix_call()], 1)
    hedge(people, [vx()], 3)
    marked(market())
    found = report(people.account)
    assert found.without_hedge.net == Sum(dollars("449.80"))
    assert found.hedge.net == Sum(dollars("934.60"))
    assert found.account.net == Sum(dollars("1384.40"))
    assert found.account.fees == dollars("20.60")
    assert found.account.realized == 0
    condor, calls, future = found.trades
    assert (condor.cash, condor.max_profit, condor.max_loss) == (2255, 2255, 2745)
    assert [leg.pnl for leg in condor.legs] == [-200, 450, 505, -300]
    assert (calls.margin, condor.margin, future.margin) == (0, 5000, None)
    assert found.margin == Sum(dollars("5000.00"), partial=True)
    assert [line.layer for line in found.layers] == [1, 3]
    assert found.layers[0].paid == dollars("1250.00")
    assert set(found.greeks) == {"SPX", "VX"}
    assert found.greeks["VX"].delta > 1000
    assert found.cash == dollars("1005.00")
    assert found.fill_fees == found.account.fees


def test_the_period_counts_only_what_changed_within_it(people: People, marked) -> None:
    # At the start the short put was worth 20.00 instead of 18.00: +255.00 unrealized; at the end +455.00.
    open_condor(people)
    marked(market(), market(shift=2.0))
    found = report(people.account, date(2026, 11, 5))
    assert (found.account.opening, found.account.closing) == (Sum(dollars("255.00")), Sum(dollars("455.00")))
    assert found.account.fees == 0
    assert found.account.net == Sum(dollars("200.00"))
    assert found.fills == ()
    assert found.trades[0].net == Sum(dollars("449.80"))


def test_periods_side_by_side_add_up_to_the_whole(people: People, marked, monkeypatch) -> None:
    close_condor(people, open_condor(people))
    open_condor(people)
    monkeypatch.setattr(gathering, "_market", lambda account, moment: market(shift=2.0))
    middle = datetime(2026, 11, 6, 5, tzinfo=UTC)  # midnight in New York
    whole = report(people.account)
    first = report(people.account, date(2026, 11, 1), date(2026, 11, 5), as_of=middle)
    second = report(people.account, date(2026, 11, 6), date(2026, 11, 20))
    assert first.account.net.plus(second.account.net) == whole.account.net
    assert first.account.realized + second.account.realized == whole.account.realized
    assert first.account.fees + second.account.fees == whole.account.fees == dollars("15.60")
    assert len(first.fills) + len(second.fills) == len(whole.fills) == 12


def test_a_closed_condor_is_realized_to_the_cent(people: People, marked) -> None:
    close_condor(people, open_condor(people))
    marked(None)
    found = report(people.account)
    (line,) = found.trades
    assert not line.is_open
    assert (line.realized, line.fees) == (2255, dollars("10.40"))
    assert found.account.net == Sum(dollars("2244.60"))
    assert found.open_trades == ()
    assert found.margin == Sum()


def test_positions_are_those_of_the_moment_not_of_today(people: People, marked) -> None:
    close_condor(people, open_condor(people))  # closed on 9 November
    before = datetime(2026, 11, 6, 5, tzinfo=UTC)
    marked(None)
    found = report(people.account, date(2026, 11, 1), date(2026, 11, 5), as_of=before)
    assert len(found.trades[0].legs) == 4
    assert found.trades[0].closed_at is None
    assert len(found.fills) == 4


def test_without_a_market_marks_are_unknown_and_sums_partial(people: People, marked) -> None:
    trade = open_condor(people)
    trade_create(user=people.owner, account=people.account, kind=trade.kind, order=order(condor_legs()))
    close_condor(people, trade)
    marked(None)
    found = report(people.account)
    assert found.account.closing == UNKNOWN
    assert found.account.net == Sum(dollars("2239.40"), partial=True)
    assert found.stress is None
    assert found.header.marks is None
    assert all(leg.pnl is None and leg.source == "unknown" for t in found.trades for leg in t.legs)
    assert "no market data" in found.unknown_reasons[0]


def test_one_unknown_leg_makes_every_sum_above_it_partial(people: People, marked) -> None:
    open_condor(people)
    hedge(people, [vix_call(strike=35)], 1)  # not in the chain, no smile: unknown
    marked(market())
    found = report(people.account)
    assert found.without_hedge.net == Sum(dollars("449.80"))
    assert found.hedge.closing == UNKNOWN
    assert found.account.closing == Sum(dollars("455.00"), partial=True)
    assert found.account.net.partial
    assert found.stress is not None
    assert found.stress.loss.partial
    assert "neither a quote nor a smile" in found.unknown_reasons[0]


def test_corrected_fills_are_listed_and_count_nothing(people: People, marked) -> None:
    trade = open_condor(people)
    for fill in list(trade.fills.all()):
        fill_reverse(user=people.owner, fill=fill, reason="typed twice")
    marked(market())
    found = report(people.account)
    assert found.account.net == Sum()
    assert found.trades == ()
    assert len(found.fills) == 8
    assert {fill.note for fill in found.fills} == {"corrected", "correction"}
    assert (found.cash, found.fill_fees) == (0, 0)


def test_average_entry_that_is_not_whole_cents_still_ties(people: People, marked) -> None:
    legs = [vix_call(quantity=1, price="1.00"), vix_call(quantity=2, price="1.10")]
    trade = hedge(people, legs[:1], 1)
    trade_add = order([legs[1]], FILLED + timedelta(minutes=1))
    fills_write(people.owner, trade, trade_add, date(2026, 11, 2))
    sold = order(closing([vix_call(quantity=1)], "1.20"), FILLED + timedelta(minutes=2))
    fills_write(people.owner, trade, sold, date(2026, 11, 2))
    marked(market())
    (line,) = report(people.account).trades
    # 1 at 1.00 and 2 at 1.10 average 1.0666…; one sold at 1.20, two marked at 1.55.
    assert line.realized == dollars("13.33")
    assert line.unrealized == Sum(dollars("96.67"))
    assert line.realized + line.unrealized.amount == dollars("110.00")


def test_sums_of_sums() -> None:
    assert total([]) == Sum()
    assert total([Sum(Decimal(1)), UNKNOWN]) == Sum(Decimal(1), partial=True)
    assert total([UNKNOWN, UNKNOWN]) == UNKNOWN
    assert UNKNOWN.plus(Sum(Decimal(2)), -1) == Sum(Decimal(-2), partial=True)
    assert add_results([]).net == Sum()


def test_periods_end_at_their_last_midnight_or_now(people: People) -> None:
    now = datetime(2026, 11, 20, 15, tzinfo=UTC)
    assert period_as_of(date(2026, 11, 20), now) == now
    assert period_as_of(date(2026, 10, 31), now) == datetime(2026, 11, 1, 4, tzinfo=UTC)
    names = {p.name: (p.date_from, p.date_to) for p in period_presets(people.account, date(2026, 1, 15))}
    assert names["last-month"] == (date(2025, 12, 1), date(2025, 12, 31))
    assert names["quarter"] == (date(2026, 1, 1), date(2026, 1, 15))
    assert names["last-year"] == (date(2025, 1, 1), date(2025, 12, 31))


def test_the_same_inputs_give_the_same_report(people: People, marked) -> None:
    open_condor(people)
    marked(market())
    assert report(people.account) == report(people.account)

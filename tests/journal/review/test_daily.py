"""Realized P&L by day, and its calendar."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from django.test import Client

from hedging.engine.instruments import share
from journal.models import Fill, Trade
from journal.selectors.review.daily import month_sums, month_weeks, realized_by_day, shade
from journal.services.book.fills import fill_reverse
from journal.services.book.trades import LegInput, trade_close, trade_create
from tests.journal.people import (
    ET,
    FILLED,
    People,
    answers,
    close_condor,
    make_people,
    open_condor,
    order,
    vx,
)

pytestmark = pytest.mark.django_db
YEAR = (date(2026, 1, 1), date(2026, 12, 31))


@pytest.fixture
def people() -> People:
    return make_people()


def _by_day(people: People) -> dict[date, Decimal]:
    found = realized_by_day(people.owner, [people.account], *YEAR)
    return {day: result.pnl for day, result in found.items()}


def test_shares_sold_in_parts_realize_over_the_average_entry(people: People) -> None:
    """100 at 50 and 100 at 60 average 55; 150 sold at 58 gain 450, the last 50 sold at 40 lose 750."""

    def bought(quantity: int, price: str) -> list[LegInput]:
        return [LegInput(share("VXX"), quantity, Decimal(price))]

    day = [datetime(2026, 11, n, 11, 0, tzinfo=ET) for n in (2, 3, 4, 5)]
    trade = trade_create(
        user=people.owner, account=people.account, kind=Trade.Kind.OTHER, accept_size=True, reason="test",
        order=order(bought(100, "50"), day[0], fees=Decimal(1)),
    )  # fmt: skip
    Fill.objects.create(
        account=people.account, trade=trade, contract=trade.fills.get().contract, quantity=100, price=60,
        fees=1, executed_at=day[1], trade_date=day[1].date(),
    )  # fmt: skip
    trade_close(user=people.owner, trade=trade, order=order(bought(-150, "58"), day[2], fees=Decimal(2)))
    trade = trade_close(
        user=people.owner, trade=trade, order=order(bought(-50, "40"), day[3], fees=Decimal(1))
    )
    found = _by_day(people)
    assert [found[moment.date()] for moment in day] == [Decimal(-1), Decimal(-1), Decimal(448), Decimal(-751)]
    assert sum(found.values()) == trade.realized


def test_days_of_closed_trades_add_up_to_their_realized_pnl(people: People) -> None:
    condor = close_condor(people, open_condor(people))
    future = trade_create(
        user=people.owner, account=people.account, kind=Trade.Kind.OTHER, accept_size=True, reason="test",
        order=order([vx(2, "20.50")]),
    )  # fmt: skip
    future = trade_close(
        user=people.owner,
        trade=future,
        order=order([vx(-2, "21.00")], datetime(2026, 11, 10, 11, 0, tzinfo=ET)),
    )
    found = _by_day(people)
    assert sum(found.values()) == condor.realized + future.realized
    assert found[date(2026, 11, 10)] == Decimal(1000) - Decimal("4.80")


def test_a_corrected_fill_counts_as_if_it_had_not_happened(people: People) -> None:
    trade = open_condor(people)
    fill = trade.fills.order_by("pk").first()
    assert fill is not None
    fees = trade.fees_total
    fill_reverse(user=people.owner, fill=fill, reason="typo")
    assert _by_day(people) == {FILLED.date(): -(fees - fill.fees)}


def test_a_stranger_has_no_days(people: People) -> None:
    open_condor(people)
    assert realized_by_day(people.stranger, [people.account], *YEAR) == {}


def test_a_month_has_whole_weeks_and_shades_by_size(people: People) -> None:
    close_condor(people, open_condor(people))
    results = realized_by_day(people.owner, [people.account], *YEAR)
    weeks = month_weeks(2026, 11, results)
    assert all(len(week) == 7 for week in weeks)
    assert weeks[0][0].day == date(2026, 10, 26)
    shades = {cell.day.day: cell.css for week in weeks for cell in week if cell.result}
    assert set(shades) == {2, 9}
    assert shades[9][1] == "3"
    assert shade(None, Decimal(1)) == ""
    assert [(m.month, m.days) for m in month_sums(results)] == [(11, 2)]


def test_calendar_day_trade_drill_down_for_members_only(people: People, client: Client) -> None:
    trade = close_condor(people, open_condor(people))
    query = f"?account={people.account.pk}"
    for path in (f"/calendar/{query}&year=2026&month=11", f"/days/2026-11-09/{query}"):
        found = answers(client, "get", path, people)
        assert found == {"owner": 200, "teammate": 200, "stranger": 404, "nobody": 302}
    client.force_login(people.owner)
    month = client.get(f"/calendar/{query}&year=2026&month=11").content.decode()
    assert f'/days/2026-11-09/?account={people.account.pk}"' in month
    assert 'data-chart="heatmap"' in month
    day = client.get(f"/days/2026-11-09/{query}").content.decode()
    assert f"/trades/{trade.pk}/" in day
    assert "no closes stored" in day


@pytest.mark.parametrize(
    "path", ["/days/2026-13-01/", "/days/9999-12-31/", "/days/0001-01-01/", "/calendar/?year=99999999999",
             "/calendar/?month=²", "/calendar/?year=9998&month=12", "/calendar/?month=00000199999",
             "/tax/?year=002026999", "/days/2026-11-08/"],
)  # fmt: skip
def test_odd_days_never_break_the_page(people: People, client: Client, path: str) -> None:
    client.force_login(people.owner)
    assert client.get(path).status_code in (200, 404)

"""Expired legs are settled at official values: by themselves when loaded, by a person else, never guessed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.utils import timezone

from hedging.models import DailyBar, Quality
from journal.errors import ConflictError, RuleError
from journal.models import AuditEvent, Fill, Trade
from journal.selectors.book.trades import trade_get
from journal.services.book.fills import fill_reverse
from journal.services.book.settlement import settlement_book, settlements_book_loaded, settlements_due
from journal.services.book.trades import trade_create
from tests.journal.people import (
    FILLED,
    People,
    condor_legs,
    make_people,
    open_condor,
    order,
    vix_call,
    vx,
)

pytestmark = pytest.mark.django_db
EXPIRY, VIX_EXPIRY = date(2026, 12, 18), date(2026, 12, 16)


@pytest.fixture
def people() -> People:
    return make_people()


@pytest.fixture
def after_expiry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 12, 19, 12, tzinfo=UTC))


def level(symbol: str, day: date, value: str, quality: str = Quality.EOD) -> None:
    DailyBar.objects.create(
        source=f"test {quality}", symbol=symbol, date=day, close=Decimal(value), quality=quality
    )


def settled(trade: Trade) -> dict[str, Decimal]:
    fills = Fill.objects.filter(trade=trade, source="settlement").select_related("contract")
    return {fill.contract.symbol[12:].lstrip("0"): fill.price for fill in fills}


@pytest.mark.usefixtures("after_expiry")
def test_a_pm_condor_settles_on_the_loaded_close_to_the_cent(people: People) -> None:
    trade = open_condor(people)
    level("SPX", EXPIRY, "6480.25")
    assert settlements_book_loaded() == 1
    trade = trade_get(people.owner, trade.pk)
    # 6450/6500/6900/6950 at 6480.25: the short put is worth 19.75, nothing else is.
    assert settled(trade) == {
        "P06450000": 0, "P06500000": Decimal("19.75"), "C06900000": 0, "C06950000": 0,
    }  # fmt: skip
    assert trade.status == Trade.Status.CLOSED
    assert trade.realized == Decimal("2255.00") - Decimal("1975.00") - Decimal("5.20")
    fill = Fill.objects.filter(trade=trade, source="settlement").first()
    assert fill is not None
    assert fill.executed_at.isoformat() == "2026-12-18T21:00:00+00:00"
    assert AuditEvent.objects.get(action="trade.settle").actor_name == "system"


@pytest.mark.usefixtures("after_expiry")
def test_settling_twice_books_once(people: People) -> None:
    trade = open_condor(people)
    level("SPX", EXPIRY, "6700")
    settlements_book_loaded()
    assert settlements_book_loaded() == 0
    assert Fill.objects.filter(trade=trade, source="settlement").count() == 4


@pytest.mark.usefixtures("after_expiry")
def test_an_am_expiry_never_settles_on_a_close(people: People) -> None:
    trade = open_condor(people, order=order(condor_legs(root="SPX")))
    level("SPX", EXPIRY, "6700")
    assert settlements_book_loaded() == 0
    level("SET", EXPIRY, "6910.40")
    assert settlements_book_loaded() == 1
    assert settled(trade_get(people.owner, trade.pk))["C06900000"] == Decimal("10.40")


@pytest.mark.usefixtures("after_expiry")
def test_vix_options_and_futures_settle_on_vro(people: People) -> None:
    calls, future = (
        trade_create(
            user=people.owner, account=people.account, kind=Trade.Kind.HEDGE, layer=layer, order=order([leg])
        )
        for layer, leg in ((1, vix_call(30, 10)), (3, vx(1)))
    )
    level("VIX", VIX_EXPIRY, "99")
    assert settlements_book_loaded() == 0
    level("VRO", VIX_EXPIRY, "33.17")
    assert settlements_book_loaded() == 2
    calls.refresh_from_db()
    future.refresh_from_db()
    assert calls.realized == Decimal("3170.00") - Decimal(1250) - Decimal("13.00")
    assert future.realized == Decimal("12670.00") - Decimal("2.40")


@pytest.mark.usefixtures("after_expiry")
def test_simulated_values_never_settle_a_real_account(people: People) -> None:
    open_condor(people)
    level("SPX", EXPIRY, "6700", Quality.SIMULATED)
    level("SPX", EXPIRY, "6700", Quality.DELAYED)
    assert settlements_book_loaded() == 0


@pytest.mark.usefixtures("after_expiry")
def test_a_person_types_what_is_not_loaded_and_a_stale_page_cannot(people: People) -> None:
    trade = trade_get(people.owner, open_condor(people).pk)
    due = settlements_due(trade)
    assert [(d.symbol, d.expiry, len(d.legs)) for d in due] == [("SPX", EXPIRY, 4)]
    given = {"user": people.owner, "trade": trade, "symbol": "SPX", "expiry": EXPIRY}
    with pytest.raises(ConflictError):
        settlement_book(**given, level=Decimal(6700), version=trade.version - 1)
    for wrong in ("0", "-1", "NaN", "6700.00001", "100001"):
        with pytest.raises(RuleError):
            settlement_book(**given, level=Decimal(wrong))
    settlement_book(**given, level=Decimal("6700.5"), version=trade.version)
    with pytest.raises(RuleError, match="waiting"):
        settlement_book(**given, level=Decimal("6700.5"))


@pytest.mark.usefixtures("after_expiry")
def test_a_reversed_settlement_is_not_booked_again_by_itself(people: People) -> None:
    trade = open_condor(people)
    level("SPX", EXPIRY, "6700")
    settlements_book_loaded()
    for fill in list(Fill.objects.filter(trade=trade, source="settlement")):
        fill_reverse(user=people.owner, fill=fill, reason="the broker used another value")
    assert settlements_book_loaded() == 0
    fresh = trade_get(people.owner, trade.pk)
    assert fresh.status == Trade.Status.OPEN
    settlement_book(user=people.owner, trade=fresh, symbol="SPX", expiry=EXPIRY, level=Decimal(6701))
    assert trade_get(people.owner, trade.pk).status == Trade.Status.CLOSED


def test_nothing_is_due_before_the_settlement_moment(people: People) -> None:
    trade = trade_get(people.owner, open_condor(people, order=order(condor_legs(), FILLED)).pk)
    assert settlements_due(trade) == []

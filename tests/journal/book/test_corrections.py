"""Settlements follow corrected values: reversed and booked anew with an alert; locked days are reported."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.utils import timezone

from hedging.models import DailyBar
from hedging.services.market.load import market_file_load
from journal.models import Alert, AuditEvent, Fill, Trade
from journal.selectors.book.trades import position_of, trade_get
from journal.services.book.corrections import settlements_follow
from journal.services.book.fills import fill_reverse
from journal.services.book.settlement import settlement_book, settlements_book_loaded
from tests.journal.people import People, make_people, open_condor

pytestmark = pytest.mark.django_db
EXPIRY = date(2026, 12, 18)


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch) -> People:
    found = make_people()
    clock = itertools.count()
    monkeypatch.setattr(
        timezone, "now", lambda: datetime(2026, 12, 19, 12, 0, 0, next(clock) % 1_000_000, tzinfo=UTC)
    )
    return found


def close(value: str, *, who: str = "") -> None:
    data = f"date,close\n{EXPIRY},{value}\n".encode()
    market_file_load(name="SPX.csv", data=data, symbol="SPX", loaded_by=who, by_hand=bool(who))


def standing(trade: Trade) -> set[tuple[str, Decimal]]:
    fills = Fill.objects.filter(trade=trade, source=Fill.SETTLEMENT, reversed_by=None)
    return {(fill.contract.symbol[12:], fill.price) for fill in fills.select_related("contract")}


def test_a_corrected_close_corrects_what_was_settled_on_it(people: People) -> None:
    trade = open_condor(people)
    close("100")
    settlements_book_loaded()
    wrong = trade_get(people.owner, trade.pk).realized
    assert settlements_follow() == 0
    close("6738.88")
    assert (settlements_follow(), settlements_follow()) == (1, 0)
    right = trade_get(people.owner, trade.pk)
    assert right.status == Trade.Status.CLOSED
    assert (wrong, right.realized) == (Decimal("-2750.20"), Decimal("2249.80"))
    alert = Alert.objects.get(kind=Alert.Kind.CORRECTION)
    assert alert.message.startswith("SPX of 18 Dec 2026 corrected 100.00 → 6,738.88: settlement of ")
    assert alert.message.endswith("changed, −2,750.20 → +2,249.80")
    assert AuditEvent.objects.filter(action="trade.settle_again", actor_name="system").exists()
    assert position_of(Fill.objects.filter(trade=trade).select_related("contract")).legs == ()


@pytest.mark.parametrize("order", list(itertools.permutations(["100", "6480.25", "6738.88"])))
def test_any_order_of_corrections_ends_where_the_last_leads(people: People, order: list[str]) -> None:
    followed = open_condor(people)
    for value in order:
        close(value)
        settlements_follow()
        settlements_book_loaded()
    at_once = open_condor(people)
    settlements_book_loaded()
    assert standing(followed) == standing(at_once)
    assert trade_get(people.owner, followed.pk).realized == trade_get(people.owner, at_once.pk).realized


def test_a_worse_source_that_comes_later_changes_nothing(people: People) -> None:
    open_condor(people)
    DailyBar.objects.create(source="cboe", symbol="SPX", date=EXPIRY, close=Decimal("6738.88"), quality="eod")
    settlements_book_loaded()
    close("100", who="olga")
    assert settlements_follow() == 0


def test_a_better_source_that_comes_later_counts(people: People) -> None:
    trade = open_condor(people)
    close("100", who="olga")
    settlements_book_loaded()
    DailyBar.objects.create(source="cboe", symbol="SPX", date=EXPIRY, close=Decimal("6738.88"), quality="eod")
    assert settlements_follow() == 1
    assert trade_get(people.owner, trade.pk).realized == Decimal("2249.80")


def test_what_a_person_typed_or_took_back_is_theirs(people: People) -> None:
    typed, taken = open_condor(people), open_condor(people)
    settlement_book(user=people.owner, trade=typed, symbol="SPX", expiry=EXPIRY, level=Decimal(6600))
    close("100")
    settlements_book_loaded()
    for fill in Fill.objects.filter(trade=taken, source=Fill.SETTLEMENT):
        fill_reverse(user=people.owner, fill=fill, reason="not so")
    close("6738.88")
    assert settlements_follow() == 0
    assert len(standing(typed)) == 4
    assert standing(taken) == set()


def test_a_locked_day_is_reported_and_not_booked(people: People) -> None:
    trade = open_condor(people)
    close("100")
    settlements_book_loaded()
    type(people.account).objects.update(locked_until=EXPIRY)
    before = standing(trade)
    close("6738.88")
    assert (settlements_follow(), settlements_follow()) == (0, 0)
    assert standing(trade) == before
    assert "locked, nothing was booked" in Alert.objects.get(kind=Alert.Kind.CORRECTION).message
    assert AuditEvent.objects.filter(action="trade.settle_locked").count() == 1

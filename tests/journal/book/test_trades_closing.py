"""Closing trades and correcting fills."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from threading import Thread

import pytest
from django.db import connection

from journal.errors import ConflictError, RuleError
from journal.models import AuditEvent, Fill, Trade
from journal.selectors.book.trades import book_build, trade_get, trade_position
from journal.services.book.trades import (
    LegInput,
    fill_reverse,
    trade_close,
    trade_create,
    trade_refresh,
)
from tests.journal.people import (
    ET,
    FILLED,
    LATER,
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

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> People:
    return make_people()


# -- closing ------------------------------------------------------------------------------


def test_closing_the_whole_trade(people: People) -> None:
    trade = close_condor(people, open_condor(people))
    assert trade.status == Trade.Status.CLOSED
    assert trade.closed_at == LATER
    assert trade.net_cash == Decimal(2255)
    assert trade.nearest_expiry is None
    assert book_build(people.account).trades == ()


def test_closing_leg_by_leg(people: People) -> None:
    trade = open_condor(people)
    shorts_first = sorted(condor_legs(), key=lambda leg: leg.quantity)
    for number, leg in enumerate(shorts_first, start=1):
        trade = trade_close(
            user=people.owner,
            trade=trade,
            order=order(closing([leg]), LATER + timedelta(minutes=number)),
            version=trade.version,
        )
        open_now = len(trade_position(trade_get(people.owner, trade.pk)).legs)
        assert open_now == 4 - number
    assert trade.status == Trade.Status.CLOSED


def test_closing_part_of_the_contracts(people: People) -> None:
    trade = open_condor(people, order=order(condor_legs(quantity=3)))
    trade = trade_close(user=people.owner, trade=trade, order=order(closing(condor_legs(quantity=2)), LATER))
    legs = trade_position(trade_get(people.owner, trade.pk)).legs
    assert [leg.quantity for leg in legs] == [1, -1, -1, 1]
    assert legs[0].entry_price == Decimal(10)
    assert trade.status == Trade.Status.OPEN


def test_closing_more_than_is_open_is_refused(people: People) -> None:
    trade = open_condor(people)
    leg = condor_legs()[0]
    for wrong in (-2, 1):
        with pytest.raises(RuleError) as caught:
            trade_close(
                user=people.owner,
                trade=trade,
                order=order([LegInput(leg.spec, wrong, Decimal(1))], LATER),
            )
        assert leg.spec.symbol in caught.value.message
        assert "(+1)" in caught.value.message
    with pytest.raises(RuleError, match="does not close what is open"):
        trade_close(user=people.owner, trade=trade, order=order([vix_call()], LATER))
    assert Fill.objects.count() == 4


def test_closing_before_opening_is_refused(people: People) -> None:
    trade = open_condor(people)
    with pytest.raises(RuleError, match="before the trade was opened"):
        trade_close(
            user=people.owner,
            trade=trade,
            order=order(closing(condor_legs()), FILLED - timedelta(days=3)),
        )


def test_a_stale_version_writes_nothing(people: People) -> None:
    trade = open_condor(people)
    legs = condor_legs()
    trade_close(user=people.owner, trade=trade, order=order(closing(legs[1:2]), LATER), version=trade.version)
    with pytest.raises(ConflictError):
        trade_close(
            user=people.owner,
            trade=trade,
            order=order(closing([legs[0], *legs[2:]]), LATER),
            version=trade.version,
        )
    assert Fill.objects.count() == 5


def test_a_repeated_close_is_recorded_once(people: People) -> None:
    trade = open_condor(people)
    for _ in range(2):
        trade_close(
            user=people.owner,
            trade=trade,
            version=trade.version,
            order=order(closing(condor_legs()), LATER, token="close"),
        )
    assert Fill.objects.count() == 8


def test_an_expired_leg_is_closed_at_its_settlement(people: People) -> None:
    legs = condor_legs(expiry=date(2026, 11, 6))
    trade = open_condor(people, order=order(legs))
    bell = datetime(2026, 11, 6, 16, 0, tzinfo=ET)
    trade = trade_close(
        user=people.owner, trade=trade, order=order(closing(legs, "0"), bell, fees=Decimal(0))
    )
    assert trade.status == Trade.Status.CLOSED
    assert trade.realized == Decimal("2249.80")


# -- corrections --------------------------------------------------------------------------


def test_a_reversed_fill_is_as_if_it_had_not_happened(people: People) -> None:
    trade = open_condor(people)
    fill = trade.fills.get(contract__symbol=condor_legs()[0].spec.symbol)
    mirror = fill_reverse(user=people.owner, fill=fill, reason="wrong strike")
    assert (mirror.quantity, mirror.price, mirror.fees) == (-fill.quantity, fill.price, -fill.fees)
    assert mirror.executed_at == fill.executed_at
    trade.refresh_from_db()
    assert trade.net_cash == Decimal(3255)
    assert len(trade_position(trade_get(people.owner, trade.pk)).legs) == 3
    assert AuditEvent.objects.get(action="fill.reverse").changes["reason"] == "wrong strike"


def test_a_correction_keeps_the_average_price_of_what_remains(people: People) -> None:
    legs = [vx(2, "20.00")]
    trade = trade_create(
        user=people.owner, account=people.account, kind=Trade.Kind.HEDGE, layer=2, order=order(legs),
    )  # fmt: skip
    wrong = Fill.objects.create(
        account=people.account,
        trade=trade,
        contract=trade.fills.get().contract,
        quantity=1,
        price=Decimal(26),
        executed_at=FILLED + timedelta(minutes=1),
        trade_date=date(2026, 11, 2),
    )
    fill_reverse(user=people.owner, fill=wrong, reason="not mine")
    position = trade_position(trade_get(people.owner, trade.pk))
    assert [(leg.quantity, leg.entry_price) for leg in position.legs] == [(2, Decimal(20))]
    assert position.cash == 0


def test_corrections_need_a_reason_and_happen_once(people: People) -> None:
    fill = open_condor(people).fills.first()
    with pytest.raises(RuleError) as caught:
        fill_reverse(user=people.owner, fill=fill, reason=" ")
    assert caught.value.field == "reason"
    mirror = fill_reverse(user=people.owner, fill=fill, reason="typo")
    with pytest.raises(RuleError, match="already corrected"):
        fill_reverse(user=people.owner, fill=fill, reason="again")
    with pytest.raises(RuleError, match="itself a correction"):
        fill_reverse(user=people.owner, fill=mirror, reason="undo the undo")


def test_a_wholly_corrected_trade_is_closed_and_empty(people: People) -> None:
    trade = open_condor(people)
    for fill in trade.fills.all():
        fill_reverse(user=people.owner, fill=fill, reason="never happened")
    trade.refresh_from_db()
    assert trade.status == Trade.Status.CLOSED
    assert (trade.net_cash, trade.fees_total) == (0, 0)


def test_derived_fields_are_rebuilt_the_same(people: People) -> None:
    trade = open_condor(people)
    fill_reverse(user=people.owner, fill=trade.fills.first(), reason="typo")
    names = (
        "net_cash",
        "fees_total",
        "status",
        "opened_at",
        "closed_at",
        "nearest_expiry",
        "label",
        "underlying",
    )
    trade.refresh_from_db()
    before = [getattr(trade, name) for name in names]
    Trade.objects.filter(pk=trade.pk).update(
        net_cash=0,
        fees_total=9,
        status="closed",
        opened_at=None,
        label="",
        underlying="",
        nearest_expiry=None,
    )
    trade_refresh(Trade.objects.get(pk=trade.pk))
    trade.refresh_from_db()
    assert [getattr(trade, name) for name in names] == before


def test_futures_move_money_when_they_close(people: People) -> None:
    trade = trade_create(
        user=people.owner,
        account=people.account,
        kind=Trade.Kind.HEDGE,
        layer=3,
        order=order([vx(2, "20.00")]),
    )
    assert trade.net_cash == 0
    trade = trade_close(user=people.owner, trade=trade, order=order([vx(-1, "24.50")], LATER))
    assert trade.net_cash == Decimal(4500)
    assert trade.status == Trade.Status.OPEN


@pytest.mark.django_db(transaction=True)
def test_of_many_closes_of_one_version_one_is_written() -> None:
    people = make_people(is_demo=True)
    trade = open_condor(people, order=order(condor_legs(quantity=8)))
    written, conflicts, failed = [], [], []

    def close(number: int) -> None:
        legs = closing(condor_legs())
        try:
            trade_close(
                user=people.owner, trade=trade, version=trade.version,
                order=order(legs, LATER, token=f"close-{number}"),
            )  # fmt: skip
            written.append(number)
        except ConflictError:
            conflicts.append(number)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the test shows it
            failed.append(error)
        finally:
            connection.close()

    threads = [Thread(target=close, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert (len(written), len(conflicts)) == (1, 7)
    assert Fill.objects.count() == 8
    people.account.refresh_from_db()
    assert people.account.book_revision == 2

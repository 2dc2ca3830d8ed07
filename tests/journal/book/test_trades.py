"""Recording and closing trades: rules, derived fields, revision, audit and job together."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from threading import Thread

import pytest
from django.db import connection
from django.utils import timezone

from hedging.engine.book import Right
from hedging.engine.instruments import option_contract
from hedging.engine.policy.types import Guard, Refusal
from hedging.models import Job
from journal.errors import RuleError
from journal.job_kinds import VALUE_ACCOUNT
from journal.models import Account, AuditEvent, Fill, Trade
from journal.services.accounts import account_archive
from journal.services.book.judging import TradeOrder, judge
from journal.services.book.labels import labels_refresh
from journal.services.book.orders import tick_warnings
from journal.services.book.trades import (
    LegInput,
    fill_reverse,
    split_fees,
    trade_create,
)
from tests.journal.people import (
    ET,
    EXPIRY,
    FILLED,
    LATER,
    People,
    close_condor,
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


def refused(people: People, legs, field: str, words: str, **values) -> None:
    kind = values.pop("kind", Trade.Kind.OTHER)
    when = values.pop("when", FILLED)
    more = values.pop("order_values", {})
    with pytest.raises(RuleError) as caught:
        trade_create(
            user=people.owner,
            account=people.account,
            kind=kind,
            order=order(legs, when, **more),
            **values,
        )
    assert caught.value.field == field
    assert words in caught.value.message
    assert not Trade.objects.exists()
    assert not Fill.objects.exists()
    assert not Job.objects.filter(kind=VALUE_ACCOUNT).exists()


def test_a_trade_is_fills_derived_fields_revision_audit_and_job(people: People) -> None:
    trade = open_condor(people, reason="45 days, 16 delta")
    fills = list(trade.fills.order_by("price"))
    assert len(fills) == 4
    assert {fill.trade_date for fill in fills} == {date(2026, 11, 2)}
    assert trade.net_cash == Decimal(2255)
    assert trade.fees_total == Decimal("5.20")
    assert trade.status == Trade.Status.OPEN
    assert trade.nearest_expiry == EXPIRY
    assert trade.underlying == "SPX"
    assert trade.label == "1 × SPXW iron condor 6450/6500 P – 6900/6950 C · Dec 18 '26 (PM)"
    people.account.refresh_from_db()
    assert people.account.book_revision == 1
    event = AuditEvent.objects.get(action="trade.create")
    assert event.account_id == str(people.account.pk)
    assert event.actor_name == "owner"
    assert event.object_id == str(trade.pk)
    assert event.changes["reason"] == "45 days, 16 delta"
    job = Job.objects.get(kind=VALUE_ACCOUNT)
    assert job.scope == f"account:{people.account.pk}"
    assert job.input_revision == "1"
    assert job.requested_by == str(people.owner.public_id)


def test_every_change_of_the_book_has_its_own_revision_and_job(people: People) -> None:
    trade = open_condor(people)
    trade = close_condor(people, trade)
    people.account.refresh_from_db()
    assert people.account.book_revision == 2
    assert Job.objects.filter(kind=VALUE_ACCOUNT).count() == 2
    assert trade.version == 3


def test_a_refused_trade_leaves_nothing(people: People) -> None:
    refused(people, [], "legs", "at least one leg")


@pytest.mark.parametrize(
    ("legs", "words"),
    [
        (condor_legs()[:3], "four legs"),
        (condor_legs()[1:3], "four legs"),
        ([*condor_legs()[:3], LegInput(condor_legs()[3].spec, 2, Decimal(1))], "four legs"),
        (condor_legs(strikes=(6500, 6450, 6900, 6950)), "four legs"),
    ],
)
def test_a_condor_needs_both_wings(people: People, legs, words: str) -> None:
    refused(people, legs, "legs", words, kind=Trade.Kind.CONDOR)


def test_condors_are_on_spx(people: People) -> None:
    legs = [
        LegInput(option_contract("VIX", date(2026, 12, 16), right, Decimal(strike)), q, Decimal(1))
        for right, strike, q in (
            (Right.PUT, 14, 1),
            (Right.PUT, 15, -1),
            (Right.CALL, 30, -1),
            (Right.CALL, 35, 1),
        )
    ]
    refused(people, legs, "legs", "SPX", kind=Trade.Kind.CONDOR)


@pytest.mark.parametrize("root", ["SPX", "SPXW"])
def test_morning_and_afternoon_condors_are_both_recorded(people: People, root: str) -> None:
    trade = open_condor(people, order=order(condor_legs(root=root)))
    assert trade.label.endswith("(AM)" if root == "SPX" else "(PM)")


def test_quantities_are_bounded(people: People) -> None:
    leg = condor_legs()[0]
    refused(people, [LegInput(leg.spec, 0, Decimal(1))], "legs", f"Leg 1 ({leg.spec.symbol})")
    refused(people, [LegInput(leg.spec, 100_001, Decimal(1))], "legs", "quantity")


@pytest.mark.parametrize("price", ["-0.01", "100000.01", "NaN", "Infinity", "0.0000001"])
def test_prices_are_bounded(people: People, price: str) -> None:
    refused(people, [LegInput(condor_legs()[0].spec, 1, Decimal(price))], "legs", "price")


@pytest.mark.parametrize("fees", ["-0.01", "1000001", "NaN", "1.005"])
def test_fees_are_a_cost_in_cents(people: People, fees: str) -> None:
    refused(people, condor_legs(), "fees", "Fees", order_values={"fees": Decimal(fees)})


def test_a_contract_appears_once_in_an_order(people: People) -> None:
    refused(people, [condor_legs()[0], condor_legs()[0]], "legs", "Leg 2")


@pytest.mark.parametrize(
    ("root", "expiry", "words"),
    [
        ("SPXW", date(2026, 12, 19), "Saturday 2026-12-19 is not a trading day"),
        ("SPXW", date(2026, 12, 25), "not a trading day"),
        ("SPX", date(2026, 12, 17), "expire on 2026-12-18"),
        ("VIX", date(2026, 12, 18), "settle on 2026-12-16"),
        ("SPXW", date(2050, 1, 3), "outside"),
    ],
)
def test_expiries_are_listed_days(people: People, root: str, expiry: date, words: str) -> None:
    spec = option_contract(root, expiry, Right.CALL, Decimal(30))
    refused(people, [LegInput(spec, 1, Decimal(1))], "legs", words)


def test_vx_futures_settle_on_their_wednesday(people: People) -> None:
    refused(people, [vx(expiry=date(2026, 12, 15))], "legs", "settle on 2026-12-16")


@pytest.mark.parametrize(
    ("when", "words"),
    [
        (datetime(2026, 10, 31, 11, 0, tzinfo=ET), "Saturday 2026-10-31 is not a trading day"),
        (datetime(2026, 10, 31, 21, 0, tzinfo=ET), "not a trading day"),
        (datetime(2025, 12, 25, 11, 0, tzinfo=ET), "not a trading day"),
        (datetime(1970, 1, 1, tzinfo=UTC), "not a trading day"),
        (datetime(2099, 1, 2, 12, 0, tzinfo=UTC), "future"),
    ],
)
def test_fills_happen_on_sessions_that_were(people: People, when: datetime, words: str) -> None:
    refused(people, condor_legs(), "filled_at", words, when=when)


def test_a_fill_in_the_future_is_refused(people: People) -> None:
    soon = timezone.now() + timedelta(minutes=6)
    refused(people, condor_legs(), "filled_at", "future", when=soon)


@pytest.mark.parametrize(
    ("when", "session"),
    [
        (datetime(2026, 11, 1, 20, 30, tzinfo=ET), date(2026, 11, 2)),  # Sunday evening
        (datetime(2026, 11, 2, 20, 30, tzinfo=ET), date(2026, 11, 3)),
        (datetime(2026, 11, 2, 17, 30, tzinfo=ET), date(2026, 11, 2)),
        (datetime(2026, 11, 6, 20, 30, tzinfo=ET), date(2026, 11, 6)),  # Friday: no next session
    ],
)
def test_evening_fills_belong_to_the_next_session(people: People, when: datetime, session: date) -> None:
    trade = open_condor(people, order=order(condor_legs(), when))
    assert {fill.trade_date for fill in trade.fills.all()} == {session}


def test_a_fill_after_settlement_is_refused(people: People) -> None:
    legs = condor_legs(expiry=date(2026, 11, 6))
    refused(people, legs, "legs", "settled at 2026-11-06 16:00 ET", when=LATER)


def test_fees_follow_the_schedule_when_left_empty(people: People) -> None:
    trade = trade_create(
        user=people.owner,
        account=people.account,
        kind=Trade.Kind.OTHER,
        order=order([vix_call(), vx()]),
    )
    fees = {fill.contract.kind: fill.fees for fill in trade.fills.select_related("contract")}
    # 10 options at 1.30 and one future at 2.40 make 15.40, shared by contracts.
    assert sum(fees.values()) == Decimal("15.40")
    assert fees == {"option": Decimal("14.00"), "future": Decimal("1.40")}


@pytest.mark.parametrize("total", ["0", "0.01", "0.02", "0.03", "2.50", "10.01"])
def test_fees_are_shared_to_the_cent(total: str) -> None:
    legs = [*condor_legs(quantity=3)[:3], vix_call(quantity=7)]
    shares = split_fees(Decimal(total), legs)
    assert sum(shares) == Decimal(total)
    assert all(share >= 0 and share == share.quantize(Decimal("0.01")) for share in shares)


def test_the_same_token_is_recorded_once(people: People) -> None:
    first = open_condor(people, order=order(condor_legs(), token="abc"))
    again = open_condor(people, order=order(condor_legs(), token="abc"))
    assert again.pk == first.pk
    assert Fill.objects.count() == 4
    people.account.refresh_from_db()
    assert people.account.book_revision == 1


def test_two_accounts_may_use_one_token(people: People) -> None:
    open_condor(people, order=order(condor_legs(), token="abc"))
    other = Account.objects.for_user(people.stranger).get()
    trade_create(
        user=people.stranger,
        account=other,
        kind=Trade.Kind.CONDOR,
        order=order(condor_legs(), token="abc"),
    )
    assert Trade.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_one_token_in_parallel_makes_one_trade() -> None:
    people = make_people(is_demo=True)
    found, failed = [], []

    def post() -> None:
        try:
            found.append(open_condor(people, order=order(condor_legs(), token="parallel")).pk)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the test shows it
            failed.append(error)
        finally:
            connection.close()

    threads = [Thread(target=post) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert len(set(found)) == 1
    assert Fill.objects.count() == 4
    people.account.refresh_from_db()
    assert people.account.book_revision == 1


def test_an_archived_account_takes_no_trades(people: People) -> None:
    trade = open_condor(people)
    account_archive(user=people.owner, account=people.account)
    with pytest.raises(RuleError, match="archived"):
        open_condor(people)
    with pytest.raises(RuleError, match="archived"):
        close_condor(people, trade)
    with pytest.raises(RuleError, match="archived"):
        fill_reverse(user=people.owner, fill=trade.fills.first(), reason="wrong")


# -- size ---------------------------------------------------------------------------------


def test_a_loss_above_the_limit_needs_confirmation_and_a_reason(people: People) -> None:
    legs = condor_legs(quantity=20)  # 20 times $2,745 = $54,900 of $250,000: 21.96%
    for values in (
        {},
        {"accept_size": True},
        {"reason": "because"},
        {"accept_size": True, "reason": "  "},
    ):
        with pytest.raises(RuleError) as caught:
            open_condor(people, order=order(legs), **values)
        assert caught.value.field == "accept_size"
        assert "$54,900.00 is 21.96%" in caught.value.message
    trade = open_condor(people, order=order(legs), accept_size=True, reason="scaled in on purpose")
    assert AuditEvent.objects.get(action="trade.create").changes["reason"] == "scaled in on purpose"
    assert trade.fills.count() == 4


@pytest.mark.parametrize(
    ("quantity", "levels"),
    [(1, []), (2, [False]), (9, [False]), (10, [True])],
)
def test_size_levels(people: People, quantity: int, levels: list[bool]) -> None:
    found = sized(people, quantity)
    assert [one.blocks for one in found] == levels
    assert all(one.value == pytest.approx(2745 * quantity / 250_000) for one in found)


def test_exactly_the_limit_is_not_above_it(people: People) -> None:
    Account.objects.filter(pk=people.account.pk).update(base_capital=Decimal(27_450))
    people.account.refresh_from_db()
    (found,) = sized(people, 1)
    assert not found.blocks
    assert found.value == pytest.approx(0.10)


def sized(people: People, quantity: int) -> list[Refusal]:
    found = judge(TradeOrder(people.account, order(condor_legs(quantity=quantity))))
    return [one for one in found.guard.refusals if one.rule is Guard.SIZE]


def test_an_unlimited_loss_needs_confirmation(people: People) -> None:
    short_call = [LegInput(condor_legs()[2].spec, -1, Decimal(20))]
    refused(people, short_call, "accept_size", "no long one")
    refused(people, [vx(-1)], "accept_size", "no long one")


def test_prices_off_the_tick_are_named_and_kept(people: People) -> None:
    spec = condor_legs()[0].spec
    assert tick_warnings([LegInput(spec, 1, Decimal("2.55"))]) == []
    assert tick_warnings([LegInput(spec, 1, Decimal("3.05"))])[0].endswith("multiple of the tick 0.10.")
    assert tick_warnings([LegInput(spec, 1, Decimal("3.05"), note="split")]) == []


def test_labels_of_an_earlier_version_are_spelled_again(people: People) -> None:
    trade, own = open_condor(people), open_condor(people)
    Trade.objects.filter(pk=trade.pk).update(label="SPX iron condor 6450/6500/6900/6950 · 18 Dec 26 PM")
    Trade.objects.filter(pk=own.pk).update(title="My condor", label="My condor")
    before = Trade.objects.values_list("version", "net_cash").get(pk=trade.pk)
    assert labels_refresh() == 1
    assert Trade.objects.get(pk=trade.pk).label == trade.label
    assert Trade.objects.get(pk=own.pk).label == "My condor"
    assert Trade.objects.values_list("version", "net_cash").get(pk=trade.pk) == before
    assert labels_refresh() == 0

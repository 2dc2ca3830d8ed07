"""Deciding on recommendations: signatures bound to content, delays, overrides, staleness, supersession."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from hedging.engine.instruments import parse_symbol
from hedging.engine.policy.types import Action, Effects, OrderLeg
from hedging.selectors.calendar import NEW_YORK, closes_at
from journal.errors import ConflictError, RuleError
from journal.models import Account, Alert, AuditEvent, Decision, Recommendation, Role, Signature, Trade, User
from journal.selectors.governance.recommendations import stale_reasons
from journal.services.accounts import member_add
from journal.services.alerts.alerts import alert_raise
from journal.services.book.rolls import trade_roll
from journal.services.book.trades import LegInput, OrderInput, trade_close, trade_create
from journal.services.governance.recommendations import (
    recommendation_execute,
    recommendation_override,
    recommendation_sign,
    recommendation_snooze,
    recommendations_expire,
    recommendations_wake,
    waiting_finding,
)
from tests.journal.governance.cases import CALL, proposal, stored
from tests.journal.people import People, make_people, make_user

pytestmark = pytest.mark.django_db
WHY = "The spread is 30 cents wide."


@pytest.fixture
def people() -> People:
    return make_people()


def first(account: Account) -> Recommendation:
    return Recommendation.objects.filter(account=account).latest("created_at", "-ordinal")


def sign(user: User, row: Recommendation) -> Recommendation:
    return recommendation_sign(user=user, recommendation=row, content_hash=row.content_hash)


def signers(people: People, *names: str) -> list[User]:
    found = [make_user(name) for name in names]
    for user in found:
        member_add(user=people.owner, account=people.account, member=user, role=Role.SIGNER, signed=True)
    return found


def test_one_signer_approves_alone_and_at_once(people: People) -> None:
    stored(people.account)
    row = sign(people.owner, first(people.account))
    assert row.state == Recommendation.State.APPROVED
    assert row.executable_at == row.approved_at
    assert [d.kind for d in row.decisions.all()] == ["approved"]


def test_several_signers_need_two_and_wait_48_hours_unless_risk_falls(people: People) -> None:
    ann, bob = signers(people, "ann", "bob")
    stored(people.account, proposal(6000.0, 9000.0), proposal(9000.0, 6000.0))
    rows = Recommendation.objects.filter(account=people.account).order_by("ordinal")
    for row, wait in zip(rows, (timedelta(hours=48), timedelta(0)), strict=True):
        assert sign(ann, row).state == Recommendation.State.NEW
        assert sign(ann, row).state == Recommendation.State.NEW  # twice is once
        done = sign(bob, row)
        assert done.state == Recommendation.State.APPROVED
        assert done.approved_at is not None
        assert done.executable_at == done.approved_at + wait
    assert Signature.objects.count() == 4


@pytest.mark.parametrize("who", ["teammate", "stranger", "trader"])
def test_only_signers_sign(people: People, who: str) -> None:
    stored(people.account)
    trader = make_user("trader")
    member_add(user=people.owner, account=people.account, member=trader, role=Role.TRADER)
    user = trader if who == "trader" else getattr(people, who)
    with pytest.raises(RuleError, match="signers"):
        sign(user, first(people.account))
    assert not Signature.objects.exists()


def test_a_signature_is_bound_to_the_content_that_was_shown(people: People) -> None:
    stored(people.account)
    shown = first(people.account)
    stored(people.account, replace(proposal(), cost=520.0))
    with pytest.raises(RuleError, match="superseded"):
        sign(people.owner, shown)
    with pytest.raises(ConflictError):
        recommendation_sign(
            user=people.owner, recommendation=first(people.account), content_hash=shown.content_hash
        )
    assert not Signature.objects.exists()


def test_what_was_signed_cannot_be_altered(people: People) -> None:
    stored(people.account)
    row = sign(people.owner, first(people.account))
    for change in (
        lambda: Recommendation.objects.filter(pk=row.pk).update(proposal={}),
        lambda: Recommendation.objects.filter(pk=row.pk).update(content_hash="0" * 64),
        lambda: Signature.objects.update(content_hash="0" * 64),
        lambda: Decision.objects.update(reason="another"),
        lambda: type(row.run).objects.update(advice={}),
    ):
        with pytest.raises(DatabaseError, match="cannot be changed"), transaction.atomic():
            change()


def test_the_same_answer_is_stored_once_and_a_new_one_supersedes(people: People) -> None:
    run = stored(people.account)
    assert stored(people.account).pk == run.pk
    sign(people.owner, first(people.account))
    other = stored(people.account, replace(proposal(), cost=520.0), replace(proposal(), cost=530.0))
    run.refresh_from_db()
    assert run.superseded_at is not None
    assert other.superseded_at is None
    states = Recommendation.objects.filter(run=run).values_list("state", flat=True)
    assert list(states) == ["approved"]  # the approved one stays
    third = stored(people.account, replace(proposal(), cost=540.0))
    assert {r.state for r in other.recommendations.all()} == {"superseded"}
    assert third.recommendations.get().state == "new"


def test_stale_inputs_keep_it_from_being_approved(people: People) -> None:
    stored(people.account)
    row = first(people.account)
    assert stale_reasons(row, timezone.now()) == []
    Account.objects.filter(pk=people.account.pk).update(book_revision=7)
    with pytest.raises(RuleError, match="the book changed since"):
        sign(people.owner, row)
    Account.objects.filter(pk=people.account.pk).update(book_revision=row.run.book_revision)
    row.refresh_from_db()
    later = stale_reasons(row, timezone.now() + timedelta(days=6))
    assert later == ["its market data are older than the last session", "it expired"]


@pytest.mark.parametrize(
    ("before", "after", "tag"),
    [(9000.0, 6000.0, "promoter"), (6000.0, 9000.0, "steward"), (6000.0, 6000.0, "neutral")],
)
def test_an_override_is_tagged_by_its_effect_on_the_stressed_loss(
    people: People, before: float, after: float, tag: str
) -> None:
    stored(people.account, proposal(before, after))
    recommendation_override(
        user=people.owner, recommendation=first(people.account), reason_code="liquidity", reason=WHY
    )
    decision = Decision.objects.get(kind="overridden")
    assert (decision.tag, decision.scenario_effect) == (tag, before - after)
    event = AuditEvent.objects.get(action="recommendation.overridden")
    assert event.changes["reason"] == WHY


def test_refusing_a_hedge_is_a_promoter_s_decision_although_a_rally_costs_a_little_more(
    people: People,
) -> None:
    given = proposal(17_440.0, 17_525.0)
    assert given.effects is not None
    losses = Effects(
        replace(given.effects.before, fall_loss=13_296.0), replace(given.effects.after, fall_loss=9_891.0)
    )
    stored(people.account, replace(given, effects=losses, risk_reducing=True))
    recommendation_override(
        user=people.owner, recommendation=first(people.account), reason_code="view", reason=WHY
    )
    decision = Decision.objects.get(kind="overridden")
    assert (decision.tag, decision.scenario_effect) == ("promoter", 3_405.0)


def test_an_override_needs_code_and_words(people: People) -> None:
    stored(people.account)
    row = first(people.account)
    for code, words, field in (("", WHY, "reason_code"), ("view", "too short", "reason")):
        with pytest.raises(RuleError) as refused:
            recommendation_override(user=people.owner, recommendation=row, reason_code=code, reason=words)
        assert refused.value.field == field
    with pytest.raises(RuleError, match="not decide"):
        recommendation_override(user=people.teammate, recommendation=row, reason_code="view", reason=WHY)
    assert first(people.account).state == "new"


def test_snoozed_ones_can_still_be_signed_and_expired_ones_not(people: People) -> None:
    stored(people.account)
    row = first(people.account)
    now = timezone.now()
    recommendation_snooze(user=people.owner, recommendation=row, until=now + timedelta(hours=2))
    with pytest.raises(RuleError):
        recommendation_snooze(user=people.owner, recommendation=row, until=now - timedelta(hours=2))
    assert sign(people.owner, row).state == "approved"
    stored(people.account, replace(proposal(), cost=520.0))
    assert recommendations_expire(now=now + timedelta(days=9)) == 2
    assert set(Recommendation.objects.values_list("state", flat=True)) == {"expired"}
    with pytest.raises(RuleError, match="expired"):
        sign(people.owner, first(people.account))


def test_execution_links_the_fills_that_carried_it_out(people: People) -> None:
    stored(people.account)
    row = sign(people.owner, first(people.account))
    wrong = buy(people, row, "VIX   261216C00030000")
    with pytest.raises(RuleError, match="buys VIX"):
        recommendation_execute(user=people.owner, recommendation=row, trade=wrong)
    trade = buy(people, row, CALL)
    done = recommendation_execute(user=people.owner, recommendation=row, trade=trade)
    assert done.state == "executed"
    decision = Decision.objects.get(kind="executed")
    assert decision.fills == [str(trade.fills.get(quantity=4).pk)]


def test_a_roll_recorded_as_two_trades_carries_out_one_recommendation(people: People) -> None:
    before = stored(people.account).as_of - timedelta(days=20)
    far = "VIX   270120C00025000"
    legs = [LegInput(parse_symbol(CALL), 4, Decimal("1.00"))]
    old = trade_create(
        user=people.owner, account=people.account, kind=Trade.Kind.HEDGE, layer=1,
        order=OrderInput(legs, before),
    )  # fmt: skip
    people.account.refresh_from_db()
    given = proposal(action=Action.TIME_SHIFT)
    roll = (OrderLeg(CALL, -4, 1.5), OrderLeg(far, 4, 1.2))
    run = stored(people.account, replace(given, orders=(replace(given.orders[0], legs=roll),)))
    row = sign(people.owner, first(people.account))
    when = run.as_of + timedelta(seconds=1)
    new = trade_roll(
        user=people.owner, trade=old, kind="time_shift", reason="as recommended",
        closing=OrderInput([LegInput(parse_symbol(CALL), -4, Decimal("1.50"))], when),
        opening=OrderInput([LegInput(parse_symbol(far), 4, Decimal("1.20"))], when),
    )  # fmt: skip
    other = buy(people, row, far)
    with pytest.raises(RuleError, match="sells VIX"):
        recommendation_execute(user=people.owner, recommendation=row, trade=other)
    recommendation_execute(user=people.owner, recommendation=row, trade=new)
    decision = Decision.objects.get(kind="executed")
    assert set(decision.fills) == {str(old.fills.get(quantity=-4).pk), str(new.fills.get().pk)}


def test_lots_sold_by_one_recommendation_are_linked_from_their_own_trades(people: People) -> None:
    before = stored(people.account).as_of - timedelta(days=20)
    held = [
        trade_create(
            user=people.owner, account=people.account, kind=Trade.Kind.HEDGE, layer=1,
            order=OrderInput([LegInput(parse_symbol(CALL), 2, Decimal("1.00"))], before + timedelta(days=n)),
        )
        for n in (0, 1)
    ]  # fmt: skip
    people.account.refresh_from_db()
    given = proposal(action=Action.TRIM_LAYER)
    orders = tuple(
        replace(given.orders[0], legs=(OrderLeg(CALL, -2, 1.5),), trade_id=str(trade.pk)) for trade in held
    )
    run = stored(people.account, replace(given, orders=orders))
    row = sign(people.owner, first(people.account))
    legs = [LegInput(parse_symbol(CALL), -2, Decimal("1.50"))]
    for trade in held:
        order = OrderInput(legs, run.as_of + timedelta(seconds=1))
        trade_close(user=people.owner, trade=trade, order=order)
    recommendation_execute(user=people.owner, recommendation=row, trade=held[0])
    sold = {str(trade.fills.get(quantity=-2).pk) for trade in held}
    assert set(Decision.objects.get(kind="executed").fills) == sold


def buy(people: People, row: Recommendation, symbol: str) -> Trade:
    return trade_create(
        user=people.owner, account=people.account, kind=Trade.Kind.HEDGE, layer=1,
        order=OrderInput(
            [LegInput(parse_symbol(symbol), 4, Decimal("1.20"))], row.run.as_of + timedelta(seconds=1)
        ),
    )  # fmt: skip


def test_an_approval_leaves_a_whole_session_after_its_delay(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Approved on a Friday with 48 hours to wait, it runs into a Sunday: Monday's close is the end."""
    friday = datetime(2026, 11, 20, 8, 0, tzinfo=NEW_YORK)
    monkeypatch.setattr(timezone, "now", lambda: friday)
    ann, bob = signers(people, "ann", "bob")
    stored(people.account, proposal(6000.0, 9000.0), now=friday)
    row = first(people.account)
    sign(ann, row)
    done = sign(bob, row)
    assert done.executable_at == datetime(2026, 11, 22, 8, 0, tzinfo=NEW_YORK)
    assert done.expires_at == closes_at(date(2026, 11, 23))


def test_what_was_put_aside_waits_again_and_is_told(people: People) -> None:
    stored(people.account)
    row, now = first(people.account), timezone.now()
    alert_raise(account=people.account, finding=waiting_finding(row))
    recommendation_snooze(user=people.owner, recommendation=row, until=now + timedelta(hours=1))
    assert not Alert.objects.filter(cleared_at__isnull=True).exists()
    assert recommendations_wake(now=now + timedelta(minutes=59)) == 0
    assert recommendations_wake(now=now + timedelta(minutes=61)) == 1
    assert recommendations_wake(now=now + timedelta(minutes=61)) == 0
    row.refresh_from_db()
    assert (row.state, row.snoozed_until) == (Recommendation.State.NEW, None)
    assert Alert.objects.get(cleared_at__isnull=True).message == row.title
    sign(people.owner, row)
    assert not Alert.objects.filter(cleared_at__isnull=True).exists()

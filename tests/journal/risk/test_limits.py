"""Limits: the narrowest scope counts, each below, at and above; unknown never keeps one; firm raises wait."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from hedging.selectors.calendar import session_date
from journal.errors import RuleError
from journal.models import AuditEvent, BreachCase, Measure, RiskGroup, RiskLimit, RiskRow, User
from journal.selectors.risk.limits import FIGURES, FLOORS, Limit, Scope, judge, limit_book
from journal.services.risk.cases import (
    ESCALATE_AFTER,
    case_acknowledge,
    case_assign,
    case_comment,
    cases_escalate,
)
from journal.services.risk.limits import limit_approve, limit_end, limit_refuse, limit_set
from tests.journal.people import People, make_people, make_user

pytestmark = pytest.mark.django_db
Severity = BreachCase.Severity
WHY = "tried in the committee"


@pytest.fixture
def people() -> People:
    return make_people()


@pytest.fixture
def officer() -> User:
    return make_user("officer")


def row(**values: Any) -> RiskRow:
    return RiskRow(**{"open_trades": 3, "fall_pct": 1.0, "rally_pct": 1.0, "unmargined": 0, **values})


@pytest.mark.parametrize("measure", Measure)
def test_each_limit_below_at_and_above(measure: Measure) -> None:
    limit = Limit(soft=20.0, hard=20.0, scope=Scope.FIRM)
    broken = 19.99 if measure in FLOORS else 20.01
    kept = 20.01 if measure in FLOORS else 19.99
    judged = {
        value: judge(measure, limit, value, row(**{FIGURES[measure]: value}))
        for value in (kept, 20.0, broken)
    }
    assert list(judged.values()) == [None, None, Severity.HARD]


@pytest.mark.parametrize("measure", sorted(set(Measure) - {Measure.STRIKE_SHARE, Measure.EXPIRY_SHARE}))
def test_an_unknown_figure_never_keeps_a_limit(measure: Measure) -> None:
    limit = Limit(None, 1000.0, Scope.FIRM)
    assert judge(Measure(measure), limit, None, row()) is Severity.UNKNOWN


def test_a_share_of_losses_is_unknown_while_the_losses_are() -> None:
    limit = Limit(None, 50.0, Scope.FIRM)
    assert judge(Measure.EXPIRY_SHARE, limit, None, row(fall_pct=None)) is Severity.UNKNOWN
    assert judge(Measure.EXPIRY_SHARE, limit, None, row()) is None  # nothing loses


def test_a_warning_comes_before_the_limit() -> None:
    limit = Limit(soft=15.0, hard=20.0, scope=Scope.FIRM)
    found = [judge(Measure.FALL, limit, value, row()) for value in (15.0, 15.1, 20.0, 20.1)]
    assert found == [None, Severity.SOFT, Severity.SOFT, Severity.HARD]


def test_hedges_alone_need_no_coverage() -> None:
    limit = Limit(None, 50.0, Scope.FIRM)
    assert judge(Measure.COVERAGE_LOW, limit, None, row(nothing_to_cover=True)) is None


def test_the_narrowest_scope_counts_and_the_strictest_of_groups(people: People, officer: User) -> None:
    account = people.account

    def hard() -> float:
        return limit_book().limits(account)[Measure.MARGIN].hard

    assert hard() == float(account.max_margin_pct)
    limit_set(user=officer, measure=Measure.MARGIN, hard=45, reason=WHY)
    assert hard() == 45
    for name, value in (("Desk", 40), ("Condors", 35)):
        group = RiskGroup.objects.create(name=name)
        group.accounts.add(account)
        limit_set(user=officer, measure=Measure.MARGIN, hard=value, group=group, reason=WHY)
    assert hard() == 35
    own = limit_set(user=officer, measure=Measure.MARGIN, hard=60, account=account, reason=WHY)
    assert hard() == 60
    limit_end(user=officer, limit=own, reason=WHY)
    assert hard() == 35


def test_raising_a_firm_limit_waits_for_a_second_person(officer: User) -> None:
    limit_set(user=officer, measure=Measure.FALL, hard=20, reason=WHY)
    tightened = limit_set(user=officer, measure=Measure.FALL, hard=15, reason=WHY)
    assert tightened.state == RiskLimit.State.IN_FORCE
    raised = limit_set(user=officer, measure=Measure.FALL, hard=18, reason=WHY)
    assert raised.state == RiskLimit.State.PROPOSED
    with pytest.raises(RuleError, match="Somebody else"):
        limit_approve(user=officer, limit=raised)
    limit_approve(user=make_user("second"), limit=raised)
    raised.refresh_from_db()
    tightened.refresh_from_db()
    assert (raised.state, tightened.state) == (RiskLimit.State.IN_FORCE, RiskLimit.State.ENDED)
    with pytest.raises(RuleError, match="does not wait"):
        limit_refuse(user=officer, limit=raised)


def test_lowering_the_coverage_asked_for_is_raising_the_risk(officer: User) -> None:
    limit_set(user=officer, measure=Measure.COVERAGE_LOW, hard=40, reason=WHY)
    lower = limit_set(user=officer, measure=Measure.COVERAGE_LOW, hard=30, reason=WHY)
    assert lower.state == RiskLimit.State.PROPOSED


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"hard": -1}, "hard"), ({"hard": float("nan")}, "hard"), ({"hard": 20, "soft": 25}, "soft"),
        ({"hard": 20, "reason": "short"}, "reason"),
    ],
)  # fmt: skip
def test_a_bad_limit_is_refused_by_name(officer: User, values: dict[str, Any], field: str) -> None:
    with pytest.raises(RuleError) as error:
        limit_set(user=officer, measure=Measure.MARGIN, **{"reason": WHY, **values})
    assert error.value.field == field
    assert not RiskLimit.objects.exists()


def case(people: People, **values: Any) -> BreachCase:
    given = {
        "account": people.account, "measure": Measure.FALL, "severity": Severity.HARD, "limit": 20.0,
        "value": 24.0, "last_value": 24.0, "opened_at": timezone.now(),
    }  # fmt: skip
    return BreachCase.objects.create(**{**given, **values})


def test_a_case_is_acknowledged_with_a_reason_until_a_day(people: People, officer: User) -> None:
    today = session_date(timezone.now())
    one = case(people)
    for reason, until, field in (
        ("ok", today, "reason"),
        (WHY, today - timedelta(days=1), "until"),
        (WHY, today + timedelta(days=31), "until"),
    ):
        with pytest.raises(RuleError) as error:
            case_acknowledge(user=officer, case=one, reason=reason, until=until)
        assert error.value.field == field
    done = case_acknowledge(user=officer, case=one, reason=WHY, until=today + timedelta(days=2))
    assert done.acknowledged_by == officer
    assert AuditEvent.objects.filter(action="risk.acknowledge", object_id=str(one.pk)).exists()


def test_a_hard_breach_nobody_acknowledged_is_escalated_once(people: People, officer: User) -> None:
    old = timezone.now() - ESCALATE_AFTER - timedelta(minutes=1)
    late = case(people, opened_at=old)
    case(people, measure=Measure.MARGIN, severity=Severity.SOFT, opened_at=old)
    known = case(people, measure=Measure.RALLY, opened_at=old)
    case_acknowledge(user=officer, case=known, reason=WHY, until=session_date(timezone.now()))
    assert (cases_escalate(), cases_escalate()) == (1, 0)
    late.refresh_from_db()
    assert late.escalated_at is not None


def test_an_acknowledgement_that_ran_out_asks_again(people: People, officer: User) -> None:
    one = case(people)
    case_acknowledge(user=officer, case=one, reason=WHY, until=session_date(timezone.now()))
    BreachCase.objects.update(acknowledged_until=session_date(timezone.now()) - timedelta(days=1))
    cases_escalate()
    one.refresh_from_db()
    assert one.acknowledged_at is None


def test_only_the_desk_works_on_cases_and_closed_ones_rest(people: People, officer: User) -> None:
    one = case(people)
    with pytest.raises(RuleError, match="risk desk"):
        case_assign(user=officer, case=one, assignee=people.owner)
    with pytest.raises(RuleError, match="Write something"):
        case_comment(user=people.owner, case=one, text=" ", of_desk=False)
    assert not case_comment(user=people.owner, case=one, text="Rolling today.", of_desk=False).of_desk
    BreachCase.objects.update(closed_at=timezone.now())
    with pytest.raises(RuleError, match="closed"):
        case_assign(user=officer, case=one, assignee=None)

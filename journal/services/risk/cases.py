"""Breach cases: opened and closed by the figures, acknowledged, answered and escalated by people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from hedging.selectors.calendar import session_date
from journal.errors import RuleError
from journal.models import Account, Alert, BreachCase, BreachComment, RiskRow, User
from journal.selectors.risk.limits import Breach
from journal.services.alerts.alerts import AlertFinding, alert_clear, alert_raise
from journal.services.audit import audit_record

Severity = BreachCase.Severity
#: A hard breach that nobody acknowledged for so long is escalated.
ESCALATE_AFTER = timedelta(hours=4)
#: An acknowledgement asks again after at most so many days.
LONGEST_ACKNOWLEDGEMENT = 30
_LEAST_REASON = 10


@transaction.atomic
def cases_follow(*, rows: Sequence[RiskRow], found: Mapping[UUID, Sequence[Breach]]) -> tuple[int, int]:
    """Open a case for each new breach, bring open ones up to date, close those that are over.

    Returns how many were opened and closed. A case that worsened asks again although it was acknowledged.
    """
    by_account = {row.account_id: row for row in rows}
    open_ones = {
        (case.account_id, case.measure): case
        for case in BreachCase.objects.select_for_update()
        .filter(closed_at__isnull=True, account__in=by_account)
        .select_related("account")
    }
    now, opened = timezone.now(), 0
    for account_id, row in by_account.items():
        for breach in found.get(account_id, ()):
            case = open_ones.pop((account_id, breach.measure.value), None)
            if case is None:
                _open(row, breach)
                opened += 1
            else:
                _update(case, breach)
    for case in open_ones.values():
        case.closed_at = now
        case.last_value = None
        case.save(update_fields=["closed_at", "last_value"])
        alert_clear(account=case.account, key=_key(case))
    return opened, len(open_ones)


def _open(row: RiskRow, breach: Breach) -> None:
    case = BreachCase.objects.create(
        account_id=row.account_id, measure=breach.measure, severity=breach.severity, limit=breach.limit.hard,
        value=breach.value, last_value=breach.value, opened_at=timezone.now(),
        figures={
            "as_of": row.sheet.as_of.isoformat(),
            "scope": breach.limit.scope.value, "soft": breach.limit.soft,
            "unknown_legs": row.unknown_legs, "book_revision": row.book_revision,
            "worst_expiry": row.worst_expiry.isoformat() if row.worst_expiry else None,
            "worst_strike": row.worst_strike,
        },
    )  # fmt: skip
    if breach.severity != Severity.SOFT:
        finding = AlertFinding(Alert.Kind.RISK, _key(case), case_words(case))
        alert_raise(account=case.account, finding=finding)


def _update(case: BreachCase, breach: Breach) -> None:
    worsened = breach.severity > case.severity
    case.last_value, case.severity = breach.value, breach.severity
    if worsened:
        case.acknowledged_at = case.acknowledged_until = case.acknowledged_by = None
        case.acknowledged_reason = ""
    case.save()


def _key(case: BreachCase) -> str:
    return f"risk:{case.measure}"


def case_words(case: BreachCase) -> str:
    """The breach in one sentence: what it is, what it stands at, and its limit."""
    what = case.get_measure_display()
    if case.last_value is None:
        return f"{what}: unknown, so it cannot be said to keep its limit of {case.limit:g}."
    return f"{what}: {case.last_value:.1f}, limit {case.limit:g}."


@transaction.atomic
def case_acknowledge(*, user: User, case: BreachCase, reason: str, until: date) -> BreachCase:
    """Say that somebody knows and why it may stand until a day. Raises RuleError naming the input."""
    case = _open_case(case)
    reason = reason.replace("\x00", "").strip()
    today = session_date(timezone.now())
    if len(reason) < _LEAST_REASON:
        raise RuleError(f"Say why, in at least {_LEAST_REASON} characters.", "reason")
    if not today <= until <= today + timedelta(days=LONGEST_ACKNOWLEDGEMENT):
        raise RuleError(f"Choose a day from today to {LONGEST_ACKNOWLEDGEMENT} days ahead.", "until")
    case.acknowledged_by, case.acknowledged_at = user, timezone.now()
    case.acknowledged_until, case.acknowledged_reason = until, reason[:300]
    case.save()
    audit_record(
        actor=user, action="risk.acknowledge", account=case.account, obj=case,
        summary=f"{case.get_measure_display()} acknowledged until {until}: {reason}",
    )  # fmt: skip
    return case


@transaction.atomic
def case_assign(*, user: User, case: BreachCase, assignee: User | None) -> BreachCase:
    """Hand a case to somebody of the desk, or to nobody."""
    case = _open_case(case)
    if assignee is not None and not assignee.is_risk_admin:
        raise RuleError("Only somebody of the risk desk can work on a case.", "assignee")
    case.assignee = assignee
    case.save(update_fields=["assignee"])
    name = assignee.get_username() if assignee else "nobody"
    audit_record(
        actor=user, action="risk.assign", account=case.account, obj=case,
        summary=f"{case.get_measure_display()} assigned to {name}",
    )  # fmt: skip
    return case


@transaction.atomic
def case_comment(*, user: User, case: BreachCase, text: str, of_desk: bool) -> BreachComment:
    """Add a comment, of the desk or of the trader. Raises RuleError when it is empty."""
    text = text.replace("\x00", "").strip()
    if not text:
        raise RuleError("Write something first.", "text")
    comment = BreachComment.objects.create(case=case, author=user, of_desk=of_desk, text=text[:1000])
    audit_record(
        actor=user, action="risk.comment", account=case.account, obj=case,
        summary=f"{case.get_measure_display()}: {text}",
    )  # fmt: skip
    return comment


@transaction.atomic
def cases_escalate() -> int:
    """Escalate hard breaches nobody acknowledged in time, and acknowledgements that ran out; how many."""
    now, today = timezone.now(), session_date(timezone.now())
    BreachCase.objects.filter(closed_at__isnull=True, acknowledged_until__lt=today).update(
        acknowledged_at=None, acknowledged_until=None, acknowledged_by=None, acknowledged_reason=""
    )
    late = BreachCase.objects.select_for_update().filter(
        closed_at__isnull=True, acknowledged_at__isnull=True, escalated_at__isnull=True,
        severity=Severity.HARD, opened_at__lt=now - ESCALATE_AFTER,
    )  # fmt: skip
    cases = list(late)
    for case in cases:
        case.escalated_at = now
        case.save(update_fields=["escalated_at"])
        audit_record(
            actor=None, action="risk.escalate", account=case.account, obj=case,
            summary=f"{case.get_measure_display()}: nobody acknowledged it",
        )  # fmt: skip
    return len(cases)


def _open_case(case: BreachCase) -> BreachCase:
    Account.objects.select_for_update().get(pk=case.account_id)
    found = BreachCase.objects.select_for_update().get(pk=case.pk)
    if found.closed_at is not None:
        raise RuleError("This case is closed: the figures are within their limit again.")
    return found

"""Setting limits: versions that end and are never overwritten; raising a firm's takes two people."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from journal.errors import RuleError
from journal.models import Account, Measure, RiskGroup, RiskLimit, User
from journal.selectors.risk.limits import FLOORS, limits_in_force, stricter
from journal.services.audit import audit_record

State = RiskLimit.State
_LEAST_REASON = 10


@transaction.atomic
def limit_set(
    *,
    user: User,
    measure: Measure,
    hard: float,
    soft: float | None = None,
    reason: str,
    account: Account | None = None,
    group: RiskGroup | None = None,
) -> RiskLimit:
    """Set a limit of an account, of a group's accounts, or (neither) of every account of the firm.

    In force at once, except where a firm limit is raised or made for the first time looser than accounts
    state themselves: that waits for a second person. Raises RuleError naming the input.
    """
    reason = reason.replace("\x00", "").strip()
    _check(measure, hard, soft, reason)
    if account is not None and group is not None:
        raise RuleError("A limit is an account's, a group's or the firm's.", "scope")
    known = (
        limits_in_force().select_for_update().filter(measure=measure, account=account, group=group).first()
    )
    of_firm = account is None and group is None
    waits = of_firm and known is not None and stricter(measure, known.hard, hard)
    limit = RiskLimit.objects.create(
        measure=measure, account=account, group=group, soft=soft, hard=hard, reason=reason[:300],
        made_by=user, state=State.PROPOSED,
    )  # fmt: skip
    if not waits:
        _enforce(limit)
    audit_record(
        actor=user, action="risk.limit_propose" if waits else "risk.limit_set", account=account, obj=limit,
        summary=f"{limit_words(limit)}: {reason}",
        changes={"before": known.hard if known else None, "after": hard},
    )  # fmt: skip
    return limit


@transaction.atomic
def limit_approve(*, user: User, limit: RiskLimit) -> RiskLimit:
    """Put a proposed limit in force, as a second person. Raises RuleError."""
    limit = _proposed(limit)
    if limit.made_by_id == user.pk:
        raise RuleError("Somebody else must approve what you proposed.")
    limit.approved_by = user
    _enforce(limit)
    audit_record(
        actor=user, action="risk.limit_approve", account=limit.account, obj=limit, summary=limit_words(limit)
    )
    return limit


@transaction.atomic
def limit_refuse(*, user: User, limit: RiskLimit) -> RiskLimit:
    """Leave a proposed limit without effect; who proposed it may take it back. Raises RuleError."""
    limit = _proposed(limit)
    limit.state, limit.ended_at = State.REFUSED, timezone.now()
    limit.save()
    audit_record(
        actor=user, action="risk.limit_refuse", account=limit.account, obj=limit, summary=limit_words(limit)
    )
    return limit


@transaction.atomic
def limit_end(*, user: User, limit: RiskLimit, reason: str) -> RiskLimit:
    """Take a limit of an account or group away; the wider scope counts again. Raises RuleError."""
    limit = RiskLimit.objects.select_for_update().get(pk=limit.pk)
    if limit.state != State.IN_FORCE:
        raise RuleError("This limit is not in force.")
    if not limit.may_end:
        raise RuleError("A firm limit is changed, not taken away: set another value.")
    reason = reason.replace("\x00", "").strip()
    if len(reason) < _LEAST_REASON:
        raise RuleError(f"Say why, in at least {_LEAST_REASON} characters.", "reason")
    limit.state, limit.ended_at = State.ENDED, timezone.now()
    limit.save()
    audit_record(
        actor=user, action="risk.limit_end", account=limit.account, obj=limit,
        summary=f"{limit_words(limit)}: {reason}",
    )  # fmt: skip
    return limit


def limit_words(limit: RiskLimit) -> str:
    """The limit in one line: whose it is, what about, and its values."""
    whose = limit.account.name if limit.account else limit.group.name if limit.group else "every account"
    soft = f", warns at {limit.soft:g}" if limit.soft is not None else ""
    return f"{whose}: {limit.get_measure_display()} {limit.hard:g}{soft}"


def _enforce(limit: RiskLimit) -> None:
    now = timezone.now()
    limits_in_force().filter(measure=limit.measure, account=limit.account, group=limit.group).update(
        state=State.ENDED, ended_at=now
    )
    limit.state, limit.in_force_at = State.IN_FORCE, now
    limit.save()


def _proposed(limit: RiskLimit) -> RiskLimit:
    limit = RiskLimit.objects.select_for_update().get(pk=limit.pk)
    if limit.state != State.PROPOSED:
        raise RuleError("This limit does not wait for anybody.")
    return limit


def _check(measure: Measure, hard: float, soft: float | None, reason: str) -> None:
    if not 0 <= hard <= 10_000:
        raise RuleError("A limit lies between 0 and 10,000.", "hard")
    if soft is not None and not 0 <= soft <= 10_000:
        raise RuleError("A warning lies between 0 and 10,000.", "soft")
    if soft is not None and stricter(measure, hard, soft):
        side = "above" if measure in FLOORS else "below"
        raise RuleError(f"The warning must lie {side} the limit, or it comes too late.", "soft")
    if len(reason) < _LEAST_REASON:
        raise RuleError(f"Say why, in at least {_LEAST_REASON} characters.", "reason")

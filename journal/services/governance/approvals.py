"""Who signs, and how many: changed by the signers themselves (methodology GOV-2).

Where one person signs, that person's change holds at once. Where several do, a change of the rule or of a
signing role is proposed, signed by the rule in force, and waits its delay unless it only tightens the rule.
Otherwise an owner could first lower the number of signatures and then sign alone. What is stuck because a
signer can no longer sign is freed as journal.services.governance.recovery says.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from hedging.engine.canonical import content_hash as hash_of
from journal.errors import RuleError
from journal.models import Account, ApprovalChange, Membership, Role, User
from journal.selectors.governance.signing import ApprovalRule, approval_rule, rule_with
from journal.services.accounts import approvals_set, member_add, member_remove, needs_signatures
from journal.services.audit import audit_record
from journal.services.governance.recovery import release_check, release_over
from journal.services.governance.signing import signature_add

Kind, Status = ApprovalChange.Kind, ApprovalChange.Status


@transaction.atomic
def rule_change(
    *, user: User, account: Account, needed: int | None, delay_hours: int | None
) -> ApprovalChange:
    """Change how many must sign and how long it waits; None is the default."""
    account = _locked(account)
    present = approval_rule(account)
    wanted = rule_with(present.signers, needed, delay_hours)
    terms = {"needed": needed, "delay_hours": delay_hours}
    tightens = wanted.needed >= present.needed and wanted.delay >= present.delay
    at_once = "" if wanted.delay or not present.delay else ", in force at once"
    text = f"Approvals: {wanted.text}{at_once}, instead of {present.text}"
    return _request(user, account, Kind.RULE, text, terms, tightens=tightens)


@transaction.atomic
def role_give(*, user: User, account: Account, member: User, role: Role) -> ApprovalChange:
    """Give somebody a role. Raises RuleError when they have it."""
    account = _locked(account)
    if Membership.objects.filter(account=account, user=member, role=role).exists():
        raise RuleError(f"{member.get_username()} is {role.label.lower()} already.")
    text = f"Add {member.get_username()} as {role.label.lower()}"
    return _request(user, account, Kind.ADD, text, _terms(member, role))


@transaction.atomic
def role_take(*, user: User, membership: Membership) -> ApprovalChange:
    """Take a role from somebody. Raises RuleError for the last owner."""
    account = _locked(membership.account)
    _check_owner_stays(account, membership)
    text = f"Remove {membership.user.get_username()} as {membership.get_role_display().lower()}"
    return _request(user, account, Kind.REMOVE, text, _terms(membership.user, Role(membership.role)))


@transaction.atomic
def change_sign(*, user: User, change: ApprovalChange, content_hash: str) -> ApprovalChange:
    """Sign a proposed change; the last needed signature approves it.

    Raises RuleError for a person or state that cannot sign, ConflictError for another content.
    """
    row = _open(change, Status.PROPOSED)
    return _signed(user, row, content_hash)


@transaction.atomic
def change_withdraw(*, user: User, change: ApprovalChange) -> ApprovalChange:
    """Take a change back before it is in force; every signer may, that is what the delay is for."""
    row = _open(change, *ApprovalChange.OPEN)
    if user.pk not in approval_rule(row.account).signers:
        raise RuleError("Only the account's signers can withdraw it.")
    return _close(row, Status.WITHDRAWN, user)


@transaction.atomic
def changes_apply(*, now: datetime, account: Account | None = None) -> list[ApprovalChange]:
    """Put approved changes in force whose time has come; what no longer fits is closed and says why."""
    due = ApprovalChange.objects.filter(status=Status.APPROVED, effective_at__lte=now)
    if account is not None:
        due = due.filter(account=account)
    done = []
    for found in due.order_by("effective_at"):
        _locked(found.account)
        row = (
            ApprovalChange.objects.select_for_update(of=("self",)).select_related("account").get(pk=found.pk)
        )
        if row.status != Status.APPROVED:
            continue
        try:
            with transaction.atomic():
                _apply(row)
        except RuleError as error:
            row.outcome = error.message[:200]
            done.append(_close(row, Status.FAILED, None))
        else:
            done.append(_close(row, Status.APPLIED, None))
    return done


def _request(
    user: User, account: Account, kind: str, text: str, terms: dict[str, Any], *, tightens: bool = False
) -> ApprovalChange:
    """Store a change; at once in force where nobody else has to sign, else with the proposer's signature."""
    rule = approval_rule(account)
    row = ApprovalChange(
        account=account, kind=kind, summary=text[:200], terms=terms, tightens=tightens, created_by=user,
        content_hash=_hash(account, kind, terms, rule),
    )  # fmt: skip
    if not needs_signatures(account, terms.get("role")):
        row.status, row.effective_at, row.closed_at = Status.APPLIED, timezone.now(), timezone.now()
        row.save()
        _apply(row)
        return row
    if ApprovalChange.objects.filter(account=account, status__in=ApprovalChange.OPEN).exists():
        raise RuleError("Another change of who signs is under way: sign or withdraw it first.")
    row.save()
    _audit(row, user, "approvals.propose")
    return _signed(user, row, row.content_hash) if user.pk in rule.signers else row


def _signed(user: User, row: ApprovalChange, content_hash: str) -> ApprovalChange:
    rule = approval_rule(row.account)
    count = signature_add(user=user, target=row, content_hash=content_hash, rule=rule)
    if count >= rule.needed:
        now = timezone.now()
        row.status, row.approved_at = Status.APPROVED, now
        row.effective_at = now if row.tightens else now + rule.delay
        row.save(update_fields=["status", "approved_at", "effective_at"])
        _audit(row, user, "approvals.approve")
        changes_apply(now=now, account=row.account)
        row.refresh_from_db()
    return row


def _apply(row: ApprovalChange) -> None:
    """Write the change; the author stands in the audit trail. Raises RuleError when it no longer fits."""
    release_check(row)
    author = row.created_by
    if author is None:
        raise RuleError("The requester's login was deleted.")
    terms = row.terms
    if row.kind == Kind.RULE:
        approvals_set(
            user=author, account=row.account, needed=terms["needed"], delay_hours=terms["delay_hours"],
            signed=True,
        )  # fmt: skip
        return
    member = User.objects.filter(pk=terms["user"]).first()
    if member is None or (row.kind == Kind.ADD and not member.is_active):
        raise RuleError("The login was deleted.")
    if row.kind == Kind.ADD:
        member_add(user=author, account=row.account, member=member, role=Role(terms["role"]), signed=True)
        return
    membership = Membership.objects.filter(account=row.account, user=member, role=terms["role"]).first()
    if membership is None:
        raise RuleError("The role was removed already.")
    member_remove(user=author, membership=membership, signed=True)


def _check_owner_stays(account: Account, membership: Membership) -> None:
    others = Membership.objects.filter(account=account, role=Role.OWNER).exclude(pk=membership.pk)
    if membership.role == Role.OWNER and not others.exists():
        raise RuleError("The last owner cannot be removed: make somebody else an owner first.")


def _terms(member: User, role: Role) -> dict[str, Any]:
    return {"user": member.pk, "login": member.get_username(), "role": role.value}


def _hash(account: Account, kind: str, terms: dict[str, Any], rule: ApprovalRule) -> str:
    """Over the terms and the rule they change, so that a signature says from what to what."""
    before = {
        "needed": rule.needed,
        "signers": sorted(rule.signers),
        "delay": rule.delay // timedelta(hours=1),
    }
    return hash_of({"account": str(account.pk), "kind": kind, "terms": terms, "before": before})


def _locked(account: Account) -> Account:
    return Account.objects.select_for_update().get(pk=account.pk)


def _open(change: ApprovalChange, *states: ApprovalChange.Status) -> ApprovalChange:
    _locked(change.account)
    row = ApprovalChange.objects.select_for_update(of=("self",)).select_related("account").get(pk=change.pk)
    if row.status not in states:
        raise RuleError(f"This change is already {row.get_status_display().lower()}.")
    return row


def _close(row: ApprovalChange, status: ApprovalChange.Status, user: User | None) -> ApprovalChange:
    row.status, row.closed_at = status, timezone.now()
    row.save(update_fields=["status", "closed_at", "outcome"])
    release_over(row)
    _audit(row, user, f"approvals.{status.value}")
    return row


def _audit(row: ApprovalChange, user: User | None, action: str) -> None:
    audit_record(
        actor=user, action=action, account=row.account, obj=row, summary=row.summary,
        changes={"kind": row.kind, "terms": row.terms, "content_hash": row.content_hash},
    )  # fmt: skip

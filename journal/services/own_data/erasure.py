"""Deleting a login with everything it owns: after a while, and until then withdrawn by one press."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from hedging.jobs.scopes import account_scope, user_scope
from hedging.models import Job
from journal.errors import RuleError
from journal.models import (
    Account,
    AccountRisk,
    AdviceRun,
    AttributionDay,
    CapitalDay,
    CashEntry,
    DailyMark,
    DeletionRequest,
    Fill,
    Membership,
    Report,
    RulesetVersion,
    Trade,
    User,
    Valuation,
)
from journal.services.audit import audit_record
from journal.services.own_data.tables import owned_accounts

GRACE = timedelta(days=14)


def account_erase(account: Account) -> None:
    """Delete an account with all its rows; the audit trail stays. Callers say who may do that."""
    Job.objects.filter(scope=account_scope(account.pk)).delete()
    CashEntry.objects.filter(account=account, reverses__isnull=False).delete()
    for model in (Valuation, AccountRisk, Report, DailyMark, AttributionDay, CapitalDay, CashEntry):
        model.objects.filter(account=account).delete()
    AdviceRun.objects.filter(account=account).delete()
    while RulesetVersion.objects.filter(account=account, children=None).delete()[0]:
        pass  # children hold their parents: leaves go first
    Fill.objects.filter(account=account, reverses__isnull=False).delete()
    Fill.objects.filter(account=account).delete()
    Trade.objects.filter(account=account).delete()
    account.delete()


def shared_alone(user: User) -> list[Account]:
    """Accounts that others use and nobody else owns: they need another owner first."""
    found = []
    for account in owned_accounts(user):
        others = Membership.objects.filter(account=account).exclude(user=user)
        if others.exists() and not others.filter(role="owner").exists():
            found.append(account)
    return found


def _check(user: User) -> None:
    held = shared_alone(user)
    if held:
        names = ", ".join(account.name for account in held)
        raise RuleError(f"Others use {names}, and nobody else owns it. Make another member its owner first.")


@transaction.atomic
def deletion_request(*, user: User, typed: str) -> DeletionRequest:
    """Ask for the login to be deleted after GRACE; ``typed`` must be the user name.

    A repeat keeps the first date. Raises RuleError.
    """
    if typed.strip() != user.get_username():
        raise RuleError("Type your user name to confirm.", "typed")
    _check(user)
    request, made = DeletionRequest.objects.get_or_create(
        user=user, defaults={"due_at": timezone.now() + GRACE}
    )
    if made:
        audit_record(
            actor=user, action="user.deletion_request", obj=user, summary=f"due {request.due_at:%Y-%m-%d}"
        )
    return request


@transaction.atomic
def deletion_withdraw(*, user: User) -> None:
    """Withdraw the request; without one nothing happens."""
    if DeletionRequest.objects.filter(user=user).delete()[0]:
        audit_record(actor=user, action="user.deletion_withdraw", obj=user)


@transaction.atomic
def user_delete(*, user: User) -> None:
    """Delete a login, the accounts it alone owns and everything in them; the audit trail stays.

    Accounts with another owner lose a member. Raises RuleError for accounts that would be orphaned.
    """
    _check(user)
    for account in owned_accounts(user).distinct():
        if not Membership.objects.filter(account=account).exclude(user=user).exists():
            audit_record(
                actor=user, action="account.delete", account=account, obj=account, summary=account.name
            )
            account_erase(account)
    audit_record(actor=user, action="user.delete", obj=user, summary=str(user.public_id))
    Job.objects.filter(scope=user_scope(user.public_id)).delete()
    user.delete()


def deletions_due() -> int:
    """Delete every login whose time has come; returns how many. A refused one keeps its reason."""
    done = 0
    for request in DeletionRequest.objects.filter(due_at__lte=timezone.now()).select_related("user"):
        try:
            user_delete(user=request.user)
        except RuleError as refusal:
            DeletionRequest.objects.filter(pk=request.pk).update(problem=refusal.message[:200])
        else:
            done += 1
    return done

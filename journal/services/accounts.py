"""Creating and changing accounts."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from journal.errors import ConflictError, RuleError
from journal.models import MANAGE_ROLES, Account, BulkChange, Membership, Role, User
from journal.selectors.governance.signing import SIGN_ROLES, approval_rule
from journal.services.audit import audit_record
from journal.services.book.ledger import account_revalue
from journal.services.undo_records import removal_record

FIELDS = (
    "name",
    "broker",
    "number_masked",
    "kind",
    "currency",
    "time_zone",
    "base_capital",
    "fee_per_option",
    "fee_per_future",
    "max_margin_pct",
    "max_trade_loss_pct",
    "warn_trade_loss_pct",
    "max_stress_loss_pct",
    "residual_share_pct",
    "residual_limit",
    "locked_until",
)


_PERCENTS = (
    "max_margin_pct",
    "max_trade_loss_pct",
    "warn_trade_loss_pct",
    "max_stress_loss_pct",
    "residual_share_pct",
)
#: Limits of the rules in force that an account may state tighter; None leaves them to the rules.
_OPTIONAL = frozenset({"max_trade_loss_pct", "warn_trade_loss_pct"})
_MAX_PERCENT = 999


def _checked(account: Account) -> None:
    try:
        account.full_clean(validate_constraints=False)
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise RuleError(messages[0], field) from None
    for name in _PERCENTS:
        value = getattr(account, name)
        if name in _OPTIONAL and value is None:
            continue
        if not 0 < value <= _MAX_PERCENT:
            raise RuleError(f"A limit is between 0 and {_MAX_PERCENT} percent.", name)
    warn, most = account.warn_trade_loss_pct, account.max_trade_loss_pct
    if warn is not None and most is not None and warn > most:
        raise RuleError("The warning level must be below the limit.", "warn_trade_loss_pct")
    if account.time_zone not in available_timezones():
        raise RuleError(f"{account.time_zone} is not a time zone.", "time_zone")


@transaction.atomic
def account_create(*, user: User, is_demo: bool = False, **values: Any) -> Account:
    """Create an account owned by the user; ``values`` are the FIELDS. Raises RuleError."""
    account = Account(is_demo=is_demo, **{name: values[name] for name in FIELDS if name in values})
    _checked(account)
    account.save()
    Membership.objects.create(account=account, user=user, role=Role.OWNER)
    audit_record(
        actor=user,
        action="account.create",
        account=account,
        obj=account,
        summary=account.name,
        changes=_values(account),
    )
    return account


@transaction.atomic
def account_update(*, user: User, account: Account, version: int, **values: Any) -> Account:
    """Change an account read at ``version``.

    Raises ConflictError when it moved on since, RuleError for a value that breaks a rule. New
    capital makes every valuation of the account out of date, so the workers are asked again.
    """
    account = _locked(account, version)
    before = _values(account)
    for name in FIELDS:
        if name in values:
            setattr(account, name, values[name])
    _checked(account)
    after = _values(account)
    changes = {name: [before[name], after[name]] for name in FIELDS if before[name] != after[name]}
    if not changes:
        return account
    if "base_capital" in changes:
        account.book_revision += 1
    account.version += 1
    account.save()
    audit_record(
        actor=user,
        action="account.update",
        account=account,
        obj=account,
        summary=account.name,
        changes=changes,
    )
    if "base_capital" in changes:
        account_revalue(account=account, requested_by=str(user.public_id))
    return account


@transaction.atomic
def account_archive(
    *, user: User, account: Account, archived: bool = True, version: int | None = None
) -> Account:
    """Archive an account (or bring it back); accounts are never deleted."""
    account = _locked(account, version)
    if (account.archived_at is not None) == archived:
        return account
    account.archived_at = timezone.now() if archived else None
    account.version += 1
    account.save(update_fields=["archived_at", "version", "updated_at"])
    action = "account.archive" if archived else "account.restore"
    audit_record(actor=user, action=action, account=account, obj=account, summary=account.name)
    return account


@transaction.atomic
def member_add(*, user: User, account: Account, member: User, role: Role, signed: bool = False) -> Membership:
    """Give another user a role in the account.

    Raises RuleError for a signing role where several sign, unless they did
    (journal.services.governance.approvals).
    """
    account = _locked(account, None)
    _check_signed(account, role, signed=signed)
    membership, made = Membership.objects.get_or_create(account=account, user=member, role=role)
    if made:
        audit_record(
            actor=user,
            action="account.member_add",
            account=account,
            obj=account,
            summary=f"{member.get_username()} as {role}",
        )
    return membership


@transaction.atomic
def member_remove(*, user: User, membership: Membership, signed: bool = False) -> BulkChange | None:
    """Take a role from a member; an account always keeps an owner. Raises RuleError, also as ``member_add``.

    Returns the record to undo it from; None for one's own role: who left cannot let himself in again.
    """
    account = _locked(membership.account, None)
    others = Membership.objects.filter(account=account, role=Role.OWNER).exclude(pk=membership.pk)
    if membership.role == Role.OWNER and not others.exists():
        raise RuleError("The last owner cannot be removed: make somebody else an owner first.")
    _check_signed(account, membership.role, signed=signed)
    audit_record(
        actor=user,
        action="account.member_remove",
        account=account,
        obj=account,
        summary=f"{membership.user.get_username()} as {membership.role}",
    )
    former = {"account": str(account.pk), "user": membership.user_id, "role": membership.role}
    summary = f"Remove {membership.user.get_username()} as {membership.get_role_display().lower()}"
    membership.delete()
    if membership.user_id == user.pk or signed:
        return None
    return removal_record(user=user, action=BulkChange.Action.MEMBER, summary=summary, undo=[former])


def member_restore(user: User, undo: Sequence[Any]) -> int:
    """Give roles back that were taken, while the user still manages the account; returns how many."""
    count = 0
    for row in undo:
        account = Account.objects.for_user(user, MANAGE_ROLES).filter(pk=row["account"]).first()
        member = User.objects.filter(pk=row["user"], is_active=True).first()
        if account is None or member is None or needs_signatures(account, row["role"]):
            continue
        member_add(user=user, account=account, member=member, role=Role(row["role"]))
        count += 1
    return count


@transaction.atomic
def approvals_set(
    *, user: User, account: Account, needed: int | None, delay_hours: int | None, signed: bool = False
) -> Account:
    """Set how many signatures a change needs and how long it waits; None is the default.

    Raises RuleError where several sign, unless they did (journal.services.governance.approvals).
    """
    account = _locked(account, None)
    _check_signed(account, None, signed=signed)
    before = [account.approvals_needed, account.approval_delay_hours]
    account.approvals_needed, account.approval_delay_hours = needed, delay_hours
    account.save(update_fields=["approvals_needed", "approval_delay_hours", "updated_at"])
    audit_record(
        actor=user,
        action="account.approvals",
        account=account,
        obj=account,
        summary=account.name,
        changes={"approvals": [before, [needed, delay_hours]]},
    )
    return account


def needs_signatures(account: Account, role: str | None) -> bool:
    """Whether giving or taking a role, or (None) setting the approvals, is for the account's signers."""
    return (role is None or role in SIGN_ROLES) and len(approval_rule(account).signers) > 1


def _check_signed(account: Account, role: str | None, *, signed: bool) -> None:
    if not signed and needs_signatures(account, role):
        raise RuleError("Several people sign for this account: they sign this change first.")


def _locked(account: Account, version: int | None) -> Account:
    fresh = Account.objects.select_for_update().get(pk=account.pk)
    if version is not None and fresh.version != version:
        raise ConflictError("Somebody changed this account meanwhile. Reload, then change it again.")
    return fresh


def _values(account: Account) -> dict[str, str]:
    return {name: _text(getattr(account, name)) for name in FIELDS}


def _text(value: object) -> str:
    """Write a value the same way however many trailing zeros it was entered with."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)

"""Creating and changing accounts."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from journal.models import Account, Membership, Role, User
from journal.services.audit import audit_record
from journal.services.errors import ConflictError, RuleError

FIELDS = (
    "name", "broker", "number_masked", "kind", "currency", "time_zone", "base_capital",
    "fee_per_option", "fee_per_future", "max_margin_pct", "max_trade_loss_pct",
    "warn_trade_loss_pct", "max_stress_loss_pct",
)


def _checked(account: Account) -> None:
    try:
        account.full_clean(validate_constraints=False)
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise RuleError(messages[0], field) from None


@transaction.atomic
def account_create(*, user: User, is_demo: bool = False, **values: Any) -> Account:
    """A new account owned by the user; ``values`` are the FIELDS. Raises RuleError."""
    account = Account(is_demo=is_demo, **{name: values[name] for name in FIELDS if name in values})
    _checked(account)
    account.save()
    Membership.objects.create(account=account, user=user, role=Role.OWNER)
    audit_record(actor=user, action="account.create", account=account, obj=account, summary=account.name)
    return account


@transaction.atomic
def account_update(*, user: User, account: Account, version: int, **values: Any) -> Account:
    """Change an account read at ``version``. Raises ConflictError when it moved on since."""
    before = {name: str(getattr(account, name)) for name in FIELDS}
    for name in FIELDS:
        if name in values:
            setattr(account, name, values[name])
    _checked(account)
    changed = Account.objects.filter(pk=account.pk, version=version).update(
        **{name: getattr(account, name) for name in FIELDS}, version=F("version") + 1,
        updated_at=timezone.now(),
    )
    if not changed:
        raise ConflictError("Somebody changed this account meanwhile. Reload, then change it again.")
    account.refresh_from_db()
    after = {name: str(getattr(account, name)) for name in FIELDS}
    audit_record(
        actor=user, action="account.update", account=account, obj=account, summary=account.name,
        changes={n: [before[n], after[n]] for n in FIELDS if before[n] != after[n]},
    )
    return account


@transaction.atomic
def account_archive(*, user: User, account: Account, archived: bool = True) -> Account:
    """Archive an account (or bring it back); accounts are never deleted."""
    account.archived_at = timezone.now() if archived else None
    account.save(update_fields=["archived_at", "updated_at"])
    action = "account.archive" if archived else "account.restore"
    audit_record(actor=user, action=action, account=account, obj=account, summary=account.name)
    return account


@transaction.atomic
def member_add(*, user: User, account: Account, member: User, role: Role) -> Membership:
    """Give another user a role in the account."""
    membership, made = Membership.objects.get_or_create(account=account, user=member, role=role)
    if made:
        audit_record(
            actor=user, action="account.member_add", account=account, obj=account,
            summary=f"{member.get_username()} as {role}",
        )
    return membership

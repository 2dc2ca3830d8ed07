"""Groups of accounts that the desk looks at together."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from journal.errors import RuleError
from journal.models import Account, RiskGroup, User
from journal.services.audit import audit_record


@transaction.atomic
def group_make(*, user: User, name: str) -> RiskGroup:
    """Make a group. Raises RuleError for no name or one that is taken."""
    name = " ".join(name.replace("\x00", "").split())[:60]
    if not name:
        raise RuleError("A group needs a name.", "name")
    if RiskGroup.objects.filter(name__iexact=name).exists():
        raise RuleError(f"There is a group named {name} already.", "name")
    group = RiskGroup.objects.create(name=name)
    audit_record(actor=user, action="risk.group_make", obj=group, summary=name)
    return group


@transaction.atomic
def group_members_set(*, user: User, group: RiskGroup, accounts: Iterable[UUID]) -> RiskGroup:
    """Make these accounts the group's; unknown ids are left out."""
    before = set(group.accounts.values_list("pk", flat=True))
    chosen = set(Account.objects.filter(pk__in=list(accounts), archived_at=None).values_list("pk", flat=True))
    group.accounts.set(Account.objects.filter(pk__in=chosen))
    audit_record(
        actor=user, action="risk.group_set", obj=group,
        summary=f"{group.name}: {len(chosen - before)} added, {len(before - chosen)} removed",
        changes={"added": [str(pk) for pk in chosen - before],
                 "removed": [str(pk) for pk in before - chosen]},
    )  # fmt: skip
    return group


@transaction.atomic
def group_remove(*, user: User, group: RiskGroup) -> None:
    """Remove a group with its limits; the accounts stay."""
    audit_record(actor=user, action="risk.group_remove", obj=group, summary=group.name)
    group.delete()

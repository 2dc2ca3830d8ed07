"""Reads of accounts for their pages."""

from __future__ import annotations

from dataclasses import dataclass

from journal.models import MANAGE_ROLES, Account, Membership, User


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account with its members; ``may_manage`` is whether the reader is an owner."""

    account: Account
    members: tuple[Membership, ...]
    may_manage: bool


def accounts_for(user: User) -> list[AccountRow]:
    """List the user's accounts with their members, open ones first, by name."""
    accounts = Account.objects.for_user(user).prefetch_related("memberships__user")
    rows = []
    for account in accounts:
        members = tuple(sorted(account.memberships.all(), key=lambda m: (m.role, m.pk)))
        manages = any(m.user_id == user.pk and m.role in MANAGE_ROLES for m in members)
        rows.append(AccountRow(account, members, manages))
    return sorted(rows, key=lambda row: (row.account.archived_at is not None, row.account.name))

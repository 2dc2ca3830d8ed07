"""Reads of accounts for their pages."""

from __future__ import annotations

from dataclasses import dataclass

from hedging.engine.policy.types import SizeLimits
from journal.models import MANAGE_ROLES, Account, Membership, User
from journal.selectors.governance.limits import limits_in_force


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account with its members; ``may_manage`` is whether the reader is an owner.

    ``trade_size`` are the limits of one trade in force, shares of equity.
    """

    account: Account
    members: tuple[Membership, ...]
    may_manage: bool
    trade_size: SizeLimits

    @property
    def trade_limits(self) -> str:
        """The limits of one trade in words: ``2 / 10%``, and whether the account states one itself."""
        size = self.trade_size
        own = ", its own" if size.own_warn or size.own_block else ""
        return f"{size.warn * 100:.4g} / {size.block * 100:.4g}%{own}"


def accounts_for(user: User) -> list[AccountRow]:
    """List the user's accounts with their members, open ones first, by name."""
    accounts = Account.objects.for_user(user).prefetch_related("memberships__user")
    rows = []
    for account in accounts:
        members = tuple(sorted(account.memberships.all(), key=lambda m: (m.role, m.pk)))
        manages = any(m.user_id == user.pk and m.role in MANAGE_ROLES for m in members)
        rows.append(AccountRow(account, members, manages, limits_in_force(account).trade_size))
    return sorted(rows, key=lambda row: (row.account.archived_at is not None, row.account.name))

"""Signatures: who may sign for an account, how many are needed, and when a yes takes effect.

The default is 1 of 1; with several signers two of them and 48 hours (methodology GOV-2). What lowers the
stressed loss never waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction

from journal.models import Account, Membership, Recommendation, Role, RulesetVersion, Signature, User
from journal.services.audit import audit_record
from journal.services.errors import ConflictError, RuleError

SIGN_ROLES = (Role.OWNER, Role.SIGNER)
_SEVERAL_NEEDED, _SEVERAL_DELAY = 2, timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """``needed`` of ``signers`` (user ids) must sign; then ``delay`` passes before it takes effect."""

    signers: frozenset[int]
    needed: int
    delay: timedelta

    @property
    def text(self) -> str:
        """The rule in words."""
        wait = int(self.delay.total_seconds() // 3600)
        tail = f", in force {wait} hours later" if wait else ""
        return f"{self.needed} of {len(self.signers)} signers{tail}"


def approval_rule(account: Account) -> ApprovalRule:
    """The account's rule; an own setting never asks for more signatures than there are signers."""
    rows = Membership.objects.filter(account=account, role__in=SIGN_ROLES)
    signers = frozenset(rows.values_list("user_id", flat=True))
    several = len(signers) > 1
    needed = account.approvals_needed or (_SEVERAL_NEEDED if several else 1)
    hours = account.approval_delay_hours
    delay = timedelta(hours=hours) if hours is not None else _SEVERAL_DELAY if several else timedelta(0)
    return ApprovalRule(signers, max(1, min(needed, len(signers))), delay)


def signature_add(
    *, user: User, target: RulesetVersion | Recommendation, content_hash: str, rule: ApprovalRule
) -> int:
    """Write the user's signature under a locked target and return how many valid ones it has now.

    Raises RuleError for somebody who is no signer, ConflictError when the content shown is not the stored
    one. Signing twice is signing once. Signatures of people who are no longer signers do not count.
    """
    if user.pk not in rule.signers:
        raise RuleError("Only the account's signers can sign.")
    if content_hash != target.content_hash:
        raise ConflictError("What you saw is not what is stored. Reload, read it, then sign.")
    what: dict[str, Any] = (
        {"ruleset": target} if isinstance(target, RulesetVersion) else {"recommendation": target}
    )
    try:
        with transaction.atomic():
            Signature.objects.create(
                account=target.account, signer=user, signer_name=user.get_username(),
                content_hash=content_hash, **what,
            )  # fmt: skip
    except IntegrityError:
        pass  # the same signer's second click
    else:
        audit_record(
            actor=user, action=f"{next(iter(what))}.sign", account=target.account, obj=target,
            summary=str(target), changes={"content_hash": content_hash},
        )  # fmt: skip
    return Signature.objects.filter(signer_id__in=rule.signers, content_hash=content_hash, **what).count()

"""Who may sign for an account, how many are needed, and when a yes takes effect.

The default is 1 of 1; with several signers two of them and 48 hours (methodology GOV-2). What lowers the
stressed loss never waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from allauth.account.models import EmailAddress

from journal.models import MANAGE_ROLES, Account, Membership, Role, Signature, User

SIGN_ROLES = (Role.OWNER, Role.SIGNER)
_SEVERAL_NEEDED, _SEVERAL_DELAY = 2, timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """``needed`` of ``signers`` (user ids) must sign; then ``delay`` passes before it takes effect."""

    signers: frozenset[int]
    needed: int
    delay: timedelta

    @property
    def hours(self) -> int:
        """The delay in hours."""
        return int(self.delay.total_seconds() // 3600)

    @property
    def text(self) -> str:
        """The rule in words."""
        tail = f", in force {self.hours} hours later" if self.hours else ""
        return f"{self.needed} of {len(self.signers)} signer{'' if len(self.signers) == 1 else 's'}{tail}"


@dataclass(frozen=True, slots=True)
class SigningProgress:
    """How far the signing of one thing is: today's signers by name, those who signed first.

    Signatures of people who are no longer signers do not count and are not among them.
    """

    signed: tuple[str, ...]
    open: tuple[str, ...]
    needed: int

    @property
    def missing(self) -> int:
        """How many more must sign."""
        return max(0, self.needed - len(self.signed))

    @property
    def needs_all(self) -> bool:
        """Whether everybody who has not signed must."""
        return bool(self.missing) and self.missing == len(self.open)


def signer_names(rule: ApprovalRule) -> dict[int, str]:
    """Login names of the signers by user id, in alphabetical order."""
    rows = User.objects.filter(pk__in=rule.signers).order_by("username")
    return dict(rows.values_list("pk", "username"))


def signing_progress(
    rule: ApprovalRule, names: Mapping[int, str], signatures: Iterable[Signature]
) -> SigningProgress:
    """Who signed and who still may; ``names`` come from ``signer_names``."""
    done = [row.signer_id for row in signatures if row.signer_id in names]
    left = (name for pk, name in names.items() if pk not in done)
    return SigningProgress(tuple(names[pk] for pk in done if pk is not None), tuple(left), rule.needed)


def approval_rule(account: Account) -> ApprovalRule:
    """The account's rule; an own setting never asks for more signatures than there are signers."""
    rows = Membership.objects.filter(account=account, role__in=SIGN_ROLES)
    signers = frozenset(rows.values_list("user_id", flat=True))
    return rule_with(signers, account.approvals_needed, account.approval_delay_hours)


def rule_with(signers: frozenset[int], wanted: int | None, hours: int | None) -> ApprovalRule:
    """The rule of these signers with a number and a delay in hours; None takes the default."""
    several = len(signers) > 1
    needed = wanted or (_SEVERAL_NEEDED if several else 1)
    delay = timedelta(hours=hours) if hours is not None else _SEVERAL_DELAY if several else timedelta(0)
    return ApprovalRule(signers, max(1, min(needed, len(signers))), delay)


def ask_roles(role: str | None) -> tuple[Role, ...]:
    """Who may ask to give or take ``role``, or (None) to change the rule: signers too, for what they sign."""
    return SIGN_ROLES if role is None or role in SIGN_ROLES else MANAGE_ROLES


def login_find(text: str) -> User | None:
    """The active login of this name or confirmed e-mail; None when it is not exactly one.

    Anybody may sign up under an address that is not theirs: it counts once it was confirmed.
    """
    rows = User.objects.filter(is_active=True)
    confirmed = EmailAddress.objects.filter(email__iexact=text, verified=True).values("user_id")
    found = rows.filter(pk__in=confirmed)[:2] if "@" in text else rows.filter(username=text)[:2]
    return found[0] if len(found) == 1 else None

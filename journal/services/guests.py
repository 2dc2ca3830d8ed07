"""What is not open to everybody: guests stay in their demo, market data is written by operators."""

from __future__ import annotations

from django.contrib.auth.models import Group

from journal.errors import RuleError
from journal.models import MARKET_GROUP, User
from journal.services.audit import audit_record


def known_only(user: User, what: str, field: str = "") -> None:
    """Refuse a guest what reaches beyond their own demo. Raises RuleError."""
    if user.is_guest:
        raise RuleError(f"Guests of the demo cannot {what}. Create an account first.", field)


def operators_only(user: User, field: str = "") -> None:
    """Refuse everybody but operators what changes the market data of all accounts. Raises RuleError."""
    known_only(user, "load market data, which everybody sees", field)
    if not user.is_market_operator:
        raise RuleError(
            "Every account's figures stand on this market data, so an operator loads it. Ask one to load the "
            "file, or to add you to the group market.",
            field,
        )


def first_user_operates(*, user: User) -> bool:
    """Make the first person of a fresh installation its operator; returns whether that was so."""
    others = User.objects.filter(is_demo=False).exclude(pk=user.pk)
    if user.is_demo or others.exists():
        return False
    operator_set(user=user, operates=True)
    return True


def operator_set(*, user: User, operates: bool) -> None:
    """Put a login among the operators, or take it out."""
    group, _ = Group.objects.get_or_create(name=MARKET_GROUP)
    (user.groups.add if operates else user.groups.remove)(group)
    word = "may load" if operates else "no longer loads"
    audit_record(actor=user, action="user.operator", obj=user, summary=f"{word} market data for everybody")

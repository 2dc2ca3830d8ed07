"""What is not open to guests: people who pressed *Try the demo*, whom nobody knows."""

from __future__ import annotations

from journal.errors import RuleError
from journal.models import User


def known_only(user: User, what: str, field: str = "") -> None:
    """Refuse a guest what reaches beyond their own demo. Raises RuleError."""
    if user.is_guest:
        raise RuleError(f"Guests of the demo cannot {what}. Create an account first.", field)

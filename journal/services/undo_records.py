"""Records from which a change is undone (docs/adr/0013): who, what, how many rows, their former values."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from journal.errors import RuleError
from journal.models import BulkChange, User

UNDO_FOR = timedelta(minutes=30)
_KEPT_FOR = timedelta(days=1)


def change_begin(*, user: User, action: str, token: str) -> tuple[BulkChange, bool]:
    """The record of a form's change, and whether it is new: a form sent twice is one change.

    A second request waits for the first one's transaction. Raises RuleError for a token no form has.
    """
    if not token or len(token) > 40 or not token.isascii() or not token.isprintable():
        raise RuleError("The form is not complete; reload the page.")
    change, made = BulkChange.objects.select_for_update().get_or_create(
        user=user, token=token, defaults={"action": action, "summary": "", "count": 0}
    )
    if made:
        BulkChange.objects.filter(user=user, created_at__lt=timezone.now() - _KEPT_FOR).delete()
    return change, made


def removal_record(*, user: User, action: str, summary: str, undo: Sequence[dict[str, Any]]) -> BulkChange:
    """The record of something just removed, written in the transaction of the removal."""
    change, _ = change_begin(user=user, action=action, token=secrets.token_urlsafe(16))
    change.undo, change.summary, change.count = list(undo), summary[:200], len(undo)
    change.save(update_fields=["undo", "summary", "count"])
    return change

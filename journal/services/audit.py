"""Audit events, written in the transaction of the change they describe."""

from __future__ import annotations

from typing import Any

from django.db import models
from structlog.contextvars import get_contextvars

from journal.models import Account, AuditEvent, User


def audit_record(
    *,
    actor: User | None,
    action: str,
    account: Account | None = None,
    obj: models.Model | None = None,
    summary: str = "",
    changes: dict[str, Any] | None = None,
) -> AuditEvent:
    """Record who did what; ``changes`` holds plain JSON values, never secrets."""
    return AuditEvent.objects.create(
        actor_id=str(actor.public_id) if actor else "",
        actor_name=actor.get_username() if actor else "system",
        action=action,
        account_id=str(account.pk) if account else "",
        object_type=type(obj).__name__.lower() if obj else "",
        object_id=str(obj.pk) if obj else "",
        summary=summary[:300],
        changes=changes or {},
        request_id=str(get_contextvars().get("request_id", "")),
        is_demo=bool(account and account.is_demo) or bool(actor and actor.is_demo),
    )

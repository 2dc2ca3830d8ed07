"""Who may make a login: everybody, those invited, or nobody (``SIGNUP``). An invitation works once."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.urls import reverse

from journal.models import AuditEvent, User
from journal.services.audit import audit_record

_SALT = "journal.invitation"
_VALID = timedelta(days=14)
_USED = "user.invitation_used"


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation that still works; ``number`` names it in the audit trail."""

    number: str


def invitation_make(*, by: User | None = None) -> str:
    """The address at which one person may sign up within fourteen days; ``by`` None is the shell."""
    number = secrets.token_hex(8)
    audit_record(actor=by, action="user.invite", summary=f"invitation {number}")
    token = signing.dumps(number, salt=_SALT, compress=True)
    return f"{settings.PUBLIC_URL}{reverse('account_signup')}?invite={token}"


def invitation_read(token: str) -> Invitation | None:
    """The invitation of a token; None when it is made up, too old or used."""
    try:
        number = signing.loads(token, salt=_SALT, max_age=_VALID)
    except signing.BadSignature:
        return None
    used = AuditEvent.objects.filter(action=_USED, object_id=number).exists()
    return None if used else Invitation(number)


def invitation_use(*, invitation: Invitation, user: User) -> None:
    """Say that somebody signed up by it; it works for nobody else."""
    AuditEvent.objects.create(
        actor_id=str(user.public_id), actor_name=user.get_username(), action=_USED,
        object_type="invitation", object_id=invitation.number, summary=f"signed up as {user.get_username()}",
    )  # fmt: skip

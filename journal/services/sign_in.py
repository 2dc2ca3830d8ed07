"""What ends when somebody signs out, changes the password or is deactivated: sessions and API tokens."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.db.models import F
from django.db.models.signals import post_save, pre_save
from django.dispatch import receiver
from rest_framework.authtoken.models import Token

from journal.models import User
from journal.services.audit import audit_record

_LEAVES = "_leaves"


def tokens_revoke(*, user: User, why: str) -> int:
    """Delete the user's API tokens; returns how many there were."""
    count: int = Token.objects.filter(user=user).delete()[0]
    if count:
        audit_record(actor=user, action="token.revoke", obj=user, summary=why)
    return count


@receiver(user_logged_out, dispatch_uid="journal.tokens_end_with_the_session")
def _signed_out(sender: object, user: User | None, **kwargs: Any) -> None:
    if user is not None and user.pk:
        tokens_revoke(user=user, why="signed out")


@receiver(pre_save, sender=User, dispatch_uid="journal.sign_in_changes")
def _compare(sender: object, instance: User, update_fields: Any, **kwargs: Any) -> None:
    """Note what a save ends; however it came about: page, admin, command or password reset."""
    saved = (
        {"password", "is_active"} if update_fields is None else {"password", "is_active"} & {*update_fields}
    )
    known = User.objects.filter(pk=instance.pk).values("password", "is_active").first() if saved else None
    why = ""
    if known is not None and "password" in saved and known["password"] != instance.password:
        why = "password changed"
    if known is not None and "is_active" in saved and known["is_active"] and not instance.is_active:
        why = "deactivated"
    setattr(instance, _LEAVES, why)


@receiver(post_save, sender=User, dispatch_uid="journal.sign_in_ends")
def _end(sender: object, instance: User, **kwargs: Any) -> None:
    why = getattr(instance, _LEAVES, "")
    if why == "deactivated":
        # Sessions of somebody inactive are refused anyway; these do not come back with the login either.
        User.objects.filter(pk=instance.pk).update(session_epoch=F("session_epoch") + 1)
        instance.refresh_from_db(fields=["session_epoch"])
    if why:
        tokens_revoke(user=instance, why=why)

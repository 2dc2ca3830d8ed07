"""``Idempotency-Key``: a repeated write gets its first answer, and has no second effect."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from django.db import transaction

from journal.models import IdempotencyKey, User

Answer = tuple[int, Any]


class KeyReusedError(RuntimeError):
    """The key was used for a different request."""


def fingerprint(method: str, path: str, body: bytes) -> str:
    """What makes two requests the same."""
    return hashlib.sha256(b"\n".join((method.encode(), path.encode(), body))).hexdigest()


def once(*, user: User, key: str, print_: str, act: Callable[[], Answer]) -> tuple[Answer, bool]:
    """Run ``act`` once for the key; returns (answer, replayed). Raises KeyReusedError.

    The key's row is written first, in the transaction of the effect: a second request waits for the
    row's unique key and then finds the stored answer. A failed request stores nothing, so that it can
    be sent again.
    """
    with transaction.atomic():
        row, made = IdempotencyKey.objects.select_for_update().get_or_create(
            user=user, key=key, defaults={"fingerprint": print_}
        )
        if row.fingerprint != print_:
            raise KeyReusedError
        if not made and row.status is not None:
            return (row.status, row.body), True
        status, body = act()
        row.status, row.body = status, body
        row.save(update_fields=["status", "body"])
    return (status, body), False

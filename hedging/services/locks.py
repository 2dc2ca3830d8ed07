"""Named locks in the database, with an end."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from hedging.models import Lock


class LockHeldError(Exception):
    """Somebody else holds the lock."""


@contextmanager
def lock_hold(name: str, *, seconds: float) -> Iterator[Callable[[], None]]:
    """Hold the lock for ``seconds``, and as long again on each call of what it gives.

    Raises LockHeldError at once when it is taken.
    """
    token, now = uuid.uuid4(), timezone.now()
    Lock.objects.get_or_create(name=name)
    free = Q(until__isnull=True) | Q(until__lt=now)
    if not Lock.objects.filter(free, name=name).update(token=token, until=now + timedelta(seconds=seconds)):
        raise LockHeldError(name)

    def renew() -> None:
        Lock.objects.filter(name=name, token=token).update(until=timezone.now() + timedelta(seconds=seconds))

    try:
        yield renew
    finally:
        Lock.objects.filter(name=name, token=token).update(token=None, until=None)

"""Answers about the stored market data that are slow to make, cached until the data or the day change."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import TypeVar

from django.core.cache import cache
from redis.exceptions import RedisError

from hedging.models import ChainSnapshot
from hedging.selectors.history import history_revision

_KEPT_SECONDS = 86_400
_Found = TypeVar("_Found")


def cached(name: str, today: date, make: Callable[[], _Found]) -> _Found:
    """What ``make`` gives, made once for each revision of the data and day; without Redis made each time."""
    key = f"market:{name}:{history_revision()}:{ChainSnapshot.objects.count()}:{today}"
    with suppress(RedisError, OSError):
        kept: _Found | None = cache.get(key)
        if kept is not None:
            return kept
    found = make()
    with suppress(RedisError, OSError):
        cache.set(key, found, _KEPT_SECONDS)
    return found

"""Counting requests per address in Redis, atomically."""

from __future__ import annotations

from django.core.cache import cache
from django.http import HttpRequest


def too_many(request: HttpRequest, what: str, *, limit: int, seconds: int) -> bool:
    """Whether this address did ``what`` more than ``limit`` times within the window."""
    key = f"limit:{what}:{request.META.get('REMOTE_ADDR', '')}"
    cache.add(key, 0, seconds)
    return cache.incr(key) > limit

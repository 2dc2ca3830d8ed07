"""Counting what somebody does in Redis, atomically: parallel requests are all counted."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest

from journal.models import User


def too_many(request: HttpRequest, what: str, *, limit: int, seconds: int) -> bool:
    """Whether this address did ``what`` more than ``limit`` times within the window.

    Behind ``TRUSTED_PROXIES`` it is the address the outermost of them saw, as for sign-in.
    """
    return _counted(f"limit:{what}:{get_adapter().get_client_ip(request)}", seconds) > limit


def too_many_of(user: User, what: str, *, limit: int, seconds: int) -> bool:
    """Whether this user did ``what`` more than ``limit`` times within the window."""
    return _counted(f"limit:{what}:user:{user.public_id}", seconds) > limit


def _counted(key: str, seconds: int) -> int:
    while True:
        cache.add(key, 0, seconds)
        try:
            return int(cache.incr(key))
        except ValueError:
            continue  # the window ended between the two

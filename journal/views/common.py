"""What views share."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest
from django.utils import timezone

from hedging.selectors.calendar import NEW_YORK
from journal.models import User


def person(request: HttpRequest) -> User:
    """The signed-in user, typed; only behind login_required."""
    return cast("User", request.user)


def now_wall_clock() -> str:
    """New York time for a datetime-local input."""
    return timezone.now().astimezone(NEW_YORK).strftime("%Y-%m-%dT%H:%M")

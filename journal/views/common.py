"""What views share."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, TypeVar, cast

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone

from hedging.selectors.calendar import (
    NEW_YORK,
    closes_at,
    market_is_open,
    previous_session,
    session_date,
    session_on_or_before,
)
from journal.models import Role, User

_DIGITS = 6
_Row = TypeVar("_Row", bound=Model)


def person(request: HttpRequest) -> User:
    """Return the signed-in user, typed; only behind login_required."""
    return cast("User", request.user)


def likely_fill_time(now: datetime | None = None) -> str:
    """Write the time a fill most likely has: now while the market is open, else the last close."""
    moment = now or timezone.now()
    if not market_is_open(moment):
        day = session_on_or_before(session_date(moment))
        moment = closes_at(day) if closes_at(day) <= moment else closes_at(previous_session(day))
    return moment.astimezone(NEW_YORK).strftime("%Y-%m-%dT%H:%M")


def today_in_new_york() -> date:
    """Return the exchange's calendar day."""
    return timezone.now().astimezone(NEW_YORK).date()


def small_number(text: str) -> int | None:
    """Read a whole number of at most six digits, as forms and addresses of this site send it."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


def get_owned(model: type[_Row], user: User, pk: object, roles: tuple[Role, ...] = tuple(Role)) -> _Row:
    """Fetch a row by its id: 404 for strangers, 403 for members whose role may not do this."""
    rows: Any = model._default_manager  # noqa: SLF001 - the public name differs per model
    found: _Row = get_object_or_404(rows.for_user(user), pk=pk)
    if not rows.for_user(user, roles).filter(pk=pk).exists():
        raise PermissionDenied("Your role in this account may not do this.")
    return found

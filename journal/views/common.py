"""What views share."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, TypeVar, cast
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from hedging.selectors.calendar import (
    NEW_YORK,
    closes_at,
    market_is_open,
    previous_session,
    session_date,
    session_on_or_before,
)
from journal.errors import RuleError
from journal.models import Account, BulkChange, Role, User
from journal.selectors.shell import SESSION_ACCOUNT
from journal.services.saved_views import canonical_query

_DIGITS = 6
_Row = TypeVar("_Row", bound=Model)


def person(request: HttpRequest) -> User:
    """Return the signed-in user, typed; only behind login_required."""
    return cast("User", request.user)


def follow_account(request: HttpRequest, account: Account) -> None:
    """Let the shell speak of the account whose page was opened: a link in a message may lead elsewhere."""
    if account.archived_at is None and request.session.get(SESSION_ACCOUNT) != str(account.pk):
        request.session[SESSION_ACCOUNT] = str(account.pk)


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


def uuids(texts: Iterable[str]) -> list[UUID]:
    """Read ids as forms and addresses send them, each once; what is none is left out."""
    found: dict[UUID, None] = {}
    for text in texts:
        try:
            found[UUID(text)] = None
        except ValueError:
            continue
    return list(found)


def list_address(query: str) -> str:
    """The list of trades with the filters it had; what cannot be read is left out."""
    try:
        query = canonical_query(query)
    except RuleError:
        query = ""
    return f"{reverse('journal:trades')}?{query}".rstrip("?")


def local_address(request: HttpRequest, address: str) -> str:
    """An address of this site to go back to, else an empty text."""
    known = url_has_allowed_host_and_scheme(address, {request.get_host()})
    # Anything else ``redirect`` would take for the name of a route.
    return address if known and address.startswith(("/", "http://", "https://")) else ""


def say_removed(request: HttpRequest, change: BulkChange | None, text: str) -> None:
    """Tell that something is removed, with Undo beside it where there is a record to undo it from."""
    messages.success(request, text, extra_tags=f"undo:{change.pk}" if change is not None else "")


def get_owned(model: type[_Row], user: User, pk: object, roles: tuple[Role, ...] = tuple(Role)) -> _Row:
    """Fetch a row by its id: 404 for strangers, 403 for members whose role may not do this."""
    rows: Any = model._default_manager  # noqa: SLF001 - the public name differs per model
    try:
        found: _Row = get_object_or_404(rows.for_user(user), pk=pk)
    except (ValidationError, ValueError):  # no id at all
        raise Http404 from None
    if not rows.for_user(user, roles).filter(pk=pk).exists():
        raise PermissionDenied("Your role in this account may not do this.")
    return found

"""Turns input that no form could have sent into 400 instead of 500, and refuses bodies nobody needs."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.core.exceptions import BadRequest
from django.db import DataError
from django.http import HttpRequest, HttpResponse, QueryDict

from hedging.selectors.calendar import CalendarRangeError
from journal.problems import OUTAGES
from journal.views.errors import bad_value, outage

_MIB = 2**20
#: Largest body by the start of the path. Files of market data and brokers, an export; a little for the form.
_LARGEST = (("/your-data/import/", 201 * _MIB), ("/accounts/", _MIB), ("/", 65 * _MIB))


class BadInputMiddleware:
    """Refuse NUL bytes and oversized bodies, and answer 503 while the database is away."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, or refuse it."""
        if "\x00" in request.path or _has_nul(request.GET):
            raise BadRequest("NUL byte in the address")
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Iterable[Any], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Forms of pages may hold no NUL byte; the CSRF check has read them by now."""
        if request.method == "POST" and not getattr(view, "csrf_exempt", False) and _has_nul(request.POST):
            raise BadRequest("NUL byte in the form")
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Map database refusals of absurd values to 400 and outages to 503 with Retry-After."""
        if isinstance(exception, DataError | OverflowError | CalendarRangeError) or _nested_too_deeply(
            exception
        ):
            return bad_value()
        return outage(request) if isinstance(exception, OUTAGES) else None


class BodySizeMiddleware:
    """Refuse a body before a byte of it is read: form parsing would write all of it to the disk."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, or 413."""
        length = request.META.get("CONTENT_LENGTH") or "0"
        most = next(size for start, size in _LARGEST if request.path_info.startswith(start))
        if not (length.isascii() and length.isdigit()) or len(length) > 15 or int(length) > most:
            return HttpResponse(
                f"The request is larger than {most // _MIB} MiB.\n", status=413, content_type="text/plain"
            )
        return self.get_response(request)


def _nested_too_deeply(exception: Exception) -> bool:
    """Whether reading somebody's JSON was what never ended."""
    if not isinstance(exception, RecursionError):
        return False
    return Path(traceback.extract_tb(exception.__traceback__)[-1].filename).parent.name == "json"


def _has_nul(query: QueryDict) -> bool:
    return any("\x00" in text for name, values in query.lists() for text in [name, *values])

"""Turns input that no form could have sent into 400 instead of 500."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.db import DataError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


class BadInputMiddleware:
    """Refuse NUL bytes in the path or query, and answer 503 while the database is away."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, or refuse it."""
        if "\x00" in request.path or any(
            "\x00" in value for values in request.GET.lists() for value in [values[0], *values[1]]
        ):
            raise BadRequest("NUL byte in the address")
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Map database refusals of absurd values to 400 and outages to 503 with Retry-After."""
        if isinstance(exception, DataError | OverflowError):
            return render(request, "400.html", {"reason": "A value is out of range."}, status=400)
        if isinstance(exception, OperationalError):
            response = render(request, "503.html", status=503)
            response["Retry-After"] = "5"
            return response
        return None

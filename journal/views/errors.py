"""Error pages: what happened, what to do, and the id to quote. None of them asks the database."""

from __future__ import annotations

import sys

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from structlog.contextvars import get_contextvars

from journal.problems import OUTAGE_SECONDS, OUTAGE_TITLE, OUTAGES, problem_body


def _page(template: str, status: int, reason: str = "") -> HttpResponse:
    context = {"reason": reason, "correlation_id": get_contextvars().get("request_id", "")}
    return HttpResponse(render_to_string(template, context), status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: the request itself cannot be understood."""
    # Other refusals of Django tell what a stranger need not know, such as which hosts are served.
    return _page("400.html", 400, str(exception) if isinstance(exception, BadRequest) else "")


def bad_value() -> HttpResponse:
    """400: a value is larger than anything that is stored."""
    return _page("400.html", 400, "A value is out of range.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: signed in, but not allowed (missing and foreign objects answer 404 instead)."""
    return _page("403.html", 403, str(exception) if exception.args else "")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: no such page, or not yours; the two answer alike."""
    return _page("404.html", 404)


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """429: a limit of sign-in was reached."""
    return _page("429.html", 429)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: our mistake; 503 when it was an outage that began outside of a view."""
    if isinstance(sys.exc_info()[1], OUTAGES):
        return outage(request)
    return _page("500.html", 500)


def outage(request: HttpRequest) -> HttpResponse:
    """503: the database does not answer; ask again in a moment."""
    if request.path_info.startswith("/api/"):
        answer: HttpResponse = JsonResponse(problem_body(OUTAGE_TITLE), status=503)
    else:
        answer = _page("503.html", 503)
    answer["Retry-After"] = str(OUTAGE_SECONDS)
    return answer

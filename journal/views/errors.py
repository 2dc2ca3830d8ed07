"""Error pages: what happened, what to do, and the id to quote."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from structlog.contextvars import get_contextvars


def _page(request: HttpRequest, template: str, status: int, reason: str = "") -> HttpResponse:
    context = {"reason": reason, "correlation_id": get_contextvars().get("request_id", "")}
    return render(request, template, context, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: the request itself cannot be understood."""
    return _page(request, "400.html", 400, str(exception) if exception.args else "")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: signed in, but not allowed (missing and foreign objects answer 404 instead)."""
    return _page(request, "403.html", 403, str(exception) if exception.args else "")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: no such page, or not yours; the two answer alike."""
    return _page(request, "404.html", 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: our mistake."""
    return _page(request, "500.html", 500)

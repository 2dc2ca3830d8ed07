"""``/health/``: the state of the site's parts, for people and for monitors."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from hedging.selectors.health import health_parts


def health(request: HttpRequest) -> HttpResponse:
    """200 when every part is well, 503 otherwise; unknown data age is not a fault."""
    parts = health_parts(now=timezone.now())
    well = all(part.ok is not False for part in parts)
    body = {
        "status": "ok" if well else "unwell",
        "parts": {part.name: {"ok": part.ok, "detail": part.detail} for part in parts},
    }
    response = JsonResponse(body, status=200 if well else 503)
    response["Cache-Control"] = "no-store"
    return response

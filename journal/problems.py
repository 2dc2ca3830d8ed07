"""What pages and API say alike when they cannot answer."""

from __future__ import annotations

from typing import Any

from django.db import InterfaceError, OperationalError
from structlog.contextvars import get_contextvars

#: The database is away, or the connection broke off: nothing was stored, the same request may be sent again.
OUTAGES = (OperationalError, InterfaceError)
OUTAGE_TITLE = "The database does not answer right now"
OUTAGE_SECONDS = 5


def problem_body(title: str, detail: str = "", errors: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """The one shape of the API's errors."""
    return {
        "type": "about:blank",
        "title": title,
        "detail": detail,
        "errors": errors or [],
        "request_id": str(get_contextvars().get("request_id", "")),
    }

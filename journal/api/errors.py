"""One shape for every API error: type, title, detail, errors by field, request id."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from hedging.engine.instruments import UnknownSymbolError
from hedging.selectors.calendar import CalendarRangeError
from hedging.services.market.load import MarketFileError
from journal.api.idempotency import KeyReusedError
from journal.errors import ConflictError, RuleError
from journal.importers.order_text import OrderTextError
from journal.problems import OUTAGE_SECONDS, OUTAGE_TITLE, OUTAGES, problem_body
from journal.services.book.bulk_close import RowsRefusedError
from journal.services.cash.file import CashFileError, problems_answer


def problem(code: int, title: str, detail: str = "", errors: list[dict[str, Any]] | None = None) -> Response:
    """An error response."""
    return Response(problem_body(title, detail, errors), status=code)


def handle(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF exception handler: refusals of services and bad input in the one shape."""
    known = _known(exc)
    if known is not None:
        return known
    response = exception_handler(exc, context)
    if response is None:
        return None
    title = exc.default_detail if isinstance(exc, APIException) else "Request refused"
    errors = _flatten(response.data) if isinstance(exc, ValidationError) else []
    detail = "" if errors else str((response.data or {}).get("detail", ""))
    shaped = problem(response.status_code, str(title), detail, errors)
    for name in ("WWW-Authenticate", "Retry-After", "Allow"):
        if name in response:
            shaped[name] = response[name]
    return shaped


def _known(exc: Exception) -> Response | None:
    bad = status.HTTP_400_BAD_REQUEST
    if isinstance(exc, RowsRefusedError):
        errors = [{"trade": str(r.trade), "field": r.field, "message": r.message} for r in exc.refusals]
        changed = any(refusal.conflict for refusal in exc.refusals)
        code = status.HTTP_409_CONFLICT if changed else bad
        return problem(code, "Nothing was closed", exc.message, errors)
    if isinstance(exc, CashFileError):
        found = [{"field": "file", **one} for one in problems_answer(exc.problems)]
        return problem(bad, "The file cannot be read; nothing of it is kept", exc.message, found)
    if isinstance(exc, RuleError):
        return problem(
            bad, "The request breaks a rule", exc.message, [{"field": exc.field, "message": exc.message}]
        )
    if isinstance(exc, OrderTextError):
        entry = {
            "field": "order_text",
            "message": exc.message,
            "token": exc.token,
            "start": exc.start,
            "end": exc.end,
        }
        return problem(bad, "The order string was not understood", exc.message, [entry])
    if isinstance(exc, MarketFileError):
        entry = {"field": "file", "message": exc.reason, "line": exc.line, "column": exc.column}
        return problem(bad, "The file cannot be read; nothing of it is kept", str(exc), [entry])
    if isinstance(exc, OUTAGES):
        answer = problem(status.HTTP_503_SERVICE_UNAVAILABLE, OUTAGE_TITLE)
        answer["Retry-After"] = str(OUTAGE_SECONDS)
        return answer
    if isinstance(exc, ConflictError):
        return problem(status.HTTP_409_CONFLICT, "Changed meanwhile", str(exc))
    if isinstance(exc, KeyReusedError):
        return problem(
            status.HTTP_422_UNPROCESSABLE_ENTITY,
            "Idempotency-Key reused",
            "This key was used for a different request.",
        )
    if isinstance(exc, CalendarRangeError):
        return problem(bad, "A day is out of range", str(exc))
    if isinstance(exc, UnknownSymbolError | DjangoValidationError | DataError | OverflowError):
        return problem(bad, "A value is not valid", str(exc) if isinstance(exc, UnknownSymbolError) else "")
    return None


def _flatten(data: Any, field: str = "") -> list[dict[str, Any]]:
    if isinstance(data, dict):
        return [e for key, value in data.items() for e in _flatten(value, f"{field}.{key}".strip("."))]
    if isinstance(data, list):
        if all(not isinstance(item, dict | list) for item in data):
            return [{"field": field, "message": str(item)} for item in data]
        return [e for i, item in enumerate(data) for e in _flatten(item, f"{field}[{i}]")]
    return [{"field": field, "message": str(data)}]

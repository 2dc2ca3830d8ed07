"""Writes of the API: idempotent by key, and the order input shared by trades and layers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from django.http import Http404
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from hedging.engine.instruments import UnknownSymbolError, parse_symbol
from journal.api.idempotency import Answer, fingerprint, once
from journal.errors import RuleError
from journal.importers.order_text import parse_order
from journal.models import WRITE_ROLES, Account, User
from journal.services.book.package_price import SPLIT_NOTE, market_marks, split_package
from journal.services.book.trades import LegInput, OrderInput

MAX_KEY = 120


def person(request: Request) -> User:
    """The authenticated user, typed."""
    return cast("User", request.user)


def answered(request: Request, act: Callable[[], Answer], body: bytes) -> Response:
    """Run a write, once per Idempotency-Key when the request carries one."""
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        status, data = act()
        return Response(data, status=status)
    if len(key) > MAX_KEY or not key.isprintable():
        raise RuleError(f"Idempotency-Key: at most {MAX_KEY} printable characters.", "Idempotency-Key")
    print_ = fingerprint(request.method or "", request.get_full_path(), body)

    def stored() -> Answer:
        status, data = act()
        return status, json.loads(JSONRenderer().render(data) or b"null")

    (status, data), replayed = once(user=person(request), key=key, print_=print_, act=stored)
    response = Response(data, status=status)
    if replayed:
        response["Idempotent-Replayed"] = "true"
    return response


def writable_account(user: User, account_id: UUID) -> Account:
    """An account the user may write to, or 404."""
    account = Account.objects.for_user(user, WRITE_ROLES).filter(pk=account_id).first()
    if account is None:
        raise Http404
    return account


def leg_inputs(legs: Sequence[dict[str, Any]]) -> list[LegInput]:
    """Legs of the request; a refusal names the leg."""
    found = []
    for number, leg in enumerate(legs, start=1):
        try:
            spec = parse_symbol(leg["occ_symbol"])
        except UnknownSymbolError as error:
            raise RuleError(f"Leg {number}: {error}", f"legs[{number - 1}].occ_symbol") from None
        found.append(LegInput(spec, leg["quantity"], leg["price"]))
    return found


def order_input(data: dict[str, Any], account: Account) -> OrderInput:
    """The order of a request: its legs, or its order string with the package price split."""
    moment, fees = data["filled_at"], data.get("fees")
    if not data.get("order_text"):
        return OrderInput(leg_inputs(data["legs"]), moment, fees, "api")
    parsed = parse_order(data["order_text"])
    specs = [spec for spec, _ in parsed.legs]
    marks: dict[str, Decimal] = (
        market_marks(specs, moment, simulated=account.is_demo) if len(specs) > 1 else {}
    )
    prices = split_package(parsed.legs, parsed.packages, parsed.signed_price, marks)
    note = SPLIT_NOTE if len(specs) > 1 else ""
    legs = [
        LegInput(spec, quantity, price, note)
        for (spec, quantity), price in zip(parsed.legs, prices, strict=True)
    ]
    return OrderInput(legs, moment, fees, "api")

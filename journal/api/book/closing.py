"""Closing many trades over the API, and undoing a change of many."""

from __future__ import annotations

import secrets
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from journal.api.serializers import LegInputSerializer, OrderSerializer, TradeSerializer
from journal.api.writing import answered, leg_inputs, person
from journal.errors import RuleError
from journal.models import BulkChange, Trade, User
from journal.selectors.book.closing import ClosingTrade, closing_trades
from journal.services.book.bulk_close import (
    MOST,
    CloseRefusal,
    Closing,
    RowsRefusedError,
    bulk_close,
    closing_order,
)
from journal.services.book.orders import OrderInput
from journal.services.undo import change_undo
from journal.services.undo_records import UNDO_FOR


class ClosingSerializer(serializers.Serializer[Any]):
    """One trade of the list: the version it was read at, and a package price or a price for each leg."""

    trade = serializers.UUIDField()
    version = serializers.IntegerField()
    price = serializers.DecimalField(
        max_digits=12, decimal_places=4, required=False,
        help_text="points per package, + received, - paid; shared over the legs",
    )  # fmt: skip
    legs = LegInputSerializer(many=True, required=False, help_text="instead of a price; every open leg")
    filled_at = serializers.DateTimeField(required=False, help_text="absent: the time of the whole list")
    fees = OrderSerializer().fields["fees"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Exactly one of price and legs."""
        if ("price" in attrs) == bool(attrs.get("legs")):
            raise serializers.ValidationError({"price": "Give either price or legs."})
        return attrs


class BulkCloseSerializer(serializers.Serializer[Any]):
    """Trades to close together."""

    filled_at = serializers.DateTimeField(help_text="with an offset; without one it is New York time")
    trades = serializers.ListField(child=ClosingSerializer(), max_length=MOST, allow_empty=False)


class ChangeSerializer(serializers.ModelSerializer[BulkChange]):
    """A change of many rows that can be undone until ``undo_until``."""

    undo_until = serializers.SerializerMethodField()

    class Meta:
        model = BulkChange
        fields = ("id", "action", "summary", "count", "created_at", "undone_at", "undone_count", "undo_until")
        read_only_fields = fields

    def get_undo_until(self, change: BulkChange) -> str:
        """The moment after which it stays."""
        return (change.created_at + UNDO_FOR).isoformat()


class BulkCloseView(APIView):
    """Closing many trades: all of them, or none."""

    @extend_schema(operation_id="trades_close", request=BulkCloseSerializer, responses=ChangeSerializer)
    def post(self, request: Request) -> Response:
        """Close the trades; a refusal names each one, and nothing is written."""
        user, body = person(request), request._request.body
        given = BulkCloseSerializer(data=request.data)
        given.is_valid(raise_exception=True)

        def act() -> tuple[int, Any]:
            closings = _closings(user, given.validated_data)
            change = bulk_close(user=user, closings=closings, token=secrets.token_urlsafe(16))
            closed = Trade.objects.for_user(user).filter(pk__in=[c.trade for c in closings])
            trades = TradeSerializer(closed.prefetch_related("protects"), many=True).data
            return 200, {**ChangeSerializer(change).data, "trades": trades}

        return answered(request, act, body)


def _closings(user: User, data: dict[str, Any]) -> list[Closing]:
    """The closings asked for; raises RowsRefusedError naming each trade that is not understood."""
    rows = data["trades"]
    known = {row.trade.pk: row for row in closing_trades(user, [r["trade"] for r in rows], timezone.now())}
    found, refusals = [], []
    for row in rows:
        trade = known.get(row["trade"])
        if trade is None:
            missing = "It is not there, or you may not change it."
            refusals.append(CloseRefusal(row["trade"], "A trade", "trade", missing))
            continue
        try:
            order = _order(trade, row, row.get("filled_at") or data["filled_at"])
        except RuleError as error:
            refusals.append(CloseRefusal(trade.trade.pk, trade.trade.label, error.field, error.message))
        else:
            found.append(Closing(trade.trade.pk, row["version"], order))
    if refusals:
        raise RowsRefusedError(refusals)
    return found


def _order(trade: ClosingTrade, row: dict[str, Any], moment: Any) -> OrderInput:
    fees: Decimal | None = row.get("fees")
    if row.get("legs"):
        return OrderInput(leg_inputs(row["legs"]), moment, fees, "api")
    return closing_order(trade, row["price"], moment, fees=fees, source="api")


class ChangeUndoView(APIView):
    """Undoing a change of many rows."""

    @extend_schema(operation_id="change_undo", request=None, responses=ChangeSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Take it back where nobody changed it since; a repeat answers the same."""
        user = person(request)
        change = get_object_or_404(BulkChange.objects.for_user(user), pk=pk)
        return Response(ChangeSerializer(change_undo(user=user, change=change)).data)

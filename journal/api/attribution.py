"""Attribution of accounts and trades, and settlement at an official value."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from journal.api.answers.attribution import account_answer, parse_day, trade_answer
from journal.api.serializers import JobSerializer, TradeDetailSerializer
from journal.api.writing import answered, person
from journal.models import WRITE_ROLES, Account, Trade
from journal.selectors.book.trades import trade_get
from journal.services.attribution.jobs import attribution_request
from journal.services.book.settlement import settlement_book

_PERIOD = [
    OpenApiParameter("from", OpenApiTypes.DATE, description="first session; absent: all"),
    OpenApiParameter("to", OpenApiTypes.DATE, description="last session; absent: all"),
]


def _period(request: Request) -> tuple[date | None, date | None]:
    query = request.query_params
    return parse_day(query.get("from", ""), "from"), parse_day(query.get("to", ""), "to")


class RangeSerializer(serializers.Serializer[Any]):
    """A range of sessions; absent ends are open."""

    def get_fields(self) -> dict[str, Any]:
        """``from`` is a Python word, so the two dates are added here."""
        return {
            **super().get_fields(),
            "from": serializers.DateField(required=False),
            "to": serializers.DateField(required=False),
        }


class SettlementSerializer(serializers.Serializer[Any]):
    """An official settlement value in index points."""

    symbol = serializers.ChoiceField(choices=["SPX", "SET", "VRO"])
    expiry = serializers.DateField()
    level = serializers.DecimalField(max_digits=10, decimal_places=4, min_value=Decimal("0.0001"))
    version = serializers.IntegerField(required=False)


class AccountAttributionView(APIView):
    """An account's attribution."""

    @extend_schema(parameters=_PERIOD, responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, pk: UUID) -> Response:
        """Stored effects, groups, split and days; dollars as text."""
        account = get_object_or_404(Account.objects.for_user(person(request)), pk=pk)
        first, last = _period(request)
        return Response(account_answer(account=account, date_from=first, date_to=last))

    @extend_schema(request=RangeSerializer, responses={202: JobSerializer(many=True)})
    def post(self, request: Request, pk: UUID) -> Response:
        """Ask the workers to attribute a range again: answers 202 with one job a range."""
        body = request._request.body
        account = Account.objects.for_user(person(request), WRITE_ROLES).filter(pk=pk).first()
        if account is None:
            raise Http404
        given = RangeSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data

        def act() -> tuple[int, Any]:
            jobs = attribution_request(
                account=account,
                date_from=data.get("from"),
                date_to=data.get("to"),
                requested_by=person(request),
                nonce=request.headers.get("Idempotency-Key", "")[:40],
            )
            return 202, JobSerializer(jobs, many=True).data

        return answered(request, act, body)


class TradeAttributionView(APIView):
    """A trade's attribution."""

    @extend_schema(parameters=_PERIOD, responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, pk: UUID) -> Response:
        """Stored effects by leg and day, and the full revaluation; dollars as text."""
        trade = trade_get(person(request), pk)
        first, last = _period(request)
        return Response(trade_answer(trade=trade, date_from=first, date_to=last))


class SettleView(APIView):
    """Cash settlement of expired legs."""

    @extend_schema(request=SettlementSerializer, responses=TradeDetailSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Book the settlement of the trade's expired legs at the official value."""
        body, user = request._request.body, person(request)
        trade = Trade.objects.for_user(user, WRITE_ROLES).select_related("account").filter(pk=pk).first()
        if trade is None:
            raise Http404
        given = SettlementSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data

        def act() -> tuple[int, Any]:
            settlement_book(
                user=user,
                trade=trade,
                symbol=data["symbol"],
                expiry=data["expiry"],
                level=data["level"],
                version=data.get("version"),
            )
            return 200, TradeDetailSerializer(trade_get(user, trade.pk)).data

        return answered(request, act, body)

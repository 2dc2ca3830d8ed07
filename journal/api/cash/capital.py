"""Cost and return of capital, and the cash ledger."""

from __future__ import annotations

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

from journal.api.answers.attribution import parse_day
from journal.api.serializers import ReverseInputSerializer
from journal.api.writing import answered, person, writable_account
from journal.models import WRITE_ROLES, Account, CashEntry
from journal.selectors.cash.ledger import cash_rows
from journal.services.cash.gates import capital_answer, gates_now
from journal.services.cash.ledger import cash_record, cash_reverse


class CashEntrySerializer(serializers.ModelSerializer[CashEntry]):
    """One entry; ``amount`` is signed: + into the account (or the bucket)."""

    class Meta:
        model = CashEntry
        fields = (
            "id", "account", "kind", "amount", "day", "purpose", "gates", "reverses", "source", "note",
        )  # fmt: skip
        read_only_fields = fields


class CashInputSerializer(serializers.Serializer[Any]):
    """A movement to record; ``amount`` is above zero, the kind says which way it went."""

    kind = serializers.ChoiceField(choices=CashEntry.Kind.choices)
    amount = serializers.DecimalField(max_digits=14, decimal_places=2, min_value=Decimal("0.01"))
    day = serializers.DateField()
    purpose = serializers.ChoiceField(
        choices=[c for c in CashEntry.Purpose.choices if c[0]], required=False, default=""
    )
    note = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class CapitalView(APIView):
    """An account's cost and return of capital."""

    @extend_schema(
        parameters=[OpenApiParameter("to", OpenApiTypes.DATE, description="last session; absent: newest")],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """WACC, CAPM, box and embedded rates, target, checks, layers, IRR, history."""
        account = get_object_or_404(Account.objects.for_user(person(request)), pk=pk)
        until = parse_day(request.query_params.get("to", ""), "to")
        return Response(capital_answer(account=account, until=until))


class CashView(APIView):
    """An account's cash ledger."""

    @extend_schema(responses=CashEntrySerializer(many=True))
    def get(self, request: Request, pk: UUID) -> Response:
        """All entries, newest first, corrections included."""
        account = get_object_or_404(Account.objects.for_user(person(request)), pk=pk)
        rows = [row for row, _ in cash_rows(person(request), account)]
        return Response(CashEntrySerializer(rows, many=True).data)

    @extend_schema(request=CashInputSerializer, responses={201: CashEntrySerializer})
    def post(self, request: Request, pk: UUID) -> Response:
        """Record a movement."""
        body, user = request._request.body, person(request)
        account = writable_account(user, pk)
        given = CashInputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data

        def act() -> tuple[int, Any]:
            gates = gates_now(account) if data["kind"] == CashEntry.Kind.ALLOCATE else ()
            entry = cash_record(user=user, account=account, source="api", gates=gates, **data)
            return 201, CashEntrySerializer(entry).data

        return answered(request, act, body)


class CashReverseView(APIView):
    """Correcting a cash entry."""

    @extend_schema(request=ReverseInputSerializer, responses={201: CashEntrySerializer})
    def post(self, request: Request, pk: UUID) -> Response:
        """Correct an entry by its mirror image."""
        body, user = request._request.body, person(request)
        entry = CashEntry.objects.for_user(user, WRITE_ROLES).select_related("account").filter(pk=pk).first()
        if entry is None:
            raise Http404
        given = ReverseInputSerializer(data=request.data)
        given.is_valid(raise_exception=True)

        def act() -> tuple[int, Any]:
            mirror = cash_reverse(user=user, entry=entry, reason=given.validated_data["reason"])
            return 201, CashEntrySerializer(mirror).data

        return answered(request, act, body)

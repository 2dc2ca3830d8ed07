"""The risk desk over the API: accounts with the filters of the console, breach cases, limits in force."""

from __future__ import annotations

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

from journal.api.answers.risk import case_answer, limit_answer, row_answer
from journal.api.pagination import CountedPages
from journal.api.writing import answered, person
from journal.models import BreachCase, RiskRow, User
from journal.selectors.risk.cases import case_list
from journal.selectors.risk.console import ConsoleFilters, console_rows, newest_sheet, only_simulated
from journal.selectors.risk.limits import limits_in_force
from journal.services.audit import audit_record
from journal.services.risk.cases import case_acknowledge

_TEXT = OpenApiTypes.STR
_FILTERS = [
    OpenApiParameter("q", _TEXT, description="in the account's name, broker or number"),
    OpenApiParameter("group", OpenApiTypes.UUID),
    OpenApiParameter("breach", _TEXT, description="any, hard, soft, unknown or none"),
    OpenApiParameter("measure", _TEXT, description="with an open case of this limit"),
    OpenApiParameter("sort", _TEXT, description="a column of the console; a minus turns it round"),
    OpenApiParameter("market", _TEXT, enum=["real", "simulated"]),
]


_STATE = OpenApiParameter("state", _TEXT, enum=["open", "closed"])


def desk(request: Request, *, officer: bool = False) -> User:
    """The user, if of the risk desk; 404 to everybody else, for whom it does not exist."""
    user = person(request)
    if not (user.is_risk_officer if officer else user.is_risk_admin):
        raise Http404
    return user


class AcknowledgeSerializer(serializers.Serializer[Any]):
    """Why a breach may stand, and until when."""

    reason = serializers.CharField(max_length=300)
    until = serializers.DateField()


class RiskAccountsView(APIView):
    """Accounts of the newest sheet."""

    @extend_schema(parameters=_FILTERS, responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """Rows as the console filters and orders them; the market's moment beside them."""
        user = desk(request)
        filters = ConsoleFilters.from_query(request.query_params, simulated=only_simulated())
        sheet = newest_sheet(simulated=filters.simulated)
        audit_record(actor=user, action="risk.view_all", summary="API")
        rows = RiskRow.objects.none() if sheet is None else console_rows(sheet, filters)
        pages = CountedPages()
        page = pages.paginate_queryset(rows, request, view=self) or []
        answer = pages.get_paginated_response([row_answer(row) for row in page])
        answer.data["as_of"] = sheet.as_of.isoformat() if sheet else None
        return answer


class RiskCasesView(APIView):
    """Breach cases."""

    @extend_schema(operation_id="v1_risk_cases_list", parameters=[_STATE], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """Open cases, worst first, or closed ones, newest first."""
        desk(request)
        state = "closed" if request.query_params.get("state") == "closed" else "open"
        pages = CountedPages()
        page = pages.paginate_queryset(case_list(state), request, view=self) or []
        return pages.get_paginated_response([case_answer(case) for case in page])


class RiskCaseView(APIView):
    """One breach case."""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, pk: UUID) -> Response:
        """The case with its figures."""
        desk(request)
        return Response(case_answer(get_object_or_404(BreachCase, pk=pk)))


class RiskAcknowledgeView(APIView):
    """Acknowledging a case."""

    @extend_schema(request=AcknowledgeSerializer, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, pk: UUID) -> Response:
        """Acknowledge with a reason until a day; officers only."""
        user = desk(request, officer=True)
        case = get_object_or_404(BreachCase, pk=pk)
        given = AcknowledgeSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data

        def act() -> tuple[int, Any]:
            done = case_acknowledge(user=user, case=case, reason=data["reason"], until=data["until"])
            return 200, case_answer(done)

        return answered(request, act, request._request.body)


class RiskLimitsView(APIView):
    """Limits."""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """Every limit in force."""
        desk(request)
        rows = limits_in_force().select_related("made_by", "approved_by")
        return Response({"results": [limit_answer(row) for row in rows]})

"""Statistics of trades, performance, the worth of the hedge, and scheduled reports."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hedging.engine.results.statistics import BREAKDOWNS
from journal.api.answers.attribution import parse_day
from journal.api.answers.statistics import hedge_answer, performance_answer, statistics_answer
from journal.api.writing import answered, person
from journal.errors import RuleError
from journal.models import Account, Report, ReportSchedule, Trade
from journal.selectors.reports import schedule_get, schedules_for
from journal.selectors.results.statistics import OutcomeFilters
from journal.services.reports.schedules import schedule_add, schedule_stop

_FROM = OpenApiParameter("from", OpenApiTypes.DATE, description="first session; absent: all")
_TO = OpenApiParameter("to", OpenApiTypes.DATE, description="last session; absent: newest")


def _account(request: Request, pk: UUID) -> Account:
    return get_object_or_404(Account.objects.for_user(person(request)), pk=pk)


def _one_of(request: Request, name: str, values: list[str]) -> str:
    text = request.query_params.get(name, "")
    if text and text not in values:
        raise RuleError(f"One of {', '.join(values)}.", name)
    return text


class StatisticsView(APIView):
    """An account's closed positions in figures."""

    @extend_schema(
        parameters=[
            OpenApiParameter("by", enum=list(BREAKDOWNS), description="breakdown; absent: strategy"),
            OpenApiParameter("kind", enum=list(Trade.Kind.values)),
            OpenApiParameter("layer", OpenApiTypes.INT, enum=[1, 2, 3]),
            OpenApiParameter("tag"),
            OpenApiParameter("unit", enum=["chain", "trade"], description="absent: chains of rolls once"),
            _FROM,
            _TO,
        ],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """Figures of all and of each group, and the positions behind them."""
        query = request.query_params
        layer = _one_of(request, "layer", ["1", "2", "3"])
        filters = OutcomeFilters(
            kind=_one_of(request, "kind", list(Trade.Kind.values)),
            layer=int(layer) if layer else None,
            tag=query.get("tag", "")[:40],
            date_from=parse_day(query.get("from", ""), "from"),
            date_to=parse_day(query.get("to", ""), "to"),
            by_trade=_one_of(request, "unit", ["chain", "trade"]) == "trade",
        )
        by = _one_of(request, "by", list(BREAKDOWNS)) or "strategy"
        return Response(statistics_answer(account=_account(request, pk), filters=filters, by=by))


class PerformanceView(APIView):
    """An account's time-weighted performance."""

    @extend_schema(parameters=[_FROM, _TO], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, pk: UUID) -> Response:
        """Figures with and without the hedge, months, sessions; fractions and dollars."""
        query = request.query_params
        first, last = parse_day(query.get("from", ""), "from"), parse_day(query.get("to", ""), "to")
        return Response(performance_answer(account=_account(request, pk), date_from=first, date_to=last))


class HedgeValueView(APIView):
    """What an account's hedge was worth."""

    @extend_schema(parameters=[_TO], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, pk: UUID) -> Response:
        """Investment, insurance, liquidity, the permanent hedge, and the claims with verdicts."""
        until = parse_day(request.query_params.get("to", ""), "to")
        return Response(hedge_answer(account=_account(request, pk), until=until))


class ReportScheduleSerializer(serializers.ModelSerializer[ReportSchedule]):
    """A report of every period; ``done_until`` is the last day of the newest one asked for."""

    class Meta:
        model = ReportSchedule
        fields = ("id", "account", "every", "format", "send", "email", "done_until", "created_at")
        read_only_fields = fields


class ReportScheduleInputSerializer(serializers.Serializer[Any]):
    """What to make and whom to tell."""

    every = serializers.ChoiceField(choices=ReportSchedule.Every.choices)
    format = serializers.ChoiceField(choices=Report.Format.choices, default="pdf")
    send = serializers.ChoiceField(
        choices=[c for c in ReportSchedule.Send.choices if c[0]], required=False, default=""
    )
    email = serializers.EmailField(required=False, default="")


class SchedulesView(APIView):
    """An account's scheduled reports."""

    @extend_schema(responses=ReportScheduleSerializer(many=True))
    def get(self, request: Request, pk: UUID) -> Response:
        """Running schedules."""
        rows = schedules_for(person(request), _account(request, pk))
        return Response(ReportScheduleSerializer(rows, many=True).data)

    @extend_schema(request=ReportScheduleInputSerializer, responses={201: ReportScheduleSerializer})
    def post(self, request: Request, pk: UUID) -> Response:
        """Make a report of every coming period."""
        body, account = request._request.body, _account(request, pk)
        given = ReportScheduleInputSerializer(data=request.data)
        given.is_valid(raise_exception=True)

        def act() -> tuple[int, Any]:
            schedule = schedule_add(user=person(request), account=account, **given.validated_data)
            return 201, ReportScheduleSerializer(schedule).data

        return answered(request, act, body)


class ScheduleStopView(APIView):
    """Stopping a schedule."""

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request, pk: UUID) -> Response:
        """Make no more reports; those made stay."""
        schedule = schedule_get(person(request), pk)

        def act() -> tuple[int, Any]:
            schedule_stop(user=person(request), schedule=schedule)
            return 204, None

        return answered(request, act, request._request.body)

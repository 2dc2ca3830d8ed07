"""Market data over the API: series, quality, runs, bars, the VX curve of a day, events, fetching."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

import django_filters
from django.conf import settings
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hedging.models import DailyBar, IngestRun, MacroEvent, MarketSource
from hedging.selectors.calendar import session_date, vix_expiry
from hedging.selectors.market import curve_on, sources, supplied_series
from hedging.selectors.quality import quality_findings
from hedging.services.market.fetch import GROUPS, HISTORY
from journal.api.answers.attribution import parse_day
from journal.api.serializers import JobSerializer
from journal.api.writing import answered, person
from journal.errors import RuleError
from journal.services.market import market_fetch_ask


class StoredSeriesSerializer(serializers.Serializer[Any]):
    """One stored series of one source; ``stale`` says why it is stale, ``ended``, or is empty."""

    symbol = serializers.CharField()
    name = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # a field, not DRF's attribute
    quality = serializers.CharField()
    first = serializers.DateField()
    last = serializers.DateField()
    entries = serializers.IntegerField(source="count")
    age_days = serializers.IntegerField()
    stale = serializers.CharField()


class SourceSerializer(serializers.ModelSerializer[MarketSource]):
    """One fetched file; ``error`` is empty while all is well."""

    class Meta:
        model = MarketSource
        fields = (
            "key", "provider", "group", "attempt_at", "success_at", "changed_at", "not_before",
            "failures", "error",
        )  # fmt: skip


class FindingSerializer(serializers.Serializer[Any]):
    """One finding about the stored data; ``days`` are the first of ``count``."""

    kind = serializers.CharField()
    severity = serializers.CharField()
    series = serializers.CharField()
    message = serializers.CharField()
    count = serializers.IntegerField()
    days = serializers.ListField(child=serializers.DateField())


class RunSerializer(serializers.ModelSerializer[IngestRun]):
    """One file that was read; ``error`` says why nothing of it was kept."""

    class Meta:
        model = IngestRun
        fields = (
            "id", "name", "source", "format", "rows_read", "rows_new", "rows_unchanged", "rows_dropped",
            "notes", "error", "seconds", "created_at",
        )  # fmt: skip


class BarSerializer(serializers.ModelSerializer[DailyBar]):
    """A bar or value. ``superseded_at`` null: current. ``published_estimated``: the moment is by rule."""

    class Meta:
        model = DailyBar
        fields = (
            "symbol", "date", "open", "high", "low", "close", "source", "quality", "published_at",
            "published_estimated", "recorded_at", "superseded_at",
        )  # fmt: skip


class EventSerializer(serializers.ModelSerializer[MacroEvent]):
    """A release, meeting or expiration; figures in ``unit``, null until released or unknown."""

    class Meta:
        model = MacroEvent
        fields = (
            "kind", "day", "time_et", "period", "detail", "actual", "forecast", "previous", "unit",
            "scheduled", "published_at", "source",
        )  # fmt: skip


class CurvePointSerializer(serializers.Serializer[Any]):
    """One VX contract on a day; ``month`` is 1 for M1, null for weekly contracts."""

    month = serializers.IntegerField(allow_null=True)
    expiry = serializers.DateField()
    settle = serializers.DecimalField(max_digits=12, decimal_places=4)
    volume = serializers.IntegerField(allow_null=True)
    open_interest = serializers.IntegerField(allow_null=True)
    source = serializers.CharField()  # type: ignore[assignment]  # a field, not DRF's attribute
    quality = serializers.CharField()


class CurveSerializer(serializers.Serializer[Any]):
    """The VX curve of the newest day at or before the one asked for; ``day`` null: none is stored."""

    asked = serializers.DateField()
    day = serializers.DateField(allow_null=True)
    contracts = CurvePointSerializer(many=True)


class SuppliedSerializer(serializers.Serializer[Any]):
    """A series users may load under ``symbol``; ``last`` null: nothing is stored yet."""

    symbol = serializers.CharField(source="series.symbol")
    title = serializers.CharField(source="series.title")
    unit = serializers.CharField(source="series.unit")
    note = serializers.CharField(source="series.note")
    signals = serializers.ListField(child=serializers.CharField(), source="series.signals")
    last = serializers.DateField(allow_null=True)
    stale = serializers.CharField()


class FetchSerializer(serializers.Serializer[Any]):
    """Which files to fetch; empty is all."""

    group = serializers.ChoiceField(choices=(*GROUPS, HISTORY), required=False, allow_blank=True, default="")


class BarFilter(django_filters.FilterSet):  # type: ignore[misc]  # carries no types
    """``symbol``, ``source``, ``from``, ``to``, ``vintages`` (true: replaced values too)."""

    symbol = django_filters.CharFilter()
    source = django_filters.CharFilter()
    quality = django_filters.CharFilter()
    to = django_filters.DateFilter(field_name="date", lookup_expr="lte")
    vintages = django_filters.BooleanFilter(method="with_vintages")

    class Meta:
        model = DailyBar
        fields: ClassVar[list[str]] = []

    def filter_queryset(self, queryset: Any) -> Any:
        """Current values unless vintages are asked for."""
        rows = super().filter_queryset(queryset)
        return rows if self.form.cleaned_data.get("vintages") else rows.filter(superseded_at__isnull=True)

    def with_vintages(self, queryset: Any, name: str, value: object) -> Any:
        """Applied in filter_queryset."""
        return queryset


BarFilter.base_filters["from"] = django_filters.DateFilter(field_name="date", lookup_expr="gte")


class EventFilter(django_filters.FilterSet):  # type: ignore[misc]  # carries no types
    """``kind``, ``from``, ``to``."""

    kind = django_filters.CharFilter()
    to = django_filters.DateFilter(field_name="day", lookup_expr="lte")

    class Meta:
        model = MacroEvent
        fields: ClassVar[list[str]] = []


EventFilter.base_filters["from"] = django_filters.DateFilter(field_name="day", lookup_expr="gte")


class StoredSeriesView(APIView):
    """Stored series."""

    @extend_schema(responses=StoredSeriesSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Every stored series by source, with its span and age."""
        return Response(StoredSeriesSerializer(sources(now=timezone.now()), many=True).data)


class SuppliedView(APIView):
    """Series of the users' own."""

    @extend_schema(responses=SuppliedSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Symbols signals look for that no public source here has, and what of them is stored."""
        return Response(SuppliedSerializer(supplied_series(now=timezone.now()), many=True).data)


class SourceView(generics.ListAPIView[MarketSource]):
    """Fetched files and how their last attempt went."""

    serializer_class = SourceSerializer
    queryset = MarketSource.objects.order_by("key")


class QualityView(APIView):
    """Data quality."""

    @extend_schema(responses=FindingSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Gaps, stale series, impossible values, jumps and disagreeing sources; errors first."""
        return Response(FindingSerializer(quality_findings(now=timezone.now()), many=True).data)


class RunView(generics.ListAPIView[IngestRun]):
    """Files that were read, newest first."""

    serializer_class = RunSerializer
    queryset = IngestRun.objects.order_by("-created_at", "pk")


class BarView(generics.ListAPIView[DailyBar]):
    """Bars and values of stored series, with their vintages on request."""

    serializer_class = BarSerializer
    queryset = DailyBar.objects.order_by("symbol", "date", "source", "pk")
    filterset_class = BarFilter


class EventView(generics.ListAPIView[MacroEvent]):
    """The event calendar."""

    serializer_class = EventSerializer
    queryset = MacroEvent.objects.filter(superseded_at__isnull=True).order_by("day", "kind", "pk")
    filterset_class = EventFilter


class CurveView(APIView):
    """The VX curve by day."""

    @extend_schema(
        parameters=[
            OpenApiParameter("day", OpenApiTypes.DATE, description="absent: today"),
            OpenApiParameter("simulated", OpenApiTypes.BOOL, description="the demo's market"),
        ],
        responses=CurveSerializer,
    )
    def get(self, request: Request) -> Response:
        """Settlements of the newest day at or before ``day``; monthly contracts carry their rank."""
        asked = parse_day(request.query_params.get("day", ""), "day") or session_date(timezone.now())
        simulated = request.query_params.get("simulated", "").lower() in ("1", "true")
        day, rows = curve_on(asked, simulated=simulated)
        monthly = [row.expiry for row in rows if _is_monthly(row.expiry)]
        rank = {expiry: number for number, expiry in enumerate(dict.fromkeys(monthly), start=1)}
        contracts = [
            {
                "month": rank.get(row.expiry), "expiry": row.expiry, "settle": row.settle,
                "volume": row.volume, "open_interest": row.open_interest,
                "source": row.source, "quality": row.quality,
            }
            for row in rows
        ]  # fmt: skip
        return Response(CurveSerializer({"asked": asked, "day": day, "contracts": contracts}).data)


def _is_monthly(expiry: date) -> bool:
    return expiry == vix_expiry(expiry.year, expiry.month)


class FetchView(APIView):
    """Fetching now."""

    @extend_schema(request=FetchSerializer, responses={202: JobSerializer})
    def post(self, request: Request) -> Response:
        """Ask for a round of fetching; the job tells how it goes. Refused while fetching is off."""
        body = FetchSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        if not settings.MARKET_FETCH:
            raise RuleError("Fetching is switched off on this site.", "group")
        group = body.validated_data["group"]

        def act() -> tuple[int, Any]:
            job = market_fetch_ask(
                user=person(request), names=(group,) if group else GROUPS,
                slot=f"{timezone.now():%Y-%m-%dT%H:%M}",
            )  # fmt: skip
            return 202, JobSerializer(job).data

        return answered(request, act, request._request.body)

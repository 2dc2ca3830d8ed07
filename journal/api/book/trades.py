"""Views of /api/v1/: thin, gated by ``for_user``, writes answered once per key."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from django.http import Http404, HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hedging.jobs.engine import job_cancel, job_retry
from journal.api import serializers as shapes
from journal.api.answers.valuation import AS_OF_HELP, valuation_answer
from journal.api.writing import answered, leg_inputs, order_input, person, writable_account
from journal.downloads import report_response
from journal.errors import RuleError
from journal.models import MANAGE_ROLES, WRITE_ROLES, Account, Fill, Report, Trade
from journal.selectors.book.trades import trade_get, trades_for, with_fills
from journal.selectors.jobs import job_get
from journal.services.accounts import FIELDS, account_create, account_update
from journal.services.book.trades import OrderInput, fill_reverse, trade_close, trade_create
from journal.services.market import MAX_UPLOAD, market_upload
from journal.services.reports.jobs import report_request


def checked(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The validated body."""
    given = serializer(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


class _ByUuid(viewsets.GenericViewSet[Any]):
    """Objects are found by UUID; anything else is 404 before a query."""

    lookup_value_converter = "uuid"


class AccountViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, _ByUuid):
    """Accounts of the user."""

    serializer_class = shapes.AccountSerializer
    queryset = Account.objects.none()

    def get_queryset(self) -> Any:
        """Only what the user is a member of."""
        return Account.objects.for_user(person(self.request))

    def create(self, request: Request) -> Response:
        """Create an account owned by the user."""
        body, data = request._request.body, checked(shapes.AccountSerializer, request)

        def act() -> tuple[int, Any]:
            account = account_create(user=person(request), **data)
            return 201, shapes.AccountSerializer(account).data

        return answered(request, act, body)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change an account; ``version`` in the body or in If-Match must be the present one."""
        account = Account.objects.for_user(person(request), MANAGE_ROLES).filter(pk=pk).first()
        if account is None:
            raise Http404
        given = shapes.AccountSerializer(account, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        body = request.data if isinstance(request.data, dict) else {}
        stated = str(body.get("version", request.headers.get("If-Match", ""))).strip('"')
        if not stated.isdecimal():
            raise RuleError("Send the version you read, in the body or in If-Match.", "version")
        values = {name: value for name, value in given.validated_data.items() if name in FIELDS}
        fresh = account_update(user=person(request), account=account, version=int(stated), **values)
        return Response(shapes.AccountSerializer(fresh).data)

    @extend_schema(request=shapes.ReportInputSerializer, responses={202: shapes.JobSerializer})
    @action(detail=True, methods=["post", "get"])
    def reports(self, request: Request, pk: str) -> Response:
        """Stored reports (GET), or ask for one (POST): answers 202 with the job."""
        account = self.get_object()
        if request.method == "GET":
            rows: Any = Report.objects.for_user(person(request)).filter(account=account).defer("content")
            page: Any = self.paginate_queryset(rows)
            return self.get_paginated_response(shapes.ReportSerializer(page, many=True).data)
        body, data = request._request.body, checked(shapes.ReportInputSerializer, request)
        today = timezone.localdate()

        def act() -> tuple[int, Any]:
            job = report_request(
                user=person(request),
                account=account,
                format=data["format"],
                date_from=data.get("from") or date(today.year, 1, 1),
                date_to=data.get("to") or today,
            )
            return 202, shapes.JobSerializer(job).data

        return answered(request, act, body)


class TradeViewSet(mixins.ListModelMixin, _ByUuid):
    """Trades of the user's accounts."""

    serializer_class = shapes.TradeSerializer
    queryset = Trade.objects.none()
    filterset_fields: ClassVar[list[str]] = ["account", "kind", "status", "layer"]

    def get_queryset(self) -> Any:
        """Only trades of accounts the user is a member of."""
        return trades_for(person(self.request)).prefetch_related("protects")

    @extend_schema(responses=shapes.TradeDetailSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One trade with max profit, max loss, break-evens and margin."""
        return Response(shapes.TradeDetailSerializer(trade_get(person(request), pk)).data)

    @extend_schema(request=shapes.TradeInputSerializer, responses={201: shapes.TradeDetailSerializer})
    def create(self, request: Request) -> Response:
        """Record a trade from an order string or legs."""
        body, data = request._request.body, checked(shapes.TradeInputSerializer, request)
        user = person(request)
        account = writable_account(user, data["account"])

        def act() -> tuple[int, Any]:
            order = order_input(data, account)
            trade = trade_create(
                user=user,
                account=account,
                kind=Trade.Kind(data["kind"]) if "kind" in data else None,
                order=order,
                reason=data["reason"],
                order_text=data.get("order_text", ""),
                accept_size=data["accept_size"],
            )
            return 201, _detail(user, trade)

        return answered(request, act, body)

    @extend_schema(request=shapes.CloseInputSerializer, responses=shapes.TradeDetailSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str) -> Response:
        """Close legs of a trade; quantities oppose what is open."""
        body, data = request._request.body, checked(shapes.CloseInputSerializer, request)
        user = person(request)
        trade = with_fills(Trade.objects.for_user(user, WRITE_ROLES)).filter(pk=pk).first()
        if trade is None:
            raise Http404

        def act() -> tuple[int, Any]:
            order = OrderInput(leg_inputs(data["legs"]), data["filled_at"], data.get("fees"), "api")
            closed = trade_close(
                user=user, trade=trade, order=order, version=data.get("version"), reason=data["reason"],
                accept_size=data["accept_size"],
            )  # fmt: skip
            return 200, _detail(user, closed)

        return answered(request, act, body)

    @extend_schema(
        parameters=[OpenApiParameter("as_of", OpenApiTypes.STR, description=AS_OF_HELP)],
        responses=OpenApiTypes.OBJECT,
    )
    @action(detail=True, methods=["get"])
    def valuation(self, request: Request, pk: str) -> Response:
        """Per-leg and total price, iv, delta, gamma, theta, vega, rho on the snapshot of ``as_of``."""
        trade = trade_get(person(request), pk)
        return Response(valuation_answer(trade=trade, as_of=request.query_params.get("as_of", "")))


def _detail(user: Any, trade: Trade) -> Any:
    return shapes.TradeDetailSerializer(trade_get(user, trade.pk)).data


class HedgeLayerViewSet(mixins.ListModelMixin, _ByUuid):
    """Hedge layers: trades of kind ``hedge_layer``."""

    serializer_class = shapes.TradeSerializer
    queryset = Trade.objects.none()
    filterset_fields: ClassVar[list[str]] = ["account", "status", "layer"]

    def get_queryset(self) -> Any:
        """Only layers of accounts the user is a member of."""
        return trades_for(person(self.request)).filter(kind=Trade.Kind.HEDGE).prefetch_related("protects")

    @extend_schema(request=shapes.HedgeInputSerializer, responses={201: shapes.TradeDetailSerializer})
    def create(self, request: Request) -> Response:
        """Record a hedge layer, optionally linked to condors of the account."""
        body, data = request._request.body, checked(shapes.HedgeInputSerializer, request)
        user = person(request)
        account = writable_account(user, data["account"])
        condors = list(Trade.objects.for_user(user).filter(account=account, pk__in=data["protects"]))
        if len(condors) != len(set(data["protects"])):
            raise RuleError("protects names a trade that is not in this account.", "protects")

        def act() -> tuple[int, Any]:
            trade = trade_create(
                user=user,
                account=account,
                kind=Trade.Kind.HEDGE,
                order=order_input(data, account),
                layer=data["layer"],
                instrument=data["instrument"],
                protects=condors,
                reason=data["reason"],
                order_text=data.get("order_text", ""),
                accept_size=data["accept_size"],
            )
            return 201, _detail(user, trade)

        return answered(request, act, body)


class FillViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, _ByUuid):
    """Fills; append-only, corrected by reversal."""

    serializer_class = shapes.FillSerializer
    queryset = Fill.objects.none()
    filterset_fields: ClassVar[list[str]] = ["account", "trade", "trade_date"]

    def get_queryset(self) -> Any:
        """Only fills of accounts the user is a member of."""
        return Fill.objects.for_user(person(self.request)).select_related("contract")

    @extend_schema(request=shapes.ReverseInputSerializer, responses={201: shapes.FillSerializer})
    @action(detail=True, methods=["post"])
    def reverse(self, request: Request, pk: str) -> Response:
        """Correct a fill by its mirror image."""
        body, data = request._request.body, checked(shapes.ReverseInputSerializer, request)
        user = person(request)
        fill = Fill.objects.for_user(user, WRITE_ROLES).select_related("trade__account").filter(pk=pk).first()
        if fill is None:
            raise Http404

        def act() -> tuple[int, Any]:
            return 201, shapes.FillSerializer(fill_reverse(user=user, fill=fill, reason=data["reason"])).data

        return answered(request, act, body)


class JobViewSet(viewsets.ViewSet):
    """Jobs of the user's accounts."""

    @extend_schema(responses=shapes.JobSerializer)
    def retrieve(self, request: Request, pk: Any) -> Response:
        """State, progress in percent, error and result."""
        return Response(shapes.JobSerializer(job_get(person(request), pk)).data)

    @extend_schema(request=None, responses=shapes.JobSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: Any) -> Response:
        """Cancel at once while queued, at the next step while running."""
        return Response(shapes.JobSerializer(job_cancel(job=job_get(person(request), pk, WRITE_ROLES))).data)

    @extend_schema(request=None, responses=shapes.JobSerializer)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: Any) -> Response:
        """Queue a failed or cancelled job again."""
        return Response(shapes.JobSerializer(job_retry(job=job_get(person(request), pk, WRITE_ROLES))).data)


class ReportViewSet(mixins.RetrieveModelMixin, _ByUuid):
    """Stored reports."""

    serializer_class = shapes.ReportSerializer
    queryset = Report.objects.none()

    def get_queryset(self) -> Any:
        """Only reports of accounts the user is a member of."""
        return Report.objects.for_user(person(self.request))

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"])
    def content(self, request: Request, pk: str) -> HttpResponse:
        """The stored bytes."""
        return report_response(self.get_object(), "attachment")


class MarketDataView(APIView):
    """Loading market files."""

    parser_classes = (MultiPartParser,)

    @extend_schema(request=shapes.MarketFileSerializer, responses={201: shapes.IngestSerializer})
    def post(self, request: Request) -> Response:
        """Load a file; the same file twice adds nothing, a malformed one leaves nothing."""
        data = checked(shapes.MarketFileSerializer, request)
        sent = data["file"]
        if sent.size > MAX_UPLOAD:
            raise RuleError("The file is larger than 64 MiB.", "file")
        run = market_upload(user=person(request), name=sent.name, data=sent.read(), symbol=data["symbol"])
        return Response(shapes.IngestSerializer(run).data, status=201)

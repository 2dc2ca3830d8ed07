"""Imports in the API: upload, look, fix, commit, undo."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from journal.api.writing import answered, person, writable_account
from journal.models import WRITE_ROLES, ImportBatch, ImportRow, User
from journal.selectors.imports.answer import BROKERS, ENCODING_CHOICES, batch_answer
from journal.selectors.imports.batches import batch_get, batch_rows, batches_for
from journal.services.imports.cash_rows import FILE_KINDS
from journal.services.imports.commit import import_commit, import_undo
from journal.services.imports.discard import import_discard, import_restore
from journal.services.imports.stage import import_upload, row_fix


class ImportFileSerializer(serializers.Serializer[Any]):
    """A broker's file and, where needed, how to read it."""

    file = serializers.FileField()
    zone = serializers.CharField(required=False, default="", max_length=40)
    encoding = serializers.ChoiceField(choices=ENCODING_CHOICES, required=False, default="")
    broker = serializers.ChoiceField(choices=BROKERS, required=False, default="")


class ImportVersionSerializer(serializers.Serializer[Any]):
    """The version the caller looked at."""

    version = serializers.IntegerField(required=False, min_value=0)


class ImportLegSerializer(serializers.Serializer[Any]):
    """A further leg of a fill."""

    symbol = serializers.CharField(max_length=40)
    quantity = serializers.IntegerField(help_text="signed: + bought, - sold")
    price = serializers.DecimalField(max_digits=12, decimal_places=6, min_value=0)
    effect = serializers.ChoiceField(choices=["", "open", "close"], required=False, default="")


class ImportFixSerializer(ImportVersionSerializer):
    """What a row means; ``kind`` ``cash`` needs ledger, amount and day, ``note`` leaves it out on purpose."""

    row = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=["fill", "expiry", "settlement", "cash", "note"])
    ledger = serializers.ChoiceField(
        choices=[(kind.value, kind.label) for kind in FILE_KINDS], required=False, default="",
        allow_blank=True, help_text="what a cash movement is",
    )  # fmt: skip
    amount = serializers.DecimalField(
        required=False, default=None, allow_null=True, max_digits=14, decimal_places=2,
        help_text="dollars of a cash movement: + received, - paid",
    )  # fmt: skip
    day = serializers.DateField(required=False, default=None, allow_null=True)
    remember = serializers.BooleanField(
        required=False, default=False, help_text="the same answer for all rows of this name"
    )
    symbol = serializers.CharField(required=False, default="", max_length=40)
    quantity = serializers.IntegerField(required=False, default=0, help_text="signed: + bought, - sold")
    price = serializers.DecimalField(
        required=False, default=Decimal(0), max_digits=12, decimal_places=6, min_value=0
    )
    fees = serializers.DecimalField(required=False, default=Decimal(0), max_digits=12, decimal_places=2)
    moment = serializers.DateTimeField(required=False, default=None, allow_null=True)
    effect = serializers.ChoiceField(choices=["", "open", "close"], required=False, default="")
    order = serializers.CharField(required=False, default="", max_length=60, allow_blank=True)
    more = ImportLegSerializer(many=True, required=False, default=list, help_text="further legs of a fill")


class ImportRowSerializer(serializers.ModelSerializer[ImportRow]):
    """One record of the file."""

    class Meta:
        model = ImportRow
        fields = (
            "id", "line", "kind", "status", "message", "field", "word", "raw", "data", "cash", "fixed",
        )  # fmt: skip
        read_only_fields = fields


class ImportSummarySerializer(serializers.ModelSerializer[ImportBatch]):
    """An import in a list."""

    class Meta:
        model = ImportBatch
        fields = (
            "id", "account", "state", "filename", "sha256", "size", "broker", "layout", "counts", "version",
            "created_at", "committed_at", "undone_at", "discarded_at",
        )  # fmt: skip
        read_only_fields = fields


class AccountImportsView(APIView):
    """Files into one account."""

    parser_classes = (MultiPartParser,)

    @extend_schema(request=ImportFileSerializer, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request, pk: UUID) -> Response:
        """Stage a file: broker, counts, trades found, every row not understood. Nothing is recorded.

        Large files are read by a job: the state is then ``reading``.
        """
        account = writable_account(person(request), pk)
        given = ImportFileSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        sent = data["file"]
        batch = import_upload(
            user=person(request), account=account, filename=sent.name, data=sent.read(), zone=data["zone"],
            encoding=data["encoding"], broker=data["broker"],
        )  # fmt: skip
        return Response(batch_answer(batch), status=201)


class ImportViewSet(viewsets.GenericViewSet[Any]):
    """Imports of the user's accounts."""

    lookup_value_converter = "uuid"
    serializer_class = ImportSummarySerializer
    queryset = ImportBatch.objects.none()
    filterset_fields: ClassVar[list[str]] = ["account", "state"]

    def get_queryset(self) -> Any:
        """Only imports of accounts the user is a member of."""
        return batches_for(person(self.request))

    def list(self, request: Request) -> Response:
        """Imports, newest first."""
        page: Any = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(ImportSummarySerializer(page, many=True).data)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One import: counts, trades, rolls, settlements, totals, rows not understood."""
        return Response(batch_answer(batch_get(person(request), pk)))

    @extend_schema(
        parameters=[OpenApiParameter("status", OpenApiTypes.STR)],
        responses=ImportRowSerializer(many=True),
    )
    @action(detail=True, methods=["get"])
    def rows(self, request: Request, pk: UUID) -> Response:
        """Rows of the file with what they were understood as."""
        found = batch_rows(batch_get(person(request), pk), request.query_params.get("status", ""))
        page: Any = self.paginate_queryset(found)
        return self.get_paginated_response(ImportRowSerializer(page, many=True).data)

    @extend_schema(request=ImportFixSerializer, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"])
    def fix(self, request: Request, pk: UUID) -> Response:
        """Say what one row means."""
        body = request._request.body
        batch = _writable(person(request), pk)
        given = ImportFixSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        values["more"] = [
            (leg["symbol"], leg["quantity"], leg["price"], leg["effect"]) for leg in values["more"]
        ]

        def act() -> tuple[int, Any]:
            row_fix(
                user=person(request), batch=batch, row_id=values["row"], version=values.get("version"),
                values=values,
            )  # fmt: skip
            return 200, batch_answer(batch_get(person(request), pk))

        return answered(request, act, body)

    @extend_schema(request=ImportVersionSerializer, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"])
    def commit(self, request: Request, pk: UUID) -> Response:
        """Record the new rows, once; large imports by a job (state ``committing``)."""
        return self._write(request, pk, import_commit)

    @extend_schema(request=ImportVersionSerializer, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: UUID) -> Response:
        """Take the whole import back."""
        return self._write(request, pk, import_undo)

    @extend_schema(request=ImportVersionSerializer, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"])
    def discard(self, request: Request, pk: UUID) -> Response:
        """Discard a file that recorded nothing; ``restore`` brings it back for seven days."""
        return self._write(request, pk, import_discard)

    @extend_schema(request=ImportVersionSerializer, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: UUID) -> Response:
        """Bring back a file that was discarded, as it was."""
        return self._write(request, pk, import_restore)

    def _write(self, request: Request, pk: UUID, service: Any) -> Response:
        body = request._request.body
        batch = _writable(person(request), pk)
        given = ImportVersionSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        version = given.validated_data.get("version")

        def act() -> tuple[int, Any]:
            service(user=person(request), batch=batch, version=version)
            return 200, batch_answer(batch_get(person(request), pk))

        return answered(request, act, body)


def _writable(user: User, pk: UUID) -> ImportBatch:
    batch = ImportBatch.objects.for_user(user, WRITE_ROLES).select_related("account").filter(pk=pk).first()
    if batch is None:
        raise Http404
    return batch

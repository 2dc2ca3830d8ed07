"""Files of cash movements in the API: upload and look, commit, undo."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from journal.api.imports import ImportVersionSerializer
from journal.api.writing import answered, person, writable_account
from journal.models import WRITE_ROLES, Account, CashImport
from journal.services.cash.file import (
    cash_import_commit,
    cash_import_undo,
    cash_import_upload,
    import_answer,
)


class CashFileSerializer(serializers.Serializer[Any]):
    """A CSV with date, kind, amount and perhaps purpose, note, external_id, in_force."""

    file = serializers.FileField()


class CashImportSerializer(serializers.ModelSerializer[CashImport]):
    """An import in a list."""

    class Meta:
        model = CashImport
        fields = (
            "id", "account", "state", "filename", "sha256", "recorded", "version", "created_at",
            "committed_at", "undone_at",
        )  # fmt: skip
        read_only_fields = fields


class CashImportsView(APIView):
    """Files of cash movements into one account."""

    parser_classes = (MultiPartParser,)

    @extend_schema(responses=CashImportSerializer(many=True))
    def get(self, request: Request, pk: UUID) -> Response:
        """Imports, newest first."""
        account = get_object_or_404(Account.objects.for_user(person(request)), pk=pk)
        rows = CashImport.objects.for_user(person(request)).filter(account=account)
        return Response(CashImportSerializer(rows, many=True).data)

    @extend_schema(request=CashFileSerializer, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request, pk: UUID) -> Response:
        """Check a file and say what it would record. Nothing is recorded; a faulty file leaves nothing.

        The answer to a faulty file names line and column of each problem.
        """
        account = writable_account(person(request), pk)
        given = CashFileSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        sent = given.validated_data["file"]
        batch = cash_import_upload(
            user=person(request), account=account, filename=sent.name, data=sent.read()
        )
        return Response(import_answer(batch), status=201)


class CashImportView(APIView):
    """One import."""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, pk: UUID) -> Response:
        """Counts, totals and state."""
        found = CashImport.objects.for_user(person(request)).select_related("account")
        return Response(import_answer(get_object_or_404(found, pk=pk)))


class CashImportActView(APIView):
    """Recording an import or taking it back."""

    service: Any = None

    @extend_schema(request=ImportVersionSerializer, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, pk: UUID) -> Response:
        """Once; a stale version answers 409."""
        body, user = request._request.body, person(request)
        batch = CashImport.objects.for_user(user, WRITE_ROLES).select_related("account").filter(pk=pk).first()
        if batch is None:
            raise Http404
        given = ImportVersionSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        version = given.validated_data.get("version")

        def act() -> tuple[int, Any]:
            return 200, import_answer(self.service(user=user, batch=batch, version=version))

        return answered(request, act, body)


class CashImportCommitView(CashImportActView):
    """Recording."""

    service = staticmethod(cash_import_commit)


class CashImportUndoView(CashImportActView):
    """Taking back."""

    service = staticmethod(cash_import_undo)

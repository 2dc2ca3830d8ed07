"""Reviews over the API: tags, mistakes, rating and notes of a trade; realized P&L by day; the tax year."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hedging.engine.money import to_cents
from journal.api.answers.attribution import parse_day
from journal.api.writing import answered, person
from journal.errors import RuleError
from journal.models import WRITE_ROLES, Account, Note, Tag, Trade, User
from journal.selectors.review.daily import realized_by_day
from journal.selectors.review.reviews import trade_review_view
from journal.services.review import reviews
from journal.services.review.notes import MAX_LENGTH, note_create
from journal.services.tax import tax_year

_MOST_TAGS, _MOST_DAYS = 40, 3700


class NoteSerializer(serializers.ModelSerializer[Note]):
    """A note; ``text`` is Markdown."""

    class Meta:
        model = Note
        fields = ("id", "text", "version", "created_at", "updated_at")
        read_only_fields = ("id", "version", "created_at", "updated_at")
        extra_kwargs = {"text": {"max_length": MAX_LENGTH}}


def _names(help_text: str) -> serializers.ListField:
    name = serializers.CharField(max_length=40)
    return serializers.ListField(child=name, required=False, max_length=_MOST_TAGS, help_text=help_text)


class ReviewSerializer(serializers.Serializer[Any]):
    """What is to be changed; what is absent stays."""

    rating = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=5)
    tags = _names("all tags the trade shall have")
    mistakes = _names("all mistakes the trade shall have")


def review_answer(user: User, trade: Trade) -> dict[str, Any]:
    """The review of a trade in plain values."""
    shown = trade_review_view(user, trade)
    review = shown.review
    return {
        "rating": review.rating if review else None,
        "tags": [tag.name for tag in shown.labels],
        "mistakes": [tag.name for tag in shown.mistakes],
        "checklist": None
        if review is None or review.checklist_at is None
        else {
            "playbook": review.checklist_name, "items": review.checklist, "answered_at": review.checklist_at,
            "at_entry": review.checklist_at_entry,
        },
        "notes": NoteSerializer([n.note for n in shown.about.notes if not n.removed], many=True).data,
    }  # fmt: skip


def _writable(user: User, pk: UUID) -> Trade:
    trade = Trade.objects.for_user(user, WRITE_ROLES).select_related("account").filter(pk=pk).first()
    if trade is None:
        raise Http404
    if trade.account.archived_at is not None:
        raise RuleError("The account is archived; restore it first.", "account")
    return trade


def _set_tags(user: User, trade: Trade, names: list[str], kind: str) -> None:
    wanted = {reviews.tag_name(name).lower(): name for name in names}
    have = Tag.objects.filter(taggings__review__trade=trade, kind=kind)
    for tag in have:
        if wanted.pop(tag.name.lower(), None) is None:
            reviews.trade_untag(user=user, trade=trade, tag=tag)
    for name in wanted.values():
        if reviews.trade_tag(user=user, trade=trade, name=name, kind=kind).kind != kind:
            raise RuleError(f"{name} is known as another kind of tag.", "tags")


class ReviewView(APIView):
    """The review of a trade."""

    @extend_schema(operation_id="trade_review", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, pk: UUID) -> Response:
        """Rating, tags, mistakes, the stored checklist and the notes."""
        user = person(request)
        return Response(review_answer(user, get_object_or_404(Trade.objects.for_user(user), pk=pk)))

    @extend_schema(
        operation_id="trade_review_change", request=ReviewSerializer, responses=OpenApiTypes.OBJECT
    )
    def patch(self, request: Request, pk: UUID) -> Response:
        """Set rating, tags or mistakes; the lists replace what was there."""
        user, body = person(request), request._request.body
        trade = _writable(user, pk)
        given = ReviewSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data

        @transaction.atomic
        def act() -> tuple[int, Any]:
            if "rating" in data:
                reviews.trade_rate(user=user, trade=trade, rating=data["rating"])
            for field, kind in (("tags", Tag.Kind.LABEL), ("mistakes", Tag.Kind.MISTAKE)):
                if field in data:
                    _set_tags(user, trade, data[field], kind)
            return 200, review_answer(user, trade)

        return answered(request, act, body)


class TradeNotesView(APIView):
    """Notes of a trade."""

    @extend_schema(operation_id="trade_note_create", request=NoteSerializer, responses={201: NoteSerializer})
    def post(self, request: Request, pk: UUID) -> Response:
        """Write a note."""
        user, body = person(request), request._request.body
        trade = _writable(user, pk)
        given = NoteSerializer(data=request.data)
        given.is_valid(raise_exception=True)

        def act() -> tuple[int, Any]:
            text = given.validated_data["text"]
            note = note_create(user=user, account=trade.account, trade=trade, text=text)
            return 201, NoteSerializer(note).data

        return answered(request, act, body)


class RealizedDaysView(APIView):
    """Realized P&L of an account by session."""

    @extend_schema(
        operation_id="account_realized_days",
        parameters=[OpenApiParameter("from", OpenApiTypes.DATE), OpenApiParameter("to", OpenApiTypes.DATE)],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """Dollars after fees as text, by session with a fill; absent ends mean this year."""
        user = person(request)
        account = get_object_or_404(Account.objects.for_user(user), pk=pk)
        today, query = timezone.localdate(), request.query_params
        first = parse_day(query.get("from", ""), "from") or date(today.year, 1, 1)
        last = parse_day(query.get("to", ""), "to") or today
        if (last - first).days > _MOST_DAYS:
            raise RuleError("At most ten years at once.", "from")
        days = realized_by_day(user, [account], first, last).values()
        rows = [
            {"day": r.day, "pnl": str(to_cents(r.pnl)), "fees": str(to_cents(r.fees)), "fills": r.fills}
            for r in days
        ]
        return Response({"unit": "USD", "days": rows})


class TaxYearView(APIView):
    """The tax worksheet of an account."""

    @extend_schema(operation_id="account_tax_year", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, pk: UUID, year: int) -> Response:
        """Section 1256 lines, totals and the 60/40 split; ``null`` is unknown. No advice."""
        account = get_object_or_404(Account.objects.for_user(person(request)), pk=pk)
        found = tax_year(account=account, year=year, now=timezone.now())

        def text(value: Any) -> str | None:
            return None if value is None else str(value)

        lines = [
            {
                "symbol": line.spec.symbol, "class": line.tax_class, "realized": text(line.realized),
                "year_end_mark": text(line.year_end), "total": text(line.total), "open": line.result.open_end,
            }
            for line in (*found.lines, *found.securities, *found.uncertain)
        ]  # fmt: skip
        return Response(
            {
                "year": year, "is_final": found.is_final, "last_session": found.last_session, "lines": lines,
                "net": text(found.net), "long_term": text(found.long_term), "unknown": found.unknown,
                "short_term": text(found.short_term), "unit": "USD",
            }
        )  # fmt: skip

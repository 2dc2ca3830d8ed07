"""The market as signals see it: every signal and the regimes by chosen rules, the term structure."""

from __future__ import annotations

from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hedging.engine.rulesets.presets import NAMES
from journal.api.answers.market import (
    MARKETS,
    MarketQuestion,
    SignalsNotReadyError,
    asked_of,
    regimes_answer,
    signals_answer,
    term_structure_answer,
)
from journal.api.answers.snapshot import NoSnapshotError, smile_answer, snapshot_answer
from journal.api.errors import problem
from journal.api.writing import person
from journal.errors import RuleError
from journal.models import Account

_MARKET = OpenApiParameter("market", OpenApiTypes.STR, enum=MARKETS, description="absent: real")
_WHOSE = (
    OpenApiParameter("account", OpenApiTypes.UUID, description="its market, judged by its rules in force"),
    OpenApiParameter("ruleset", OpenApiTypes.STR, enum=NAMES, description="a preset; absent: the default"),
    _MARKET,
)
_AS_OF = OpenApiParameter("as_of", OpenApiTypes.DATE, description="a day's close; absent: the newest")
_RETRY_SECONDS = "5"


def _account(request: Request, text: str) -> Account:
    try:
        pk = UUID(text)
    except ValueError:
        raise RuleError("account is an account's id.", "account") from None
    return get_object_or_404(Account.objects.for_user(person(request)), pk=pk)


def _not_ready() -> Response:
    answer = problem(503, "Signals are not computed yet", "A worker was asked; try again in a few seconds.")
    answer["Retry-After"] = _RETRY_SECONDS
    return answer


class _MarketView(APIView):
    """503 with Retry-After while a worker computes the first signals, 404 where nothing is stored by then."""

    def handle_exception(self, exc: Exception) -> Response:
        """The refusals of these views; the rest is the API's."""
        if isinstance(exc, NoSnapshotError):
            return problem(404, "Not found.", str(exc))
        return _not_ready() if isinstance(exc, SignalsNotReadyError) else super().handle_exception(exc)

    def asked(self, request: Request) -> MarketQuestion:
        """Whose market and rules; an account the user cannot see is 404."""
        query = request.query_params
        return asked_of(
            market=query.get("market", ""),
            account=_account(request, query["account"]) if query.get("account") else None,
            ruleset=query.get("ruleset", ""),
        )


class SignalsView(_MarketView):
    """Signals of a day."""

    @extend_schema(parameters=[_AS_OF, *_WHOSE], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """Every signal with value, threshold, state, since, source, age; levels; the regime; whose rules."""
        as_of = request.query_params.get("as_of", "")
        return Response(signals_answer(self.asked(request), as_of=as_of))


class RegimesView(_MarketView):
    """Regimes by day."""

    @extend_schema(
        parameters=[
            OpenApiParameter("from", OpenApiTypes.DATE, description="absent: from the first session"),
            OpenApiParameter("to", OpenApiTypes.DATE, description="absent: to the last session"),
            *_WHOSE,
        ],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request) -> Response:
        """Runs of sessions in one regime that touch the days, oldest first."""
        query = request.query_params
        found = regimes_answer(self.asked(request), first=query.get("from", ""), last=query.get("to", ""))
        return Response(found)


class TermStructureView(_MarketView):
    """The VX curve."""

    @extend_schema(parameters=[_AS_OF, _MARKET], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """Monthly VX settlements of the day, a week and a month before; null where none are near."""
        query = request.query_params
        found = term_structure_answer(as_of=query.get("as_of", ""), market=query.get("market", ""))
        return Response(found)


class SnapshotView(_MarketView):
    """The market at one moment."""

    @extend_schema(parameters=[_AS_OF, _WHOSE[0], _MARKET], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """Spot, levels, rates, VX curve, chains, expiries, quality and the hash of it all."""
        as_of = request.query_params.get("as_of", "")
        return Response(snapshot_answer(as_of=as_of, simulated=self.asked(request).simulated))


class SmileView(_MarketView):
    """The smile of one expiry."""

    @extend_schema(
        parameters=[
            OpenApiParameter("expiry", OpenApiTypes.STR, required=True, description="SPXW:2024-02-16"),
            _AS_OF,
            _WHOSE[0],
            _MARKET,
        ],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request) -> Response:
        """Forward, volatilities of the quotes and our fit; modelled expiries have no points."""
        query = request.query_params
        found = smile_answer(
            as_of=query.get("as_of", ""),
            simulated=self.asked(request).simulated,
            expiry=query.get("expiry", ""),
        )
        return Response(found)

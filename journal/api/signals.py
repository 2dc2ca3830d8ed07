"""The market as signals see it: every signal, the regimes, the term structure. The same for every user."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from journal.api.errors import problem
from journal.services.market_api import (
    MARKETS,
    SignalsNotReadyError,
    regimes_answer,
    signals_answer,
    term_structure_answer,
)

_MARKET = OpenApiParameter("market", OpenApiTypes.STR, enum=MARKETS, description="absent: real")
_AS_OF = OpenApiParameter("as_of", OpenApiTypes.DATE, description="a day's close; absent: the newest")
_RETRY_SECONDS = "5"


def _not_ready() -> Response:
    answer = problem(503, "Signals are not computed yet", "A worker was asked; try again in a few seconds.")
    answer["Retry-After"] = _RETRY_SECONDS
    return answer


class _MarketView(APIView):
    """Answers 503 with Retry-After while a worker computes the first signals."""

    def handle_exception(self, exc: Exception) -> Response:
        """The one refusal of these views; the rest is the API's."""
        return _not_ready() if isinstance(exc, SignalsNotReadyError) else super().handle_exception(exc)

    def asked(self, request: Request, *names: str) -> dict[str, Any]:
        """Query parameters, empty where absent."""
        return {name: request.query_params.get(name, "") for name in names}


class SignalsView(_MarketView):
    """Signals of a day."""

    @extend_schema(parameters=[_AS_OF, _MARKET], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """Every signal with value, threshold, state, since, source, age; levels; the regime and why."""
        return Response(signals_answer(**self.asked(request, "as_of", "market")))


class RegimesView(_MarketView):
    """Regimes by day."""

    @extend_schema(
        parameters=[
            OpenApiParameter("from", OpenApiTypes.DATE, description="absent: from the first session"),
            OpenApiParameter("to", OpenApiTypes.DATE, description="absent: to the last session"),
            _MARKET,
        ],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request) -> Response:
        """Runs of sessions in one regime that touch the days, oldest first."""
        query = self.asked(request, "from", "to", "market")
        return Response(regimes_answer(first=query["from"], last=query["to"], market=query["market"]))


class TermStructureView(_MarketView):
    """The VX curve."""

    @extend_schema(parameters=[_AS_OF, _MARKET], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """Monthly VX settlements of the day, a week and a month before; null where none are near."""
        return Response(term_structure_answer(**self.asked(request, "as_of", "market")))

"""Backtests over the API: asked for, one run or many sets, and read."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hedging.engine.backtest.types import BacktestError, Costs, Hedge, Settings
from hedging.engine.rulesets.presets import NAMES, preset
from hedging.engine.rulesets.types import Ruleset
from journal.api.writing import answered, person, writable_account
from journal.errors import RuleError
from journal.models import Account, BacktestRun, RulesetVersion
from journal.selectors.backtests import progress_of
from journal.selectors.governance.rules import ruleset_of
from journal.services.backtests import backtest_request


class BacktestSerializer(serializers.Serializer[Any]):
    """What is asked: a preset by name or a version of the account by id; ``grid`` makes many sets."""

    rules = serializers.CharField(max_length=60)
    first = serializers.DateField()
    last = serializers.DateField()
    hedge = serializers.ChoiceField(choices=[one.value for one in Hedge], default=Hedge.ON.value)
    capital = serializers.FloatField(default=1_000_000.0)
    fee = serializers.FloatField(default=Costs().fee)
    half_spread = serializers.FloatField(default=Costs().share, help_text="share of each leg's price")
    seed = serializers.IntegerField(default=1987, min_value=0, max_value=2**31 - 1)
    grid = serializers.DictField(
        child=serializers.ListField(child=serializers.FloatField(), max_length=1000), required=False
    )


def _ruleset(account: Account, key: str) -> Ruleset:
    if key in NAMES:
        return preset(key)
    try:
        version = RulesetVersion.objects.filter(account=account, pk=UUID(key)).first()
    except ValueError:
        version = None
    if version is None:
        raise RuleError("No preset and no version of this account has that name.", "rules")
    return ruleset_of(version)


def run_answer(run: BacktestRun, *, figures: bool) -> dict[str, Any]:
    """A run in plain values."""
    progress = progress_of(run, timezone.now())
    answer = {
        "id": str(run.pk), "account": str(run.account_id), "title": run.title, "settings": run.settings,
        "state": progress.state, "done": progress.done, "total": progress.total, "error": progress.error,
    }  # fmt: skip
    if figures:
        answer["result"] = run.result
        answer["sets"] = [row for part in run.parts.all() for row in part.figures]
    return answer


class AccountBacktestsView(APIView):
    """The backtests of an account."""

    @extend_schema(operation_id="account_backtests_list", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, pk: UUID) -> Response:
        """The stored runs, the newest first, without their figures."""
        account = Account.objects.for_user(person(request)).filter(pk=pk).first()
        if account is None:
            raise Http404
        runs = BacktestRun.objects.filter(account=account).defer("result", "document")[:100]
        return Response({"results": [run_answer(run, figures=False) for run in runs]})

    @extend_schema(request=BacktestSerializer, responses={202: OpenApiTypes.OBJECT})
    def post(self, request: Request, pk: UUID) -> Response:
        """Ask for a backtest; the same question is the same run."""
        account = writable_account(person(request), pk)
        wanted = BacktestSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        data = wanted.validated_data
        try:
            settings = Settings(
                data["first"], data["last"], capital=data["capital"], hedge=Hedge(data["hedge"]),
                costs=Costs(fee=data["fee"], share=data["half_spread"]), seed=data["seed"],
            )  # fmt: skip
        except BacktestError as error:
            raise RuleError(f"{error}.") from None
        ruleset = _ruleset(account, data["rules"])

        def act() -> tuple[int, Any]:
            run = backtest_request(
                user=person(request), account=account, ruleset=ruleset, settings=settings,
                grid=data.get("grid"),
            )  # fmt: skip
            return 202, run_answer(run, figures=False)

        return answered(request, act, request._request.body)


class BacktestView(APIView):
    """One backtest."""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, pk: UUID) -> Response:
        """The run with its progress and, once ready, its figures."""
        run = get_object_or_404(BacktestRun.objects.for_user(person(request)), pk=pk)
        return Response(run_answer(run, figures=True))

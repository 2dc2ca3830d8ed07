"""Rules, advice, recommendations and alerts over the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from journal.api.book.trades import checked
from journal.api.serializers import JobSerializer
from journal.api.writing import answered, person
from journal.errors import RuleError
from journal.models import (
    WRITE_ROLES,
    Account,
    Alert,
    Decision,
    Recommendation,
    RulesetVersion,
    Signature,
    Trade,
)
from journal.selectors.governance.recommendations import newest_run, run_stale_reasons, stale_reasons
from journal.selectors.governance.rules import ruleset_active
from journal.selectors.governance.signing import SIGN_ROLES
from journal.services.governance.advice import account_advise
from journal.services.governance.evidence import evidence_request
from journal.services.governance.recommendations import (
    recommendation_execute,
    recommendation_override,
    recommendation_sign,
    recommendation_snooze,
)
from journal.services.governance.rulesets import (
    ruleset_draft,
    ruleset_propose,
    ruleset_sign,
    ruleset_withdraw,
)

_DECIDERS = (*WRITE_ROLES, *SIGN_ROLES)


class SignatureSerializer(serializers.ModelSerializer[Signature]):
    """A signature, bound to the content that was shown."""

    class Meta:
        model = Signature
        fields = ("signer_name", "content_hash", "at")


class RulesetSerializer(serializers.ModelSerializer[RulesetVersion]):
    """A version of an account's rules; ``document`` holds every parameter."""

    signatures = SignatureSerializer(many=True, read_only=True)

    class Meta:
        model = RulesetVersion
        fields = (
            "id", "account", "name", "title", "status", "content_hash", "parent", "reason", "document",
            "evidence", "created_at", "proposed_at", "approved_at", "active_from", "retired_at", "signatures",
        )  # fmt: skip


class DraftSerializer(serializers.Serializer[Any]):
    """A new version of an account's rules."""

    account = serializers.UUIDField()
    document = serializers.DictField()
    reason = serializers.CharField(min_length=10, max_length=400)


class ContentSerializer(serializers.Serializer[Any]):
    """The hash of the content that was shown to the signer."""

    content_hash = serializers.CharField(max_length=64)


class DecisionSerializer(serializers.ModelSerializer[Decision]):
    """One decision; ``scenario_effect`` in dollars of stressed loss (positive: it became larger)."""

    class Meta:
        model = Decision
        fields = ("kind", "actor_name", "reason_code", "reason", "tag", "scenario_effect", "trade", "at")


class RecommendationSerializer(serializers.ModelSerializer[Recommendation]):
    """A recommendation; it can be approved while ``stale`` is empty. Educational, not advice."""

    stale = serializers.SerializerMethodField()
    signatures = SignatureSerializer(many=True, read_only=True)
    decisions = DecisionSerializer(many=True, read_only=True)

    class Meta:
        model = Recommendation
        fields = (
            "id", "account", "run", "action", "layer", "trade", "title", "state", "proposal", "content_hash",
            "risk_reducing", "loss_before", "loss_after", "created_at", "expires_at", "approved_at",
            "executable_at", "stale", "signatures", "decisions",
        )  # fmt: skip

    def get_stale(self, row: Recommendation) -> list[str]:
        """Why it cannot be approved."""
        return stale_reasons(row, timezone.now()) if row.state in Recommendation.OPEN else []


class OverrideSerializer(serializers.Serializer[Any]):
    """Why a recommendation is not followed."""

    reason_code = serializers.ChoiceField(choices=Decision.Reason.choices)
    reason = serializers.CharField(min_length=10, max_length=2000)


class SnoozeSerializer(serializers.Serializer[Any]):
    """For how many hours it is put aside."""

    hours = serializers.IntegerField(min_value=1, max_value=168)


class ExecuteSerializer(serializers.Serializer[Any]):
    """The trade that carried it out."""

    trade = serializers.UUIDField()


class AlertSerializer(serializers.ModelSerializer[Alert]):
    """Something that asks, or asked, for attention."""

    class Meta:
        model = Alert
        fields = ("id", "account", "trade", "kind", "key", "message", "raised_at", "cleared_at", "seen_at")


class _DecidedByUuid(viewsets.GenericViewSet[Any]):
    lookup_value_converter = "uuid"

    def owned(self, pk: Any) -> Any:
        """A row the user may decide on: 404 for strangers and for readers."""
        found = (
            self.get_queryset().model.objects.for_user(person(self.request), _DECIDERS).filter(pk=pk).first()
        )
        if found is None:
            raise Http404
        return found


class RulesetViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, _DecidedByUuid):
    """Versions of rules of the user's accounts."""

    serializer_class = RulesetSerializer
    queryset = RulesetVersion.objects.none()
    filterset_fields: ClassVar[list[str]] = ["account", "status"]

    def get_queryset(self) -> Any:
        """Only of accounts the user is a member of."""
        return RulesetVersion.objects.for_user(person(self.request)).prefetch_related("signatures")

    @extend_schema(request=DraftSerializer, responses={201: RulesetSerializer})
    def create(self, request: Request) -> Response:
        """Store a draft; the document is validated and every problem named."""
        body, data = request._request.body, checked(DraftSerializer, request)
        account = Account.objects.for_user(person(request), _DECIDERS).filter(pk=data["account"]).first()
        if account is None:
            raise Http404

        def act() -> tuple[int, Any]:
            version = ruleset_draft(
                user=person(request), account=account, document=data["document"],
                parent=ruleset_active(account), reason=data["reason"],
            )  # fmt: skip
            return 201, RulesetSerializer(version).data

        return answered(request, act, body)

    @extend_schema(request=None, responses={202: JobSerializer})
    @action(detail=True, methods=["post"])
    def evidence(self, request: Request, pk: str) -> Response:
        """Replay the draft and the active rules over the stored history; answers with the job."""
        job = evidence_request(user=person(request), version=self.owned(pk))
        return Response(JobSerializer(job).data, status=202)

    @extend_schema(request=None, responses=RulesetSerializer)
    @action(detail=True, methods=["post"])
    def propose(self, request: Request, pk: str) -> Response:
        """Put a draft before the signers."""
        return self._answer(ruleset_propose(user=person(request), version=self.owned(pk)))

    @extend_schema(request=ContentSerializer, responses=RulesetSerializer)
    @action(detail=True, methods=["post"])
    def sign(self, request: Request, pk: str) -> Response:
        """Sign the content that was shown; 409 when it is not the stored one."""
        data = checked(ContentSerializer, request)
        version = self.owned(pk)
        return self._answer(
            ruleset_sign(user=person(request), version=version, content_hash=data["content_hash"])
        )

    @extend_schema(request=None, responses=RulesetSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        """Take back a version that is not active yet."""
        return self._answer(ruleset_withdraw(user=person(request), version=self.owned(pk)))

    def _answer(self, version: RulesetVersion) -> Response:
        return Response(RulesetSerializer(version).data)


class RecommendationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, _DecidedByUuid):
    """Recommendations of the user's accounts."""

    serializer_class = RecommendationSerializer
    queryset = Recommendation.objects.none()
    filterset_fields: ClassVar[list[str]] = ["account", "state", "action", "layer"]

    def get_queryset(self) -> Any:
        """Only of accounts the user is a member of."""
        rows = Recommendation.objects.for_user(person(self.request))
        return rows.select_related("run__ruleset", "account").prefetch_related("signatures", "decisions")

    @extend_schema(request=ContentSerializer, responses=RecommendationSerializer)
    @action(detail=True, methods=["post"])
    def sign(self, request: Request, pk: str) -> Response:
        """Sign the content that was shown; 409 when it is not the stored one."""
        data, row = checked(ContentSerializer, request), self.owned(pk)
        done = recommendation_sign(
            user=person(request), recommendation=row, content_hash=data["content_hash"]
        )
        return self._answer(done)

    @extend_schema(request=OverrideSerializer, responses=RecommendationSerializer)
    @action(detail=True, methods=["post"])
    def override(self, request: Request, pk: str) -> Response:
        """Decide against it, with a reason."""
        data, row = checked(OverrideSerializer, request), self.owned(pk)
        return self._answer(recommendation_override(user=person(request), recommendation=row, **data))

    @extend_schema(request=SnoozeSerializer, responses=RecommendationSerializer)
    @action(detail=True, methods=["post"])
    def snooze(self, request: Request, pk: str) -> Response:
        """Put it aside."""
        data, row = checked(SnoozeSerializer, request), self.owned(pk)
        until = timezone.now() + timedelta(hours=data["hours"])
        return self._answer(recommendation_snooze(user=person(request), recommendation=row, until=until))

    @extend_schema(request=ExecuteSerializer, responses=RecommendationSerializer)
    @action(detail=True, methods=["post"])
    def execute(self, request: Request, pk: str) -> Response:
        """Link the trade whose fills carried it out."""
        data, row = checked(ExecuteSerializer, request), self.owned(pk)
        trade = Trade.objects.for_user(person(request)).filter(pk=data["trade"]).first()
        if trade is None:
            raise RuleError("Trade not found.", "trade")
        return self._answer(recommendation_execute(user=person(request), recommendation=row, trade=trade))

    def _answer(self, row: Recommendation) -> Response:
        return Response(RecommendationSerializer(row).data)


class AlertViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, _DecidedByUuid):
    """Alerts of the user's accounts."""

    serializer_class = AlertSerializer
    queryset = Alert.objects.none()
    filterset_fields: ClassVar[dict[str, list[str]]] = {
        "account": ["exact"],
        "kind": ["exact"],
        "cleared_at": ["isnull"],
    }

    def get_queryset(self) -> Any:
        """Only of accounts the user is a member of."""
        return Alert.objects.for_user(person(self.request))


class AdviceSerializer(serializers.Serializer[Any]):
    """The newest advice: ladder, traces, proposals with inputs; why it no longer holds, if so."""

    id = serializers.UUIDField()
    as_of = serializers.DateTimeField()
    content_hash = serializers.CharField()
    ruleset_hash = serializers.CharField()
    stale = serializers.ListField(child=serializers.CharField())
    advice = serializers.DictField()


class AdviceView(APIView):
    """The rules' answer for an account."""

    def _account(self, request: Request, pk: Any, roles: Any = None) -> Account:
        user = person(request)
        rows = Account.objects.for_user(user, roles) if roles else Account.objects.for_user(user)
        found = rows.filter(pk=pk).first()
        if found is None:
            raise Http404
        return found

    @extend_schema(responses=AdviceSerializer)
    def get(self, request: Request, pk: Any) -> Response:
        """The newest stored answer, 404 before the first."""
        account = self._account(request, pk)
        run = newest_run(person(request), account)
        if run is None:
            raise Http404
        values = {
            "id": run.pk, "as_of": run.as_of, "content_hash": run.content_hash,
            "ruleset_hash": run.ruleset_hash, "advice": run.advice,
            "stale": run_stale_reasons(run, account, timezone.now()),
        }  # fmt: skip
        return Response(AdviceSerializer(values).data)

    @extend_schema(request=None, responses={202: JobSerializer})
    def post(self, request: Request, pk: Any) -> Response:
        """Ask the rules on the newest data; answers with the job."""
        account = self._account(request, pk, _DECIDERS)

        def act() -> tuple[int, Any]:
            job = account_advise(account=account, user=person(request))
            if job is None:
                raise RuleError("There is no market data yet.")
            return 202, JobSerializer(job).data

        return answered(request, act, request._request.body)

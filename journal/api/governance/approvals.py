"""Changes of who signs for an account, over the API."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Q
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from journal.api.book.trades import checked
from journal.api.governance.rules import ContentSerializer, SignatureSerializer
from journal.api.writing import answered, person
from journal.errors import RuleError
from journal.models import Account, ApprovalChange, Membership, Role, User
from journal.rate_limit import too_many_of
from journal.selectors.governance.signing import SIGN_ROLES, ask_roles, login_find
from journal.services.governance.approvals import (
    change_sign,
    change_withdraw,
    role_give,
    role_take,
    rule_change,
)


class ApprovalChangeSerializer(serializers.ModelSerializer[ApprovalChange]):
    """A change of the approvals or of a role; ``status`` applied means in force.

    ``release`` says that an operator waived signatures: whose, by whom and why.
    """

    signatures = SignatureSerializer(many=True, read_only=True)

    class Meta:
        model = ApprovalChange
        fields = (
            "id", "account", "kind", "summary", "content_hash", "tightens", "status", "outcome", "created_at",
            "approved_at", "effective_at", "closed_at", "release", "signatures",
        )  # fmt: skip


class ApprovalInputSerializer(serializers.Serializer[Any]):
    """What is to change: ``rule`` with needed and delay_hours (null: the default), or a role of a login."""

    account = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=ApprovalChange.Kind.choices)
    needed = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=20)
    delay_hours = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=720)
    login = serializers.CharField(required=False, max_length=254)
    role = serializers.ChoiceField(choices=Role.choices, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A change of a role names the login and the role."""
        if attrs["kind"] != ApprovalChange.Kind.RULE and not (attrs.get("login") and attrs.get("role")):
            raise serializers.ValidationError({"login": "Name the login and the role."})
        return attrs


class ApprovalChangeViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    """Changes of who signs, of the user's accounts."""

    lookup_value_converter = "uuid"
    serializer_class = ApprovalChangeSerializer
    queryset = ApprovalChange.objects.none()
    filterset_fields: ClassVar[list[str]] = ["account", "status", "kind"]

    def get_queryset(self) -> Any:
        """Only of accounts the user is a member of."""
        return ApprovalChange.objects.for_user(person(self.request)).prefetch_related("signatures")

    @extend_schema(request=ApprovalInputSerializer, responses={201: ApprovalChangeSerializer})
    def create(self, request: Request) -> Response:
        """Ask for a change; with a single signer it is in force at once."""
        body, data = request._request.body, checked(ApprovalInputSerializer, request)
        user = person(request)
        wanted = None if data["kind"] == ApprovalChange.Kind.RULE else data["role"]
        account = Account.objects.for_user(user, ask_roles(wanted)).filter(pk=data["account"]).first()
        if account is None:
            raise Http404
        if data["kind"] == ApprovalChange.Kind.ADD and too_many_of(user, "members", limit=30, seconds=3600):
            raise RuleError("Too many names were tried; go on in an hour.", "login")

        def act() -> tuple[int, Any]:
            return 201, ApprovalChangeSerializer(_asked(user, account, data)).data

        return answered(request, act, body)

    @extend_schema(request=ContentSerializer, responses=ApprovalChangeSerializer)
    @action(detail=True, methods=["post"])
    def sign(self, request: Request, pk: str) -> Response:
        """Sign the content that was shown; 409 when it is not the stored one."""
        data, row = checked(ContentSerializer, request), self._owned(pk)
        done = change_sign(user=person(request), change=row, content_hash=data["content_hash"])
        return Response(ApprovalChangeSerializer(done).data)

    @extend_schema(request=None, responses=ApprovalChangeSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        """Take a change back that is not in force yet."""
        done = change_withdraw(user=person(request), change=self._owned(pk))
        return Response(ApprovalChangeSerializer(done).data)

    def _owned(self, pk: Any) -> ApprovalChange:
        found = ApprovalChange.objects.for_user(person(self.request), SIGN_ROLES).filter(pk=pk).first()
        if found is None:
            raise Http404
        return found


def _asked(user: User, account: Account, data: dict[str, Any]) -> ApprovalChange:
    if data["kind"] == ApprovalChange.Kind.RULE:
        return rule_change(
            user=user, account=account, needed=data.get("needed"), delay_hours=data.get("delay_hours")
        )
    member, role = login_find(data["login"].strip()), Role(data["role"])
    if data["kind"] == ApprovalChange.Kind.ADD:
        if member is None:
            raise RuleError("No login has this name or confirmed e-mail.", "login")
        return role_give(user=user, account=account, member=member, role=role)
    named = Q(user__username=data["login"].strip()) | Q(user=member)
    membership = Membership.objects.filter(named, account=account, role=role).first()
    if membership is None:
        raise RuleError("Nobody of this name has this role here.", "login")
    return role_take(user=user, membership=membership)

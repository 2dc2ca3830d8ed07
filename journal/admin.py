"""Django admin of the journal. Money, fills and the audit trail are read-only here.

Every look at an account's rows and every change of a login or a group leaves an audit row; secrets of
second factors are not shown, and API tokens not at all: their address would be the token.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from allauth.account.admin import EmailAddressAdmin
from allauth.account.models import EmailAddress
from allauth.mfa.admin import Authenticator
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from rest_framework.authtoken import admin as _tokens  # noqa: F401  # registers what is replaced
from rest_framework.authtoken.models import TokenProxy

from hedging.admin import ReadOnlyAdmin
from journal.models import (
    Account,
    AccountRisk,
    AuditEvent,
    Fill,
    IdempotencyKey,
    Membership,
    Report,
    Trade,
    User,
    Valuation,
)
from journal.services.audit import audit_record

# Imported from where they are registered, so that they are there to be replaced.
for _model in (Group, EmailAddress, Authenticator, TokenProxy):
    admin.site.unregister(_model)


def _record(request: HttpRequest, action: str, obj: Any, summary: str, **changes: Any) -> None:
    account = obj if isinstance(obj, Account) else getattr(obj, "account", None)
    audit_record(
        actor=cast("User", request.user), action=f"admin.{action}", obj=obj, summary=summary, changes=changes,
        account=account if isinstance(account, Account) else None,
    )  # fmt: skip


class RecordedMixin:
    """Changes leave an audit row beside Django's own log."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        _record(request, "add", obj, str(obj), message=message)
        return super().log_addition(request, obj, message)  # type: ignore[misc]

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        _record(request, "change", obj, str(obj), message=message)
        return super().log_change(request, obj, message)  # type: ignore[misc]

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Any]) -> Any:
        for obj in queryset:
            _record(request, "delete", obj, str(obj))
        return super().log_deletions(request, queryset)  # type: ignore[misc]


class WatchedAdmin(ReadOnlyAdmin):
    """Rows of accounts: looking at them leaves an audit row."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        answer = super().changelist_view(request, extra_context)
        summary = f"{self.opts.verbose_name_plural} {request.GET.urlencode()}".strip()
        audit_record(actor=cast("User", request.user), action="admin.list", summary=summary)
        return answer

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        answer = super().change_view(request, object_id, form_url, extra_context)
        obj = self.get_object(request, object_id)
        if obj is not None:
            _record(request, "view", obj, str(obj))
        return answer


@admin.register(User)
class JournalUserAdmin(RecordedMixin, UserAdmin):  # type: ignore[type-arg] # not generic at run time
    """Logins are deactivated here; deleting one is its owner's wish, with what hangs on it."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Group)
class JournalGroupAdmin(RecordedMixin, GroupAdmin):
    pass


@admin.register(EmailAddress)
class JournalEmailAddressAdmin(RecordedMixin, EmailAddressAdmin):  # type: ignore[misc]  # untyped
    pass


@admin.register(Authenticator)
class AuthenticatorAdmin(RecordedMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    """Second factors can be taken away from who lost them, not read."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    fields = readonly_fields = ("user", "type", "created_at", "last_used_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg] # not generic at run time
    model = Membership
    extra = 0


@admin.register(Account)
class AccountAdmin(WatchedAdmin):
    list_display = ("name", "broker", "kind", "base_capital", "is_demo", "archived_at")
    list_filter = ("kind", "is_demo")
    search_fields = ("name",)
    inlines = (MembershipInline,)


@admin.register(Trade)
class TradeAdmin(WatchedAdmin):
    list_display = ("label", "account", "kind", "layer", "status", "opened_at", "net_cash")
    list_filter = ("kind", "status", "layer")
    search_fields = ("label",)


@admin.register(Fill)
class FillAdmin(WatchedAdmin):
    list_display = ("executed_at", "account", "contract", "quantity", "price", "fees", "source")
    list_select_related = ("account", "contract")


@admin.register(AuditEvent)
class AuditEventAdmin(WatchedAdmin):
    list_display = ("at", "actor_name", "action", "summary")
    list_filter = ("action",)
    search_fields = ("actor_name", "summary")


@admin.register(Valuation)
class ValuationAdmin(WatchedAdmin):
    list_display = ("trade", "as_of", "book_revision")


@admin.register(AccountRisk)
class AccountRiskAdmin(WatchedAdmin):
    list_display = ("account", "as_of", "book_revision")


@admin.register(Report)
class ReportAdmin(WatchedAdmin):
    list_display = ("filename", "account", "format", "created_at")
    exclude = ("content",)


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(WatchedAdmin):
    list_display = ("user", "key", "status", "created_at")

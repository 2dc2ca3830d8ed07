"""Django admin of the journal. Money, fills and the audit trail are read-only here."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

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

admin.site.register(User, UserAdmin)


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg] # not generic at run time
    model = Membership
    extra = 0


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    list_display = ("name", "broker", "kind", "base_capital", "is_demo", "archived_at")
    list_filter = ("kind", "is_demo")
    search_fields = ("name",)
    inlines = (MembershipInline,)


@admin.register(Trade)
class TradeAdmin(ReadOnlyAdmin):
    list_display = ("label", "account", "kind", "layer", "status", "opened_at", "net_cash")
    list_filter = ("kind", "status", "layer")
    search_fields = ("label",)


@admin.register(Fill)
class FillAdmin(ReadOnlyAdmin):
    list_display = ("executed_at", "account", "contract", "quantity", "price", "fees", "source")
    list_select_related = ("account", "contract")


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "actor_name", "action", "summary")
    list_filter = ("action",)
    search_fields = ("actor_name", "summary")


@admin.register(Valuation)
class ValuationAdmin(ReadOnlyAdmin):
    list_display = ("trade", "as_of", "book_revision")


@admin.register(AccountRisk)
class AccountRiskAdmin(ReadOnlyAdmin):
    list_display = ("account", "as_of", "book_revision")


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    list_display = ("filename", "account", "format", "created_at")
    exclude = ("content",)


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    list_display = ("user", "key", "status", "created_at")

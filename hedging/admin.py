"""Django admin of market data and jobs: to look at; what was ingested is not edited by hand."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from hedging.models import (
    ChainSnapshot,
    Contract,
    DailyBar,
    Heartbeat,
    IngestRun,
    Job,
    MacroEvent,
    MarketSnapshot,
    MarketSource,
    VXSettlement,
)


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # not generic at run time
    """Rows that only the program writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Contract)
class ContractAdmin(ReadOnlyAdmin):
    list_display = ("symbol", "root", "expiry", "strike", "right", "settlement")
    list_filter = ("root",)
    search_fields = ("symbol",)


@admin.register(DailyBar)
class DailyBarAdmin(ReadOnlyAdmin):
    list_display = ("symbol", "date", "close", "source", "quality", "superseded_at")
    list_filter = ("quality", "source")
    search_fields = ("symbol",)


@admin.register(VXSettlement)
class VXSettlementAdmin(ReadOnlyAdmin):
    list_display = ("date", "expiry", "settle", "source", "quality")
    list_filter = ("quality",)


@admin.register(MacroEvent)
class MacroEventAdmin(ReadOnlyAdmin):
    list_display = ("day", "kind", "period", "actual", "forecast", "previous", "unit", "source")
    list_filter = ("kind",)


@admin.register(ChainSnapshot)
class ChainSnapshotAdmin(ReadOnlyAdmin):
    list_display = ("underlying", "as_of", "row_count", "source", "quality")
    list_filter = ("underlying", "quality")
    exclude = ("payload",)


@admin.register(MarketSnapshot)
class MarketSnapshotAdmin(ReadOnlyAdmin):
    list_display = ("as_of", "vx_date", "flags", "content_hash")


@admin.register(IngestRun)
class IngestRunAdmin(ReadOnlyAdmin):
    list_display = ("name", "format", "rows_new", "rows_unchanged", "rows_dropped", "created_at")
    list_filter = ("format",)


@admin.register(MarketSource)
class MarketSourceAdmin(ReadOnlyAdmin):
    list_display = ("key", "success_at", "changed_at", "failures", "error")
    list_filter = ("provider",)


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = ("kind", "scope", "state", "attempts", "created_at", "finished_at", "error")
    list_filter = ("state", "kind")
    search_fields = ("scope", "id")


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    list_display = ("name", "beat_at")

"""Routes of /api/v1/."""

from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

from journal.api import attribution, backtests, imports, review, risk, statistics
from journal.api.book import closing, trades
from journal.api.cash import capital
from journal.api.cash.imports import CashImportCommitView, CashImportsView, CashImportUndoView, CashImportView
from journal.api.governance import approvals, rules
from journal.api.market import signals, snapshots

app_name = "api"

router = SimpleRouter(use_regex_path=False)
router.register("accounts", trades.AccountViewSet, basename="account")
router.register("trades", trades.TradeViewSet, basename="trade")
router.register("hedge-layers", trades.HedgeLayerViewSet, basename="hedge-layer")
router.register("fills", trades.FillViewSet, basename="fill")
router.register("imports", imports.ImportViewSet, basename="import")
router.register("rulesets", rules.RulesetViewSet, basename="ruleset")
router.register("recommendations", rules.RecommendationViewSet, basename="recommendation")
router.register("approval-changes", approvals.ApprovalChangeViewSet, basename="approval-change")
router.register("alerts", rules.AlertViewSet, basename="alert")
router.register("reports", trades.ReportViewSet, basename="report")

job = trades.JobViewSet

urlpatterns: list[URLPattern | URLResolver] = [
    path("risk/accounts/", risk.RiskAccountsView.as_view(), name="risk-accounts"),
    path("risk/cases/", risk.RiskCasesView.as_view(), name="risk-cases"),
    path("risk/cases/<uuid:pk>/", risk.RiskCaseView.as_view(), name="risk-case"),
    path("risk/cases/<uuid:pk>/acknowledge/", risk.RiskAcknowledgeView.as_view(), name="risk-acknowledge"),
    path("risk/limits/", risk.RiskLimitsView.as_view(), name="risk-limits"),
    path("trades/close/", closing.BulkCloseView.as_view(), name="trades-close"),
    path("changes/<uuid:pk>/undo/", closing.ChangeUndoView.as_view(), name="change-undo"),
    path("", include(router.urls)),
    path(
        "accounts/<uuid:pk>/attribution/",
        attribution.AccountAttributionView.as_view(),
        name="account-attribution",
    ),
    path(
        "trades/<uuid:pk>/attribution/", attribution.TradeAttributionView.as_view(), name="trade-attribution"
    ),
    path("trades/<uuid:pk>/settle/", attribution.SettleView.as_view(), name="trade-settle"),
    path("accounts/<uuid:pk>/backtests/", backtests.AccountBacktestsView.as_view(), name="account-backtests"),
    path("backtests/<uuid:pk>/", backtests.BacktestView.as_view(), name="backtest"),
    path("accounts/<uuid:pk>/capital/", capital.CapitalView.as_view(), name="account-capital"),
    path("accounts/<uuid:pk>/statistics/", statistics.StatisticsView.as_view(), name="account-statistics"),
    path("accounts/<uuid:pk>/performance/", statistics.PerformanceView.as_view(), name="account-performance"),
    path("accounts/<uuid:pk>/hedge-value/", statistics.HedgeValueView.as_view(), name="account-hedge-value"),
    path(
        "accounts/<uuid:pk>/report-schedules/",
        statistics.SchedulesView.as_view(),
        name="account-report-schedules",
    ),
    path(
        "report-schedules/<uuid:pk>/stop/", statistics.ScheduleStopView.as_view(), name="report-schedule-stop"
    ),
    path("accounts/<uuid:pk>/cash/", capital.CashView.as_view(), name="account-cash"),
    path(
        "accounts/<uuid:pk>/cash/imports/",
        CashImportsView.as_view(),
        name="account-cash-imports",
    ),
    path("cash-imports/<uuid:pk>/", CashImportView.as_view(), name="cash-import"),
    path(
        "cash-imports/<uuid:pk>/commit/",
        CashImportCommitView.as_view(),
        name="cash-import-commit",
    ),
    path("cash-imports/<uuid:pk>/undo/", CashImportUndoView.as_view(), name="cash-import-undo"),
    path("cash/<uuid:pk>/reverse/", capital.CashReverseView.as_view(), name="cash-reverse"),
    path("trades/<uuid:pk>/review/", review.ReviewView.as_view(), name="trade-review"),
    path("trades/<uuid:pk>/notes/", review.TradeNotesView.as_view(), name="trade-notes"),
    path(
        "accounts/<uuid:pk>/realized-days/", review.RealizedDaysView.as_view(), name="account-realized-days"
    ),
    path("accounts/<uuid:pk>/tax/<int:year>/", review.TaxYearView.as_view(), name="account-tax"),
    path("accounts/<uuid:pk>/imports/", imports.AccountImportsView.as_view(), name="account-imports"),
    path("accounts/<uuid:pk>/advice/", rules.AdviceView.as_view(), name="account-advice"),
    path("jobs/<uuid:pk>/", job.as_view({"get": "retrieve"}), name="job-detail"),
    path("jobs/<uuid:pk>/cancel/", job.as_view({"post": "cancel"}), name="job-cancel"),
    path("jobs/<uuid:pk>/retry/", job.as_view({"post": "retry"}), name="job-retry"),
    path("market/signals/", signals.SignalsView.as_view(), name="market-signals"),
    path("market/snapshot/", signals.SnapshotView.as_view(), name="market-snapshot"),
    path("market/smile/", signals.SmileView.as_view(), name="market-smile"),
    path("market/regimes/", signals.RegimesView.as_view(), name="market-regimes"),
    path("market/term-structure/", signals.TermStructureView.as_view(), name="market-term-structure"),
    path("market-data/", trades.MarketDataView.as_view(), name="market-data"),
    path("market-data/series/", snapshots.StoredSeriesView.as_view(), name="market-series"),
    path("market-data/supplied/", snapshots.SuppliedView.as_view(), name="market-supplied"),
    path("market-data/sources/", snapshots.SourceView.as_view(), name="market-sources"),
    path("market-data/quality/", snapshots.QualityView.as_view(), name="market-quality"),
    path("market-data/runs/", snapshots.RunView.as_view(), name="market-runs"),
    path("market-data/bars/", snapshots.BarView.as_view(), name="market-bars"),
    path("market-data/events/", snapshots.EventView.as_view(), name="market-events"),
    path("market-data/vx-curve/", snapshots.CurveView.as_view(), name="market-vx-curve"),
    path("market-data/fetch/", snapshots.FetchView.as_view(), name="market-fetch"),
]

"""Routes of /api/v1/."""

from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

from journal.api import attribution, imports, views

app_name = "api"

router = SimpleRouter(use_regex_path=False)
router.register("accounts", views.AccountViewSet, basename="account")
router.register("trades", views.TradeViewSet, basename="trade")
router.register("hedge-layers", views.HedgeLayerViewSet, basename="hedge-layer")
router.register("fills", views.FillViewSet, basename="fill")
router.register("imports", imports.ImportViewSet, basename="import")
router.register("reports", views.ReportViewSet, basename="report")

job = views.JobViewSet

urlpatterns: list[URLPattern | URLResolver] = [
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
    path("accounts/<uuid:pk>/imports/", imports.AccountImportsView.as_view(), name="account-imports"),
    path("jobs/<uuid:pk>/", job.as_view({"get": "retrieve"}), name="job-detail"),
    path("jobs/<uuid:pk>/cancel/", job.as_view({"post": "cancel"}), name="job-cancel"),
    path("jobs/<uuid:pk>/retry/", job.as_view({"post": "retry"}), name="job-retry"),
    path("market-data/", views.MarketDataView.as_view(), name="market-data"),
]

"""Routes of attribution and settlement."""

from django.urls import URLPattern, path

from journal.views import attribution

urlpatterns: list[URLPattern] = [
    path("attribution/", attribution.page, name="attribution"),
    path("attribution.csv", attribution.account_csv, name="attribution_csv"),
    path("attribution/rebuild/", attribution.rebuild, name="attribution_rebuild"),
    path("trades/<uuid:pk>/attribution.csv", attribution.trade_csv, name="trade_attribution_csv"),
    path("trades/<uuid:pk>/settle/", attribution.settle, name="trade_settle"),
]

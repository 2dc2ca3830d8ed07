"""Routes of attribution, capital and settlement."""

from django.urls import URLPattern, path

from journal.views import attribution, capital

urlpatterns: list[URLPattern] = [
    path("attribution/", attribution.page, name="attribution"),
    path("attribution.csv", attribution.account_csv, name="attribution_csv"),
    path("attribution/rebuild/", attribution.rebuild, name="attribution_rebuild"),
    path("attribution/capital/", capital.page, name="capital"),
    path("attribution/capital/cash.csv", capital.cash_csv, name="cash_csv"),
    path("cash/<uuid:pk>/reverse/", capital.reverse_entry, name="cash_reverse"),
    path("trades/<uuid:pk>/attribution.csv", attribution.trade_csv, name="trade_attribution_csv"),
    path("trades/<uuid:pk>/settle/", attribution.settle, name="trade_settle"),
]

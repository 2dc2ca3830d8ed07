"""Routes of attribution, capital and settlement."""

from django.urls import URLPattern, path

from journal.views import attribution
from journal.views.cash import capital
from journal.views.cash import ledger as cash

urlpatterns: list[URLPattern] = [
    path("attribution/", attribution.page, name="attribution"),
    path("attribution.csv", attribution.account_csv, name="attribution_csv"),
    path("attribution/rebuild/", attribution.rebuild, name="attribution_rebuild"),
    path("attribution/capital/", capital.page, name="capital"),
    path("attribution/capital/cash.csv", cash.cash_csv, name="cash_csv"),
    path("cash/<uuid:pk>/reverse/", cash.reverse_entry, name="cash_reverse"),
    path("cash/imports/", cash.imports, name="cash_imports"),
    path("cash/imports/<uuid:pk>/", cash.import_page, name="cash_import"),
    path("cash/imports/<uuid:pk>/commit/", cash.commit, name="cash_import_commit"),
    path("cash/imports/<uuid:pk>/undo/", cash.undo, name="cash_import_undo"),
    path("cash/imports/<uuid:pk>/discard/", cash.discard, name="cash_import_discard"),
    path("trades/<uuid:pk>/attribution.csv", attribution.trade_csv, name="trade_attribution_csv"),
    path("trades/<uuid:pk>/settle/", attribution.settle, name="trade_settle"),
]

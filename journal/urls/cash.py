"""Routes of cash and capital."""

from django.urls import URLPattern, path

from journal.views.cash import capital, ledger

urlpatterns: list[URLPattern] = [
    path("attribution/capital/", capital.page, name="capital"),
    path("attribution/capital/cash.csv", ledger.cash_csv, name="cash_csv"),
    path("cash/<uuid:pk>/reverse/", ledger.reverse_entry, name="cash_reverse"),
    path("cash/imports/", ledger.imports, name="cash_imports"),
    path("cash/imports/<uuid:pk>/", ledger.import_page, name="cash_import"),
    path("cash/imports/<uuid:pk>/commit/", ledger.commit, name="cash_import_commit"),
    path("cash/imports/<uuid:pk>/undo/", ledger.undo, name="cash_import_undo"),
    path("cash/imports/<uuid:pk>/discard/", ledger.discard, name="cash_import_discard"),
]

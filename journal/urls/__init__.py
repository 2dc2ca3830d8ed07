"""Page routes, one module per area; all under the namespace ``journal``."""

from django.urls import URLPattern

from journal.urls import (
    accounts,
    alerts,
    attribution,
    backtest,
    book,
    cash,
    governance,
    imports,
    market,
    own_data,
    reports,
    results,
    review,
    risk,
    site,
    what_if,
)

app_name = "journal"

urlpatterns: list[URLPattern] = [
    *site.urlpatterns,
    *accounts.urlpatterns,
    *book.urlpatterns,
    *review.urlpatterns,
    *imports.urlpatterns,
    *governance.urlpatterns,
    *what_if.urlpatterns,
    *backtest.urlpatterns,
    *alerts.urlpatterns,
    *market.urlpatterns,
    *attribution.urlpatterns,
    *cash.urlpatterns,
    *results.urlpatterns,
    *reports.urlpatterns,
    *risk.urlpatterns,
    *own_data.urlpatterns,
]

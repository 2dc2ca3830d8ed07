"""Page routes, one module per area; all under the namespace ``journal``."""

from django.urls import URLPattern

from journal.urls import (
    accounts,
    alerts,
    attribution,
    backtest,
    hedge,
    imports,
    market,
    own_data,
    reports,
    review,
    risk,
    rules,
    site,
    statistics,
    tax,
    what_if,
)
from journal.urls import book as trades

app_name = "journal"

urlpatterns: list[URLPattern] = [
    *site.urlpatterns,
    *accounts.urlpatterns,
    *trades.urlpatterns,
    *review.urlpatterns,
    *imports.urlpatterns,
    *hedge.urlpatterns,
    *what_if.urlpatterns,
    *rules.urlpatterns,
    *backtest.urlpatterns,
    *alerts.urlpatterns,
    *market.urlpatterns,
    *attribution.urlpatterns,
    *statistics.urlpatterns,
    *reports.urlpatterns,
    *risk.urlpatterns,
    *tax.urlpatterns,
    *own_data.urlpatterns,
]

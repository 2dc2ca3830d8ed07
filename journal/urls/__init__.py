"""Page routes, one module per area; all under the namespace ``journal``."""

from django.urls import URLPattern

from journal.urls import accounts, hedge, market, reports, risk, site, trades

app_name = "journal"

urlpatterns: list[URLPattern] = [
    *site.urlpatterns,
    *accounts.urlpatterns,
    *trades.urlpatterns,
    *hedge.urlpatterns,
    *market.urlpatterns,
    *reports.urlpatterns,
    *risk.urlpatterns,
]

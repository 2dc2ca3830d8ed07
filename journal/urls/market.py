"""Routes of the market and data pages."""

from django.urls import URLPattern, path

from journal.views.market import data, page

urlpatterns: list[URLPattern] = [
    path("market/", page.market, name="market"),
    path("market/signals/", page.signal_table, name="market_signals"),
    path("market/signals.csv", page.signal_csv, name="market_signals_csv"),
    path("market/signals/ready/", page.signals_ready, name="market_signals_ready"),
    path("data/", data.page, name="data"),
    path("data/quality/", data.quality, name="data_quality"),
    path("data/series.csv", data.series, name="data_csv"),
    path("data/upload/", data.upload, name="data_upload"),
    path("data/fetch/", data.fetch, name="data_fetch"),
]

"""Routes of the market and data pages."""

from django.urls import URLPattern, path

from journal.views import market

urlpatterns: list[URLPattern] = [
    path("market/", market.market, name="market"),
    path("data/", market.data, name="data"),
    path("data/upload/", market.upload, name="data_upload"),
]

"""Routes of trades and their entry."""

from django.urls import URLPattern, path

from journal.views import entry, trades

urlpatterns: list[URLPattern] = [
    path("trades/", trades.trade_list, name="trades"),
    path("trades.csv", trades.trade_csv, name="trades_csv"),
    path("trades/new/", entry.condor, name="trade_entry"),
    path("trades/new/hedge/", entry.hedge, name="hedge_entry"),
    path("trades/new/preview/<slug:kind>/", entry.preview, name="entry_preview"),
    path("trades/<uuid:pk>/", trades.trade_detail, name="trade_detail"),
    path("trades/<uuid:pk>/valuation/", trades.trade_valuation, name="trade_valuation"),
    path("trades/<uuid:pk>/close/", trades.close, name="trade_close"),
    path("fills/<uuid:pk>/reverse/", trades.reverse_fill, name="fill_reverse"),
]

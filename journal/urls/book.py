"""Routes of trades, their entry and the links between them."""

from django.urls import URLPattern, path

from journal.views.book import (
    bulk_closing,
    entry,
    entry_chain,
    guards,
    payoff,
    roll_history,
    rolls,
    trade_list,
    trades,
    valuation,
)

urlpatterns: list[URLPattern] = [
    path("trades/", trade_list.trade_list, name="trades"),
    path("trades.csv", trade_list.trade_csv, name="trades_csv"),
    path("trades/bulk/", trade_list.bulk, name="trades_bulk"),
    path("trades/close/", bulk_closing.close, name="trades_close"),
    path("trades/bulk/<uuid:pk>/undo/", trade_list.undo, name="bulk_undo"),
    path("trades/views/", trade_list.save_view, name="view_save"),
    path("trades/views/<uuid:pk>/remove/", trade_list.remove_view, name="view_remove"),
    path("trades/new/", entry.condor, name="trade_entry"),
    path("trades/new/hedge/", entry.hedge, name="hedge_entry"),
    path("trades/new/preview/<slug:kind>/", entry.preview, name="entry_preview"),
    path("trades/new/chain/", entry_chain.entry_chain, name="entry_chain"),
    path("trades/<uuid:pk>/", trades.trade_detail, name="trade_detail"),
    path("trades/<uuid:pk>/valuation/", valuation.trade_valuation, name="trade_valuation"),
    path("trades/<uuid:pk>/payoff/", payoff.fragment, name="trade_payoff"),
    path("trades/<uuid:pk>/close/", trades.close, name="trade_close"),
    path("trades/<uuid:pk>/close/preview/", guards.close_preview, name="trade_close_preview"),
    path("trades/<uuid:pk>/roll/", rolls.roll, name="trade_roll"),
    path("trades/<uuid:pk>/roll/preview/", guards.roll_preview, name="trade_roll_preview"),
    path("fills/<uuid:pk>/reverse/", trades.reverse_fill, name="fill_reverse"),
    path("trades/<uuid:pk>/chain/", roll_history.chain, name="trade_chain"),
    path("links/<uuid:pk>/", roll_history.decide, name="link_decide"),
]

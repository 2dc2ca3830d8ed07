"""Routes of backtests."""

from django.urls import URLPattern, path

from journal.views import backtest

urlpatterns: list[URLPattern] = [
    path("backtest/", backtest.page, name="backtest"),
    path("backtest/compare/", backtest.compare, name="backtest_compare"),
    path("backtest/<uuid:pk>/", backtest.run_page, name="backtest_run"),
    path("backtest/<uuid:pk>/csv/", backtest.run_csv, name="backtest_csv"),
    path("backtest/<uuid:pk>/json/", backtest.run_json, name="backtest_json"),
    path("backtest/<uuid:pk>/cancel/", backtest.act, {"action": "cancel"}, name="backtest_cancel"),
    path("backtest/<uuid:pk>/resume/", backtest.act, {"action": "resume"}, name="backtest_resume"),
    path("backtest/<uuid:pk>/delete/", backtest.act, {"action": "delete"}, name="backtest_delete"),
]

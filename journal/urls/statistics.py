"""Routes of statistics, performance and the worth of the hedge."""

from django.urls import URLPattern, path

from journal.views.results import statistics

urlpatterns: list[URLPattern] = [
    path("statistics/", statistics.statistics, name="statistics"),
    path("statistics.csv", statistics.statistics_csv, name="statistics_csv"),
    path("performance/", statistics.performance, name="performance"),
    path("performance.csv", statistics.performance_csv, name="performance_csv"),
    path("hedge-value/", statistics.hedge_worth, name="hedge_value"),
    path("hedge-value/claims.csv", statistics.claims_csv, name="claims_csv"),
]

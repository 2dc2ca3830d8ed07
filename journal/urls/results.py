"""Routes of statistics, performance, the worth of the hedge and the tax worksheet."""

from django.urls import URLPattern, path

from journal.views.results import statistics, tax

urlpatterns: list[URLPattern] = [
    path("statistics/", statistics.statistics, name="statistics"),
    path("statistics.csv", statistics.statistics_csv, name="statistics_csv"),
    path("performance/", statistics.performance, name="performance"),
    path("performance.csv", statistics.performance_csv, name="performance_csv"),
    path("hedge-value/", statistics.hedge_worth, name="hedge_value"),
    path("hedge-value/claims.csv", statistics.claims_csv, name="claims_csv"),
    path("tax/", tax.worksheet, name="tax"),
    path("tax.csv", tax.worksheet_csv, name="tax_csv"),
    path("tax/pdf/", tax.worksheet_pdf, name="tax_pdf"),
    path("tax/marks/", tax.mark, name="tax_mark"),
]

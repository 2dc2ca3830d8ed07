"""Routes of the tax worksheet."""

from django.urls import URLPattern, path

from journal.views.results import tax

urlpatterns: list[URLPattern] = [
    path("tax/", tax.worksheet, name="tax"),
    path("tax.csv", tax.worksheet_csv, name="tax_csv"),
    path("tax/pdf/", tax.worksheet_pdf, name="tax_pdf"),
    path("tax/marks/", tax.mark, name="tax_mark"),
]

"""Routes of a user's whole data."""

from django.urls import URLPattern, path

from journal.views import own_data

urlpatterns: list[URLPattern] = [
    path("your-data/", own_data.own_data, name="own_data"),
    path("your-data/export/", own_data.export, name="own_data_export"),
    path("your-data/import/", own_data.read_in, name="own_data_import"),
    path("your-data/delete/", own_data.delete, name="own_data_delete"),
    path("your-data/<uuid:pk>/", own_data.download, name="own_data_download"),
]

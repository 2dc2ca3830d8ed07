"""Route of the what-if page."""

from django.urls import URLPattern, path

from journal.views import what_if

urlpatterns: list[URLPattern] = [path("what-if/", what_if.page, name="what_if")]

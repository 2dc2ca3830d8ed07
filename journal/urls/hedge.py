"""Routes of the hedge page."""

from django.urls import URLPattern, path

from journal.views import overview

urlpatterns: list[URLPattern] = [path("hedge/", overview.hedge, name="hedge")]

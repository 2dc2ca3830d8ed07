"""Dashboard, finder, demo."""

from django.urls import URLPattern, path

from journal.views import overview, site

urlpatterns: list[URLPattern] = [
    path("", overview.dashboard, name="dashboard"),
    path("find/", site.finder, name="finder"),
    path("demo/start/", site.start_demo, name="demo_start"),
    path("demo/remove/", site.remove_demo, name="demo_remove"),
]

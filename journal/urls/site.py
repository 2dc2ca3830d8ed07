"""Dashboard, finder, glossary, demo."""

from django.urls import URLPattern, path

from journal.views import as_of, finder, overview, site

urlpatterns: list[URLPattern] = [
    path("", overview.dashboard, name="dashboard"),
    path("as-of/", as_of.choose, name="as_of"),
    path("find/", finder.finder, name="finder"),
    path("glossary/", site.glossary, name="glossary"),
    path("demo/start/", site.start_demo, name="demo_start"),
    path("demo/remove/", site.remove_demo, name="demo_remove"),
]

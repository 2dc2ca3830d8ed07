"""Routes of the hedge page, recommendations and the discipline record."""

from django.urls import URLPattern, path

from journal.views.governance import decisions, hedge

urlpatterns: list[URLPattern] = [
    path("hedge/", hedge.page, name="hedge"),
    path("discipline/", decisions.discipline, name="discipline"),
    path("books/<uuid:pk>/advise/", decisions.advise, name="advise"),
    path("recommendations/<uuid:pk>/", decisions.recommendation, name="recommendation"),
    path("recommendations/<uuid:pk>/sign/", decisions.sign, name="recommendation_sign"),
    path("recommendations/<uuid:pk>/override/", decisions.override, name="recommendation_override"),
    path("recommendations/<uuid:pk>/snooze/", decisions.snooze, name="recommendation_snooze"),
    path("recommendations/<uuid:pk>/execute/", decisions.execute, name="recommendation_execute"),
]

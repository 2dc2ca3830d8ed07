"""Routes of alerts."""

from django.urls import URLPattern, path

from journal.views import alerts

urlpatterns: list[URLPattern] = [
    path("alerts/", alerts.page, name="alerts"),
    path("books/<uuid:pk>/alerts/channel/", alerts.add, name="alerts_channel_add"),
    path("books/<uuid:pk>/alerts/seen/", alerts.seen, name="alerts_seen"),
    path("channels/<uuid:pk>/remove/", alerts.remove, name="alerts_channel_remove"),
]

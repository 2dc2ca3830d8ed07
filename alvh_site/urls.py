"""Routes of the site."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from hedging.api.health import health

admin.autodiscover()
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.site_header = "ALVH Journal administration"

urlpatterns = [
    path("health/", health, name="health"),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
    path("api/v1/", include("journal.api.urls")),
    path("", include("journal.urls")),
]

handler400 = "journal.views.errors.bad_request"
handler403 = "journal.views.errors.forbidden"
handler404 = "journal.views.errors.not_found"
handler429 = "journal.views.errors.too_many_requests"  # asked for by allauth
handler500 = "journal.views.errors.server_error"

"""Routes of the risk console."""

from django.urls import URLPattern, path

from journal.views import risk

urlpatterns: list[URLPattern] = [
    path("risk/", risk.console, name="risk"),
    path("risk/audit/", risk.audit, name="risk_audit"),
    path("risk/accounts/<uuid:pk>/", risk.account, name="risk_account"),
    path("risk/jobs/<uuid:pk>/retry/", risk.retry_job, name="risk_retry_job"),
]

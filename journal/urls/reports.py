"""Routes of reports and jobs."""

from django.urls import URLPattern, path

from journal.views import jobs, reports

urlpatterns: list[URLPattern] = [
    path("reports/", reports.report_list, name="reports"),
    path("report-schedules/add/", reports.schedule_new, name="schedule_new"),
    path("report-schedules/<uuid:pk>/stop/", reports.schedule_end, name="schedule_end"),
    path("reports/<uuid:pk>/", reports.view, name="report_view"),
    path("reports/<uuid:pk>/download/", reports.download, name="report_download"),
    path("jobs/<uuid:pk>/", jobs.fragment, name="job_fragment"),
    path("jobs/<uuid:pk>/cancel/", jobs.cancel, name="job_cancel"),
    path("jobs/<uuid:pk>/retry/", jobs.retry, name="job_retry"),
]

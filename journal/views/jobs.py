"""Jobs as people see them: a progress fragment, cancel, retry."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from hedging.models import Job
from hedging.services.jobs import job_cancel, job_retry
from journal.models import WRITE_ROLES
from journal.selectors.jobs import job_get
from journal.views.common import person


@login_required
def fragment(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The job's state; it asks for itself again while the job is open."""
    return _fragment(request, job_get(person(request), pk))


@login_required
@require_POST
def cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Cancel the job."""
    return _answer(request, job_cancel(job=job_get(person(request), pk, WRITE_ROLES)))


@login_required
@require_POST
def retry(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Queue a failed or cancelled job again."""
    return _answer(request, job_retry(job=job_get(person(request), pk, WRITE_ROLES)))


def _fragment(request: HttpRequest, job: Job) -> HttpResponse:
    return render(request, "journal/reports/job.html", {"job": job})


def _answer(request: HttpRequest, job: Job) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return _fragment(request, job)
    back = request.headers.get("Referer", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()})
    return redirect(back if safe else "journal:reports")

"""Jobs as people see them: a progress fragment, cancel, retry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from hedging.jobs.engine import job_cancel, job_retry
from hedging.jobs.registry import declared
from hedging.models import Job
from journal.models import User
from journal.selectors.jobs import job_get, job_may_steer, job_page, job_title
from journal.views.common import local_address, person


@dataclass(frozen=True, slots=True)
class ShownJob:
    """A job with what its fragment says: title, status in words, and what may be done."""

    job: Job
    title: str
    status: str
    may_cancel: bool
    may_retry: bool

    @property
    def percent(self) -> int | None:
        """How far it is while it is open."""
        return self.job.percent if self.job.is_open else None

    @property
    def has_page(self) -> bool:
        """Whether the report it made can be looked at."""
        return (self.job.result or {}).get("format") in {"pdf", "html"}

    @property
    def shows_error(self) -> bool:
        """Whether it ended without a result and said why."""
        return bool(self.job.error) and not self.job.is_open and self.job.state != Job.State.DONE

    @property
    def report_id(self) -> str:
        """The report it made, empty while there is none."""
        return str((self.job.result or {}).get("report_id", ""))


def shown_job(user: User, job: Job) -> ShownJob:
    """Put a job into words for a user who may see it."""
    steer = job_may_steer(user, job)
    ended = job.state in {Job.State.DEAD, Job.State.CANCELLED}
    return ShownJob(
        job, job_title(job), _status(job),
        may_cancel=steer and job.is_open and not job.cancel_requested, may_retry=steer and ended,
    )  # fmt: skip


def shown_jobs(user: User, jobs: Iterable[Job]) -> list[ShownJob]:
    """Put jobs into words."""
    return [shown_job(user, job) for job in jobs]


def _status(job: Job) -> str:
    if job.is_open and job.cancel_requested:
        return "cancelling"
    if job.state == Job.State.RUNNING:
        return job.phase or "starting"
    if job.state == Job.State.QUEUED:
        return "waiting to try again" if job.attempts else "waiting for a worker"
    return {Job.State.DONE: "ready", Job.State.DEAD: "failed"}.get(Job.State(job.state), "cancelled")


@login_required
def fragment(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The job's state; it asks for itself again while the job is open.

    Where the result stands elsewhere on the page (``refreshes_page``), the page is loaded anew at the end.
    """
    job = job_get(person(request), pk)
    response = _fragment(request, job)
    known = declared(job.kind)
    refreshes = known is not None and known.refreshes_page
    if refreshes and job.state == Job.State.DONE and "HX-Request" in request.headers:
        response["HX-Refresh"] = "true"
    return response


@login_required
@require_POST
def cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Cancel the job: at once while queued, at the worker's next step while running."""
    return _answer(request, job_cancel(job=_steered(request, pk)))


@login_required
@require_POST
def retry(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Queue a failed or cancelled job again."""
    return _answer(request, job_retry(job=_steered(request, pk)))


def _steered(request: HttpRequest, pk: UUID) -> Job:
    user = person(request)
    job = job_get(user, pk)
    if not job_may_steer(user, job):
        raise Http404
    return job


def _fragment(request: HttpRequest, job: Job) -> HttpResponse:
    context = {"shown": shown_job(person(request), job)}
    return render(request, "journal/reports/job.html", context)


def _answer(request: HttpRequest, job: Job) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return _fragment(request, job)
    return redirect(
        local_address(request, request.headers.get("Referer", "")) or job_page(job) or "journal:dashboard"
    )

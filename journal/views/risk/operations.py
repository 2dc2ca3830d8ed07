"""Operations beside the desk: feeds, jobs, workers, storage; and the audit trail with its export."""

from __future__ import annotations

from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from hedging.jobs.engine import job_retry
from hedging.models import Job
from journal.downloads import csv_response
from journal.selectors.risk.operations import audit_events, operations_page
from journal.services.audit import audit_record
from journal.views.common import person
from journal.views.risk.gates import risk_only

_MOST_EXPORTED = 50_000


@risk_only
def operations(request: HttpRequest) -> HttpResponse:
    """Feeds and their age, failed and slow jobs, the queue, workers, storage."""
    return render(request, "journal/risk/operations.html", {"shown": operations_page()})


@risk_only
def audit(request: HttpRequest) -> HttpResponse:
    """Search the audit trail; ``?export=csv`` gives what was found as a file."""
    text = request.GET.get("q", "").strip()[:80].replace("\x00", "")
    events = audit_events(text)
    if request.GET.get("export") == "csv":
        audit_record(actor=person(request), action="risk.export", summary=f"audit trail: {text or 'all'}")
        rows = (
            (e.at.isoformat(), e.actor_name, e.action, e.account_id, e.object_type, e.object_id, e.summary)
            for e in events[:_MOST_EXPORTED].iterator(2000)
        )
        head = ["At (UTC)", "Who", "Action", "Account", "Object", "Object id", "What"]
        return csv_response("audit.csv", head, rows)
    page = Paginator(events, 50).get_page(request.GET.get("page"))
    return render(request, "journal/risk/audit.html", {"page": page, "q": text})


@risk_only
@require_POST
def retry_job(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Queue a failed job again."""
    job = get_object_or_404(Job, pk=pk)
    job_retry(job=job)
    audit_record(actor=person(request), action="risk.retry_job", summary=f"{job.kind} {job.scope}")
    return redirect("journal:risk_operations")

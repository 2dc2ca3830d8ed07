"""The risk console: every account, for the group ``risk`` only; every look leaves an audit row."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from hedging.jobs.engine import job_retry
from hedging.models import Job
from journal.models import Account, AuditEvent, Trade
from journal.selectors import overview
from journal.selectors.jobs import job_title
from journal.services.audit import audit_record
from journal.views.common import person

View = Callable[..., HttpResponse]


def risk_only(view: View) -> View:
    """Answer 404 to everybody else: the console's existence is nobody's business."""

    @wraps(view)
    @login_required
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not person(request).is_risk_admin:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@risk_only
def console(request: HttpRequest) -> HttpResponse:
    """All accounts with margin used, net Greeks and stressed loss, breaches first."""
    audit_record(actor=person(request), action="risk.view_all", summary="risk console")
    context = {
        "rows": overview.risk_rows(),
        "now": timezone.now(),
        "dead_jobs": [(job, job_title(job)) for job in Job.objects.filter(state=Job.State.DEAD)[:20]],
    }
    return render(request, "journal/risk/console.html", context)


@risk_only
def account(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Read-only look into one account."""
    found = get_object_or_404(Account, pk=pk)
    audit_record(
        actor=person(request), action="risk.view_account", account=found, obj=found, summary=found.name
    )
    row = next((r for r in overview.risk_rows() if r.account.pk == found.pk), None)
    trades = Trade.objects.filter(account=found, status=Trade.Status.OPEN)
    held = overview.book_and_market(found)
    context = {
        "account": found,
        "row": row,
        "trades": trades,
        "grid": overview.heat_rows(*held) if held else None,
    }
    return render(request, "journal/risk/account.html", context)


@risk_only
def audit(request: HttpRequest) -> HttpResponse:
    """Search the audit trail."""
    events = AuditEvent.objects.all()
    if text := request.GET.get("q", "").strip()[:80]:
        events = events.filter(
            Q(action__icontains=text) | Q(actor_name__icontains=text) | Q(summary__icontains=text)
        )
    page = Paginator(events, 50).get_page(request.GET.get("page"))
    return render(request, "journal/risk/audit.html", {"page": page, "q": text})


@risk_only
@require_POST
def retry_job(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Queue a failed job again."""
    job = get_object_or_404(Job, pk=pk)
    job_retry(job=job)
    audit_record(actor=person(request), action="risk.retry_job", summary=f"{job.kind} {job.scope}")
    return redirect("journal:risk")

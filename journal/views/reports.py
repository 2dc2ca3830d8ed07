"""Reports: ask, watch, open, download."""

from __future__ import annotations

import secrets
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from hedging.models import Job
from journal.models import Account, Report
from journal.selectors.shell import current_account
from journal.services.errors import RuleError
from journal.services.reports import MEDIA_TYPES, RENDER_REPORT, report_request
from journal.views.common import person


@login_required
def report_list(request: HttpRequest) -> HttpResponse:
    """The form, running jobs and stored reports of the current account."""
    user, account = person(request), current_account(request)
    if account is None:
        return render(request, "journal/dashboard/empty.html")
    error = ""
    if request.method == "POST":
        chosen = get_object_or_404(Account.objects.for_user(user), pk=account.pk)
        try:
            report_request(
                user=user,
                account=chosen,
                form=request.POST.get("format", ""),
                token=request.POST.get("token", "")[:40],
                date_from=_date(request.POST.get("from", ""), "from"),
                date_to=_date(request.POST.get("to", ""), "to"),
            )
        except RuleError as refusal:
            error = refusal.message
        else:
            messages.success(request, "A worker renders the report.")
            return redirect("journal:reports")
    jobs = Job.objects.filter(kind=RENDER_REPORT, scope=f"account:{account.pk}").exclude(state=Job.State.DONE)
    today = timezone.localdate()
    context: dict[str, Any] = {
        "account": account,
        "jobs": jobs[:10],
        "error": error,
        "token": secrets.token_urlsafe(12),
        "reports": Report.objects.for_user(user).filter(account=account).defer("content")[:50],
        "formats": Report.Format.choices,
        "from": date(today.year, 1, 1),
        "to": today,
    }
    return render(request, "journal/reports/page.html", context, status=400 if error else 200)


def _date(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RuleError("Enter both dates of the period.", field) from None


@login_required
def download(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The stored bytes, for members of the account only."""
    report = get_object_or_404(Report.objects.for_user(person(request)), pk=pk)
    response = HttpResponse(bytes(report.content), content_type=MEDIA_TYPES[report.format])
    inline = request.GET.get("view") == "1" and report.format != Report.Format.CSV
    disposition = "inline" if inline else "attachment"
    response["Content-Disposition"] = f'{disposition}; filename="{report.filename}"'
    response["Cache-Control"] = "private, no-cache"
    return response

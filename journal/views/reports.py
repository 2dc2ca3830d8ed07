"""Reports: ask, watch, open, download."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from hedging.selectors.calendar import session_date
from journal.downloads import report_response
from journal.errors import RuleError
from journal.forms.reports import ReportForm, ScheduleForm
from journal.models import Account, Report
from journal.selectors.reports import (
    account_of_request,
    period_presets,
    report_get,
    report_jobs,
    reports_for,
    schedule_get,
    schedules_for,
)
from journal.selectors.shell import current_account
from journal.services.reports.jobs import report_request
from journal.services.reports.schedules import schedule_add, schedule_stop
from journal.views.common import person, say_removed
from journal.views.jobs import shown_jobs

PAGE = 25


@login_required
def report_list(request: HttpRequest) -> HttpResponse:
    """The form, the jobs under way, and the stored reports of the account in view."""
    user = person(request)
    accounts = list(Account.objects.for_user(user))
    account = account_of_request(request.GET.get("account", ""), accounts) or current_account(request)
    account = account or next(iter(accounts), None)
    if account is None:
        return render(request, "journal/dashboard/empty.html")
    presets = period_presets(account, session_date(timezone.now()))
    chosen = next((p for p in presets if p.name == request.GET.get("period")), presets[3])
    initial = {
        "account": account.pk, "date_from": chosen.date_from, "date_to": chosen.date_to,
        "format": Report.Format.PDF,
    }  # fmt: skip
    form = ReportForm(request.POST or None, accounts=accounts, initial=initial)
    status = 200
    if request.method == "POST":
        if form.is_valid() and (asked := _ask(request, form)) is not None:
            return redirect(f"{request.path}?account={asked.pk}")
        status = 400
    page = Paginator(reports_for(user, account), PAGE).get_page(request.GET.get("page"))
    context = {
        "account": account, "accounts": accounts, "form": form, "presets": presets,
        "chosen": None if form.is_bound else chosen,
        "page": page, "jobs": shown_jobs(user, report_jobs(account)),
        "schedules": schedules_for(user, account), "schedule_form": ScheduleForm(),
    }  # fmt: skip
    return render(request, "journal/reports/page.html", context, status=status)


def _ask(request: HttpRequest, form: ReportForm) -> Account | None:
    """Request the report; the account asked about, None when it was refused."""
    account: Account = form.cleaned_data["account"]
    try:
        report_request(user=person(request), **form.cleaned_data)
    except RuleError as refusal:
        form.show(refusal)
        return None
    messages.success(request, "A worker renders the report; it appears below.")
    return account


@login_required
def view(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show the stored page in the browser; tables for a spreadsheet are downloaded."""
    report = report_get(person(request), pk)
    is_page = report.format in {Report.Format.PDF, Report.Format.HTML}
    return report_response(report, "inline" if is_page else "attachment")


@login_required
def download(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Send the stored bytes as a file."""
    return report_response(report_get(person(request), pk), "attachment")


@login_required
@require_POST
def schedule_new(request: HttpRequest) -> HttpResponse:
    """Make a report of every coming week or month of the account in the address."""
    user = person(request)
    account = account_of_request(request.GET.get("account", ""), Account.objects.for_user(user))
    account = account or current_account(request)
    if account is None:
        return redirect("journal:reports")
    form = ScheduleForm(request.POST)
    if form.is_valid():
        try:
            schedule_add(user=user, account=account, **form.cleaned_data)
        except RuleError as refusal:
            form.show(refusal)
        else:
            messages.success(request, "The first report is made when the running period is over.")
    for errors in form.errors.values():
        messages.error(request, str(errors[0]))
    return redirect(f"{reverse('journal:reports')}?account={account.pk}")


@login_required
@require_POST
def schedule_end(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Stop a schedule: by who made it, or by an owner of the account."""
    schedule = schedule_get(person(request), pk)
    change = schedule_stop(user=person(request), schedule=schedule)
    say_removed(request, change, "Stopped. The reports made so far stay.")
    return redirect(f"{reverse('journal:reports')}?account={schedule.account_id}")

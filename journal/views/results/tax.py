"""The tax worksheet: page, CSV, PDF by a worker, and year-end marks entered by hand."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from hedging.jobs.scopes import account_scope
from hedging.models import Contract, Job
from journal.errors import RuleError
from journal.forms.book.order import new_token
from journal.job_kinds import TAX_PDF
from journal.models import WRITE_ROLES, Account
from journal.reports.tax import form_lines, line_groups, render_csv
from journal.services.tax import (
    FIRST_YEAR,
    LAST_YEAR,
    NOT_ADVICE,
    TaxYear,
    tax_pdf_request,
    tax_year,
    year_end_mark_set,
)
from journal.views.common import get_owned, person, say_removed, small_number, today_in_new_york
from journal.views.jobs import shown_jobs
from journal.views.review.days import chosen_account
from journal.views.review.notes import may_write


def _year(text: str) -> int:
    if not text:
        return today_in_new_york().year
    year = small_number(text)
    if year is None or not FIRST_YEAR <= year <= LAST_YEAR:
        raise Http404
    return year


def _worksheet(request: HttpRequest) -> TaxYear | None:
    account = chosen_account(request)
    if account is None:
        return None
    return tax_year(account=account, year=_year(request.GET.get("year", "")), now=timezone.now())


@login_required
def worksheet(request: HttpRequest) -> HttpResponse:
    """Section 1256 contracts with the 60/40 split, securities, and what is uncertain."""
    shown = _worksheet(request)
    if shown is None:
        return render(request, "journal/dashboard/empty.html")
    user = person(request)
    jobs = Job.objects.filter(kind=TAX_PDF, scope=account_scope(shown.account.pk), as_of=str(shown.year))
    may_review = may_write(user, shown.account)
    context = {
        "tax": shown, "account": shown.account, "year": shown.year, "not_advice": NOT_ADVICE,
        "groups": line_groups(shown), "form_lines": form_lines(shown),
        "years": range(shown.year - 1, min(shown.year + 1, today_in_new_york().year) + 1),
        "may_review": may_review, "token": new_token(),
        "may_enter_marks": may_review and shown.is_final and bool(shown.missing),
        "jobs": shown_jobs(user, jobs.order_by("-created_at")[:3]),
    }  # fmt: skip
    return render(request, "journal/results/tax/page.html", context)


@login_required
def worksheet_csv(request: HttpRequest) -> HttpResponse:
    """The worksheet as CSV."""
    shown = _worksheet(request)
    if shown is None:
        raise Http404
    response = HttpResponse(render_csv(shown), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="form-6781-{shown.year}.csv"'
    return response


def _posted_account(request: HttpRequest, roles: bool) -> Account:
    try:
        wanted = UUID(request.POST.get("account", ""))
    except ValueError:
        raise Http404 from None
    user = person(request)
    return get_owned(Account, user, wanted, WRITE_ROLES) if roles else get_owned(Account, user, wanted)


def _back(account: Account, year: int) -> HttpResponse:
    query = urlencode({"account": account.pk, "year": year})
    return redirect(f"{reverse('journal:tax')}?{query}")


@login_required
@require_POST
def worksheet_pdf(request: HttpRequest) -> HttpResponse:
    """Ask a worker for the worksheet as PDF; it appears on the page and among the reports."""
    account, year = _posted_account(request, roles=False), _year(request.POST.get("year", ""))
    token = request.POST.get("token", "") or new_token()
    tax_pdf_request(user=person(request), account=account, year=year, token=token)
    return _back(account, year)


@login_required
@require_POST
def mark(request: HttpRequest) -> HttpResponse:
    """Keep the broker's year-end value of a contract; an empty value forgets it."""
    account, year = _posted_account(request, roles=True), _year(request.POST.get("year", ""))
    contract = get_object_or_404(Contract, symbol=request.POST.get("contract", ""))
    text = request.POST.get("price", "").strip().replace(",", "")
    try:
        price = Decimal(text) if text else None
        change = year_end_mark_set(
            user=person(request), account=account, contract=contract, year=year, price=price
        )
    except InvalidOperation:
        messages.error(request, f"{text} is not a number of points.")
    except RuleError as refusal:
        messages.error(request, refusal.message)
    else:
        if change is not None:
            say_removed(request, change, f"{change.summary}.")
    return _back(account, year)

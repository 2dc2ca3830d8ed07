"""The capital page: cost and return of capital, and the cash ledger."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from hedging.selectors.calendar import session_date
from journal.downloads import csv_response
from journal.forms.cash import CashForm
from journal.forms.closing import ReverseForm
from journal.models import WRITE_ROLES, Account, CashEntry, User
from journal.selectors.as_of import as_of_for
from journal.selectors.capital import Capital, capital
from journal.selectors.cash import cash_balance, cash_rows
from journal.selectors.shell import current_account
from journal.services.capital import gates_now
from journal.services.cash import cash_record, cash_reverse
from journal.services.errors import RuleError
from journal.views.common import get_owned, person

_ROWS = 50


@login_required
def page(request: HttpRequest) -> HttpResponse:
    """Cost and return of the account's capital; the form adds to its cash ledger."""
    account = current_account(request)
    if account is None:
        return render(request, "journal/dashboard/empty.html")
    user, past = person(request), as_of_for(request)
    form = CashForm(request.POST or None, initial={"day": session_date(timezone.now())})
    status = 200
    if request.method == "POST":
        get_owned(Account, user, account.pk, WRITE_ROLES)
        if form.is_valid() and _record(user, account, form):
            messages.success(request, "Recorded in the cash ledger.")
            return redirect("journal:capital")
        status = 400
    found = capital(account, past.day)
    rows = [row for row in cash_rows(user, account) if past.day is None or row[0].day <= past.day]
    context = {
        "account": account,
        "as_of_shown": True,
        "found": found,
        "charts": _charts(found) if found else None,
        "form": form,
        "rows": rows[:_ROWS],
        "row_count": len(rows),
        "balance": cash_balance(account, past.day or session_date(timezone.now())),
        "gates": gates_now(account),
        "may_write": not past
        and account.archived_at is None
        and Account.objects.for_user(user, WRITE_ROLES).filter(pk=account.pk).exists(),
    }
    return render(request, "journal/capital/page.html", context, status=status)


def _record(user: User, account: Account, form: CashForm) -> bool:
    data = form.cleaned_data
    try:
        cash_record(
            user=user, account=account, kind=data["kind"], amount=data["amount"], day=data["day"],
            purpose=data["purpose"], note=data["note"], token=data["token"], source="form",
            gates=gates_now(account) if data["kind"] == CashEntry.Kind.ALLOCATE else (),
        )  # fmt: skip
    except RuleError as error:
        form.show(error)
        return False
    return True


def _charts(found: Capital) -> dict[str, Any]:
    """Rates by month and capital by session, each with its table."""
    names = ("WACC", "target", "embedded rate", "XIRR")
    rates = [
        [_percent(point.wacc), _percent(point.target), _percent(point.embedded), _percent(point.irr)]
        for point in found.history
    ]
    months = [str(point.day) for point in found.history]
    step = max(1, len(found.days) // 40)
    return {
        "rates": {
            "categories": months, "unit": "percent", "digits": 1,
            "series": [
                {"name": name, "data": [row[i] for row in rates], "dashed": name == "target"}
                for i, name in enumerate(names)
            ],
        },
        "rates_table": {
            "head": ["Month to", *(f"{name} %" for name in names)],
            "rows": [[month, *row] for month, row in zip(months, rates, strict=True)],
        },
        "use": {
            "categories": [str(day) for day in found.days], "unit": "usd", "from_zero": True,
            "series": [
                {"name": "equity", "data": [round(v, 2) for v in found.equities]},
                {"name": "margin", "data": [round(v, 2) for v in found.margins], "area": True},
            ],
        },
        "use_table": {
            "head": ["Session", "Equity $", "Margin $"],
            "rows": [
                [str(day), f"{equity:,.2f}", f"{margin:,.2f}"]
                for day, equity, margin in list(
                    zip(found.days, found.equities, found.margins, strict=True)
                )[::step]
            ],
        },
    }  # fmt: skip


def _percent(rate: float | None) -> float | None:
    """Percent for the chart; what no scale could hold is left out."""
    return None if rate is None or abs(rate) > 10 else round(rate * 100, 2)


@login_required
def cash_csv(request: HttpRequest) -> HttpResponse:
    """The cash ledger as CSV, dollars."""
    account = current_account(request)
    if account is None:
        return redirect("journal:capital")
    rows = (
        (entry.day, entry.kind, entry.amount, entry.purpose, "yes" if live else "no", entry.note)
        for entry, live in cash_rows(person(request), account)
    )
    return csv_response("cash.csv", ("day", "kind", "amount", "purpose", "in_force", "note"), rows)


@login_required
@require_POST
def reverse_entry(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Correct a cash entry by its mirror image."""
    user = person(request)
    entry = get_owned(CashEntry, user, pk, WRITE_ROLES)
    form = ReverseForm(request.POST)
    if not form.is_valid():
        messages.error(request, str(form.errors["reason"][0]))
        return redirect("journal:capital")
    try:
        cash_reverse(user=user, entry=entry, reason=form.cleaned_data["reason"])
    except RuleError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "The entry was reversed. Record it again if it happened differently.")
    return redirect("journal:capital")

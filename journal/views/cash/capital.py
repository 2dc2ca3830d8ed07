"""The capital page: cost and return of capital, and the cash ledger."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from hedging.selectors.calendar import session_date
from journal.errors import RuleError
from journal.forms.cash import CashForm
from journal.models import WRITE_ROLES, Account, CashEntry, User
from journal.selectors.as_of import as_of_for
from journal.selectors.cash.capital import Capital, LiquidityPoint, capital
from journal.selectors.cash.ledger import bucket_uses, cash_balance, cash_rows
from journal.selectors.shell import current_account
from journal.services.cash.gates import gates_now
from journal.services.cash.ledger import cash_record
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
        "uses": bucket_uses(entry for entry, _ in rows),
        "may_write": not past
        and account.archived_at is None
        and Account.objects.for_user(user, WRITE_ROLES).filter(pk=account.pk).exists(),
    }
    return render(request, "journal/cash/page.html", context, status=status)


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
        **_liquidity(found),
    }  # fmt: skip


def _liquidity(found: Capital) -> dict[str, Any]:
    """Cash, T-bills and what is owed by session; the table with the quick ratio."""
    points = found.liquidity
    columns = {
        "cash": [point.funds.cash for point in points],
        "T-bills": [point.funds.bills for point in points],
        "margin and obligations": [point.margin + point.funds.owed for point in points],
    }
    step = max(1, len(points) // 40)
    return {
        "liquidity": {
            "categories": [str(point.day) for point in points], "unit": "usd", "from_zero": True,
            "series": [
                {"name": name, "data": [round(v, 2) for v in values], "area": name.startswith("margin")}
                for name, values in columns.items()
            ],
        },
        "liquidity_table": {
            "head": ["Session", "Cash $", "T-bills $", "Margin $", "Owed $", "Quick ratio"],
            "rows": [
                [
                    str(point.day), f"{point.funds.cash:,.2f}", f"{point.funds.bills:,.2f}",
                    f"{point.margin:,.2f}", f"{point.funds.owed:,.2f}", ratio_text(point),
                ]
                for point in points[::step]
            ],
        },
    }  # fmt: skip


def ratio_text(point: LiquidityPoint) -> str:
    """The quick ratio in words; at most so much while futures' margin is unknown."""
    if point.ratio is None:
        return "nothing owed"
    return f"{'≤ ' if point.at_most else ''}{point.ratio:.2f}"


def _percent(rate: float | None) -> float | None:
    """Percent for the chart; what no scale could hold is left out."""
    return None if rate is None or abs(rate) > 10 else round(rate * 100, 2)

"""Attribution of an account over time and of a trade; settling what no official value is loaded for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import accumulate
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from hedging.engine.results.effects import EFFECTS
from hedging.jobs.scopes import account_scope
from hedging.models import Job
from journal.downloads import csv_response
from journal.errors import ConflictError, RuleError
from journal.forms.attribution import PeriodForm, SettleForm
from journal.job_kinds import ATTRIBUTE
from journal.models import WRITE_ROLES, Account, Trade
from journal.selectors.as_of import as_of_for
from journal.selectors.attribution import (
    AccountAttribution,
    Explained,
    ExplainedDay,
    TradeAttribution,
    account_attribution,
    trade_attribution,
)
from journal.selectors.book.trades import first_fill_day, trade_get
from journal.selectors.shell import current_account
from journal.services.attribution.jobs import attribution_request
from journal.services.book.settlement import settlement_book, settlements_due
from journal.views.common import get_owned, person
from journal.views.jobs import shown_jobs

_DAYS_SHOWN = 60


@login_required
def page(request: HttpRequest) -> HttpResponse:
    """Where the account's P&L came from: waterfall, groups, over time, day by day."""
    account = current_account(request)
    if account is None:
        return render(request, "journal/dashboard/empty.html")
    form = PeriodForm(request.GET or None)
    first, last = form.period()
    last = last or as_of_for(request).day
    found = account_attribution(account, first, last)
    has_fills = first_fill_day(account) is not None
    jobs = shown_jobs(person(request), _open_jobs(account))
    context = {
        "account": account,
        "as_of_shown": True,
        "form": form,
        "found": found,
        "effects": EFFECTS,
        "days": found.days[::-1][:_DAYS_SHOWN],
        "query": request.GET.urlencode(),
        "waterfall": waterfall(found.total),
        "waterfall_table": effects_table([found.total]),
        "over_time": _over_time(account, found),
        "has_fills": has_fills,
        "period_is_empty": bool(request.GET) and has_fills and not jobs,
        "jobs": jobs,
        "may_write": Account.objects.for_user(person(request), WRITE_ROLES).filter(pk=account.pk).exists(),
    }
    return render(request, "journal/attribution/page.html", context)


def waterfall(total: Explained) -> dict[str, Any]:
    """Data of the waterfall chart."""
    return {"steps": total.steps, "total_label": "P&L", "unit": "pnl"}


def effects_table(rows: Iterable[Explained]) -> dict[str, Any]:
    """The chart's figures as a table."""
    return {
        "head": ["", *EFFECTS, "rounding", "P&L"],
        "rows": [
            [row.name, *(f"{value:,.2f}" for value in (*row.effects.values(), row.rounding, row.pnl))]
            for row in rows
        ],
    }  # fmt: skip


def _over_time(account: Account, found: AccountAttribution) -> dict[str, Any] | None:
    """Cumulative P&L of total and groups by day, dollars."""
    if not found.days:
        return None
    names = ("total", "theta", "delta", "gamma", "vega", "fees", "residual")
    columns: dict[str, list[float]] = {name: [] for name in names}
    for day in found.days:
        columns["total"].append(float(day.total.pnl))
        for name in names[1:]:
            columns[name].append(float(day.total.effects[name]))
    sums = {name: [round(v, 2) for v in accumulate(values)] for name, values in columns.items()}
    days = [str(day.day) for day in found.days]
    return {
        "chart": {
            "categories": days, "unit": "pnl",
            "series": [{"name": name, "data": values} for name, values in sums.items()],
        },
        "table": {
            "head": ["Session", *names],
            "rows": [
                [day, *(f"{sums[name][i]:,.2f}" for name in names)]
                for i, day in list(enumerate(days))[:: max(1, len(days) // 40)]
            ],
        },
        "account": account.name,
    }  # fmt: skip


def _open_jobs(account: Account) -> list[Job]:
    rows = Job.objects.filter(kind=ATTRIBUTE, scope=account_scope(account.pk)).order_by("-created_at")
    return [job for job in rows[:10] if job.is_open or job.state == Job.State.DEAD][:3]


@login_required
def account_csv(request: HttpRequest) -> HttpResponse:
    """The period's days as CSV, dollars."""
    account = current_account(request)
    if account is None:
        return redirect("journal:attribution")
    first, last = PeriodForm(request.GET or None).period()
    return _days_csv("attribution.csv", account_attribution(account, first, last).days)


@login_required
def trade_csv(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A trade's days as CSV, dollars."""
    return _days_csv("trade-attribution.csv", trade_attribution(trade_get(person(request), pk)).days)


def _days_csv(name: str, days: Iterable[ExplainedDay]) -> HttpResponse:
    head = ("day", "since", "pnl", *EFFECTS, "rounding", "unknown_legs", "modelled_legs")
    rows = (
        (
            day.day, day.since or "", day.total.pnl, *(day.total.effects[e] for e in EFFECTS),
            day.total.rounding, day.unknown_legs, day.modelled_legs,
        )
        for day in days
    )  # fmt: skip
    return csv_response(name, head, rows)


@login_required
@require_POST
def rebuild(request: HttpRequest) -> HttpResponse:
    """Ask the workers to attribute the account's whole history again."""
    account = current_account(request)
    if account is None:
        return redirect("journal:attribution")
    get_owned(Account, person(request), account.pk, WRITE_ROLES)
    jobs = attribution_request(account=account, requested_by=person(request), nonce=_nonce(account))
    if jobs:
        messages.success(request, "Workers rebuild the attribution; unchanged days stay as they are.")
    else:
        messages.info(request, "There is nothing to attribute yet.")
    return redirect("journal:attribution")


def _nonce(account: Account) -> str:
    """The same request while jobs are open, a new one afterwards."""
    rows = Job.objects.filter(kind=ATTRIBUTE, scope=account_scope(account.pk))
    ended = rows.exclude(state__in=(Job.State.QUEUED, Job.State.RUNNING)).count()
    return f"rebuild-{ended}"


def trade_context(trade: Trade, until: date | None = None) -> dict[str, Any]:
    """What the trade page shows of its attribution, up to a past day if one is looked at, and settlement."""
    found: TradeAttribution = trade_attribution(trade, date_to=until)
    return {
        "attribution": found if found.days else None,
        "effects": EFFECTS,
        "waterfall": waterfall(found.total),
        "waterfall_table": effects_table([*found.legs, found.total]),
        "due": [] if until else settlements_due(trade),
    }


@login_required
def settle(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Type the official settlement value of an expired leg."""
    user = person(request)
    get_owned(Trade, user, pk, WRITE_ROLES)
    trade = trade_get(user, pk)
    due = settlements_due(trade)
    if not due:
        messages.info(request, "No leg of this trade is waiting for its settlement.")
        return redirect("journal:trade_detail", pk=pk)
    form = SettleForm(request.POST or None, due=due, initial={"version": trade.version})
    status = 200
    if request.method == "POST" and form.is_valid():
        chosen = form.chosen()
        try:
            settlement_book(
                user=user, trade=trade, symbol=chosen.symbol, expiry=chosen.expiry,
                level=form.cleaned_data["level"], version=form.cleaned_data["version"],
            )  # fmt: skip
        except RuleError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        except ConflictError as error:
            form.add_error(None, str(error))
            status = 409
        else:
            messages.success(request, f"{chosen.symbol} of {chosen.expiry} settled.")
            return redirect(reverse("journal:trade_detail", args=[pk]))
    context = {"trade": trade, "form": form, "due": due}
    return render(request, "journal/attribution/settle.html", context, status=status)

"""Backtests: asked for, watched, read, compared, downloaded."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import numpy as np
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from hedging.selectors.history import market_history
from journal.downloads import csv_response
from journal.forms.backtest import BacktestForm
from journal.models import WRITE_ROLES, Account, BacktestRun, RulesetVersion, User
from journal.selectors.backtests import PARTS, WHYS, backtests_for, month_grid, progress_of, shown_interval
from journal.services.backtests import backtest_cancel, backtest_delete, backtest_request, backtest_resume
from journal.views.common import get_owned, person

_TRADES_A_PAGE, _WEEKS_A_ROW = 50, 13
_EARLIEST = np.datetime64("2004-01-02", "D")
_TRADE_COLUMNS = (
    "part", "instrument", "opened", "closed", "expiry", "legs", "contracts", "in", "out", "costs", "pnl",
    "why",
)  # fmt: skip
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _form(request: HttpRequest, data: Any = None) -> BacktestForm:
    user = person(request)
    accounts = list(Account.objects.for_user(user, WRITE_ROLES).filter(archived_at=None))
    versions = RulesetVersion.objects.for_user(user, WRITE_ROLES).select_related("account")
    initial: dict[str, Any] = {"rules": request.GET.get("rules", "")}
    if data is None and accounts:
        history = market_history(simulated=accounts[0].is_demo)
        vix, spx = history.get("VIX"), history.get("SPX")
        if vix is not None and spx is not None and len(vix) and len(spx):
            initial["first"] = max(vix.days[0], spx.days[0], history.sessions[0], _EARLIEST).item()
            initial["last"] = min(vix.days[-1], spx.days[-1]).item()
    return BacktestForm(data, accounts=accounts, versions=list(versions), initial=initial)


@login_required
def page(request: HttpRequest) -> HttpResponse:
    """The form and the stored runs."""
    form = _form(request, request.POST or None)
    if request.method == "POST" and form.is_valid():
        account = form.cleaned_data["account"]
        run = backtest_request(
            user=person(request), account=account, ruleset=form.cleaned_data["ruleset"],
            settings=form.cleaned_data["settings"],
        )  # fmt: skip
        return redirect("journal:backtest_run", pk=run.pk)
    now = timezone.now()
    runs = [(run, progress_of(run, now)) for run in backtests_for(person(request))]
    status = 422 if request.method == "POST" else 200
    return render(request, "journal/backtest/page.html", {"form": form, "runs": runs}, status=status)


def _context(request: HttpRequest, run: BacktestRun) -> dict[str, Any]:
    user = person(request)
    context: dict[str, Any] = {
        "run": run, "progress": progress_of(run, timezone.now()), "account": run.account,
        "may_write": Account.objects.for_user(user, WRITE_ROLES).filter(pk=run.account_id).exists(),
        "others": [other for other in backtests_for(user) if other.pk != run.pk and other.result],
    }  # fmt: skip
    if run.sets:
        rows = [row for part in run.parts.all() for row in part.figures]
        context["rows"] = sorted(rows, key=lambda row: -row["final"])[:100]
        context["figures"] = len(rows)
    elif run.result:
        context |= _figures(request, run.result)
    return context


def _figures(request: HttpRequest, result: dict[str, Any]) -> dict[str, Any]:
    weeks = result["weeks"]
    trades = Paginator(result["trades"], _TRADES_A_PAGE).get_page(request.GET.get("page"))
    hedged = result["hedge"] is not None

    def chart(own: str, other: str, label: str, unit: str) -> dict[str, Any]:
        series = [{"name": "Account", "data": weeks[own]}]
        if hedged:
            series.append({"name": "Without the hedge", "data": weeks[other], "dashed": True})
        return {
            "series": series,
            "categories": weeks["days"],
            "y_label": label,
            "unit": unit,
            "digits": 0 if unit == "usd" else 1,
        }

    return {
        "result": result,
        "equity": chart("equity", "bare", "Equity", "usd"),
        "falls": chart("drawdown", "bare_drawdown", "Drawdown, %", "percent"),
        "equity_summary": _equity_words(result), "falls_summary": _falls_words(result),
        "year_table": {
            "head": ["Every 13th week", "Equity", "Drawdown, %"],
            "rows": [
                (weeks["days"][at], f"{weeks['equity'][at]:,.0f}", f"{weeks['drawdown'][at]:.1f}")
                for at in range(0, len(weeks["days"]), _WEEKS_A_ROW)
            ],
        },
        "grid": month_grid(result["months"]), "months": MONTHS,
        "claims": [shown_interval(one) for one in result["claims"]],
        "trades": trades,
        "trade_rows": [
            one | {"part": PARTS[one["part"]], "why": WHYS[one["why"]]} for one in trades.object_list
        ],
    }  # fmt: skip


def _equity_words(result: dict[str, Any]) -> str:
    begin = f"Equity from ${result['settings']['capital']:,.0f} on {result['from']}"
    text = f"{begin} to ${result['account']['final']:,.0f} on {result['to']}"
    return f"{text}; without the hedge ${result['bare']['final']:,.0f}." if result["hedge"] else f"{text}."


def _falls_words(result: dict[str, Any]) -> str:
    account = result["account"]
    span = f"from {account['worst_from']} to {account['worst_to']}"
    text = f"The deepest fall is {account['max_drawdown']:.1%}, {span}"
    return (
        f"{text}; without the hedge {result['bare']['max_drawdown']:.1%}." if result["hedge"] else f"{text}."
    )


@login_required
def run_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A run: its progress while it is open, then its figures."""
    run = get_owned(BacktestRun, person(request), pk)
    fragment = request.headers.get("HX-Request") and request.GET.get("part") == "body"
    name = "journal/backtest/body.html" if fragment else "journal/backtest/run.html"
    return render(request, name, _context(request, run))


@login_required
@require_POST
def act(request: HttpRequest, pk: UUID, action: str) -> HttpResponse:
    """Cancel, resume or delete a run."""
    user = person(request)
    run = get_owned(BacktestRun, user, pk, WRITE_ROLES)
    if action == "cancel":
        backtest_cancel(run=run)
    elif action == "resume":
        backtest_resume(run=run)
    else:
        backtest_delete(user=user, run=run)
        messages.success(request, "Backtest deleted.")
        return redirect("journal:backtest")
    return redirect("journal:backtest_run", pk=run.pk)


def _finished(user: User, pk: UUID) -> BacktestRun:
    run = get_owned(BacktestRun, user, pk)
    if run.result is None and not run.sets:
        raise Http404("It is not finished.")
    return run


@login_required
def run_csv(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The trades as CSV; of several sets, one row a set."""
    run = _finished(person(request), pk)
    name = f"backtest-{str(run.pk)[:8]}.csv"
    if run.sets:
        figures = ("final", "annual_return", "max_drawdown", "bare_drawdown", "hedge_pnl", "trades")
        rows = (
            [*row["values"].values(), *(row[figure] for figure in figures)]
            for part in run.parts.all()
            for row in part.figures
        )
        return csv_response(name, [*run.sets[0], *figures], rows)
    trades = (one | {"part": PARTS[one["part"]]} for one in (run.result or {}).get("trades", []))
    return csv_response(name, _TRADE_COLUMNS, ([one[column] for column in _TRADE_COLUMNS] for one in trades))


@login_required
def run_json(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Everything the run found, as JSON."""
    run = _finished(person(request), pk)
    if run.sets:
        return JsonResponse({"sets": [row for part in run.parts.all() for row in part.figures]})
    return JsonResponse(run.result)


@login_required
def compare(request: HttpRequest) -> HttpResponse:
    """Two runs side by side."""
    user = person(request)
    try:
        chosen = [_finished(user, UUID(request.GET.get(name, ""))) for name in ("a", "b")]
    except ValueError:
        raise Http404 from None
    if any(run.result is None for run in chosen):
        raise Http404
    return render(request, "journal/backtest/compare.html", {"runs": chosen, "rows": _compared(chosen)})


def _compared(runs: list[BacktestRun]) -> list[tuple[str, str, list[Any]]]:
    """(label, unit, values) of what two runs differ in."""
    lines = (
        ("Final equity", "money", ("account", "final")),
        ("Return a year", "share", ("account", "annual_return")),
        ("Volatility a year", "share", ("account", "volatility")),
        ("Maximum drawdown", "share", ("account", "max_drawdown")),
        ("Maximum drawdown without the hedge", "share", ("bare", "max_drawdown")),
        ("Months gained", "share", ("account", "positive_months")),
        ("Condors after costs", "money", ("condors", "pnl")),
        ("Hedge after costs", "money", ("hedge", "pnl")),
        ("Hedge, cost of equity a year", "share", ("hedge", "cost_a_year")),
        ("Hedge, payouts over premium", "ratio", ("hedge", "loss_ratio")),
        ("Hedge, XIRR", "share", ("hedge", "xirr")),
        ("Embedded financing rate", "share", ("capital", "financing_rate")),
        ("Lowest quick ratio", "ratio", ("capital", "quick_ratio_low")),
        ("Equity locked, mean", "share", ("capital", "locked_mean")),
        ("Cost to unwind at the end", "money", ("capital", "unwind_cost")),
        ("Days to unwind at the end", "ratio", ("capital", "unwind_days")),
    )
    found = []
    for label, unit, (group, name) in lines:
        values = [((run.result or {}).get(group) or {}).get(name) for run in runs]
        found.append((label, unit, values))
    return found

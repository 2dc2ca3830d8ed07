"""Statistics of trades, the account's performance, and what its hedge was worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from hedging.engine.results.statistics import (
    BREAKDOWNS,
    ENOUGH,
    OutcomeStatistics,
    TradeOutcome,
    breakdown,
    figures,
)
from journal.downloads import csv_response
from journal.forms.attribution import PeriodForm
from journal.forms.statistics import StatisticsForm
from journal.models import Account, Tag
from journal.safe_csv import safe_cell
from journal.selectors.as_of import as_of_for
from journal.selectors.book.trades import first_fill_day
from journal.selectors.results.hedge_value import FORCED_UNWIND, hedge_value
from journal.selectors.results.performance import AccountPerformance, account_performance
from journal.selectors.results.statistics import outcomes
from journal.selectors.shell import current_account

_ROWS, _POINTS = 40, 40
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _form(request: HttpRequest, account: Account) -> StatisticsForm:
    tags = list(Tag.objects.filter(account=account).order_by("name").values_list("name", flat=True))
    return StatisticsForm(request.GET or None, tags=tags)


def _asked(request: HttpRequest, account: Account) -> tuple[StatisticsForm, tuple[TradeOutcome, ...], int]:
    """The form, the outcomes it leaves, and how many positions are open."""
    form = _form(request, account)
    filters = form.filters()
    past = as_of_for(request).day
    if past is not None:
        filters = replace(filters, date_to=min(filters.date_to or past, past))
    found = outcomes(account, filters)
    return form, found.rows, found.still_open


@login_required
def statistics(request: HttpRequest) -> HttpResponse:
    """What the account's trades won and lost, how often and when."""
    account = current_account(request)
    if account is None:
        return render(request, "journal/dashboard/empty.html")
    form, rows, still_open = _asked(request, account)
    way = form.way()
    context = {
        "account": account,
        "as_of_shown": True,
        "form": form,
        "query": request.GET.urlencode(),
        "whole": figures("All", rows),
        "groups": breakdown(rows, way),
        "heading": BREAKDOWNS[way][0],
        "enough": ENOUGH,
        "still_open": still_open,
        "rows": rows[::-1][:_ROWS],
        "row_count": len(rows),
        "chains": sum(one.trades > 1 for one in rows),
        "chart": _cumulative(rows) if rows else None,
    }
    return render(request, "journal/results/statistics/page.html", context)


def _cumulative(rows: Sequence[TradeOutcome]) -> dict[str, Any]:
    """Running P&L by closing, with its table."""
    sums = [round(v, 2) for v in accumulate(one.pnl for one in rows)]
    step = max(1, len(rows) // _POINTS)
    shown = list(zip(rows, sums, strict=True))
    return {
        "data": {
            "categories": [str(one.closed) for one in rows], "unit": "pnl", "from_zero": True,
            "series": [{"name": "closed P&L", "data": sums, "area": True}],
        },
        "table": {
            "head": ["Closed", "P&L $", "Sum $"],
            "rows": [[str(one.closed), f"{one.pnl:,.2f}", f"{at:,.2f}"] for one, at in shown[::step]],
        },
    }  # fmt: skip


@login_required
def statistics_csv(request: HttpRequest) -> HttpResponse:
    """The outcomes behind the page, or with ``groups`` the figures of the breakdown, as CSV."""
    account = current_account(request)
    if account is None:
        return redirect("journal:statistics")
    form, rows, _ = _asked(request, account)
    if "groups" in request.GET:
        return csv_response("statistics.csv", _GROUP_HEAD, map(_group_line, breakdown(rows, form.way())))
    return csv_response("outcomes.csv", _OUTCOME_HEAD, map(_outcome_line, rows))


_GROUP_HEAD = (
    "group", "count", "wins", "losses", "pnl", "win_rate", "win_rate_low", "win_rate_high", "expectancy",
    "average_win", "average_loss", "profit_factor", "dte_open", "dte_close", "days_held", "capture",
    "capture_count", "mae", "mfe", "excursion_count", "win_streak", "loss_streak",
)  # fmt: skip
_OUTCOME_HEAD = (
    "opened", "closed", "position", "strategy", "layer", "trades", "pnl", "dte_open", "dte_close",
    "max_profit", "captured", "mae", "mfe", "sessions_marked", "sessions", "vix_before", "regime_before",
    "tags",
)  # fmt: skip


def _group_line(one: OutcomeStatistics) -> list[Any]:
    win = one.win_interval
    return [
        safe_cell(one.name), one.count, one.wins, one.losses, f"{one.total:.2f}",
        *map(_number, (
            one.win_rate, win.low if win else None, win.high if win else None, one.expectancy,
            one.average_win, one.average_loss, one.profit_factor, one.dte_open, one.dte_close,
            one.days_held, one.capture,
        )),
        one.capture_count, _number(one.mae), _number(one.mfe), one.excursion_count, one.win_streak,
        one.loss_streak,
    ]  # fmt: skip


def _outcome_line(one: TradeOutcome) -> list[Any]:
    return [
        one.opened, one.closed, safe_cell(one.label), one.strategy, one.layer or "", one.trades,
        f"{one.pnl:.2f}", "" if one.dte_open is None else one.dte_open,
        "" if one.dte_close is None else one.dte_close,
        *map(_number, (one.max_profit, one.captured, one.mae, one.mfe)), one.marked, one.sessions,
        _number(one.vix), one.regime, safe_cell(", ".join(one.tags)),
    ]  # fmt: skip


def _number(value: float | None) -> str:
    """Four digits; empty is unknown."""
    return "" if value is None else f"{value:.4f}"


@login_required
def performance(request: HttpRequest) -> HttpResponse:
    """Time-weighted performance, with and without the hedge."""
    account = current_account(request)
    if account is None:
        return render(request, "journal/dashboard/empty.html")
    form = PeriodForm(request.GET or None)
    first, last = form.period()
    found = account_performance(account, first, last or as_of_for(request).day)
    has_fills = first_fill_day(account) is not None
    context = {
        "account": account,
        "as_of_shown": True,
        "form": form,
        "query": request.GET.urlencode(),
        "found": found,
        "charts": _performance_charts(found) if found else None,
        "years": _years(found) if found else (),
        "month_names": _MONTHS,
        "has_fills": has_fills,
        "period_is_empty": bool(request.GET) and has_fills,
    }
    return render(request, "journal/results/statistics/performance.html", context)


def _performance_charts(found: AccountPerformance) -> dict[str, Any]:
    """Equity, drawdown and daily P&L, each with its table."""
    days = [str(day) for day in found.days]
    step = max(1, len(days) // _POINTS)
    lines = [("with hedge", found.equity, found.below)]
    if found.has_hedge:
        lines.append(("without hedge", found.equity_unhedged, found.below_unhedged))
    names = [name for name, _, _ in lines]
    equity = [[round(float(v), 2) for v in worth] for _, worth, _ in lines]
    below = [[round(float(v) * 100, 3) for v in depth] for _, _, depth in lines]

    def series(columns: list[list[float]], **more: Any) -> list[dict[str, Any]]:
        return [
            {"name": name, "data": data, "dashed": at > 0, **(more if at == 0 else {})}
            for at, (name, data) in enumerate(zip(names, columns, strict=True))
        ]

    def table(columns: list[list[float]], unit: str, digits: int) -> dict[str, Any]:
        return {
            "head": ["Session", *(f"{name} {unit}" for name in names)],
            "rows": [
                [days[at], *(f"{column[at]:,.{digits}f}" for column in columns)]
                for at in range(0, len(days), step)
            ],
        }

    return {
        "equity": {"categories": days, "unit": "usd", "series": series(equity), "group": "performance"},
        "equity_table": table(equity, "$", 2),
        "below": {
            "categories": days, "unit": "percent", "digits": 1, "series": series(below, area=True),
            "group": "performance",
        },
        "below_table": table(below, "%", 2),
        "daily": {
            "days": [[day, float(pnl)] for day, pnl in zip(days, found.pnl, strict=True)], "unit": "pnl",
        },
        "daily_table": {
            "head": ["Session", "P&L $"],
            "rows": [[days[at], f"{found.pnl[at]:,.2f}"] for at in range(len(days))][-_POINTS:][::-1],
        },
    }  # fmt: skip


def _years(found: AccountPerformance) -> list[dict[str, Any]]:
    """Months of each year in twelve places with the year's compounded return and P&L."""
    years: dict[int, dict[str, Any]] = {}
    for row in found.months:
        year = years.setdefault(
            row.year, {"year": row.year, "cells": [None] * 12, "growth": 1.0, "unhedged": 1.0, "pnl": 0.0}
        )
        year["cells"][row.month - 1] = row
        year["growth"] *= 1.0 + row.hedged
        year["unhedged"] *= 1.0 + row.unhedged
        year["pnl"] += row.pnl
    for year in years.values():
        year["total"], year["without"] = year["growth"] - 1.0, year["unhedged"] - 1.0
    return sorted(years.values(), key=lambda year: -int(year["year"]))


@login_required
def performance_csv(request: HttpRequest) -> HttpResponse:
    """Sessions with equity, returns and drawdown as CSV."""
    account = current_account(request)
    if account is None:
        return redirect("journal:performance")
    first, last = PeriodForm(request.GET or None).period()
    found = account_performance(account, first, last or as_of_for(request).day)
    head = ("session", "equity", "pnl", "return", "drawdown", "equity_unhedged", "return_unhedged",
            "drawdown_unhedged")  # fmt: skip
    rows = () if found is None else zip(
        found.days, (f"{v:.2f}" for v in found.equity), found.pnl, map(_rate, found.returns),
        map(_rate, found.below), (f"{v:.2f}" for v in found.equity_unhedged),
        map(_rate, found.returns_unhedged), map(_rate, found.below_unhedged), strict=True,
    )  # fmt: skip
    return csv_response("performance.csv", head, rows)


def _rate(value: float) -> str:
    return "" if value != value else f"{value:.8f}"  # noqa: PLR0124  # NaN is unknown


@login_required
def hedge_worth(request: HttpRequest) -> HttpResponse:
    """The hedge as an investment and as an insurance, and the method's claims on this account."""
    account = current_account(request)
    if account is None:
        return render(request, "journal/dashboard/empty.html")
    context = {
        "account": account,
        "as_of_shown": True,
        "found": hedge_value(account, as_of_for(request).day),
        "tag": FORCED_UNWIND,
    }
    return render(request, "journal/results/statistics/hedge.html", context)


@login_required
def claims_csv(request: HttpRequest) -> HttpResponse:
    """The claims with measured value, interval and verdict as CSV."""
    account = current_account(request)
    found = None if account is None else hedge_value(account, as_of_for(request).day)
    head = ("claim", "reading", "measured", "low", "high", "level", "observations", "verdict", "why")
    rows = [] if found is None else [
        (
            one.claim.text, one.claim.reading, _number(one.value),
            _number(one.interval.low if one.interval else None),
            _number(one.interval.high if one.interval else None),
            "" if one.interval is None else one.interval.level, one.observations, one.verdict.value, one.why,
        )
        for one in found.findings
    ]  # fmt: skip
    return csv_response("claims.csv", head, rows)

"""Payoff and timeline of a trade: an event redraws what the position was, inputs what it would be."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from journal.errors import RuleError
from journal.forms.book.payoff import PayoffForm
from journal.models import Trade
from journal.selectors.as_of import as_of_for
from journal.selectors.book.payoffs import PayoffChart, payoff_after, payoff_asked
from journal.selectors.book.timeline import EventKind, Timeline, TimelineEvent, timeline_of
from journal.selectors.book.trades import trade_get
from journal.views.book.valuation import valuation_context
from journal.views.common import person

_ROWS = 20


@login_required
def fragment(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The payoff panel with its timeline, for htmx."""
    trade = trade_get(person(request), pk)
    moment = as_of_for(request).moment
    context = {"trade": trade, **payoff_context(request, trade, valuation_context(trade, moment))}
    return render(request, "journal/book/payoff.html", context)


def payoff_context(request: HttpRequest, trade: Trade, valued: dict[str, Any]) -> dict[str, Any]:
    """What the address asks for: after an event (``at``), on a day (``date``, ``iv``, ``spot``), or now."""
    past = as_of_for(request)
    timeline = timeline_of(person(request), trade, past.moment)
    event = timeline.find(request.GET.get("at", "")) or _default(timeline, valued["result"])
    form, asked = PayoffForm(request.GET if event is None else None), None
    if event is not None:
        payoff = payoff_after(timeline.trades, event.moment)
    else:
        payoff = _present(valued["result"])
        if payoff.chart is not None and form.is_asked() and form.is_valid() and not past:
            try:
                chart, asked = _ask(trade, payoff.chart, form)
            except RuleError as refusal:
                form.add_error(refusal.field, refusal.message)
            else:
                payoff = PayoffChart(chart, payoff.market)
    return {
        "timeline": timeline, "event": event, "payoff": payoff, "asked": asked, "payoff_form": form,
        "may_ask": event is None and payoff.chart is not None and not past,
        "payoff_table": chart_table(payoff.chart),
        "address_query": f"?{request.GET.urlencode()}" if request.GET else "",
    }  # fmt: skip


def _default(timeline: Timeline, result: dict[str, Any] | None) -> TimelineEvent | None:
    """A trade that is no longer valued is shown as it was opened."""
    if result is not None:
        return None
    return next((event for event in timeline.events if event.kind is not EventKind.NOTE), None)


def _present(result: dict[str, Any] | None) -> PayoffChart:
    if result is None:
        return PayoffChart(None, None, "Not valued yet.")
    curve = result["analysis"]["payoff"]
    if not curve:
        return PayoffChart(None, result["market"], result["analysis"].get("reason", ""))
    chart = {**curve, "break_evens": result["structure"]["break_evens"]}
    return PayoffChart(chart, result["market"])


def _ask(trade: Trade, chart: dict[str, Any], form: PayoffForm) -> tuple[dict[str, Any], Any]:
    data = form.cleaned_data
    return payoff_asked(trade, chart, day=data["date"], vol_points=data["iv"] or 0.0, spot=data["spot"])


def chart_table(chart: dict[str, Any] | None) -> dict[str, Any] | None:
    """About twenty rows of a payoff chart, for readers and screen readers."""
    if chart is None:
        return None
    step = max(1, len(chart["prices"]) // _ROWS)
    lines = [("At expiry", chart["expiry"])]
    if chart["today"]:
        lines.append((chart.get("today_name", "Today"), chart["today"]))
    lines += [(line["name"], line["pnl"]) for line in chart.get("more", ())]
    return {
        "head": [chart["underlying"], *(name for name, _ in lines)],
        "rows": [
            (price, [values[at] for _, values in lines])
            for at, price in list(enumerate(chart["prices"]))[::step]
        ],
    }

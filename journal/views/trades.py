"""Trades: list, page, closing, correcting a fill, and the valuation fragment."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from journal.forms.closing import CloseForm, ReverseForm
from journal.models import WRITE_ROLES, Fill, Trade
from journal.selectors.as_of import as_of_for
from journal.selectors.chains import chain_context
from journal.selectors.structures import leg_rows, trade_figures
from journal.selectors.trades import live_fills, trade_get, trade_position
from journal.selectors.valuation import Current, trade_current, trade_marks
from journal.services.errors import ConflictError, RuleError
from journal.services.ledger import token_used
from journal.services.past import trade_then
from journal.services.trades import fill_reverse, trade_close
from journal.views.attribution import trade_context
from journal.views.common import get_owned, likely_fill_time, person, today_in_new_york
from journal.views.review import review_context


def _may_write(request: HttpRequest, trade: Trade) -> bool:
    return Trade.objects.for_user(person(request), WRITE_ROLES).filter(pk=trade.pk).exists()


@login_required
def trade_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show one trade: what it can gain and lose, its live valuation, its fills."""
    trade = trade_get(person(request), pk)
    past = as_of_for(request)
    fills = [f for f in trade.fills.all() if past.moment is None or f.executed_at <= past.moment]
    live = {fill.pk for fill in live_fills(fills)}
    today = past.day or today_in_new_york()
    context = {
        "trade": trade,
        "as_of_shown": True,
        "structure": trade_figures(trade, until=past.moment) if fills else None,
        "status": _status_then(trade, past.moment),
        "legs": leg_rows(trade_position(trade, until=past.moment).legs, today),
        "fills": [(fill, fill.pk in live) for fill in sorted(fills, key=lambda f: f.executed_at)],
        "may_write": not past and _may_write(request, trade) and trade.account.archived_at is None,
        "protects": trade.protects.all(),
        "protected_by": trade.protected_by.all(),
        "today": today,
        **valuation_context(trade, past.moment),
        **review_context(request, trade),
        **trade_context(trade, past.day),
        **chain_context(person(request), trade),
    }
    return render(request, "journal/trades/detail.html", context)


def _status_then(trade: Trade, moment: datetime | None) -> str:
    """The trade's status, now or at a past moment."""
    if moment is None:
        return trade.status
    if trade.closed_at is not None and trade.closed_at <= moment:
        return Trade.Status.CLOSED
    return Trade.Status.OPEN if trade.opened_at and trade.opened_at <= moment else "not open yet"


@login_required
def trade_valuation(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show the valuation fragment; it asks for itself again while a worker is busy."""
    trade = trade_get(person(request), pk)
    context = {"trade": trade, **valuation_context(trade, as_of_for(request).moment)}
    return render(request, "journal/valuation/fragment.html", context)


def valuation_context(trade: Trade, moment: datetime | None = None) -> dict[str, Any]:
    """Gather what the valuation fragment shows, now or as it was at a past moment."""
    reason = ""
    if moment is None:
        current = trade_current(trade)
    else:
        then, reason = trade_then(trade=trade, moment=moment)
        current = Current(then, is_current=True, job=None)
    result = current.result
    chart = None
    if result and result["analysis"]["payoff"]:
        curve = result["analysis"]["payoff"]
        structure = result["structure"]
        chart = {**curve, "break_evens": structure["break_evens"]}
    table = _chart_table(chart)
    return {
        "current": current,
        "result": result,
        "chart": chart,
        "chart_table": table,
        "past_reason": reason,
    }


def _chart_table(chart: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Pick about twenty rows of the payoff chart, for readers and screen readers."""
    if chart is None:
        return []
    step = max(1, len(chart["prices"]) // 20)
    today = chart["today"] or [None] * len(chart["prices"])
    rows = list(zip(chart["prices"], chart["expiry"], today, strict=True))
    return [{"price": p, "expiry": e, "today": t} for p, e, t in rows[::step]]


@login_required
def close(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Close a trade wholly or leg by leg."""
    user = person(request)
    get_owned(Trade, user, pk, WRITE_ROLES)
    trade = trade_get(user, pk)
    if token_used(trade.account, "form", request.POST.get("token", "")):
        return redirect("journal:trade_detail", pk=pk)
    legs = trade_position(trade).legs
    if not legs:
        messages.info(request, "This trade has no open legs.")
        return redirect("journal:trade_detail", pk=pk)
    initial = {"version": trade.version, "filled_at": likely_fill_time()}
    marks = trade_marks(trade)
    form = CloseForm(
        request.POST or None,
        legs=legs,
        initial=initial,
        marks=marks.prices if marks else {},
        prefill=request.GET.get("prefill") == "marks",
    )
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            data = form.cleaned_data
            trade_close(
                user=user, trade=trade, order=form.order(), version=data["version"], reason=data["reason"],
                accept_size=data["accept_size"],
            )  # fmt: skip
        except RuleError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        except ConflictError as error:
            form.add_error(None, str(error))
            status = 409
        else:
            messages.success(request, "Closing fills recorded.")
            return redirect("journal:trade_detail", pk=pk)
    context = {"trade": trade, "form": form, "marks": marks}
    return render(request, "journal/trades/close.html", context, status=status)


@login_required
@require_POST
def reverse_fill(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Correct a fill by its mirror image."""
    user = person(request)
    fill = get_owned(Fill, user, pk, WRITE_ROLES)
    form = ReverseForm(request.POST)
    if not form.is_valid():
        messages.error(request, str(form.errors["reason"][0]))
        return redirect("journal:trade_detail", pk=fill.trade_id)
    try:
        fill_reverse(user=user, fill=fill, reason=form.cleaned_data["reason"])
    except RuleError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "The fill was reversed. Record it again if it happened differently.")
    return redirect("journal:trade_detail", pk=fill.trade_id)

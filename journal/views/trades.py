"""Trades: list, page, live valuation, closing, correcting a fill."""

from __future__ import annotations

import csv
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from journal.forms.entry import CloseForm
from journal.models import WRITE_ROLES, Fill, Trade
from journal.selectors.trades import trade_get, trade_position, trade_structure, trades_for, with_fills
from journal.selectors.valuation import trade_current
from journal.services.errors import ConflictError, RuleError
from journal.services.safe_csv import safe_cell
from journal.services.trades import fill_reverse, trade_close
from journal.views.common import now_wall_clock, person

PAGE = 50


def _filtered(request: HttpRequest) -> Any:
    """The user's trades narrowed by what the address says; unknown values narrow nothing."""
    trades = trades_for(person(request))
    status, kind = request.GET.get("status", ""), request.GET.get("kind", "")
    if status in Trade.Status.values:
        trades = trades.filter(status=status)
    if kind in Trade.Kind.values:
        trades = trades.filter(kind=kind)
    if text := request.GET.get("q", "").strip()[:80]:
        trades = trades.filter(label__icontains=text)
    try:
        account = UUID(request.GET.get("account", ""))
    except ValueError:
        return trades
    return trades.filter(account_id=account)


@login_required
def trade_list(request: HttpRequest) -> HttpResponse:
    """Trades with filters in the URL, totals for the filter, and a CSV of the same."""
    trades = _filtered(request)
    page = Paginator(trades.prefetch_related("protects"), PAGE).get_page(request.GET.get("page"))
    rows = list(trades.values_list("net_cash", "fees_total", "status"))
    totals = {
        "count": len(rows),
        "realized": sum((c - f for c, f, s in rows if s == Trade.Status.CLOSED), Decimal(0)),
        "fees": sum((f for _, f, _ in rows), Decimal(0)),
    }
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "page": page, "totals": totals, "query": query.urlencode(), "today": timezone.localdate(),
        "kinds": Trade.Kind.choices, "statuses": Trade.Status.choices, "chosen": request.GET,
    }
    return render(request, "journal/trades/list.html", context)


@login_required
def trade_csv(request: HttpRequest) -> HttpResponse:
    """The filtered trades as CSV."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="trades.csv"'
    writer = csv.writer(response)
    writer.writerow(["account", "kind", "layer", "label", "status", "opened_at", "closed_at", "net_cash", "fees"])
    for trade in _filtered(request):
        writer.writerow([
            safe_cell(trade.account.name), trade.kind, trade.layer or "", safe_cell(trade.label), trade.status,
            trade.opened_at.isoformat() if trade.opened_at else "",
            trade.closed_at.isoformat() if trade.closed_at else "", trade.net_cash, trade.fees_total,
        ])
    return response


def _may_write(request: HttpRequest, trade: Trade) -> bool:
    return Trade.objects.for_user(person(request), WRITE_ROLES).filter(pk=trade.pk).exists()


@login_required
def trade_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One trade: what it can gain and lose, its live valuation, its fills."""
    trade = trade_get(person(request), pk)
    context = {
        "trade": trade, "structure": trade_structure(trade), "position": trade_position(trade),
        "fills": sorted(trade.fills.all(), key=lambda fill: fill.executed_at),
        "may_write": _may_write(request, trade), "protects": trade.protects.all(),
        "protected_by": trade.protected_by.all(), "today": timezone.localdate(),
        **valuation_context(trade),
    }
    return render(request, "journal/trades/detail.html", context)


@login_required
def trade_valuation(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The valuation fragment; it asks for itself again while a worker is busy."""
    trade = trade_get(person(request), pk)
    return render(request, "journal/valuation/fragment.html", {"trade": trade, **valuation_context(trade)})


def valuation_context(trade: Trade) -> dict[str, Any]:
    """What the valuation fragment shows."""
    current = trade_current(trade)
    result = current.result
    chart = None
    if result and result["analysis"]["payoff"]:
        curve = result["analysis"]["payoff"]
        structure = result["structure"]
        chart = {**curve, "break_evens": structure["break_evens"]}
    return {"current": current, "result": result, "chart": chart, "chart_table": _chart_table(chart)}


def _chart_table(chart: dict[str, Any] | None) -> list[dict[str, Any]]:
    """About twenty rows of the payoff chart, for readers and screen readers."""
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
    trade = get_object_or_404(with_fills(Trade.objects.for_user(user, WRITE_ROLES)), pk=pk)
    legs = trade_position(trade).legs
    if not legs and request.method != "POST":
        messages.info(request, "This trade has no open legs.")
        return redirect("journal:trade_detail", pk=pk)
    form = CloseForm(
        request.POST or None, legs=legs, initial={"version": trade.version, "filled_at": now_wall_clock()}
    )
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            trade_close(user=user, trade=trade, order=form.order(), version=form.cleaned_data["version"])
        except RuleError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        except ConflictError as error:
            form.add_error(None, str(error))
            status = 409
        else:
            messages.success(request, "Closing fills recorded.")
            return redirect("journal:trade_detail", pk=pk)
    return render(request, "journal/trades/close.html", {"trade": trade, "form": form}, status=status)


@login_required
@require_POST
def reverse_fill(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Correct a fill by its mirror image."""
    user = person(request)
    fill = get_object_or_404(Fill.objects.for_user(user, WRITE_ROLES).select_related("trade__account"), pk=pk)
    try:
        fill_reverse(user=user, fill=fill, reason=request.POST.get("reason", ""))
    except RuleError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "The fill was reversed. Record it again if it happened differently.")
    return redirect("journal:trade_detail", pk=fill.trade_id)

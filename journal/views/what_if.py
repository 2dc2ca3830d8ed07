"""What-if: two selections of trades under joint SPX × VIX shocks."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from hedging.selectors.calendar import session_date
from journal.forms.what_if import MOST_DAYS, WhatIfForm
from journal.selectors.shell import current_account
from journal.selectors.what_if import SHOWN, SHOWN_AT_FIRST, what_if, what_if_trades


@login_required
def page(request: HttpRequest) -> HttpResponse:
    """The grid, the presets, the path and an opened cell; the address holds every choice."""
    account = current_account(request)
    if account is None:
        return render(request, "journal/dashboard/empty.html")
    form = WhatIfForm(request.GET)
    valid = form.is_valid()
    days = (form.cleaned_data.get("days") or 0) if valid else 0
    show = (form.cleaned_data.get("show") or "a") if valid else "a"
    chosen = "chosen" in request.GET
    trades = what_if_trades(
        account,
        session_date(timezone.now()),
        request.GET.getlist("a") if chosen else None,
        request.GET.getlist("b") if chosen else None,
    )
    query = request.GET.copy()
    query.pop("cell", None)
    context = {
        "account": account,
        "form": form,
        "trades": trades,
        "days": days,
        "most_days": min(MOST_DAYS, max((t.days for t in trades if t.days is not None), default=0)),
        "show": show,
        "shown": SHOWN if chosen else SHOWN_AT_FIRST,
        "query": query.urlencode(),
        "result": what_if(account, trades, days=days, show=show, opened=form.cleaned_data.get("cell"))
        if valid and trades
        else None,
    }
    fragment = "HX-Request" in request.headers
    return render(
        request, "journal/what_if/result.html" if fragment else "journal/what_if/page.html", context
    )

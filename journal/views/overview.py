"""Dashboard of the current account."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from hedging.selectors.calendar import session_date
from journal.selectors import overview
from journal.selectors.alerts import alert_page
from journal.selectors.as_of import as_of_for
from journal.selectors.book.valuation import account_current
from journal.selectors.past import account_then
from journal.selectors.results.performance import glance
from journal.selectors.shell import current_account
from journal.views.common import person


@login_required
def dashboard(request: HttpRequest) -> HttpResponse:
    """Where the account stands and what wants attention."""
    account = current_account(request)
    if account is None:
        return render(request, "journal/dashboard/empty.html")
    user = person(request)
    past = as_of_for(request)
    if past.day and past.moment:
        then = account_then(user=user, account=account, moment=past.moment)
        context = {
            "account": account,
            "current": then.current,
            "trades": then.trades,
            "attention": overview.attention(then.trades, past.day),
            "realized": then.realized,
            "today": past.day,
            "past_reason": then.reason,
            "as_of_shown": True,
            "glance": glance(account, past.day),
            "net": overview.net_liquidation(
                account, past.day, realized=then.realized, result=then.current.result
            ),
        }
        return render(request, "journal/dashboard/page.html", context | _decided(context))
    trades = overview.account_trades(user, account)
    today, current = session_date(timezone.now()), account_current(account)
    realized = overview.realized_total(user, account)
    context = {
        "account": account,
        "current": current,
        "trades": trades,
        "attention": overview.attention(trades, today),
        "realized": realized,
        "net": overview.net_liquidation(account, today, realized=realized, result=current.result),
        "today": today,
        "glance": glance(account, today),
        "alerts": alert_page(user, account).open_ones,
    }
    return render(request, "journal/dashboard/page.html", context | _decided(context))


def _decided(context: dict[str, Any]) -> dict[str, bool]:
    """What the page leaves out or says in place of a figure."""
    result = context["current"].result
    return {
        "mark_is_missing": context["net"] is None and bool(result),
        "nothing_to_cover": bool(result) and "coverage" in result and result["coverage"] is None,
        "has_history": bool(context["trades"] or context["realized"]),
        "is_quiet": not context.get("alerts") and not context["attention"],
    }

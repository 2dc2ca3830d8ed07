"""The hedge page: what the rules say, ladder, triggers, open layers, shocks."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from hedging.selectors.calendar import session_date
from hedging.services.signals import signals_request
from journal.models import WRITE_ROLES, Account, Trade
from journal.selectors import overview
from journal.selectors.hedge import hedge_page
from journal.selectors.shell import current_account
from journal.selectors.signing import SIGN_ROLES
from journal.selectors.valuation import account_current
from journal.views.common import person
from journal.views.jobs import shown_job


@login_required
def page(request: HttpRequest) -> HttpResponse:
    """Recommendations first, then the ladder against what is held, triggers and the shock grid."""
    account = current_account(request)
    if account is None:
        return render(request, "journal/dashboard/empty.html")
    user = person(request)
    trades = overview.account_trades(user, account, kind=Trade.Kind.HEDGE)
    trades.sort(key=lambda trade: (trade.layer or 0, trade.nearest_expiry or timezone.localdate()))
    values = overview.layer_values(account, trades)
    shown = hedge_page(user, account, timezone.now())
    if not shown.triggers.current:
        signals_request(simulated=account.is_demo, params=shown.triggers.rules.params)
    context = {
        "account": account,
        "current": account_current(account),
        "page": shown,
        "shown_job": shown_job(user, shown.job) if shown.job and shown.job.state != "done" else None,
        "may_decide": Account.objects.for_user(user, (*WRITE_ROLES, *SIGN_ROLES))
        .filter(pk=account.pk)
        .exists(),
        "rows": [{"trade": t, "values": values.get(str(t.pk)) if values else None} for t in trades],
        "levels": overview.LAYER_VIX,
        "grid": overview.heat_rows(account),
        "today": session_date(timezone.now()),
        "token": timezone.now().strftime("%H%M%S%f"),
    }
    return render(request, "journal/hedge/page.html", context)

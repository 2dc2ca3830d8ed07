"""The hedge page: what the rules say, ladder, triggers, open layers, shocks; now or on a past day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from hedging.engine.book import Book
from hedging.engine.market import MarketSnapshot
from hedging.selectors.calendar import session_date
from hedging.services.signals import signals_request
from journal.models import WRITE_ROLES, Account, Trade, User
from journal.selectors import overview
from journal.selectors.as_of import as_of_for
from journal.selectors.book.valuation import account_current
from journal.selectors.governance.hedge import hedge_page, hedge_past
from journal.selectors.governance.signing import SIGN_ROLES
from journal.selectors.past import account_then
from journal.selectors.shell import current_account
from journal.views.common import person
from journal.views.jobs import shown_job


@login_required
def page(request: HttpRequest) -> HttpResponse:
    """Recommendations first, then the ladder against what is held, triggers and the shock grid."""
    account = current_account(request)
    if account is None:
        return render(request, "journal/dashboard/empty.html")
    user, past = person(request), as_of_for(request)
    if past.day and past.moment:
        return render(
            request, "journal/governance/hedge/page.html", _past(user, account, past.day, past.moment)
        )
    trades = overview.account_trades(user, account, kind=Trade.Kind.HEDGE)
    held = overview.book_and_market(account)
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
        **_shocks(trades, *(held or (None, None))),
        "today": session_date(timezone.now()),
        "token": timezone.now().strftime("%H%M%S%f"),
    }
    return render(request, "journal/governance/hedge/page.html", context)


def _past(user: User, account: Account, day: date, moment: datetime) -> dict[str, Any]:
    """The page of a past day: what was held, advised and fired then; nothing can be decided."""
    then = account_then(user=user, account=account, moment=moment)
    trades = [trade for trade in then.trades if trade.kind == Trade.Kind.HEDGE]
    return {
        "account": account,
        "current": then.current,
        "page": hedge_past(user, account, moment),
        "may_decide": False,
        "past": True,
        "past_reason": then.reason,
        "as_of_shown": True,
        **_shocks(trades, then.book if then.market else None, then.market),
        "today": day,
    }


def _at_levels(worth: list[float]) -> list[tuple[float, float]]:
    """Pairs of a VIX level and what the layer gains there; nothing where it is unknown."""
    return list(zip(overview.LAYER_VIX, worth, strict=True)) if worth else []


def _shocks(trades: list[Trade], book: Book | None, market: MarketSnapshot | None) -> dict[str, Any]:
    """Layers with their worth at higher VIX levels, and the grid; unknown without a market."""
    trades.sort(key=lambda trade: (trade.layer or 0, trade.nearest_expiry or timezone.localdate()))
    known = (None if book is None or market is None else overview.layer_values(book, market, trades)) or {}
    return {
        "rows": [{"trade": t, "values": _at_levels(known.get(str(t.pk), []))} for t in trades],
        "levels": overview.LAYER_VIX,
        "grid": None if book is None or market is None else overview.heat_rows(book, market),
    }

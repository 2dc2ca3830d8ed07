"""What the guardrails say of a closing or a roll, before it is recorded."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from journal.errors import RuleError
from journal.forms.book.closing import CloseForm
from journal.forms.book.rolling import RollForm
from journal.models import WRITE_ROLES, Trade
from journal.selectors.book.trades import trade_get, trade_position
from journal.services.book.judging import JudgedOrder, TradeOrder, judge
from journal.services.book.rolls import roll_order
from journal.views.common import get_owned, person


@login_required
@require_POST
def close_preview(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Judge the closing as it stands in the form."""
    trade = _trade(request, pk)
    form = CloseForm(request.POST, legs=trade_position(trade).legs)
    if not form.is_valid():
        return _waiting(request)
    try:
        found = judge(TradeOrder(trade.account, form.order(), trade=trade))
    except RuleError as error:
        return _waiting(request, error.message)
    except KeyError:
        return _waiting(request, "The trade has no open legs any more.")
    return _shown(request, found)


@login_required
@require_POST
def roll_preview(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Judge the roll as it stands in the form: what is closed and opened, as one order."""
    trade = _trade(request, pk)
    form = RollForm(request.POST, legs=trade_position(trade).legs)
    if not form.is_valid():
        return _waiting(request)
    try:
        closing, opening = form.orders()
        found = judge(roll_order(trade, closing, opening))
    except RuleError as error:
        return _waiting(request, error.message)
    except KeyError:
        return _waiting(request, "The trade has no open legs any more.")
    return _shown(request, found)


def _trade(request: HttpRequest, pk: UUID) -> Trade:
    user = person(request)
    get_owned(Trade, user, pk, WRITE_ROLES)
    return trade_get(user, pk)


def _shown(request: HttpRequest, found: JudgedOrder) -> HttpResponse:
    return render(request, "journal/book/guard_preview.html", {"guard": found.guard, "waiting": ""})


def _waiting(request: HttpRequest, words: str = "Fill in the prices.") -> HttpResponse:
    return render(request, "journal/book/guard_preview.html", {"guard": None, "waiting": words})

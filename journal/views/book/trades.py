"""Trades: page, closing, correcting a fill."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from journal.errors import ConflictError, RuleError
from journal.forms.book.closing import CloseForm, ReverseForm
from journal.models import WRITE_ROLES, Fill, Trade
from journal.selectors.as_of import as_of_for
from journal.selectors.book.greeks_history import greeks_history
from journal.selectors.book.roll_history import chain_context
from journal.selectors.book.structures import leg_rows, trade_figures
from journal.selectors.book.trade_figures import chain_pnl
from journal.selectors.book.trades import live_fills, trade_get, trade_position
from journal.selectors.book.valuation import trade_marks
from journal.services.book.ledger import token_used
from journal.services.book.trades import fill_reverse, trade_close
from journal.views.attribution import trade_context
from journal.views.book.entry import copied_legs
from journal.views.book.payoff import payoff_context
from journal.views.book.valuation import valuation_context
from journal.views.common import get_owned, likely_fill_time, person, today_in_new_york
from journal.views.review.review import review_context


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
    valued = valuation_context(trade, past.moment)
    legs = leg_rows(trade_position(trade, until=past.moment).legs, today)
    may_write = not past and _may_write(request, trade) and trade.account.archived_at is None
    attributed = trade_context(trade, past.day)
    context = {
        "trade": trade,
        "as_of_shown": True,
        "structure": trade_figures(trade, until=past.moment) if fills else None,
        "status": _status_then(trade, past.moment),
        "legs": legs,
        "fills": [(fill, fill.pk in live) for fill in sorted(fills, key=lambda f: f.executed_at)],
        "may_write": may_write,
        "may_trade": may_write and bool(legs),
        "may_settle": may_write and bool(attributed["due"]),
        "duplicate_url": _duplicate_url(request, trade) if not past else "",
        "protects": trade.protects.all(),
        "protected_by": trade.protected_by.all(),
        "today": today,
        **valued,
        **payoff_context(request, trade, valued),
        **review_context(request, trade),
        **attributed,
        **chain_context(person(request), trade),
        "greeks": greeks_history(trade, past.day),
        "chain_pnl": chain_pnl(person(request), trade),
    }
    return render(request, "journal/book/detail.html", context)


def _duplicate_url(request: HttpRequest, trade: Trade) -> str:
    """The form that enters the same legs again; empty where none has them or nothing may be written."""
    if not _may_write(request, trade) or copied_legs(trade) is None:
        return ""
    return reverse("journal:hedge_entry" if trade.kind == Trade.Kind.HEDGE else "journal:trade_entry")


def _status_then(trade: Trade, moment: datetime | None) -> str:
    """The trade's status, now or at a past moment."""
    if moment is None:
        return trade.status
    if trade.closed_at is not None and trade.closed_at <= moment:
        return Trade.Status.CLOSED
    return Trade.Status.OPEN if trade.opened_at and trade.opened_at <= moment else "not open yet"


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
    return render(request, "journal/book/close.html", context, status=status)


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

"""Rolling a trade in one form."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from hedging.engine.book import InstrumentKind
from journal.errors import ConflictError, RuleError
from journal.forms.book.rolling import RollForm
from journal.models import WRITE_ROLES, Trade
from journal.selectors.book.trades import trade_get, trade_position
from journal.selectors.book.valuation import trade_marks
from journal.services.book.ledger import token_used
from journal.services.book.rolls import trade_roll
from journal.views.common import get_owned, likely_fill_time, person


@login_required
def roll(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Close every open leg and open it again at another expiry or strike; both trades become a chain."""
    user = person(request)
    get_owned(Trade, user, pk, WRITE_ROLES)
    trade = trade_get(user, pk)
    token = request.POST.get("token", "")
    if token_used(trade.account, "form", f"{token}-close"):
        return redirect("journal:trade_chain", pk=pk)
    legs = trade_position(trade).legs
    if not legs or any(leg.spec.kind is not InstrumentKind.OPTION for leg in legs):
        messages.info(request, "Only open options can be rolled; close and open other positions by hand.")
        return redirect("journal:trade_detail", pk=pk)
    marks = trade_marks(trade)
    form = RollForm(
        request.POST or None,
        legs=legs,
        marks=marks.prices if marks else {},
        prefill=request.GET.get("prefill") == "marks",
        initial={"version": trade.version, "filled_at": likely_fill_time()},
    )
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            closing, opening = form.orders()
            opened = trade_roll(
                user=user, trade=trade, closing=closing, opening=opening, kind=form.roll_kind(),
                version=form.cleaned_data["version"], reason=form.cleaned_data["reason"],
                accept_size=form.cleaned_data["accept_size"],
            )  # fmt: skip
        except RuleError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        except ConflictError as error:
            form.add_error(None, str(error))
            status = 409
        else:
            messages.success(request, "Rolled: closed, opened and linked.")
            return redirect("journal:trade_chain", pk=opened.pk)
    context = {"trade": trade, "form": form, "marks": marks}
    return render(request, "journal/book/roll.html", context, status=status)

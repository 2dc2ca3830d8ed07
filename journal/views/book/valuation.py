"""The valuation of a trade as a fragment that asks for itself while a worker is busy."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from journal.models import Trade
from journal.selectors.as_of import as_of_for
from journal.selectors.book.trades import trade_get
from journal.selectors.book.valuation import Current, trade_current
from journal.selectors.past import trade_then
from journal.views.common import person


@login_required
def trade_valuation(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show the valuation; once a worker is done the payoff beside it is told to draw itself again."""
    trade = trade_get(person(request), pk)
    context = {"trade": trade, **valuation_context(trade, as_of_for(request).moment)}
    response = render(request, "journal/book/valuation/fragment.html", context)
    if not context["current"].waiting:
        response["HX-Trigger"] = "valued"
    return response


def valuation_context(trade: Trade, moment: datetime | None = None) -> dict[str, Any]:
    """Gather what the valuation fragment shows, now or as it was at a past moment."""
    reason = ""
    if moment is None:
        current = trade_current(trade)
    else:
        then, reason = trade_then(trade=trade, moment=moment)
        current = Current(then, is_current=True, job=None)
    return {"current": current, "result": current.result, "past_reason": reason}

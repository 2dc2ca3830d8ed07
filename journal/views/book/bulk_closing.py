"""Closing the chosen trades of the list on one page."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from journal.errors import RuleError
from journal.forms.book.bulk_closing import BulkCloseForms
from journal.selectors.book.closing import closing_trades
from journal.services.book.bulk_close import MOST, RowsRefusedError, bulk_close
from journal.views.common import likely_fill_time, list_address, person, uuids


def close_address(ids: list[UUID], query: str) -> str:
    """The page that closes these trades and then goes back to the list."""
    found = [*(("id", str(pk)) for pk in ids), ("query", query)]
    return f"{reverse('journal:trades_close')}?{urlencode(found)}"


@login_required
def close(request: HttpRequest) -> HttpResponse:
    """Show the trades of the address with their legs and marks; close those that are taken, or none."""
    user = person(request)
    sent: QueryDict = request.POST if request.method == "POST" else request.GET
    query = sent.get("query", "")
    ids = uuids(sent.getlist("id"))
    trades = closing_trades(user, ids[:MOST], timezone.now())
    forms = BulkCloseForms.make(
        request.POST if request.method == "POST" else None,
        trades,
        filled_at=likely_fill_time(),
        prefill=request.GET.get("prefill", ""),
    )
    status = 200
    if request.method == "POST":
        status = _closed(request, forms)
        if status == 302:
            return redirect(list_address(query))
    if not trades:
        messages.info(request, "None of these trades can be closed by you.")
        return redirect(list_address(query))
    context = {
        "forms": forms, "query": query, "left_out": len(ids[MOST:]), "most": MOST,
        "again": close_address(ids[:MOST], query),
    }  # fmt: skip
    return render(request, "journal/book/bulk_close.html", context, status=status)


def _closed(request: HttpRequest, forms: BulkCloseForms) -> int:
    """Close what was sent: 302 when it is done, else the status to show the refusals with."""
    if not forms.is_valid():
        return 400
    try:
        closings = forms.closings()
        if forms.has_errors:
            return 400
        bulk_close(user=person(request), closings=closings, token=forms.shared.cleaned_data["token"])
    except RowsRefusedError as refused:
        for refusal in refused.refusals:
            forms.refuse(refusal)
        return 409 if any(refusal.conflict for refusal in refused.refusals) else 400
    except RuleError as refusal:
        field = refusal.field if refusal.field in forms.shared.fields else None
        forms.shared.add_error(field, refusal.message)
        return 400
    return 302

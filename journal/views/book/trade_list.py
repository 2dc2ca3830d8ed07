"""The list of trades: filters in the address, saved views, CSV, changes of many trades and their undo."""

from __future__ import annotations

import csv
import secrets
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from journal.errors import ConflictError, RuleError
from journal.models import WRITE_ROLES, Account, BulkChange, SavedView, Tag, Trade, User
from journal.safe_csv import safe_cell
from journal.selectors.book.trade_figures import figures_of, with_fills_of
from journal.selectors.book.trade_list import (
    SORTS,
    TradeFilters,
    trade_rows,
    trade_totals,
    trades_filtered,
    with_page_details,
)
from journal.selectors.shell import nav_accounts
from journal.services.book.bulk_close import MOST
from journal.services.book.bulk_edit import BulkOrder, bulk_apply, writable_trades
from journal.services.saved_views import view_remove, view_save
from journal.services.undo import change_undo
from journal.services.undo_records import UNDO_FOR
from journal.views.book.bulk_closing import close_address
from journal.views.common import (
    list_address,
    local_address,
    person,
    say_removed,
    small_number,
    today_in_new_york,
    uuids,
)

PAGE = 50
_COLUMNS = (
    "account", "kind", "layer", "label", "status", "opened_at", "closed_at", "nearest_expiry",
    "net_cash", "fees", "realized", "open_pnl", "rating", "tags", "mistakes", "reason",
)  # fmt: skip
_OF_TRADES = tuple(getattr(BulkChange.Action, name) for name in ("TAG", "UNTAG", "RATE", "MOVE", "CLOSE"))
#: Filters that stand behind "More filters".
_FURTHER = ("layer", "underlying", "tag", "from", "to", "dte_min", "dte_max", "pnl_min", "pnl_max")


@login_required
def trade_list(request: HttpRequest) -> HttpResponse:
    """Show trades with filters in the address, totals for the filter, and a CSV of the same."""
    user = person(request)
    filters = TradeFilters.from_query(request.GET)
    trades = trades_filtered(user, filters, today=today_in_new_york())
    totals = trade_totals(trades)
    paginator = Paginator(with_fills_of(with_page_details(trades)), PAGE)
    paginator.count = totals.count  # counted already; the same query again costs as much as the page
    page = paginator.get_page(request.GET.get("page"))
    writable = frozenset(_writable(user).values_list("pk", flat=True))
    query = request.GET.copy()
    query.pop("page", None)
    rows = trade_rows(page, writable)
    more = figures_of(user, rows)
    several = len(nav_accounts(user)) > 1
    context = {
        "page": page, "rows": [(row, more[row.trade.pk]) for row in rows], "totals": totals,
        "filters": filters,
        "writable_count": writable_trades(user, trades).count() if writable else 0,
        "query": query.urlencode(), "today": today_in_new_york(), "chosen": request.GET,
        "columns": [c for c in _headers(filters.sort, query) if several or c["key"] != "account"],
        "several_accounts": several,
        "token": secrets.token_urlsafe(12),
        "further": any(request.GET.get(name) for name in _FURTHER), "last": _last_change(user),
        **_choices(user),
    }  # fmt: skip
    return render(request, "journal/book/list.html", context)


def _writable(user: User) -> QuerySet[Account]:
    return Account.objects.for_user(user, WRITE_ROLES).filter(archived_at=None)


def _choices(user: User) -> dict[str, Any]:
    names = Tag.objects.for_user(user).order_by("name").values_list("name", flat=True)
    underlyings = Trade.objects.for_user(user).order_by().values_list("underlying", flat=True).distinct()
    return {
        "kinds": Trade.Kind.choices, "statuses": Trade.Status.choices, "layers": (1, 2, 3),
        "tag_names": list(dict.fromkeys(names)), "underlyings": sorted(filter(None, underlyings)),
        "views": SavedView.objects.for_user(user), "move_to": _writable(user),
    }  # fmt: skip


_HEADERS = (
    ("label", "Position", ""), ("account", "Account", ""), ("opened", "Opened (ET)", ""),
    ("expiry", "Expiry", ""), ("expiry", "DTE", "num"), ("", "Qty", "num"), ("cash", "Credit / cash", "num"),
    ("", "Mark", "num"), ("pnl", "P&L after fees", "num"), ("", "Δ, $ per point", "num"),
    ("rating", "Rating", "num"),
    ("status", "Status", ""),
)  # fmt: skip


def _headers(sort: str, query: QueryDict) -> list[dict[str, str]]:
    """Column heads with the address that orders by them; a second press turns the order round."""
    heads = []
    for key, text, css in _HEADERS:
        wanted = f"-{key}" if sort == key else key
        address = query.copy()
        address["sort"] = wanted
        order = ("descending" if sort.startswith("-") else "ascending") if sort.lstrip("-") == key else ""
        heads.append(
            {
                "key": key,
                "text": text,
                "css": css,
                "url": address.urlencode() if key in SORTS else "",
                "order": order,
            }
        )
    return heads


def _last_change(user: User) -> BulkChange | None:
    """The newest change of trades while it can be undone."""
    rows = BulkChange.objects.for_user(user).filter(
        created_at__gt=timezone.now() - UNDO_FOR, undone_at=None, action__in=_OF_TRADES
    )
    return rows.defer("undo").first()


@login_required
def trade_csv(request: HttpRequest) -> HttpResponse:
    """Write the filtered trades as CSV: texts made harmless, figures left numeric."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="trades.csv"'
    writer = csv.writer(response)
    writer.writerow(_COLUMNS)
    filters = TradeFilters.from_query(request.GET)
    trades = trades_filtered(person(request), filters, today=today_in_new_york())
    for row in trade_rows(with_page_details(trades)):
        trade = row.trade
        closed = trade.status == Trade.Status.CLOSED
        writer.writerow(
            [
                safe_cell(trade.account.name),
                trade.kind,
                trade.layer or "",
                safe_cell(trade.label),
                trade.status,
                trade.opened_at.isoformat() if trade.opened_at else "",
                trade.closed_at.isoformat() if trade.closed_at else "",
                trade.nearest_expiry or "",
                f"{trade.net_cash:.2f}",
                f"{trade.fees_total:.2f}",
                f"{trade.realized:.2f}" if closed else "",
                "" if closed or row.pnl is None else f"{row.pnl:.2f}",
                row.rating or "",
                safe_cell(", ".join(row.tags)),
                safe_cell(", ".join(row.mistakes)),
                safe_cell(trade.reason),
            ]
        )
    return response


def _back(request: HttpRequest) -> HttpResponse:
    """Where the form says it came from, else the list as it was."""
    back = local_address(request, request.POST.get("next", ""))
    return redirect(back or list_address(request.POST.get("query", "")))


def _chosen_trades(request: HttpRequest, user: User) -> QuerySet[Any]:
    """The ticked trades, or everything that matches the list's filters."""
    if request.POST.get("all") == "1":
        filters = TradeFilters.from_query(QueryDict(request.POST.get("query", "")))
        return trades_filtered(user, filters, today=today_in_new_york())
    return Trade.objects.for_user(user).filter(pk__in=uuids(request.POST.getlist("id")))


@login_required
@require_POST
def bulk(request: HttpRequest) -> HttpResponse:
    """Tag, untag, rate or move the chosen trades; the list then offers Undo. Closing has its own page."""
    user = person(request)
    action, expected = request.POST.get("action", ""), small_number(request.POST.get("expected", ""))
    if action == BulkChange.Action.CLOSE:
        return _to_close(request, user)
    ticked = set(request.POST.getlist("id"))
    order = BulkOrder(
        action=action,
        value=request.POST.get(f"{action}_value", "") if action.isalpha() else "",
        # Without scripts nobody counted: then it is what was ticked.
        expected=len(ticked) if expected is None else expected,
        token=request.POST.get("token", ""),
        kind=request.POST.get("kind", Tag.Kind.LABEL),
    )
    try:
        bulk_apply(user=user, trades=_chosen_trades(request, user), order=order)
    except RuleError as refusal:
        messages.error(request, refusal.message)
    except ConflictError as conflict:
        messages.error(request, str(conflict))
    return _back(request)


def _to_close(request: HttpRequest, user: User) -> HttpResponse:
    """The page that closes the chosen trades; those that are closed already are left out."""
    trades = writable_trades(user, _chosen_trades(request, user)).filter(status=Trade.Status.OPEN)
    ids = list(trades.values_list("pk", flat=True)[: MOST + 1])
    if not ids or len(ids) > MOST:
        text = f"At most {MOST} trades are closed at once." if ids else "None of the chosen trades is open."
        messages.error(request, text)
        return _back(request)
    return redirect(close_address(ids, request.POST.get("query", "")))


@login_required
@require_POST
def undo(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Undo a change of many trades; a repeat says the same and does nothing more."""
    user = person(request)
    change = get_object_or_404(BulkChange.objects.for_user(user), pk=pk)
    try:
        change = change_undo(user=user, change=change)
    except RuleError as refusal:
        messages.error(request, refusal.message)
        return _back(request)
    done, total = change.undone_count or 0, len(change.undo)
    if done == total:
        messages.success(request, f"Undone: {change.summary}.")
    else:
        messages.warning(
            request, f"Undone on {done} of {total}: what was changed since stays. {change.summary}."
        )
    return _back(request)


@login_required
@require_POST
def save_view(request: HttpRequest) -> HttpResponse:
    """Save the list's filters and order under a name."""
    try:
        view = view_save(
            user=person(request), name=request.POST.get("name", ""), query=request.POST.get("query", "")
        )
    except RuleError as refusal:
        messages.error(request, refusal.message)
        return _back(request)
    messages.success(request, f"View “{view.name}” saved.")
    return redirect(list_address(view.query))


@login_required
@require_POST
def remove_view(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Forget a saved view."""
    view = get_object_or_404(SavedView.objects.for_user(person(request)), pk=pk)
    change = view_remove(user=person(request), view=view)
    say_removed(request, change, f"View “{view.name}” removed.")
    return _back(request)

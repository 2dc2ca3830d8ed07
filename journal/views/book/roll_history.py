"""Links between trades: confirm, dismiss, draw; and taking an imported trade apart."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from journal.errors import RuleError
from journal.models import WRITE_ROLES, Trade, TradeLink
from journal.selectors.book.roll_history import chain_of, link_payoff, links_about
from journal.selectors.book.trade_figures import chain_pnl
from journal.selectors.book.trades import trade_get
from journal.services.book.links import link_decide, link_draw, trade_anchor
from journal.services.imports.groups import group_split, trade_rows
from journal.views.common import get_owned, local_address, person, say_removed

_CHOICES = 100


def _back(request: HttpRequest, fallback: UUID) -> HttpResponse:
    back = local_address(request, request.headers.get("Referer", ""))
    return redirect(back) if back else redirect("journal:trade_chain", pk=fallback)


@login_required
@require_POST
def decide(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Confirm a proposed roll, or say that it is none."""
    user = person(request)
    link = get_owned(TradeLink, user, pk, WRITE_ROLES)
    confirm = request.POST.get("do", "confirm") == "confirm"
    try:
        change = link_decide(user=user, link=link, confirm=confirm, kind=request.POST.get("kind", ""))
    except RuleError as error:
        messages.error(request, error.message)
    else:
        say_removed(request, change, "Linked." if confirm else "Noted: not a roll.")
    target = link.later_id or link.earlier_id
    return _back(request, target) if target else redirect("journal:imports")


@login_required
def chain(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The chain of a trade with cumulative credit and P&L, its links and payoffs; a form to draw a link."""
    user = person(request)
    trade = trade_get(user, pk)
    may_write = Trade.objects.for_user(user, WRITE_ROLES).filter(pk=pk).exists()
    if request.method == "POST":
        get_owned(Trade, user, pk, WRITE_ROLES)
        return _change(request, trade)
    links = [(link, link_payoff(link)) for link in links_about(user, trade)]
    linked = {link.later_id for link, _ in links}
    later = Trade.objects.for_user(user).filter(
        account=trade.account_id, underlying=trade.underlying, opened_at__gte=trade.opened_at
    )
    return render(request, "journal/book/roll_history.html", {
        "trade": trade, "chain": chain_of(user, trade), "chain_pnl": chain_pnl(user, trade),
        "links": links, "may_write": may_write,
        "later": later.exclude(pk__in=[trade.pk, *linked]).order_by("opened_at")[:_CHOICES],
        "kinds": TradeLink.Kind.choices, "rows": trade_rows(trade),
    })  # fmt: skip


def _change(request: HttpRequest, trade: Trade) -> HttpResponse:
    user, data = person(request), request.POST
    try:
        if data.get("do") == "split":
            group_split(
                user=user, account=trade.account, anchor=trade_anchor(trade), keys=data.getlist("key")[:1000]
            )
            messages.success(request, "Split; later imports keep this decision.")
        else:
            link_draw(
                user=user, earlier=trade, later=_later(user, data.get("later")), kind=data.get("kind", "")
            )
            messages.success(request, "Linked.")
    except RuleError as error:
        messages.error(request, error.message)
    if not Trade.objects.filter(pk=trade.pk).exists():
        return redirect("journal:trades")
    return redirect("journal:trade_chain", pk=trade.pk)


def _later(user: Any, stated: str | None) -> Trade:
    try:
        wanted = UUID(stated or "")
    except ValueError:
        raise RuleError("Choose the later trade.", "later") from None
    found = Trade.objects.for_user(user, WRITE_ROLES).filter(pk=wanted).first()
    if found is None:
        raise RuleError("Choose the later trade.", "later")
    return found

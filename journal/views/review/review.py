"""The review of a trade: tags, mistakes, rating, checklist. Each answers with the panel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from journal.errors import ConflictError, RuleError
from journal.models import WRITE_ROLES, Account, Playbook, Tag, Trade, TradeReview, User
from journal.selectors.review.reviews import trade_review_view
from journal.services.review import reviews
from journal.views.common import get_owned, person, small_number

_RATINGS = (1, 2, 3, 4, 5)


def review_context(request: HttpRequest, trade: Trade) -> dict[str, Any]:
    """What the panel shows, for the trade page and for its own fragment."""
    user = person(request)
    writes = Trade.objects.for_user(user, WRITE_ROLES).filter(pk=trade.pk).exists()
    may_review = writes and trade.account.archived_at is None
    shown = trade_review_view(user, trade)
    return {
        "trade": trade,
        "shown": shown,
        "may_review": may_review,
        "may_answer": may_review and bool(shown.playbooks),
        "ratings": _RATINGS,
    }


def panel(request: HttpRequest, trade: Trade, error: str = "", removed: Sequence[Tag] = ()) -> HttpResponse:
    """The panel with what went wrong or was taken off, or the trade page for a browser without htmx."""
    if not request.headers.get("HX-Request"):
        if error:
            messages.error(request, error)
        return redirect(reverse("journal:trade_detail", args=[trade.pk]) + "#review")
    context = {**review_context(request, trade), "error": error, "removed_tags": removed}
    return render(request, "journal/review/panel.html", context)


def changed(
    request: HttpRequest, pk: UUID, act: Callable[[User, Trade], object], removed: Sequence[Tag] = ()
) -> HttpResponse:
    """Do something to a trade the user may write to, and show its panel, with Undo for tags taken off."""
    user = person(request)
    trade = get_owned(Trade, user, pk, WRITE_ROLES)
    if trade.account.archived_at is not None:
        return panel(request, trade, "The account is archived; restore it first.")
    try:
        act(user, trade)
    except RuleError as refusal:
        return panel(request, trade, refusal.message)
    except ConflictError as conflict:
        return panel(request, trade, str(conflict))
    return panel(request, trade, removed=removed)


@login_required
@require_POST
def tag(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Put a tag or a mistake on a trade by its name."""
    name, kind = request.POST.get("name", ""), request.POST.get("kind", Tag.Kind.LABEL)
    return changed(
        request, pk, lambda user, trade: reviews.trade_tag(user=user, trade=trade, name=name, kind=kind)
    )


@login_required
@require_POST
def untag(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take a tag off a trade; the panel offers to put it on again."""
    removed: list[Tag] = []

    def act(user: User, trade: Trade) -> None:
        try:
            known = Tag.objects.filter(account=trade.account, pk=UUID(request.POST.get("tag", ""))).first()
        except ValueError:
            known = None
        if known is not None:
            reviews.trade_untag(user=user, trade=trade, tag=known)
            removed.append(known)

    return changed(request, pk, act, removed)


@login_required
@require_POST
def rate(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Rate a trade, or take the rating back with an empty value."""
    text = request.POST.get("rating", "")

    def act(user: User, trade: Trade) -> None:
        rating = small_number(text)
        if text and rating is None:
            raise RuleError("A rating is a number.", "rating")
        reviews.trade_rate(user=user, trade=trade, rating=rating)

    return changed(request, pk, act)


def ticked(request: HttpRequest) -> list[int]:
    """Positions of the checked questions in a form."""
    numbers = (small_number(text) for text in request.POST.getlist("checked"))
    return [number for number in numbers if number is not None]


@login_required
@require_POST
def checklist(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Store the answers to a playbook's checklist after the entry; stored answers stay."""

    def act(user: User, trade: Trade) -> None:
        playbook = get_owned(Playbook, user, request.POST.get("playbook") or None)
        reviews.checklist_store(
            user=user, trade=trade, playbook=playbook, checked=ticked(request), at_entry=False
        )

    return changed(request, pk, act)


@login_required
def checklist_fields(request: HttpRequest) -> HttpResponse:
    """The questions of the chosen playbook, for the entry form and the panel; empty for none."""
    chosen = request.GET.get("playbook", "")
    playbook = None
    if chosen:
        try:
            playbook = get_owned(Playbook, person(request), UUID(chosen))
        except ValueError:
            playbook = None
    return render(request, "journal/review/checklist_fields.html", {"playbook": playbook})


def _chosen(request: HttpRequest) -> Playbook | None:
    """The playbook an entry form names; a foreign or unknown one is none."""
    try:
        wanted = UUID(request.POST.get("playbook", ""))
    except ValueError:
        return None
    return Playbook.objects.for_user(person(request), WRITE_ROLES).filter(pk=wanted).first()


def entry_checklist_context(request: HttpRequest, accounts: QuerySet[Account]) -> dict[str, Any]:
    """The playbooks an entry form offers, and what was ticked before a refusal."""
    playbooks = Playbook.objects.filter(account__in=accounts, archived_at=None).select_related("account")
    return {"playbooks": playbooks, "playbook": _chosen(request), "checked": ticked(request)}


def entry_checklist_store(request: HttpRequest, trade: Trade) -> None:
    """Store the checklist answered with an entry; a form sent twice stores it once."""
    playbook = _chosen(request)
    answered = TradeReview.objects.filter(trade=trade, checklist_at__isnull=False).exists()
    if playbook is not None and not answered:
        reviews.checklist_store(
            user=person(request), trade=trade, playbook=playbook, checked=ticked(request), at_entry=True
        )

"""Signing, overriding, snoozing and executing recommendations; asking for advice; the discipline record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from journal.downloads import csv_response
from journal.errors import ConflictError, RuleError
from journal.forms.governance.decisions import ExecuteForm, OverrideForm, SnoozeForm
from journal.models import WRITE_ROLES, Account, Recommendation, Trade
from journal.selectors.governance.discipline import discipline_page
from journal.selectors.governance.recommendations import recommendation_page
from journal.selectors.governance.signing import SIGN_ROLES, approval_rule, signer_names, signing_progress
from journal.selectors.shell import current_account
from journal.services.governance.advice import account_advise
from journal.services.governance.recommendations import (
    recommendation_execute,
    recommendation_override,
    recommendation_sign,
    recommendation_snooze,
)
from journal.templatetags.figures import et_time
from journal.views.common import follow_account, get_owned, person

_DECIDERS = (*WRITE_ROLES, *SIGN_ROLES)


@login_required
@require_POST
def advise(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Ask for advice on the account ``pk`` now."""
    user = person(request)
    account = get_owned(Account, user, pk, _DECIDERS)
    job = account_advise(account=account, user=user, again=request.POST.get("token", ""))
    if job is None:
        messages.error(request, "There is no market data yet: load a chain or index history first.")
    return redirect("journal:hedge")


@login_required
def recommendation(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show one recommendation with its inputs, effects, decisions and outcome."""
    found = get_owned(Recommendation, person(request), pk)
    follow_account(request, found.account)
    return _page(request, found, OverrideForm())


@login_required
@require_POST
def sign(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Sign the content that was shown."""
    user = person(request)
    found = get_owned(Recommendation, user, pk, _DECIDERS)
    content = request.POST.get("content_hash", "")
    return _done(
        request, found,
        lambda: recommendation_sign(user=user, recommendation=found, content_hash=content),
        _signed,
    )  # fmt: skip


@login_required
@require_POST
def override(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Decide against it, with a reason."""
    user = person(request)
    found = get_owned(Recommendation, user, pk, _DECIDERS)
    form = OverrideForm(request.POST)
    if form.is_valid():
        try:
            recommendation_override(user=user, recommendation=found, **form.cleaned_data)
        except RuleError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            messages.success(request, "Overridden; the reason is kept.")
            return redirect("journal:recommendation", pk=pk)
    return _page(request, found, form)


@login_required
@require_POST
def snooze(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Put it aside."""
    user = person(request)
    found = get_owned(Recommendation, user, pk, _DECIDERS)
    form = SnoozeForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose for how long.")
        return redirect("journal:recommendation", pk=pk)
    until = timezone.now() + timedelta(hours=form.cleaned_data["hours"])
    return _done(
        request, found,
        lambda: recommendation_snooze(user=user, recommendation=found, until=until),
        lambda done: f"Put aside until {et_time(done.snoozed_until)}.",
    )  # fmt: skip


@login_required
@require_POST
def execute(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Link the trade that carried it out."""
    user = person(request)
    found = get_owned(Recommendation, user, pk, _DECIDERS)
    form = ExecuteForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose the trade whose fills to link.")
        return redirect("journal:recommendation", pk=pk)
    trade = get_owned(Trade, user, form.cleaned_data["trade"])
    return _done(
        request, found,
        lambda: recommendation_execute(user=user, recommendation=found, trade=trade),
        lambda _: "Executed; what it earns is counted on the Discipline page from now on.",
    )  # fmt: skip


@login_required
def discipline(request: HttpRequest) -> HttpResponse:
    """Show what was followed, overridden or let expire, and what each override earned or cost."""
    account = current_account(request)
    if account is None:
        return render(request, "journal/dashboard/empty.html")
    page = discipline_page(person(request), account)
    if request.GET.get("format") == "csv":
        return csv_response("discipline.csv", page.csv_head, page.csv_rows())
    return render(request, "journal/governance/discipline/page.html", {"account": account, "page": page})


def _done(
    request: HttpRequest,
    found: Recommendation,
    act: Callable[[], Recommendation],
    told: Callable[[Recommendation], str],
) -> HttpResponse:
    try:
        done = act()
    except (RuleError, ConflictError) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, told(done))
    return redirect("journal:recommendation", pk=found.pk)


def _signed(row: Recommendation) -> str:
    """What a signature did and what happens next, in one sentence."""
    if row.state == Recommendation.State.APPROVED and row.executable_at and row.approved_at:
        if row.executable_at > row.approved_at:
            return f"You signed; it is approved and may be executed from {et_time(row.executable_at)}."
        return "You signed; it is approved and may be executed now."
    rule = approval_rule(row.account)
    left = signing_progress(rule, signer_names(rule), row.signatures.all()).missing
    return f"You signed; {left} more signature{'' if left == 1 else 's'} needed."


def _page(request: HttpRequest, found: Recommendation, form: forms.Form) -> HttpResponse:
    user = person(request)
    may_decide = Recommendation.objects.for_user(user, _DECIDERS).filter(pk=found.pk).exists()
    shown = recommendation_page(user, found, timezone.now())
    context = {
        "page": shown,
        "override": form,
        "snooze": SnoozeForm(),
        "may_decide": may_decide,
        "may_act": may_decide and shown.card.is_open,
    }
    return render(request, "journal/governance/hedge/recommendation.html", context)

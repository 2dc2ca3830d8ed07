"""Alerts: what asks for attention, and where people are told."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from journal.errors import RuleError
from journal.forms.alerts import ChannelForm
from journal.models import WRITE_ROLES, Account, AlertChannel
from journal.selectors.alerts import alert_page
from journal.selectors.governance.signing import SIGN_ROLES
from journal.selectors.shell import current_account
from journal.services.alerts.alerts import alerts_seen, channel_add, channel_remove
from journal.views.common import get_owned, person, say_removed


@login_required
def page(request: HttpRequest) -> HttpResponse:
    """Show the account's alerts and the user's channels."""
    account = current_account(request)
    if account is None:
        return render(request, "journal/dashboard/empty.html")
    return _page(request, account, ChannelForm())


@login_required
@require_POST
def add(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Add a channel for the account ``pk``; every member may be told."""
    user = person(request)
    account = get_owned(Account, user, pk)
    form = ChannelForm(request.POST)
    if form.is_valid():
        try:
            channel = channel_add(user=user, account=account, **form.cleaned_data)
        except RuleError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            messages.success(request, f"{channel} will be told.")
            return redirect("journal:alerts")
    return _page(request, account, form)


@login_required
@require_POST
def remove(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Remove a channel of one's own."""
    user = person(request)
    try:
        change = channel_remove(user=user, channel=get_owned(AlertChannel, user, pk))
    except RuleError as error:
        raise PermissionDenied(error.message) from None
    say_removed(request, change, "The channel is removed.")
    return redirect("journal:alerts")


@login_required
@require_POST
def seen(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Mark the alerts of the account ``pk`` as seen."""
    user = person(request)
    alerts_seen(user=user, account=get_owned(Account, user, pk, (*WRITE_ROLES, *SIGN_ROLES)))
    return redirect("journal:alerts")


def _page(request: HttpRequest, account: Account, form: ChannelForm) -> HttpResponse:
    context = {"account": account, "page": alert_page(person(request), account), "form": form}
    return render(request, "journal/alerts/page.html", context)

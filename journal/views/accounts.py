"""Accounts: list, create, edit, archive."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from journal.errors import ConflictError, RuleError
from journal.forms.accounts import AccountForm
from journal.models import MANAGE_ROLES, Account
from journal.selectors.accounts import accounts_for
from journal.selectors.shell import SESSION_ACCOUNT
from journal.services.accounts import FIELDS, account_archive, account_create, account_update
from journal.views.common import get_owned, person


@login_required
def account_list(request: HttpRequest) -> HttpResponse:
    """Show all accounts the user is a member of, archived ones last."""
    context = {"rows": accounts_for(person(request))}
    return render(request, "journal/accounts/list.html", context)


@login_required
def account_new(request: HttpRequest) -> HttpResponse:
    """Create an account."""
    form = AccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = {name: form.cleaned_data[name] for name in FIELDS}
        try:
            account = account_create(user=person(request), **values)
        except RuleError as error:
            form.show(error)
        else:
            request.session[SESSION_ACCOUNT] = str(account.pk)
            messages.success(request, f"Account {account.name} created.")
            return redirect("journal:trade_entry")
    return _page(request, form, "New account")


@login_required
def account_edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Change an account (owners only)."""
    account = get_owned(Account, person(request), pk, MANAGE_ROLES)
    title = f"Edit {account.name}"
    form = AccountForm(request.POST or None, instance=account)
    if request.method == "POST" and form.is_valid():
        values = {name: form.cleaned_data[name] for name in FIELDS}
        version = form.cleaned_data["version"] or 0
        try:
            account_update(user=person(request), account=account, version=version, **values)
        except ConflictError as error:
            form.add_error(None, str(error))
            return _page(request, form, title, status=409)
        except RuleError as error:
            form.show(error)
        else:
            messages.success(request, "Saved.")
            return redirect("journal:accounts")
    return _page(request, form, title)


def _page(request: HttpRequest, form: AccountForm, title: str, status: int = 200) -> HttpResponse:
    context = {"form": form, "form_title": title}
    return render(request, "journal/accounts/form.html", context, status=status)


@login_required
@require_POST
def archive(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Archive an account, or bring it back with ``restore``; a repeat changes nothing."""
    account = get_owned(Account, person(request), pk, MANAGE_ROLES)
    archived = "restore" not in request.POST
    account_archive(user=person(request), account=account, archived=archived)
    done = "archived; its history stays" if archived else "restored"
    messages.success(request, f"{account.name} {done}.")
    return redirect("journal:accounts")

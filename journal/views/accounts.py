"""Accounts: list, create, edit, archive, switch."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from journal.forms.accounts import AccountForm
from journal.models import MANAGE_ROLES, Account
from journal.selectors.shell import SESSION_ACCOUNT
from journal.services.accounts import FIELDS, account_archive, account_create, account_update
from journal.services.errors import ConflictError, RuleError
from journal.views.common import person


@login_required
def account_list(request: HttpRequest) -> HttpResponse:
    """All accounts the user is a member of, archived ones last."""
    accounts = Account.objects.for_user(person(request)).prefetch_related("memberships__user")
    ordered = sorted(accounts, key=lambda account: (account.archived_at is not None, account.name))
    return render(request, "journal/accounts/list.html", {"accounts": ordered})


@login_required
def account_new(request: HttpRequest) -> HttpResponse:
    """Create an account."""
    form = AccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            account = account_create(user=person(request), **{n: form.cleaned_data[n] for n in FIELDS})
        except RuleError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            request.session[SESSION_ACCOUNT] = str(account.pk)
            messages.success(request, f"Account {account.name} created.")
            return redirect("journal:trade_entry")
    return _form(request, form, "New account")


@login_required
def account_edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Change an account (owners only)."""
    account = get_object_or_404(Account.objects.for_user(person(request), MANAGE_ROLES), pk=pk)
    form = AccountForm(request.POST or None, instance=account)
    if request.method == "POST" and form.is_valid():
        fresh = Account.objects.get(pk=account.pk)
        try:
            account_update(
                user=person(request), account=fresh, version=form.cleaned_data["version"] or 0,
                **{n: form.cleaned_data[n] for n in FIELDS},
            )
        except ConflictError as error:
            form.add_error(None, str(error))
            return _form(request, form, account.name, status=409)
        except RuleError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            messages.success(request, "Saved.")
            return redirect("journal:accounts")
    return _form(request, form, f"Edit {account.name}")


def _form(request: HttpRequest, form: AccountForm, title: str, status: int = 200) -> HttpResponse:
    context = {"form": form, "form_title": title}
    return render(request, "journal/accounts/form.html", context, status=status)


@login_required
@require_POST
def archive(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Archive an account or bring it back; pressing again undoes it."""
    account = get_object_or_404(Account.objects.for_user(person(request), MANAGE_ROLES), pk=pk)
    archived = account.archived_at is None
    account_archive(user=person(request), account=account, archived=archived)
    messages.success(request, f"{account.name} {'archived' if archived else 'restored'}.")
    return redirect("journal:accounts")


@login_required
@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Choose the account the pages speak about."""
    account = get_object_or_404(
        Account.objects.for_user(person(request)), pk=_uuid(request.POST.get("account", ""))
    )
    request.session[SESSION_ACCOUNT] = str(account.pk)
    if request.headers.get("HX-Request"):
        response = HttpResponse(status=204)
        response["HX-Refresh"] = "true"
        return response
    back = request.headers.get("Referer", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()})
    return redirect(back if safe else "journal:dashboard")


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None

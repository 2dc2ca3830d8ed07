"""The cash ledger's own pages: its CSV, corrections, and files of movements into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from journal.downloads import csv_response
from journal.errors import ConflictError, RuleError
from journal.forms.book.closing import ReverseForm
from journal.forms.cash import CashFileForm
from journal.models import WRITE_ROLES, Account, CashEntry, CashImport, User
from journal.selectors.cash.ledger import cash_rows
from journal.selectors.shell import current_account
from journal.services.cash.file import (
    CashFileError,
    cash_import_commit,
    cash_import_discard,
    cash_import_undo,
    cash_import_upload,
    cash_plan,
    rows_of,
)
from journal.services.cash.ledger import cash_reverse
from journal.views.common import get_owned, person

_PAGE = 50
#: The ledger as a file, with the headings a file into it has.
HEAD = ("date", "kind", "amount", "purpose", "note", "external_id", "in_force")


@login_required
def cash_csv(request: HttpRequest) -> HttpResponse:
    """The cash ledger as CSV, dollars; read back, it adds nothing twice."""
    account = current_account(request)
    if account is None:
        return redirect("journal:capital")
    rows = (
        (
            entry.day, entry.kind, _written(entry), entry.purpose, entry.note,
            entry.external_id or str(entry.pk), "yes" if live else "no",
        )
        for entry, live in cash_rows(person(request), account)
    )  # fmt: skip
    return csv_response("cash.csv", HEAD, rows)


def _written(entry: CashEntry) -> str:
    """The signed amount; what came back against its kind has a plus, as a file into the ledger needs it."""
    return f"{entry.amount:+}" if entry.kind not in CashEntry.INFLOWS else str(entry.amount)


@login_required
@require_POST
def reverse_entry(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Correct a cash entry by its mirror image."""
    user = person(request)
    entry = get_owned(CashEntry, user, pk, WRITE_ROLES)
    form = ReverseForm(request.POST)
    if not form.is_valid():
        messages.error(request, str(form.errors["reason"][0]))
        return redirect("journal:capital")
    try:
        cash_reverse(user=user, entry=entry, reason=form.cleaned_data["reason"])
    except RuleError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "The entry was reversed. Record it again if it happened differently.")
    return redirect("journal:capital")


@login_required
def imports(request: HttpRequest) -> HttpResponse:
    """A file of cash movements into the current account, and the files so far."""
    account = current_account(request)
    if account is None:
        return render(request, "journal/dashboard/empty.html")
    user, form, error = person(request), CashFileForm(request.POST or None, request.FILES or None), None
    if request.method == "POST":
        get_owned(Account, user, account.pk, WRITE_ROLES)
        if form.is_valid():
            name, data = form.content()
            try:
                batch = cash_import_upload(user=user, account=account, filename=name, data=data)
            except CashFileError as refused:
                error = refused
            except RuleError as refused:
                form.add_error(None, refused.message)
            else:
                return redirect("journal:cash_import", pk=batch.pk)
    rows = CashImport.objects.for_user(user).filter(account=account)
    context = {
        "account": account,
        "form": form,
        "error": error,
        "page": Paginator(rows, _PAGE).get_page(request.GET.get("page")),
        "may_write": _may_write(user, account),
        "kinds": CashEntry.Kind.choices,
    }
    status = 400 if request.method == "POST" else 200
    return render(request, "journal/cash/imports.html", context, status=status)


@login_required
def import_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What a file would record, and what became of it."""
    user = person(request)
    batch = get_owned(CashImport, user, pk)
    staged = batch.state == CashImport.State.STAGED
    plan = cash_plan(batch.account, rows_of(batch)) if staged else None
    rows: list[Any] = list(plan.rows) if plan else list(batch.entries.order_by("day", "pk"))
    kinds = dict(CashEntry.Kind.choices)
    context = {
        "batch": batch,
        "plan": plan,
        "totals": [(kinds[kind], count, total) for kind, count, total in plan.totals] if plan else [],
        "rows": Paginator(rows, _PAGE).get_page(request.GET.get("page")),
        "kinds": kinds,
        "purposes": dict(CashEntry.Purpose.choices),
        "may_write": _may_write(user, batch.account),
    }
    return render(request, "journal/cash/import.html", context)


def _may_write(user: User, account: Account) -> bool:
    mine = Account.objects.for_user(user, WRITE_ROLES).filter(pk=account.pk)
    return account.archived_at is None and mine.exists()


def _act(request: HttpRequest, pk: UUID, act: Callable[[User, CashImport, int | None], str]) -> HttpResponse:
    """Do something to an import and say so; refusals are told on its page."""
    user = person(request)
    batch = get_owned(CashImport, user, pk, WRITE_ROLES)
    stated = request.POST.get("version", "")
    version = int(stated) if stated.isdecimal() and len(stated) < 10 else None
    try:
        done = act(user, batch, version)
    except (RuleError, ConflictError) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    if not CashImport.objects.filter(pk=pk).exists():
        return redirect("journal:cash_imports")
    return redirect("journal:cash_import", pk=pk)


@login_required
@require_POST
def commit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Record the new movements, once."""

    def act(user: User, batch: CashImport, version: int | None) -> str:
        done = cash_import_commit(user=user, batch=batch, version=version)
        return f"{done.recorded} movement{'' if done.recorded == 1 else 's'} recorded in the cash ledger."

    return _act(request, pk, act)


@login_required
@require_POST
def undo(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take the import back."""

    def act(user: User, batch: CashImport, version: int | None) -> str:
        cash_import_undo(user=user, batch=batch, version=version)
        return "The import is undone; the ledger is as it was without it."

    return _act(request, pk, act)


@login_required
@require_POST
def discard(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Discard a file that recorded nothing."""

    def act(_: User, batch: CashImport, version: int | None) -> str:
        cash_import_discard(batch=batch, version=version)
        return "The file was discarded; nothing of it is in the ledger."

    return _act(request, pk, act)

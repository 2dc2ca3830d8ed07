"""The import wizard: a file in, what it would do, one commit, one undo."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from journal.errors import ConflictError, RuleError
from journal.forms.imports import ImportRowForm, ReadForm, UploadForm, row_initial
from journal.models import WRITE_ROLES, Account, ImportBatch, ImportRow, Trade, User
from journal.selectors.book.roll_history import links_proposed
from journal.selectors.imports.answer import BROKERS, broker_name
from journal.selectors.imports.batches import (
    answers_kept,
    batch_get,
    batch_job,
    batch_rows,
    batches_for,
    row_meaning,
)
from journal.selectors.imports.page import ImportPage, ListedImport
from journal.selectors.shell import current_account
from journal.services.imports.commit import import_commit, import_release, import_undo
from journal.services.imports.discard import KEPT, import_discard, import_restore
from journal.services.imports.groups import group_label, groups_merge
from journal.services.imports.stage import import_reread, import_upload, row_fix, row_is_mendable
from journal.views.common import get_owned, person
from journal.views.jobs import shown_job

PAGE = 50


@login_required
def import_list(request: HttpRequest) -> HttpResponse:
    """The upload form and the imports so far."""
    user = person(request)
    accounts = Account.objects.for_user(user, WRITE_ROLES).filter(archived_at__isnull=True)
    account = current_account(request)
    form = UploadForm(
        request.POST or None, request.FILES or None, accounts=accounts,
        initial={"account": account.pk if account else None},
    )  # fmt: skip
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            name, data = form.content()
            try:
                batch = import_upload(
                    user=user, account=form.cleaned_data["account"], filename=name, data=data
                )
            except RuleError as error:
                form.add_error(error.field if error.field in form.fields else None, error.message)
            else:
                return redirect("journal:import_view", pk=batch.pk)
    page = Paginator(batches_for(user), PAGE).get_page(request.GET.get("page"))
    writable = set(accounts.values_list("pk", flat=True))
    context = {
        "form": form, "page": page, "has_accounts": bool(writable), "brokers": dict(BROKERS),
        "rows": [ListedImport(batch, batch.account_id in writable) for batch in page],
    }  # fmt: skip
    return render(request, "journal/imports/list.html", context, status=status)


@login_required
def import_view(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One import at its step: being read, to be checked, recorded or undone."""
    user = person(request)
    batch = batch_get(user, pk)
    job = batch_job(batch) if batch.state in ("reading", "committing") else None
    shown = request.GET.get("rows", "") or _rows_first(batch)
    rows = Paginator(batch_rows(batch, shown), PAGE).get_page(request.GET.get("page"))
    page = ImportPage(batch=batch, job=job, may_write=_may_write(user, batch), rows_shown=shown)
    initial = {"zone": batch.zone or batch.account.time_zone, "encoding": batch.encoding}
    context = {
        "batch": batch,
        "page": page,
        "broker": broker_name(batch.broker),
        "shown": shown_job(user, job) if job else None,
        "rows": rows,
        "meant": {row.pk: row_meaning(row) for row in rows},
        "cash_moved": batch.plan.get("cash_movements") or {},
        "check": batch.plan.get("reconciliation") or {},
        "trades": [_shown_trade(trade) for trade in batch.plan.get("shown", ())],
        "read_form": ReadForm(initial=initial, answers=answers_kept(batch)),
        "gone_at": batch.discarded_at + KEPT if batch.discarded_at else None,
        "links": list(links_proposed(user, batch.account_id)[:PAGE]) if page.is_recorded else [],
        "kinds": Trade.Kind.choices,
    }
    return render(request, "journal/imports/page.html", context)


def _rows_first(batch: ImportBatch) -> str:
    """The rows to look at first: errors of a file to be checked, else what is or will be recorded."""
    wanted = {"staged": ("error", "new"), "committed": ("recorded",)}.get(batch.state, ())
    return next((status for status in wanted if batch.counts.get(status)), "")


def _shown_trade(trade: dict[str, Any]) -> dict[str, Any]:
    return {**trade, "opened": datetime.fromisoformat(trade["opened"])}


def _may_write(user: User, batch: ImportBatch) -> bool:
    writes = ImportBatch.objects.for_user(user, WRITE_ROLES).filter(pk=batch.pk).exists()
    return writes and batch.account.archived_at is None


def _version(request: HttpRequest) -> int | None:
    stated = request.POST.get("version", "")
    return int(stated) if stated.isdecimal() and len(stated) < 10 else None


def _do(request: HttpRequest, pk: UUID, act: Callable[[User, ImportBatch], str]) -> HttpResponse:
    """Run a write about a batch and go back to it; refusals are told there."""
    user = person(request)
    batch = get_owned(ImportBatch, user, pk, WRITE_ROLES)
    try:
        done = act(user, batch)
    except (RuleError, ConflictError) as error:
        messages.error(request, getattr(error, "message", str(error)))
    else:
        if done:
            messages.success(request, done)
    return redirect("journal:import_view", pk=pk)


@login_required
@require_POST
def commit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Record the new rows, once."""

    def act(user: User, batch: ImportBatch) -> str:
        done = import_commit(user=user, batch=batch, version=_version(request))
        if done.state != ImportBatch.State.COMMITTED:
            return ""
        trades, entries = done.plan.get("trades_made", 0), done.plan.get("entries_made", 0)
        return f"{done.counts['recorded']} rows recorded: {trades} new trades, {entries} cash movements."

    return _do(request, pk, act)


@login_required
@require_POST
def undo(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take the whole import back."""

    def act(user: User, batch: ImportBatch) -> str:
        import_undo(user=user, batch=batch, version=_version(request))
        return "The import is undone; counts and P&L are as before."

    return _do(request, pk, act)


@login_required
@require_POST
def discard(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Discard a file that recorded nothing."""

    def act(user: User, batch: ImportBatch) -> str:
        import_discard(user=user, batch=batch, version=_version(request))
        return f"{batch.filename} was discarded; Undo brings it back for {KEPT.days} days."

    return _do(request, pk, act)


@login_required
@require_POST
def restore(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Bring back a file that was discarded."""

    def act(user: User, batch: ImportBatch) -> str:
        import_restore(user=user, batch=batch, version=_version(request))
        return f"{batch.filename} is back as it was."

    return _do(request, pk, act)


@login_required
@require_POST
def release(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Back to checking after the job that records was cancelled or failed."""

    def act(_: User, batch: ImportBatch) -> str:
        import_release(batch=batch)
        return ""

    return _do(request, pk, act)


@login_required
@require_POST
def reread(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Read the file again as another broker's, in another encoding or time zone."""

    def act(user: User, batch: ImportBatch) -> str:
        zone = {"zone": request.POST.get("zone", "")[:40]}
        form = ReadForm(request.POST, initial=zone, answers=answers_kept(batch))
        if not form.is_valid():
            raise RuleError("Choose one of the offered values.")
        version = _version(request)
        import_reread(user=user, batch=batch, version=version or 0, **form.cleaned_data)
        return ""

    return _do(request, pk, act)


@login_required
@require_POST
def groups(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Merge chosen trades, or say what one is."""

    def act(user: User, batch: ImportBatch) -> str:
        anchors = request.POST.getlist("anchor")[:100]
        if request.POST.get("do") == "merge":
            groups_merge(user=user, account=batch.account, anchors=anchors, batch=batch)
            return "Merged into one trade."
        layer = request.POST.get("layer", "")
        group_label(
            user=user, account=batch.account, anchor=request.POST.get("one", ""), batch=batch,
            kind=request.POST.get("kind", ""), layer=int(layer) if layer in {"1", "2", "3"} else None,
            title=request.POST.get("title", ""),
        )  # fmt: skip
        return "Noted; it holds for later imports of the same rows as well."

    return _do(request, pk, act)


@login_required
def fix(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Mend one row that was not understood; nothing else of the file changes."""
    user = person(request)
    batch = get_owned(ImportBatch, user, pk, WRITE_ROLES)
    stated = request.GET.get("row", "")
    if not stated.isdecimal() or len(stated) > 15:
        return redirect("journal:import_view", pk=pk)
    row = get_object_or_404(ImportRow.objects.for_user(user), batch=batch, pk=int(stated))
    if request.method == "GET" and not row_is_mendable(row):
        return redirect("journal:import_view", pk=pk)
    form = ImportRowForm(request.POST or None, initial=row_initial(row))
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                row_fix(
                    user=user, batch=batch, row_id=row.pk, values=form.values(), version=_version(request)
                )
            except RuleError as error:
                form.show(error)
            except ConflictError as error:
                form.add_error(None, str(error))
                status = 409
            else:
                messages.success(request, f"Line {row.line} is understood now.")
                return redirect("journal:import_view", pk=pk)
    context = {"batch": batch, "row": row, "form": form}
    return render(request, "journal/imports/fix.html", context, status=status)

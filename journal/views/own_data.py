"""Your data: export everything, read an export in, delete the login."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from hedging.jobs.scopes import user_scope
from hedging.models import Job
from journal.errors import RuleError
from journal.forms.book.order import new_token
from journal.job_kinds import DATA_EXPORT, DATA_IMPORT
from journal.models import DataTransfer, DeletionRequest
from journal.services.own_data.erasure import GRACE, deletion_request, deletion_withdraw, shared_alone
from journal.services.own_data.export import export_request
from journal.services.own_data.load import MAX_UPLOAD, import_request
from journal.services.own_data.tables import owned_accounts
from journal.views.common import person
from journal.views.jobs import shown_jobs


@login_required
def own_data(request: HttpRequest) -> HttpResponse:
    """What is yours, exports that were made, jobs under way, and the end of a login."""
    user = person(request)
    jobs = Job.objects.filter(kind__in=(DATA_EXPORT, DATA_IMPORT), scope=user_scope(user.public_id))
    context = {
        "accounts": owned_accounts(user), "token": new_token(), "grace": GRACE.days,
        "exports": DataTransfer.objects.for_user(user).filter(kind="export").defer("content"),
        "jobs": shown_jobs(user, jobs.order_by("-created_at")[:4]),
        "deletion": DeletionRequest.objects.for_user(user).first(),
        "held": shared_alone(user),
    }  # fmt: skip
    return render(request, "journal/own_data/page.html", context)


@login_required
@require_POST
def export(request: HttpRequest) -> HttpResponse:
    """Ask a worker for an export of everything."""
    export_request(user=person(request), token=request.POST.get("token", "") or new_token())
    return redirect("journal:own_data")


@login_required
def download(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Send an export as a file."""
    row = get_object_or_404(DataTransfer.objects.for_user(person(request)), pk=pk, kind="export")
    response = HttpResponse(bytes(row.content), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{row.filename}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


@login_required
@require_POST
def read_in(request: HttpRequest) -> HttpResponse:
    """Read an export into this login, if it is empty."""
    sent = request.FILES.get("file")
    if sent is None:
        messages.error(request, "Choose a file.")
        return redirect("journal:own_data")
    if (sent.size or 0) > MAX_UPLOAD:
        messages.error(request, "The file is too large.")
        return redirect("journal:own_data")
    try:
        import_request(user=person(request), name=sent.name or "export.zip", content=sent.read())
    except RuleError as refusal:
        messages.error(request, refusal.message)
    return redirect("journal:own_data")


@login_required
@require_POST
def delete(request: HttpRequest) -> HttpResponse:
    """Ask for the login to be deleted, or withdraw that with ``withdraw``."""
    user = person(request)
    if "withdraw" in request.POST:
        deletion_withdraw(user=user)
        messages.success(request, "Your login and your data stay.")
        return redirect("journal:own_data")
    try:
        asked = deletion_request(user=user, typed=request.POST.get("typed", ""))
    except RuleError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.warning(request, f"Your login will be deleted on {asked.due_at:%Y-%m-%d}.")
    return redirect("journal:own_data")

"""Notes and files about trades and days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from journal.errors import ConflictError, RuleError
from journal.models import WRITE_ROLES, Account, Attachment, Note, Role, Trade, User
from journal.selectors.review.markdown import markdown_html
from journal.selectors.review.reviews import subjects
from journal.services.review.attachments import MAX_SIZE, attachment_add, attachment_delete
from journal.services.review.notes import MAX_LENGTH, note_create, note_delete, note_edit
from journal.views.common import get_owned, person, small_number
from journal.views.review.review import changed, panel

#: A file is never shown as a page of this site: it is downloaded, and could do nothing if opened.
_SEALED = "default-src 'none'; sandbox"


def day_panel(request: HttpRequest, account: Account, day: date, error: str = "") -> HttpResponse:
    """The notes and files of a day, or its page for a browser without htmx."""
    if not request.headers.get("HX-Request"):
        if error:
            messages.error(request, error)
        query = urlencode({"account": account.pk})
        return redirect(f"{reverse('journal:day', args=[day])}?{query}#review")
    user = person(request)
    context = {
        "account": account, "day": day, "about": subjects(user, account=account, day=day), "error": error,
        "may_review": may_write(user, account),
    }  # fmt: skip
    return render(request, "journal/review/day_panel.html", context)


def may_write(user: User, account: Account) -> bool:
    """Whether the user may write in the account and it is in use."""
    writes = Account.objects.for_user(user, WRITE_ROLES).filter(pk=account.pk).exists()
    return writes and account.archived_at is None


def _day_changed(request: HttpRequest, day: date, act: Callable[[User, Account], object]) -> HttpResponse:
    user = person(request)
    try:
        wanted = UUID(request.POST.get("account", ""))
    except ValueError:
        raise Http404 from None
    account = get_owned(Account, user, wanted, WRITE_ROLES)
    if account.archived_at is not None:
        return day_panel(request, account, day, "The account is archived; restore it first.")
    try:
        act(user, account)
    except RuleError as refusal:
        return day_panel(request, account, day, refusal.message)
    return day_panel(request, account, day)


def _around(request: HttpRequest, row: Note | Attachment, error: str = "") -> HttpResponse:
    """The panel the row stands in."""
    if row.day is not None:
        return day_panel(request, row.account, row.day, error)
    trade = row.review.trade if row.review else None
    if trade is None:
        raise Http404
    return panel(request, trade, error)


@login_required
@require_POST
def trade_note(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Write a note about a trade."""
    text = request.POST.get("text", "")
    return changed(
        request, pk,
        lambda user, trade: note_create(user=user, account=trade.account, trade=trade, text=text),
    )  # fmt: skip


@login_required
@require_POST
def day_note(request: HttpRequest, day: date) -> HttpResponse:
    """Write a note about a day of an account."""
    text = request.POST.get("text", "")
    return _day_changed(
        request, day, lambda user, account: note_create(user=user, account=account, day=day, text=text)
    )


@login_required
@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """The text as it would look; nothing is kept."""
    text = request.POST.get("text", "")[:MAX_LENGTH]
    return render(request, "journal/review/preview.html", {"html": markdown_html(text)})


@login_required
def note(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show a note with every text it had; save a new text sent with the version it was read at."""
    user = person(request)
    row = get_owned(Note, user, pk, WRITE_ROLES if request.method == "POST" else tuple(Role))
    error, text, status = "", row.text, 200
    if request.method == "POST":
        text = request.POST.get("text", "")
        version = small_number(request.POST.get("version", "")) or 0
        try:
            note_edit(user=user, note=row, text=text, version=version)
        except RuleError as refusal:
            error, status = refusal.message, 400
        except ConflictError as conflict:
            error, status = str(conflict), 409
        else:
            messages.success(request, "Note saved.")
            return _around(request, row)
    revisions = [(r, markdown_html(r.text)) for r in row.revisions.select_related("written_by")]
    context = {
        "note": row, "text": text, "error": error, "revisions": revisions, "html": markdown_html(row.text),
        "may_edit": may_write(user, row.account) and row.deleted_at is None,
        "trade": row.review.trade if row.review else None,
    }  # fmt: skip
    return render(request, "journal/review/note.html", context, status=status)


@login_required
@require_POST
def note_remove(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Remove a note, or bring it back with ``restore``; a repeat changes nothing."""
    row = get_owned(Note, person(request), pk, WRITE_ROLES)
    note_delete(user=person(request), note=row, deleted="restore" not in request.POST)
    return _around(request, row)


def _uploaded(request: HttpRequest) -> tuple[str, bytes]:
    sent = request.FILES.get("file")
    if sent is None:
        raise RuleError("Choose a file.", "file")
    if (sent.size or 0) > MAX_SIZE:
        raise RuleError(f"The file is larger than {MAX_SIZE // 1024 // 1024} MiB.", "file")
    return sent.name or "file", sent.read()


@login_required
@require_POST
def trade_file(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Keep a file with a trade."""

    def act(user: User, trade: Trade) -> None:
        name, content = _uploaded(request)
        attachment_add(user=user, account=trade.account, trade=trade, name=name, content=content)

    return changed(request, pk, act)


@login_required
@require_POST
def day_file(request: HttpRequest, day: date) -> HttpResponse:
    """Keep a file with a day of an account."""

    def act(user: User, account: Account) -> None:
        name, content = _uploaded(request)
        attachment_add(user=user, account=account, day=day, name=name, content=content)

    return _day_changed(request, day, act)


@login_required
def file(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Download a file as it was kept."""
    row = get_object_or_404(Attachment.objects.for_user(person(request)), pk=pk)
    return _sealed(bytes(row.content), row.media_type, f'attachment; filename="{row.name}"')


@login_required
def thumbnail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A small picture, drawn anew by this site from the file."""
    rows = Attachment.objects.for_user(person(request)).defer("content")
    row = get_object_or_404(rows, pk=pk, thumbnail__isnull=False)
    return _sealed(bytes(row.thumbnail or b""), "image/png", "inline")


def _sealed(content: bytes, media_type: str, disposition: str) -> HttpResponse:
    response = HttpResponse(content, content_type=media_type)
    response["Content-Disposition"] = disposition
    response["Content-Security-Policy"] = _SEALED
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, max-age=3600"
    return response


@login_required
@require_POST
def file_remove(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Remove a file, or bring it back with ``restore``."""
    rows = Attachment.objects.for_user(person(request)).defer("content", "thumbnail")
    row = get_object_or_404(rows, pk=pk)
    get_owned(Attachment, person(request), pk, WRITE_ROLES)
    attachment_delete(user=person(request), attachment=row, deleted="restore" not in request.POST)
    return _around(request, row)

"""Notes on trades and days: every text is kept, removal can be undone."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from journal.errors import ConflictError, RuleError
from journal.models import Account, Note, NoteRevision, Trade, User
from journal.services.audit import audit_record
from journal.services.review.reviews import review_of

MAX_LENGTH = 20_000


def note_text(text: str) -> str:
    """The text of a note; raises RuleError when it is empty or too long."""
    text = text.replace("\x00", "").replace("\r\n", "\n").strip()
    if not text:
        raise RuleError("A note needs a text.", "text")
    if len(text) > MAX_LENGTH:
        raise RuleError(f"A note has at most {MAX_LENGTH:,} characters.", "text")
    return text


@transaction.atomic
def note_create(
    *, user: User, account: Account, text: str, trade: Trade | None = None, day: date | None = None
) -> Note:
    """Write a note about a trade of the account, or about a day. Raises RuleError.

    The same text about the same thing by the same user right after itself is the same note, so that
    a double click writes once.
    """
    if (trade is None) == (day is None):
        raise RuleError("A note is about a trade or about a day.")
    text = note_text(text)
    review = review_of(trade) if trade is not None else None
    last = Note.objects.filter(account=account, review=review, day=day, created_by=user).last()
    if last is not None and last.text == text and last.deleted_at is None:
        return last
    note = Note.objects.create(account=account, review=review, day=day, text=text, created_by=user)
    _revision(user, note)
    audit_record(actor=user, action="note.create", account=account, obj=note, summary=text[:80])
    return note


@transaction.atomic
def note_edit(*, user: User, note: Note, text: str, version: int) -> Note:
    """Give a note a new text. Raises ConflictError when it is no longer at ``version``, RuleError."""
    text = note_text(text)
    if text == note.text and note.version == version:
        return note
    changed = Note.objects.filter(pk=note.pk, version=version, deleted_at=None).update(
        text=text, version=F("version") + 1, updated_at=timezone.now()
    )
    if not changed:
        raise ConflictError("This note was changed or removed meanwhile. Reload; your text is still here.")
    note.refresh_from_db()
    _revision(user, note)
    audit_record(actor=user, action="note.edit", account=note.account, obj=note, summary=text[:80])
    return note


@transaction.atomic
def note_delete(*, user: User, note: Note, deleted: bool = True) -> None:
    """Remove a note, or bring it back; its texts stay either way."""
    moment = timezone.now() if deleted else None
    if Note.objects.filter(pk=note.pk, deleted_at__isnull=deleted).update(deleted_at=moment):
        action = "note.delete" if deleted else "note.restore"
        audit_record(actor=user, action=action, account=note.account, obj=note, summary=note.text[:80])


def _revision(user: User, note: Note) -> None:
    NoteRevision.objects.create(
        account_id=note.account_id, note=note, version=note.version, text=note.text, written_by=user
    )

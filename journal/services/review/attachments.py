"""Files beside trades and days: images and PDFs, recognised by content, never by name."""

from __future__ import annotations

import hashlib
import io
import re
from datetime import date
from pathlib import PurePath
from unicodedata import normalize

from django.db import transaction
from django.utils import timezone

from journal.errors import RuleError
from journal.models import Account, Attachment, Trade, User
from journal.services.audit import audit_record
from journal.services.review.reviews import review_of

MAX_SIZE = 10 * 1024 * 1024
MAX_FILES = 40
_MAX_PIXELS = 40_000_000
_THUMBNAIL = (320, 240)
_NAME_LENGTH = 100
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")

#: Media type, the format Pillow must find (empty: not an image), and the suffix the file is given.
_KINDS = {
    "image/png": ("PNG", "png"),
    "image/jpeg": ("JPEG", "jpg"),
    "image/gif": ("GIF", "gif"),
    "image/webp": ("WEBP", "webp"),
    "application/pdf": ("", "pdf"),
}


def sniffed(content: bytes) -> str:
    """The media type by the first bytes; empty for anything that is not kept."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content.startswith(b"%PDF-"):
        return "application/pdf"
    return ""


def safe_name(name: str, media_type: str) -> str:
    """A plain file name with the suffix of what the content is."""
    stem = PurePath(name.replace("\\", "/").replace("\x00", "")).stem
    plain = normalize("NFKD", stem).encode("ascii", "ignore").decode()
    plain = _UNSAFE.sub("-", plain).strip("-.")[:_NAME_LENGTH] or "file"
    return f"{plain}.{_KINDS[media_type][1]}"


@transaction.atomic
def attachment_add(
    *, user: User, account: Account, name: str, content: bytes, trade: Trade | None = None,
    day: date | None = None,
) -> Attachment:  # fmt: skip
    """Keep a file with a trade of the account, or with a day; the same file twice is kept once.

    Raises RuleError for a type that is not kept, a damaged image, and beyond MAX_SIZE or MAX_FILES.
    """
    if (trade is None) == (day is None):
        raise RuleError("A file is about a trade or about a day.")
    if len(content) > MAX_SIZE:
        raise RuleError(f"The file is larger than {MAX_SIZE // 1024 // 1024} MiB.", "file")
    media_type = sniffed(content)
    if not media_type:
        raise RuleError("Only PNG, JPEG, GIF and WebP images and PDF files are kept.", "file")
    thumbnail = thumbnail_of(content, media_type)
    review = review_of(trade) if trade is not None else None
    here = Attachment.objects.filter(account=account, review=review, day=day)
    digest = hashlib.sha256(content).hexdigest()
    known = here.filter(sha256=digest).defer("content", "thumbnail").first()
    if known is not None:
        attachment_delete(user=user, attachment=known, deleted=False)
        return known
    if here.filter(deleted_at=None).count() >= MAX_FILES:
        raise RuleError(f"At most {MAX_FILES} files here.", "file")
    attachment = Attachment.objects.create(
        account=account, review=review, day=day, name=safe_name(name, media_type), media_type=media_type,
        size=len(content), sha256=digest, content=content, thumbnail=thumbnail, created_by=user,
    )  # fmt: skip
    audit_record(
        actor=user, action="attachment.add", account=account, obj=attachment, summary=attachment.name,
        changes={"sha256": digest, "bytes": len(content)},
    )  # fmt: skip
    return attachment


@transaction.atomic
def attachment_delete(*, user: User, attachment: Attachment, deleted: bool = True) -> None:
    """Remove a file, or bring it back."""
    moment = timezone.now() if deleted else None
    changed = Attachment.objects.filter(pk=attachment.pk, deleted_at__isnull=deleted).update(
        deleted_at=moment
    )
    if changed:
        action = "attachment.delete" if deleted else "attachment.restore"
        audit_record(
            actor=user, action=action, account=attachment.account, obj=attachment, summary=attachment.name
        )


def thumbnail_of(content: bytes, media_type: str) -> bytes | None:
    """Draw the image anew and small: nothing of the file itself reaches a page. None for a PDF.

    Raises RuleError for a damaged or enormous image.
    """
    expected = _KINDS[media_type][0]
    if not expected:
        return None
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content), formats=[expected]) as image:
            large = image.width * image.height > _MAX_PIXELS
            small = None if large else image.convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise RuleError("The image is damaged.", "file") from None
    if small is None:
        raise RuleError("The image has more than 40 million pixels.", "file")
    small.thumbnail(_THUMBNAIL)
    out = io.BytesIO()
    small.save(out, "PNG", optimize=True)
    return out.getvalue()

"""The export of everything a user owns: a zip of JSON and CSV, made by a worker."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from hedging.jobs.context import JobContext, JobRetryError
from hedging.jobs.engine import job_request
from hedging.jobs.registry import job_handler
from hedging.jobs.scopes import user_scope
from hedging.models import Job
from journal.job_kinds import DATA_EXPORT
from journal.models import AuditEvent, DataTransfer, User
from journal.safe_csv import safe_cell
from journal.selectors.jobs import user_of_job
from journal.services.audit import audit_record
from journal.services.own_data.tables import (
    LEFT_OUT,
    RECORDED,
    VERSION,
    ChangedMeanwhileError,
    Portable,
    Row,
    canonical,
    collect,
    owned_accounts,
)

KEPT_EXPORTS = 3
_EPOCH = (1980, 1, 1, 0, 0, 0)


@transaction.atomic
def export_request(*, user: User, token: str) -> Job:
    """Ask for an export; the same token asks once."""
    job, made = job_request(
        kind=DATA_EXPORT, scope=user_scope(user.public_id), input_revision=token[:60],
        requested_by=str(user.public_id), max_attempts=3,
    )  # fmt: skip
    if made:
        audit_record(actor=user, action="data.export", obj=user, summary="everything")
    return job


@job_handler(DATA_EXPORT)
def data_export(context: JobContext) -> Callable[[], dict[str, Any]]:
    """Collect, write and keep an export; older ones beyond KEPT_EXPORTS go."""
    user = user_of_job(context.job)
    try:
        found = collect(user, progress=context.progress)
    except ChangedMeanwhileError:
        raise JobRetryError("The data changed while they were read.") from None
    made = timezone.now()
    content = write_zip(user, found, made, context.check)
    digest = found.digest()

    def keep() -> dict[str, Any]:
        row = DataTransfer.objects.create(
            user=user, kind=DataTransfer.Kind.EXPORT, content=content, size=len(content),
            filename=f"alvh-journal-{made:%Y-%m-%d-%H%M%S}.zip", digest=digest, counts=found.counts(),
            sha256=hashlib.sha256(content).hexdigest(),
        )  # fmt: skip
        old = DataTransfer.objects.filter(user=user, kind=DataTransfer.Kind.EXPORT).order_by("-created_at")
        DataTransfer.objects.filter(pk__in=list(old.values_list("pk", flat=True)[KEPT_EXPORTS:])).delete()
        return {"transfer_id": str(row.pk), "digest": digest, "bytes": len(content)}

    return keep


def write_zip(user: User, found: Portable, made: datetime, check: Callable[[], None]) -> bytes:
    """The zip: manifest, ``data`` to be read back, the same as CSV, ``files``, and ``record``."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:

        def put(name: str, content: str | bytes) -> None:
            check()
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)

        put("manifest.json", json.dumps(_manifest(found, made), indent=1))
        put("record/profile.json", json.dumps(_profile(user), indent=1))
        for name, rows in found.rows.items():
            put(f"data/{name}.json", canonical(rows))
            put(f"csv/{name}.csv", _csv(rows))
        for digest, content in sorted(found.files.items()):
            put(f"files/{digest}", content)
        for model in RECORDED:
            rows = list(_recorded(user, model))
            label = model.__name__.lower()
            put(f"record/{label}.json", canonical(rows))
            put(f"csv/record-{label}.csv", _csv(rows))
    return out.getvalue()


def _manifest(found: Portable, made: datetime) -> dict[str, Any]:
    return {
        "product": "ALVH Journal", "version": VERSION, "made_at": made.astimezone(UTC).isoformat(),
        "digest": found.digest(), "digests": found.digests(), "counts": found.counts(),
        "left_out": {model.__name__: reason for model, reason in LEFT_OUT.items()},
    }  # fmt: skip


def _profile(user: User) -> dict[str, Any]:
    return {
        "username": user.get_username(), "email": user.email, "first_name": user.first_name,
        "last_name": user.last_name, "joined": user.date_joined.isoformat(),
    }  # fmt: skip


def _recorded(user: User, model: type[models.Model]) -> Iterable[Row]:
    """Rows that are written down as they are, without files."""
    accounts = list(owned_accounts(user).values_list("pk", flat=True))
    manager = model._default_manager  # noqa: SLF001
    if model is AuditEvent:
        rows = manager.filter(account_id__in=[str(pk) for pk in accounts])
    else:
        rows = manager.filter(**{f"{RECORDED[model]}__in": accounts})
    names = [f.attname for f in model._meta.concrete_fields if not isinstance(f, models.BinaryField)]  # noqa: SLF001
    for row in rows.order_by("pk").values(*names).iterator(chunk_size=1000):
        yield {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str | dict | list) else str(value)


def _csv(rows: list[Row]) -> str:
    out = io.StringIO()
    if not rows:
        return ""
    writer = csv.writer(out)
    names = list(rows[0])
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in names])
    return out.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return safe_cell(canonical(value))
    text = str(value)
    try:
        float(text)
    except ValueError:
        return safe_cell(text)
    return text

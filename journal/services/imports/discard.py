"""Discarding a staged file, bringing it back, and letting it go for good after a week."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from hedging.models import Job
from journal.errors import RuleError
from journal.models import ImportBatch, User
from journal.services.audit import audit_record
from journal.services.imports.stage import State, batch_lock, batch_replan

#: How long a file that was discarded can be brought back.
KEPT = timedelta(days=7)
_WAITING = (State.STAGED, State.REFUSED, State.READING)


@transaction.atomic
def import_discard(*, user: User, batch: ImportBatch, version: int | None = None) -> ImportBatch:
    """Discard a batch that recorded nothing; one discarded already is answered as it is.

    It stays for KEPT with all that was mended and can be brought back. Raises ConflictError when it changed
    since ``version``, RuleError when it was recorded or a worker is still at it.
    """
    fresh = ImportBatch.objects.get(pk=batch.pk)
    if fresh.state == State.DISCARDED:
        return fresh
    batch = batch_lock(batch, version, *_WAITING)
    if (
        batch.job_id
        and Job.objects.filter(pk=batch.job_id, state__in=(Job.State.QUEUED, Job.State.RUNNING)).exists()
    ):
        raise RuleError("The import is still running; cancel it first.")
    batch.discarded_from, batch.state, batch.discarded_at = batch.state, State.DISCARDED, timezone.now()
    batch.version += 1
    batch.save(update_fields=["state", "discarded_from", "discarded_at", "version"])
    audit_record(
        actor=user, action="import.discard", account=batch.account, obj=batch, summary=batch.filename
    )
    return batch


@transaction.atomic
def import_restore(*, user: User, batch: ImportBatch, version: int | None = None) -> ImportBatch:
    """Bring a batch back as it was; one that is back already is answered as it is.

    What was recorded meanwhile is told apart as duplicates. Raises ConflictError and RuleError.
    """
    fresh = ImportBatch.objects.get(pk=batch.pk)
    if fresh.state in _WAITING:
        return fresh
    batch = batch_lock(batch, version, State.DISCARDED)
    batch.state, batch.discarded_from, batch.discarded_at = batch.discarded_from, "", None
    batch.version += 1
    batch.save(update_fields=["state", "discarded_from", "discarded_at", "version"])
    if batch.state == State.STAGED:
        batch_replan(batch)
    audit_record(
        actor=user, action="import.restore", account=batch.account, obj=batch, summary=batch.filename
    )
    return batch


def imports_purge(*, now: datetime) -> int:
    """Delete what was discarded more than KEPT ago, with an audit event each; returns how many."""
    gone = 0
    due = ImportBatch.objects.filter(state=State.DISCARDED, discarded_at__lte=now - KEPT)
    for pk in list(due.values_list("pk", flat=True)):
        with transaction.atomic():
            rows = ImportBatch.objects.select_for_update(of=("self",)).select_related("account")
            batch = rows.filter(pk=pk, state=State.DISCARDED, discarded_at__lte=now - KEPT).first()
            if batch is None:  # brought back meanwhile
                continue
            audit_record(
                actor=None, action="import.purge", account=batch.account, obj=batch, summary=batch.filename
            )
            batch.delete()
            gone += 1
    return gone

"""Reads of imports: batches with their rows."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from hedging.models import Job
from journal.models import Account, ImportBatch, ImportRow, User

_HEAVY = ("content", "plan")


def batches_for(user: User, account: Account | None = None) -> QuerySet[ImportBatch]:
    """The user's imports, newest first, without their contents."""
    rows = ImportBatch.objects.for_user(user).select_related("account", "created_by").defer(*_HEAVY)
    return rows.filter(account=account) if account else rows


def batch_get(user: User, pk: UUID | str) -> ImportBatch:
    """One of the user's imports, or 404."""
    rows = ImportBatch.objects.for_user(user).select_related("account", "created_by").defer("content")
    found: ImportBatch = get_object_or_404(rows, pk=pk)
    return found


def batch_rows(batch: ImportBatch, status: str = "") -> QuerySet[ImportRow]:
    """Rows of a batch in the order of the file, of one status if asked."""
    rows = batch.rows.order_by("position")
    return rows.filter(status=status) if status in ImportRow.Status.values else rows


def batch_job(batch: ImportBatch) -> Job | None:
    """The job that reads or records the batch, if one does."""
    return Job.objects.filter(pk=batch.job_id).first() if batch.job_id else None

"""Reads of imports: batches with their rows, and plain answers for API and command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from hedging.models import Job
from journal.importers.rows import BROKER_NAMES, Broker
from journal.models import Account, ImportBatch, ImportRow, User

MAX_ROWS_ANSWERED = 1_000
_HEAVY = ("content", "plan")


@dataclass(frozen=True, slots=True)
class BrokerChoice:
    """A broker whose files can be read."""

    value: str
    name: str


BROKERS = [BrokerChoice(broker.value, name) for broker, name in BROKER_NAMES.items()]


def broker_name(value: str) -> str:
    """The broker in words; empty while it is not known."""
    return BROKER_NAMES[Broker(value)] if value in set(Broker) else ""


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


def batch_answer(batch: ImportBatch) -> dict[str, Any]:
    """A batch as plain values: broker, counts, trades found, cash, every row not understood."""
    plan = batch.plan
    errors = batch.rows.filter(status=ImportRow.Status.ERROR).order_by("position")
    return {
        "id": str(batch.pk),
        "account": str(batch.account_id),
        "state": batch.state,
        "filename": batch.filename,
        "sha256": batch.sha256,
        "broker": batch.broker,
        "layout": batch.layout,
        "zone": batch.zone,
        "version": batch.version,
        "job": str(batch.job_id) if batch.job_id else None,
        "problem": batch.problem,
        "counts": batch.counts,
        "trades": plan.get("trades", 0),
        "new_trades": plan.get("new_trades", 0),
        "reviews": plan.get("reviews", 0),
        "rolls": plan.get("roll_count", 0),
        "waiting": plan.get("waiting", 0),
        "cash": plan.get("cash", "0.00"),
        "trades_found": plan.get("shown", []),
        "rolls_found": plan.get("rolls", []),
        "settlements": plan.get("settlements", []),
        "totals": batch.totals,
        "remarks": batch.remarks,
        "not_understood": [
            {"id": row.pk, "line": row.line, "message": row.message, "field": row.field, "raw": row.raw}
            for row in errors[:MAX_ROWS_ANSWERED]
        ],
    }

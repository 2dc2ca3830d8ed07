"""An import as plain values, for the API and the command line."""

from __future__ import annotations

from typing import Any

from journal.importers.rows import BROKER_NAMES, Broker
from journal.importers.text import ENCODINGS
from journal.models import ImportBatch, ImportRow

MAX_ROWS_ANSWERED = 1_000
#: Brokers and encodings to choose from, with their names.
BROKERS = [(broker.value, name) for broker, name in BROKER_NAMES.items()]
ENCODING_CHOICES = [(name, name) for name in ENCODINGS]


def broker_name(value: str) -> str:
    """The broker in words; empty while it is not known."""
    return BROKER_NAMES[Broker(value)] if value in set(Broker) else ""


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
        "cash_movements": plan.get("cash_movements", {}),
        "reconciliation": plan.get("reconciliation", {}),
        "totals": batch.totals,
        "remarks": batch.remarks,
        "not_understood": [
            {
                "id": row.pk,
                "line": row.line,
                "message": row.message,
                "field": row.field,
                "word": row.word,
                "raw": row.raw,
            }
            for row in errors[:MAX_ROWS_ANSWERED]
        ],
    }

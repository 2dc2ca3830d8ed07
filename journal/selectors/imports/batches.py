"""Reads of imports: batches with their rows."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.fields.json import KeyTransform
from django.shortcuts import get_object_or_404

from hedging.engine.contract_words import contract_words
from hedging.models import Job
from journal.models import CashEntry, ImportBatch, ImportRow, ImportSetting, User

_LEDGER = {kind.value: str(kind.label) for kind in CashEntry.Kind}
#: Kinds of rows as they are stored.
_CASH, _EXPIRY = "cash", "expiry"
_HEAVY = ("content", "plan")


def batches_for(user: User) -> QuerySet[ImportBatch]:
    """The user's imports, newest first, without their contents."""
    rows = ImportBatch.objects.for_user(user).select_related("account", "created_by").defer(*_HEAVY)
    return rows.annotate(reviews=KeyTransform("reviews", "plan"))


def batch_get(user: User, pk: UUID | str) -> ImportBatch:
    """One of the user's imports, or 404."""
    rows = ImportBatch.objects.for_user(user).select_related("account", "created_by").defer("content")
    found: ImportBatch = get_object_or_404(rows, pk=pk)
    return found


def batch_rows(batch: ImportBatch, shown: str = "") -> QuerySet[ImportRow]:
    """Rows of a batch in the order of the file; of one status, or the movements of ``cash``, if asked."""
    rows = batch.rows.order_by("position")
    if shown == _CASH:
        return rows.filter(kind=_CASH)
    return rows.filter(status=shown) if shown in ImportRow.Status.values else rows


def row_meaning(row: ImportRow) -> list[str]:
    """What a row was understood as, in words: its contracts, or its entry of the cash ledger."""
    data = row.data
    if "ledger" in data:
        return [f"{_LEDGER.get(data['ledger'], data['ledger'])}, {data['day']}"]
    words = {"expiry": "expired", "settlement": "settled in cash"}.get(row.kind, "")
    found = []
    for symbol, quantity, price, effect, signed in data.get("legs", ()):
        count = (
            f"{quantity:+,}".replace("-", "\N{MINUS SIGN}")
            if signed
            else f"{abs(quantity):,} (side not said)"
        )
        at = "" if row.kind == _EXPIRY else f" at {_points(price)}"
        found.append(" ".join(filter(None, (f"{count} {contract_words(symbol)}{at}", words or effect))))
    return found


def _points(price: str) -> str:
    """A price with its own decimals, and two at least."""
    value = Decimal(price).normalize()
    return f"{value:.2f}" if value == round(value, 2) else f"{value:f}"


def batch_job(batch: ImportBatch) -> Job | None:
    """The job that reads or records the batch, if one does."""
    return Job.objects.filter(pk=batch.job_id).first() if batch.job_id else None


def answers_kept(batch: ImportBatch) -> dict[str, str]:
    """What was answered for names of cash movements of this broker in the account."""
    setting = ImportSetting.objects.filter(account=batch.account_id, broker=batch.broker).first()
    return dict(setting.movements) if setting else {}

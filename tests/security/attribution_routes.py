"""What the tenancy tests must know of attribution, settlement and the cash ledger."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from journal.services.cash.file import cash_import_upload
from journal.services.cash.ledger import cash_record
from tests.journal.people import People

POST_ONLY = {
    "attribution_rebuild", "cash_reverse", "cash_import_commit", "cash_import_undo", "cash_import_discard",
}  # fmt: skip
#: What a member who may only read is refused.
WRITES = {
    "trade_settle", "cash_reverse", "cash_import_commit", "cash_import_undo", "cash_import_discard",
}  # fmt: skip


def attribution_ids(people: People) -> dict[str, Any]:
    """The owner's objects by the first part of their routes."""
    entry = cash_record(
        user=people.owner, account=people.account, kind="deposit", amount=Decimal(5), day=date(2026, 1, 2)
    )
    batch = cash_import_upload(
        user=people.owner, account=people.account, filename="cash.csv",
        data=b"date,kind,amount\n2026-01-05,deposit,1.00\n",
    )  # fmt: skip
    return {"cash": entry.pk, "cash/imports": batch.pk}

"""What the tenancy tests must know of attribution, settlement and the cash ledger."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from journal.services.cash import cash_record
from tests.journal.people import People

POST_ONLY = {"attribution_rebuild", "cash_reverse"}
#: What a member who may only read is refused.
WRITES = {"trade_settle", "cash_reverse"}


def attribution_ids(people: People) -> dict[str, Any]:
    """The owner's objects by the first part of their routes."""
    entry = cash_record(
        user=people.owner, account=people.account, kind="deposit", amount=Decimal(5), day=date(2026, 1, 2)
    )
    return {"cash": entry.pk}

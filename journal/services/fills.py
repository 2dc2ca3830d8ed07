"""Correcting fills. They are append-only: a mistake is reversed by its mirror image."""

from __future__ import annotations

from django.db import transaction

from journal.models import Fill, User
from journal.services.errors import RuleError
from journal.services.ledger import book_changed, trade_lock

_NOTE_LENGTH = 200


@transaction.atomic
def fill_reverse(*, user: User, fill: Fill, reason: str, version: int | None = None) -> Fill:
    """Correct a fill by a fill of opposite quantity and fees at the same price and time.

    Raises RuleError without a reason, for a fill that is corrected already and for a correction
    itself; ConflictError when the trade moved on since ``version``.
    """
    if not reason.strip():
        raise RuleError("Say why the fill is corrected.", "reason")
    trade = trade_lock(fill.trade, version)
    if fill.reverses_id is not None:
        raise RuleError("This entry is itself a correction.")
    if Fill.objects.filter(reverses=fill).exists():
        raise RuleError("This fill is already corrected.")
    mirror = Fill.objects.create(
        account=fill.account,
        trade=trade,
        contract=fill.contract,
        quantity=-fill.quantity,
        price=fill.price,
        fees=-fill.fees,
        executed_at=fill.executed_at,
        trade_date=fill.trade_date,
        reverses=fill,
        source="reversal",
        note=reason.strip()[:_NOTE_LENGTH],
        created_by=user,
    )
    book_changed(user, trade, "fill.reverse", reason.strip())
    return mirror

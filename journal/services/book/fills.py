"""Fills: appended by orders, never changed. A mistake is reversed by its mirror image."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from django.db import transaction

from hedging.services.snapshots.contracts import contract_get_or_create
from journal.errors import RuleError
from journal.models import Fill, Trade, User
from journal.services.book.fees import order_fees
from journal.services.book.ledger import book_changed, trade_lock
from journal.services.book.orders import OrderInput

_NOTE_LENGTH = 200


def fills_write(user: User, trade: Trade, order: OrderInput, session: date) -> None:
    """Append the fills of an order; its fees are shared over them in whole cents."""
    shares = order_fees(trade.account, order)
    for number, (leg, share) in enumerate(zip(order.legs, shares, strict=True)):
        Fill.objects.create(
            account=trade.account,
            trade=trade,
            contract=contract_get_or_create(spec=leg.spec),
            quantity=leg.quantity,
            price=leg.price,
            fees=share,
            executed_at=order.executed_at,
            trade_date=session,
            source=order.source,
            note=leg.note,
            created_by=user,
            external_id=f"{order.token}:{number}" if order.token else "",
        )


@transaction.atomic
def fill_reverse(*, user: User, fill: Fill, reason: str, version: int | None = None) -> Fill:
    """Correct a fill by a fill of opposite quantity and fees at the same price and time.

    Raises RuleError without a reason, for a fill that is corrected already and for a correction
    itself; ConflictError when the trade moved on since ``version``.
    """
    reason = _reason(reason)
    trade = trade_lock(fill.trade, version)
    mirror = _mirror(user, trade, fill, reason)
    book_changed(user, trade, "fill.reverse", reason)
    return mirror


@transaction.atomic
def fills_reverse(
    *, user: User, trade: Trade, fills: Sequence[UUID | str], reason: str, version: int | None = None
) -> Trade:
    """Correct several fills of one trade, by their ids, as one change. Raises as ``fill_reverse``."""
    reason = _reason(reason)
    trade = trade_lock(trade, version)
    rows = list(Fill.objects.filter(trade=trade, pk__in=fills).order_by("executed_at", "created_at", "pk"))
    if not rows or len(rows) != len(fills):
        raise RuleError("Some of the fills are not recorded any more.")
    for fill in rows:
        _mirror(user, trade, fill, reason)
    return book_changed(user, trade, "fill.reverse", reason)


def _reason(text: str) -> str:
    if not text.strip():
        raise RuleError("Say why the fill is corrected.", "reason")
    return text.strip()


def _mirror(user: User, trade: Trade, fill: Fill, reason: str) -> Fill:
    if fill.reverses_id is not None:
        raise RuleError("This entry is itself a correction.")
    if Fill.objects.filter(reverses=fill).exists():
        raise RuleError("This fill is already corrected.")
    return Fill.objects.create(
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
        note=reason[:_NOTE_LENGTH],
        created_by=user,
    )

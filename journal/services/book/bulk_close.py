"""Closing many trades at once: all of them in one transaction, or none, and one Undo for all.

Each closing is judged and written as one by itself would be; the guardrails judge all of an account together.
Only whole trades are closed here; legs that have expired belong to their settlement and are left to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from journal.errors import ConflictError, RuleError
from journal.models import WRITE_ROLES, Account, BulkChange, Fill, Trade, User
from journal.selectors.book.closing import ClosingTrade
from journal.selectors.book.trades import live_legs, with_fills
from journal.services.book.bulk_edit import many, told
from journal.services.book.fills import fills_reverse
from journal.services.book.judging import JudgedOrder, closing_judged, judge_together
from journal.services.book.ledger import account_revalue, order_begin, trade_lock
from journal.services.book.orders import LegInput, OrderInput
from journal.services.book.package_price import SPLIT_NOTE, market_marks, split_package
from journal.services.book.trades import closing_write
from journal.services.undo_records import change_begin

#: As many as a page of the list shows; each has a price somebody typed.
MOST = 50


@dataclass(frozen=True, slots=True)
class Closing:
    """A trade to be closed: the version it was read at, and the order that closes every live leg."""

    trade: UUID
    version: int
    order: OrderInput


@dataclass(frozen=True, slots=True)
class CloseRefusal:
    """Why one trade cannot be closed so; ``field`` names the input, ``conflict`` that it changed since."""

    trade: UUID
    label: str
    field: str
    message: str
    conflict: bool = False


class RowsRefusedError(RuleError):
    """Some of the trades cannot be closed so; nothing was written."""

    def __init__(self, refusals: Sequence[CloseRefusal]) -> None:
        self.refusals = tuple(refusals)
        lines = "; ".join(f"{r.label}: {r.message}" for r in self.refusals)
        super().__init__(f"Nothing was closed. {lines}")


def closing_order(
    row: ClosingTrade, price: Decimal, moment: datetime, *, fees: Decimal | None, source: str
) -> OrderInput:
    """Close a trade's live legs at ``price`` points per package, + received. Raises RuleError.

    The price of several legs is shared over them as for an order string; their sum is exact.
    """
    if row.reason:
        raise RuleError(row.reason, "trade")
    if row.is_mixed:
        raise RuleError("Its legs have different multipliers: give a price for each leg.", "price")
    legs = [(leg.leg.spec, -leg.leg.quantity) for leg in row.legs]
    marks: dict[str, Decimal] = {}
    if len(legs) > 1:
        specs = [spec for spec, _ in legs]
        marks = market_marks(specs, moment, simulated=row.trade.account.is_demo)
    try:
        prices = split_package(legs, row.packages, price, marks)
    except RuleError as error:
        raise RuleError(error.message, "price") from None
    note = SPLIT_NOTE if len(legs) > 1 else ""
    inputs = [LegInput(s, q, p, note) for (s, q), p in zip(legs, prices, strict=True)]
    return OrderInput(inputs, moment, fees, source)


@transaction.atomic
def bulk_close(*, user: User, closings: Sequence[Closing], token: str) -> BulkChange:
    """Close every trade of the list, or none; returns the record from which all of it is undone.

    Raises RowsRefusedError naming each trade that cannot be closed so, RuleError for a list that is empty,
    too long or names a trade twice. The same token is one change.
    """
    change, made = change_begin(user=user, action=BulkChange.Action.CLOSE, token=token)
    if not made:
        return change
    wanted = {closing.trade: closing for closing in closings}
    if not wanted:
        raise RuleError("Choose at least one trade.")
    if len(wanted) != len(closings):
        raise RuleError("A trade is named twice.")
    if len(wanted) > MOST:
        raise RuleError(f"At most {MOST} trades are closed at once.")
    rows = with_fills(Trade.objects.for_user(user, WRITE_ROLES).filter(pk__in=list(wanted)))
    trades = {trade.pk: trade for trade in rows}
    refusals = [
        CloseRefusal(pk, "A trade", "trade", "It is not there, or you may not change it.")
        for pk in wanted
        if pk not in trades
    ]
    judged: list[JudgedOrder] = []
    # Always in this order, so that two people who close the same trades wait and do not lock each other out.
    for trade in sorted(trades.values(), key=lambda t: (str(t.account_id), str(t.pk))):
        try:
            judged.append(_judge(trade, wanted[trade.pk], token))
        except RuleError as refusal:
            refusals.append(CloseRefusal(trade.pk, trade.label, refusal.field, refusal.message))
        except ConflictError as conflict:
            refusals.append(CloseRefusal(trade.pk, trade.label, "version", str(conflict), conflict=True))
    if refusals:
        raise RowsRefusedError(refusals)
    accounts = {one.account.pk: one.account for one in judged}
    for account in accounts.values():
        _check_guards(account, [one for one in judged if one.account.pk == account.pk])
    closed = [closing_write(user=user, judged=one, revalue=False) for one in judged]
    for account in accounts.values():
        account.refresh_from_db()
        account_revalue(account=account, requested_by=str(user.public_id))
    undo = [
        {"trade": str(done.pk), "version": done.version, "fills": _written(done, one.order)}
        for done, one in zip(closed, judged, strict=True)
    ]
    change.undo, change.count = undo, len(closed)
    change.summary = f"{many(len(closed))} closed"
    change.save(update_fields=["undo", "summary", "count"])
    told(user, closed, "bulk.close", change.summary, {"change": str(change.pk), "changed": len(closed)})
    return change


def _check_guards(account: Account, judged: Sequence[JudgedOrder]) -> None:
    """Judge all closings of an account together, since one may close what another one's shorts relied on."""
    if words := judge_together(account, judged).words:
        raise RuleError(
            f"Nothing was closed. {words} "
            "Close them on their own pages, where this can be confirmed with a reason."
        )


def _judge(trade: Trade, closing: Closing, token: str) -> JudgedOrder:
    """Judge one closing of the list, its trade locked."""
    order = replace(closing.order, token=f"{token}.{trade.pk}")
    account, known = order_begin(trade.account, order)
    if known is not None:
        raise ConflictError("This form was recorded before. Reload, then try again.")
    live, expired = live_legs(trade, timezone.now())
    if trade.status == Trade.Status.CLOSED:
        raise ConflictError("It is closed already.")
    named = {leg.spec.symbol: leg.quantity for leg in order.legs}
    if late := [leg.spec.symbol for leg in expired if leg.spec.symbol in named]:
        raise RuleError(f"{late[0]} has expired: it is settled, not closed.", "legs")
    if not live:
        raise RuleError("Its legs have expired: they are settled, not closed.", "legs")
    if trade.version == closing.version and named != {leg.spec.symbol: -leg.quantity for leg in live}:
        raise RuleError("Every open leg is closed here; close single legs on the trade's page.", "legs")
    return closing_judged(account, trade_lock(trade, closing.version), order)


def _written(trade: Trade, order: OrderInput) -> list[str]:
    """The ids of the fills an order wrote."""
    fills = Fill.objects.filter(
        account=trade.account_id, source=order.source, external_id__startswith=f"{order.token}:"
    )
    return [str(pk) for pk in fills.values_list("pk", flat=True)]


def close_undo(user: User, undo: Sequence[Any]) -> int:
    """Reverse the closing fills of trades that nobody changed since; returns how many trades."""
    accounts = Account.objects.for_user(user, WRITE_ROLES).filter(archived_at=None)
    rows = {UUID(row["trade"]): row for row in undo}
    trades = Trade.objects.filter(pk__in=list(rows), account__in=accounts).select_related("account")
    count = 0
    for trade in sorted(trades, key=lambda t: (str(t.account_id), str(t.pk))):
        row = rows[trade.pk]
        try:
            fills_reverse(
                user=user, trade=trade, fills=row["fills"], reason="Closing of many trades undone",
                version=row["version"],
            )  # fmt: skip
        except (ConflictError, RuleError):  # somebody changed it since: theirs stays
            continue
        count += 1
    return count

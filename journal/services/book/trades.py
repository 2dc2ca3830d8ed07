"""Recording trades: fills, derived fields, revision, audit and job in one transaction.

Every order is judged once (``journal.services.book.judging``); what is judged is written as it was judged.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from journal.models import Account, Trade, User
from journal.services.book.fees import default_fees, split_fees
from journal.services.book.fills import fill_reverse, fills_write
from journal.services.book.guards import override_record
from journal.services.book.judging import JudgedOrder, TradeOrder, judge_confirmed
from journal.services.book.ledger import (
    account_revalue,
    book_changed,
    order_begin,
    trade_lock,
    trade_refresh,
)
from journal.services.book.orders import LegInput, OrderInput

__all__ = [
    "LegInput",
    "OrderInput",
    "account_revalue",
    "closing_write",
    "default_fees",
    "fill_reverse",
    "opening_write",
    "split_fees",
    "trade_close",
    "trade_create",
    "trade_refresh",
]


@transaction.atomic
def trade_create(
    *,
    user: User,
    account: Account,
    order: OrderInput,
    kind: Trade.Kind | None = None,
    layer: int | None = None,
    instrument: str = "",
    protects: Sequence[Trade] = (),
    reason: str = "",
    order_text: str = "",
    accept_size: bool = False,
) -> Trade:
    """Record a new trade: a condor, a hedge layer or another position; without ``kind`` as the legs say.

    A hedge layer (1, 2 or 3) may protect condors of its account; an empty ``instrument`` is recognised from
    the legs, a given one must agree with them. The same ``order.token`` in the account returns the trade it
    made the first time. What a guardrail refuses needs ``accept_size`` and a reason. Raises RuleError naming
    the input.
    """
    account, known = order_begin(account, order)
    if known is not None:
        return known
    asked = TradeOrder(account, order, kind, layer, instrument, tuple(protects))
    judged = judge_confirmed(asked, reason=reason, accept_size=accept_size)
    return opening_write(user=user, judged=judged, reason=reason, order_text=order_text)


@transaction.atomic
def trade_close(
    *,
    user: User,
    trade: Trade,
    order: OrderInput,
    version: int | None = None,
    reason: str = "",
    accept_size: bool = False,
) -> Trade:
    """Close a trade wholly or leg by leg; no leg may be closed beyond what is open.

    Raises RuleError naming the leg, ConflictError when the trade moved on since ``version``. The
    same ``order.token`` closes once. Guardrails as in ``trade_create``: what is left open must not become
    worse unless that is confirmed with a reason.
    """
    account, known = order_begin(trade.account, order)
    if known is not None:
        return known
    asked = TradeOrder(account, order, trade=trade_lock(trade, version))
    judged = judge_confirmed(asked, reason=reason, accept_size=accept_size)
    return closing_write(user=user, judged=judged, reason=reason)


def opening_write(*, user: User, judged: JudgedOrder, reason: str = "", order_text: str = "") -> Trade:
    """Write a judged order as a new trade. The caller holds the account's lock in a transaction."""
    trade = Trade.objects.create(
        account=judged.account,
        kind=judged.kind,
        layer=judged.layer,
        instrument=judged.instrument,
        reason=reason,
        order_text=order_text,
        created_by=user,
        label=judged.label,
        underlying=judged.position.legs[0].spec.underlying,
    )
    trade.protects.set(judged.protects)
    fills_write(user, trade, judged.order, judged.session)
    override_record(user=user, trade=trade, refusals=judged.guard.refusals, reason=reason)
    return book_changed(user, trade, "trade.create")


def closing_write(*, user: User, judged: JudgedOrder, reason: str = "", revalue: bool = True) -> Trade:
    """Write a judged closing. The caller holds the trade's lock in a transaction.

    Without ``revalue`` the caller asks for the valuation.
    """
    trade = judged.trade
    assert trade is not None
    fills_write(user, trade, judged.order, judged.session)
    override_record(user=user, trade=trade, refusals=judged.guard.refusals, reason=reason)
    return book_changed(user, trade, "trade.close", reason, revalue=revalue)

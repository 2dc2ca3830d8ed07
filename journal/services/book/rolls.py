"""Rolling a trade by hand: the old legs closed, the new ones opened and both linked, all or nothing."""

from __future__ import annotations

from dataclasses import replace

from django.db import transaction

from journal.errors import RuleError
from journal.models import Trade, TradeLink, User
from journal.services.book.judging import TradeOrder, judge_confirmed
from journal.services.book.ledger import order_begin, trade_lock
from journal.services.book.links import link_draw
from journal.services.book.orders import OrderInput
from journal.services.book.trades import closing_write, opening_write


@transaction.atomic
def trade_roll(
    *,
    user: User,
    trade: Trade,
    closing: OrderInput,
    opening: OrderInput,
    kind: str,
    version: int | None = None,
    reason: str = "",
    accept_size: bool = False,
) -> Trade:
    """Close with one order, open with the other, link them; returns the new trade.

    The new trade keeps kind, layer and what it protects; a layer's instrument is recognised from its new
    legs. What a guardrail refuses of the whole roll, such as a larger size, needs ``accept_size`` and a
    reason.
    Raises RuleError naming the input, ConflictError on a stale version. The same token rolls once.
    """
    if kind not in TradeLink.Kind.values:
        raise RuleError("Unknown adjustment type.", "kind")
    closing, opening = (
        replace(order, token=f"{order.token}-{step}" if order.token else "")
        for order, step in ((closing, "close"), (opening, "open"))
    )
    _, known = order_begin(trade.account, opening)
    if known is not None:
        return known
    asked = roll_order(trade_lock(trade, version), closing, opening)
    judged = judge_confirmed(asked, reason=reason, accept_size=accept_size)
    assert judged.closes is not None
    closed = closing_write(user=user, judged=judged.closes)
    opened = opening_write(user=user, judged=judged, reason=reason)
    link_draw(user=user, earlier=closed, later=opened, kind=kind)
    return opened


def roll_order(trade: Trade, closing: OrderInput, opening: OrderInput) -> TradeOrder:
    """A roll as one order: both halves in the one trade, whose kind, layer and condors the new one keeps."""
    is_hedge = trade.kind == Trade.Kind.HEDGE
    return TradeOrder(
        trade.account, opening, Trade.Kind(trade.kind), trade.layer,
        protects=tuple(trade.protects.all()) if is_hedge else (), trade=trade, closing=closing,
    )  # fmt: skip

"""Rolling a trade by hand: the old legs closed, the new ones opened and both linked, all or nothing."""

from __future__ import annotations

from dataclasses import replace

from django.db import transaction

from journal.errors import RuleError
from journal.models import Trade, TradeLink, User
from journal.services.book.guards import GuardCheck, check_guard, order_guard, override_record
from journal.services.book.ledger import account_lock, trade_of_token
from journal.services.book.links import link_draw
from journal.services.book.orders import OrderInput
from journal.services.book.trades import trade_close, trade_create


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

    The new trade keeps kind, layer, instrument and what it protects. What a guardrail refuses of the whole
    roll, such as a larger size, needs ``accept_size`` and a reason. Raises RuleError naming the input,
    ConflictError on a stale version. The same token rolls once.
    """
    account_lock(trade.account)
    known = trade_of_token(trade.account, replace(closing, token=f"{closing.token}-close"))
    guard = GuardCheck() if closing.token and known else roll_guard(trade, closing, opening)
    check_guard(guard, reason, accept_size=accept_size)
    closing, opening = (
        replace(order, token=f"{order.token}-{step}" if order.token else "")
        for order, step in ((closing, "close"), (opening, "open"))
    )
    closed = trade_close(user=user, trade=trade, order=closing, version=version, judged=True)
    opened = trade_create(
        user=user,
        account=closed.account,
        kind=Trade.Kind(trade.kind),
        order=opening,
        reason=reason,
        layer=trade.layer,
        instrument=trade.instrument,
        protects=list(trade.protects.all()),
        judged=True,
    )
    if known is None:
        override_record(user=user, trade=opened, found=guard, reason=reason)
    if kind not in TradeLink.Kind.values:
        raise RuleError("That is no kind of adjustment.", "kind")
    link_draw(user=user, earlier=closed, later=opened, kind=kind)
    return opened


def roll_guard(trade: Trade, closing: OrderInput, opening: OrderInput) -> GuardCheck:
    """What the guardrails say of a roll as a whole: both orders in the one trade."""
    return order_guard(
        trade.account, opening, kind=Trade.Kind(trade.kind), layer=trade.layer, trade=trade,
        rolled=closing.legs,
    )  # fmt: skip

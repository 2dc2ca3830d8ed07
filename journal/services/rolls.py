"""Rolling a trade by hand: the old legs closed, the new ones opened and both linked, all or nothing."""

from __future__ import annotations

from dataclasses import replace

from django.db import transaction

from journal.models import Trade, TradeLink, User
from journal.services.errors import RuleError
from journal.services.import_links import link_draw
from journal.services.orders import OrderInput
from journal.services.trades import trade_close, trade_create


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
    approved: bool = False,
) -> Trade:
    """Close with one order, open with the other, link them; returns the new trade.

    The new trade keeps kind, layer, instrument and what it protects. A larger size than the old one
    needs ``approved`` and a reason (methodology, guardrails). Raises RuleError naming the input,
    ConflictError on a stale version. The same token rolls once.
    """
    held = sum(abs(leg.quantity) for leg in closing.legs)
    wanted = sum(abs(leg.quantity) for leg in opening.legs)
    if wanted > held and not (approved and reason.strip()):
        raise RuleError(
            "A roll is not larger than the trade it replaces, unless approved with a reason.", "reason"
        )
    closing, opening = (
        replace(order, token=f"{order.token}-{step}" if order.token else "")
        for order, step in ((closing, "close"), (opening, "open"))
    )
    closed = trade_close(user=user, trade=trade, order=closing, version=version)
    opened = trade_create(
        user=user,
        account=closed.account,
        kind=Trade.Kind(trade.kind),
        order=opening,
        reason=reason,
        layer=trade.layer,
        instrument=trade.instrument,
        protects=list(trade.protects.all()),
        accept_size=approved,
    )
    if kind not in TradeLink.Kind.values:
        raise RuleError("That is no kind of adjustment.", "kind")
    link_draw(user=user, earlier=closed, later=opened, kind=kind)
    return opened

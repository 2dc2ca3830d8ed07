"""Recording trades: fills, derived fields, revision, audit and job in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from hedging.engine.book import Right
from hedging.engine.structure import Shape
from journal.errors import RuleError
from journal.models import Account, Fill, Trade, User
from journal.selectors.book.trades import position_of
from journal.services.book.fills import fill_reverse
from journal.services.book.guards import GuardCheck, check_guard, order_guard, override_record
from journal.services.book.ledger import (
    account_lock,
    account_revalue,
    book_changed,
    position_label,
    trade_lock,
    trade_of_token,
    trade_refresh,
    write_fills,
)
from journal.services.book.orders import (
    LegInput,
    OrderInput,
    check_order,
    default_fees,
    split_fees,
)
from journal.services.book.sizing import order_max_loss, order_position, order_structure

__all__ = [
    "LegInput",
    "OrderInput",
    "account_revalue",
    "default_fees",
    "fill_reverse",
    "order_max_loss",
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
    kind: Trade.Kind,
    order: OrderInput,
    reason: str = "",
    order_text: str = "",
    layer: int | None = None,
    instrument: str = "",
    protects: Sequence[Trade] = (),
    accept_size: bool = False,
    judged: bool = False,
) -> Trade:
    """Record a new trade. Raises RuleError naming the input.

    The same ``order.token`` in the account returns the trade it made the first time. What a guardrail
    refuses needs ``accept_size`` and a reason (see journal.services.book.guards); ``judged`` says that the
    caller asked the guardrails already.
    """
    account = account_lock(account)
    if known := trade_of_token(account, order):
        return known
    session = check_order(order)
    _check_kind(kind, order, layer)
    guard = GuardCheck() if judged else order_guard(account, order, kind=kind, layer=layer)
    check_guard(guard, reason, accept_size=accept_size)
    trade = Trade.objects.create(
        account=account,
        kind=kind,
        layer=layer,
        instrument=instrument,
        reason=reason,
        order_text=order_text,
        created_by=user,
        label=position_label(kind, order_position(order.legs), layer),
        underlying=order.legs[0].spec.underlying,
    )
    trade.protects.set(protects)
    write_fills(user, trade, order, session)
    override_record(user=user, trade=trade, found=guard, reason=reason)
    return book_changed(user, trade, "trade.create")


@transaction.atomic
def trade_close(
    *,
    user: User,
    trade: Trade,
    order: OrderInput,
    version: int | None = None,
    revalue: bool = True,
    reason: str = "",
    accept_size: bool = False,
    judged: bool = False,
) -> Trade:
    """Close a trade wholly or leg by leg; no leg may be closed beyond what is open.

    Raises RuleError naming the leg, ConflictError when the trade moved on since ``version``. The
    same ``order.token`` closes once. Without ``revalue`` the caller asks for the valuation. Guardrails as in
    ``trade_create``: what is left open must not become worse unless that is confirmed with a reason.
    """
    account_lock(trade.account)
    if known := trade_of_token(trade.account, order):
        return known
    trade = trade_lock(trade, version)
    session = check_order(order)
    fills = list(trade.fills.select_related("contract"))
    if order.executed_at < min((f.executed_at for f in fills), default=order.executed_at):
        raise RuleError("The closing time is before the trade was opened.", "filled_at")
    _check_closes(order, fills)
    guard = (
        GuardCheck()
        if judged
        else order_guard(trade.account, order, kind=Trade.Kind(trade.kind), trade=trade)
    )
    check_guard(guard, reason, accept_size=accept_size)
    write_fills(user, trade, order, session)
    override_record(user=user, trade=trade, found=guard, reason=reason)
    return book_changed(user, trade, "trade.close", reason, revalue=revalue)


def _check_closes(order: OrderInput, fills: Sequence[Fill]) -> None:
    """Each leg must reduce what is open now and what was open at the closing time."""
    now = {leg.spec.symbol: leg.quantity for leg in position_of(fills).legs}
    earlier = [fill for fill in fills if fill.executed_at <= order.executed_at]
    then = {leg.spec.symbol: leg.quantity for leg in position_of(earlier).legs}
    for number, leg in enumerate(order.legs, start=1):
        symbol = leg.spec.symbol
        for held, when in ((now.get(symbol, 0), "open"), (then.get(symbol, 0), "open at the time")):
            same_side = (held > 0) == (leg.quantity > 0)
            if not held or same_side or abs(leg.quantity) > abs(held):
                raise RuleError(
                    f"Leg {number} ({symbol}): {leg.quantity:+d} does not close what is {when} ({held:+d}).",
                    "legs",
                )


def _check_kind(kind: Trade.Kind, order: OrderInput, layer: int | None) -> None:
    structure = order_structure(order.legs)
    if kind == Trade.Kind.CONDOR:
        if structure.shape not in {Shape.IRON_CONDOR, Shape.IRON_BUTTERFLY}:
            raise RuleError(
                "An iron condor has four legs of one expiry: a bought and a sold put, a sold and a "
                "bought call, in equal numbers. Without both wings its risk is undefined; other "
                "shapes are recorded as Other.",
                "legs",
            )
        if order.legs[0].spec.underlying != "SPX":
            raise RuleError("Condors in this journal are on SPX.", "legs")
    if kind == Trade.Kind.HEDGE:
        if layer not in {1, 2, 3}:
            raise RuleError("A hedge layer is 1, 2 or 3.", "layer")
        net_calls = sum(
            leg.quantity
            for leg in order.legs
            if leg.spec.underlying == "VIX" and leg.spec.right is Right.CALL
        )
        if net_calls < 0:
            raise RuleError("A hedge layer is never net short VIX calls.", "legs")
    elif layer is not None:
        raise RuleError("Only hedge layers have a layer number.", "layer")

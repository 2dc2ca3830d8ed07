"""What an order may lose, and how that compares with the account's per-trade limits.

Methodology, section 8: warn above 2 % of equity at maximum loss, block above 10 %. A journal
records what already happened, so "block" means: an explicit confirmation and a reason in words
(journal.services.book.guards, which asks the other guardrails as well).
Equity is the account's base capital, the only figure that is certain at the moment of the fill.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from hedging.engine.book import InstrumentKind
from hedging.engine.money import to_cents
from hedging.engine.policy.guardrails import uncovered
from hedging.engine.structure import Structure, describe
from journal.models import Account
from journal.selectors.book.trades import OpenLeg, Position
from journal.services.book.orders import LegInput, OrderInput


class SizeLevel(StrEnum):
    """How an order's maximum loss compares with the account's limits."""

    FINE = "fine"
    WARN = "warn"
    CONFIRM = "confirm"
    UNDEFINED = "undefined"


@dataclass(frozen=True, slots=True)
class SizeCheck:
    """Maximum loss in dollars and as a percentage of capital (None: no exact figure)."""

    level: SizeLevel
    loss: Decimal | None
    percent: Decimal | None
    message: str


def order_position(legs: Sequence[LegInput]) -> Position:
    """Build the position an order opens, fees apart; opening a future moves no money."""
    open_legs = tuple(OpenLeg(leg.spec, leg.quantity, leg.price) for leg in legs)
    cash = -sum(
        (
            leg.quantity * leg.price * leg.spec.multiplier
            for leg in legs
            if leg.spec.kind is not InstrumentKind.FUTURE
        ),
        Decimal(0),
    )
    return Position(open_legs, cash, Decimal(0))


def order_structure(legs: Sequence[LegInput]) -> Structure:
    """Describe what an order opens, from its fills alone."""
    position = order_position(legs)
    return describe(position.engine_legs(), float(position.cash))


def order_max_loss(order: OrderInput) -> Decimal | None:
    """Maximum loss of an order in dollars at expiry, or None where it has no exact figure."""
    loss = order_structure(order.legs).max_loss
    return None if loss is None else to_cents(Decimal(str(loss)))


def size_check(account: Account, order: OrderInput) -> SizeCheck:
    """Compare an order's maximum loss with the account's warning and confirmation limits."""
    loss = order_max_loss(order)
    if loss is None:
        if uncovered(order_position(order.legs).engine_legs()):
            return SizeCheck(SizeLevel.UNDEFINED, None, None, "The loss of this position is not limited.")
        return SizeCheck(SizeLevel.FINE, None, None, "")
    percent = to_cents(loss / account.base_capital * 100)
    for level, limit in (
        (SizeLevel.CONFIRM, account.max_trade_loss_pct),
        (SizeLevel.WARN, account.warn_trade_loss_pct),
    ):
        if loss * 100 > limit * account.base_capital:
            text = (
                f"The maximum loss of ${loss:,.2f} is {percent:,.2f}% of the account's capital, "
                f"above its limit of {limit.normalize():f}%."
            )
            return SizeCheck(level, loss, percent, text)
    return SizeCheck(SizeLevel.FINE, loss, percent, "")

"""Guardrails of the method (section 8) on orders people record, by the account's limits in force.

A journal records what already happened. A refused order is therefore recorded only when it is confirmed
with a reason; that is written to the audit trail and told on the Discipline page. Imports are told and not
asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from hedging.engine.book import Book, Leg, TradeRole
from hedging.engine.policy.after import after_legs
from hedging.engine.policy.guardrails import account_guardrails, guardrails
from hedging.engine.policy.types import Refusal
from hedging.selectors.calendar import settles_at
from journal.models import Account, Trade, User
from journal.selectors.book.trades import Position, book_build
from journal.selectors.governance.discipline import GUARDRAIL_OVERRIDE
from journal.selectors.governance.limits import limits_in_force
from journal.services.audit import audit_record


def order_refusals(
    account: Account,
    position: Position,
    moment: datetime,
    *,
    kind: Trade.Kind,
    layer: int | None = None,
    trade: Trade | None = None,
    rolled: Position | None = None,
    book: Book | None = None,
) -> tuple[Refusal, ...]:
    """Judge an order's legs on the account's book: a new trade, or legs closed in ``trade``.

    ``rolled`` are the legs a roll closes in ``trade`` before the order opens others. Refusals that must be
    confirmed come first. Nothing is written.
    """
    closed = rolled.engine_legs() if rolled else ()
    limits = limits_in_force(account)
    found = guardrails(
        _alive(book or book_build(account), moment), (*closed, *position.engine_legs()), limits.rules,
        trade_id=str(trade.pk) if trade else None, role=TradeRole(kind), layer=layer, roll=rolled is not None,
        size=limits.trade_size,
    )  # fmt: skip
    return tuple(sorted(found, key=lambda one: not one.blocks))


def refusals_together(account: Account, changes: Sequence[tuple[str, Position]]) -> tuple[Refusal, ...]:
    """Judge many closings of an account by what they leave, all of them done; ``changes`` by trade id."""
    before = after = book_build(account)
    for trade_id, position in changes:
        after = after_legs(after, position.engine_legs(), trade_id=trade_id, role=TradeRole.OTHER)
    return account_guardrails(before, after)


def override_record(*, user: User, trade: Trade, refusals: Sequence[Refusal], reason: str) -> None:
    """Write down that an order was recorded against guardrails; nothing when none refused it."""
    blocking = [one for one in refusals if one.blocks]
    if not blocking:
        return
    rules = [
        {
            "rule": one.rule.value, "reason": one.reason, "requirement": one.requirement, "value": one.value,
            "limit": one.limit, "unit": one.unit,
        }
        for one in blocking
    ]  # fmt: skip
    audit_record(
        actor=user, action=GUARDRAIL_OVERRIDE, account=trade.account, obj=trade,
        summary=f"{trade.label}: {', '.join(dict.fromkeys(one.rule.value for one in blocking))}",
        changes={"rules": rules, "reason": reason.strip()},
    )  # fmt: skip


def _alive(book: Book, moment: datetime) -> Book:
    """The open book without what had expired by the moment of the order."""
    trades = (replace(trade, legs=_live(trade.legs, moment)) for trade in book.trades)
    return replace(book, trades=tuple(trades))


def _live(legs: Sequence[Leg], moment: datetime) -> tuple[Leg, ...]:
    ends = ((leg, settles_at(leg.contract)) for leg in legs)
    return tuple(leg for leg, end in ends if end is None or end > moment)

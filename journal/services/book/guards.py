"""Guardrails of the method (section 8) on orders people record, by the account's rules in force.

A journal records what already happened. A refused order is therefore recorded only when it is confirmed
with a reason; that is written to the audit trail and told on the Discipline page. Imports are not asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hedging.engine.book import Book, Leg, Role
from hedging.engine.policy.guardrails import account_guardrails, guardrails
from hedging.engine.policy.types import Refusal
from hedging.engine.rulesets.presets import DEFAULT, preset
from hedging.engine.rulesets.types import Ruleset
from hedging.selectors.calendar import settles_at
from journal.errors import RuleError
from journal.models import Account, Trade, User
from journal.selectors.book.trades import book_build
from journal.selectors.governance.discipline import GUARDRAIL_OVERRIDE
from journal.selectors.governance.rules import ruleset_active, ruleset_shown
from journal.services.audit import audit_record
from journal.services.book.orders import LegInput, OrderInput
from journal.services.book.sizing import SizeCheck, SizeLevel, order_position, size_check

_CONFIRM = "To record it all the same, confirm it and give a reason."


@dataclass(frozen=True, slots=True)
class GuardCheck:
    """What the guardrails say of an order: refusals first, then warnings."""

    refusals: tuple[Refusal, ...] = ()

    @property
    def blocking(self) -> tuple[Refusal, ...]:
        """Refusals that must be confirmed with a reason."""
        return tuple(one for one in self.refusals if one.blocks)

    @property
    def warnings(self) -> tuple[Refusal, ...]:
        """What is told and stops nothing."""
        return tuple(one for one in self.refusals if not one.blocks)


def order_guard(
    account: Account,
    order: OrderInput,
    *,
    kind: Trade.Kind,
    layer: int | None = None,
    trade: Trade | None = None,
    rolled: Sequence[LegInput] = (),
) -> GuardCheck:
    """Judge an order on the account's book: a new trade, or legs closed in ``trade``.

    ``rolled`` are the legs a roll closes in ``trade`` before ``order`` opens others. The account's own size
    limits speak beside the rules'. Nothing is written.
    """
    legs = order_position((*order.legs,)).engine_legs()
    closed = order_position(rolled).engine_legs() if rolled else ()
    found = guardrails(
        _book(account, order.executed_at), (*closed, *legs), rules_in_force(account),
        trade_id=str(trade.pk) if trade else None, role=Role(kind), layer=layer, roll=bool(rolled),
    )  # fmt: skip
    opens = trade is None or bool(rolled)
    own = _sized(size_check(account, order)) if opens else ()
    if not any(one.rule == "undefined risk" for one in found):
        own = tuple(one for one in own if one.rule != "undefined risk")  # another trade's long covers it
    if any(one.rule == "size" for one in own):
        blocked = any(one.blocks for one in own)
        found = tuple(one for one in found if one.rule != "size" or (one.blocks and not blocked))
    every = (*own, *found)
    return GuardCheck(tuple(sorted(every, key=lambda one: not one.blocks)))


def _sized(found: SizeCheck) -> tuple[Refusal, ...]:
    """The account's own limits as refusals."""
    if found.level is SizeLevel.FINE:
        return ()
    limitless = found.level is SizeLevel.UNDEFINED
    return (
        Refusal(
            "undefined risk" if limitless else "size", found.message, "CON-2",
            blocks=found.level is not SizeLevel.WARN, unit="" if limitless else "% of capital",
            value=None if found.percent is None else float(found.percent),
        ),
    )  # fmt: skip


def check_guard(found: GuardCheck, reason: str, *, accept_size: bool) -> None:
    """Raise RuleError with every refusal unless it is confirmed with a reason."""
    if found.blocking and not (accept_size and reason.strip()):
        words = " ".join(one.reason for one in found.blocking)
        raise RuleError(f"{words} {_CONFIRM}", "accept_size")


def override_record(*, user: User, trade: Trade, found: GuardCheck, reason: str) -> None:
    """Write down that an order was recorded against guardrails; nothing when none refused it."""
    if not found.blocking:
        return
    rules = [
        {
            "rule": one.rule, "reason": one.reason, "requirement": one.requirement, "value": one.value,
            "limit": one.limit, "unit": one.unit,
        }
        for one in found.blocking
    ]  # fmt: skip
    audit_record(
        actor=user, action=GUARDRAIL_OVERRIDE, account=trade.account, obj=trade,
        summary=f"{trade.label}: {', '.join(dict.fromkeys(one.rule for one in found.blocking))}",
        changes={"rules": rules, "reason": reason.strip()},
    )  # fmt: skip


def account_guard(account: Account, before: Book) -> GuardCheck:
    """Judge many changes at once by what they leave: the book now against the one ``before`` them."""
    return GuardCheck(account_guardrails(before, book_build(account)))


def rules_in_force(account: Account) -> Ruleset:
    """The account's active rules; an account without any starts with the default preset."""
    version = ruleset_active(account)
    return preset(DEFAULT) if version is None else ruleset_shown(version)


def _book(account: Account, moment: datetime) -> Book:
    """The open book without what had expired by the moment of the order."""
    book = book_build(account)
    trades = (replace(trade, legs=_alive(trade.legs, moment)) for trade in book.trades)
    return replace(book, trades=tuple(trades))


def _alive(legs: Sequence[Leg], moment: datetime) -> tuple[Leg, ...]:
    ends = ((leg, settles_at(leg.contract)) for leg in legs)
    return tuple(leg for leg, end in ends if end is None or end > moment)

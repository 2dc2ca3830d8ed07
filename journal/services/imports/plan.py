"""What an import would make of the account, in plain values for pages, API and the command line."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hedging.engine.money import to_cents
from hedging.services.snapshots.closes import closings
from journal.importers.grouping import TradeGroup, moved_cash
from journal.importers.shapes import RollKind, find_rolls
from journal.models import Account, Trade
from journal.selectors.book.purpose import position_label
from journal.selectors.imports.openings import group_position
from journal.services.book.judging import JudgedOrder
from journal.services.book.settlement import settlement_price
from journal.services.imports.judged import GroupJudge
from journal.services.imports.rebuild import Desired, Plan

SHOWN = 200
ZERO = Decimal(0)
ROLL_NAMES = {
    RollKind.TIME_SHIFT: "Time-shift", RollKind.RECENTER: "Recenter", RollKind.WING_SHIFT: "Wing shift",
    RollKind.FULL_ROLL: "Full roll", RollKind.WING_ROLL: "One-wing roll",
}  # fmt: skip


def plan_summary(account: Account, plan: Plan, keys: set[str]) -> dict[str, Any]:
    """Trades, rolls, waiting rows and settlements that the rows ``keys`` take part in."""
    touched = [w for w in plan.wanted if any(part.source.key in keys for part in w.group.parts)]
    numbers = {wanted.group.number for wanted in touched}
    labels = {wanted.group.number: group_label(wanted) for wanted in touched}
    rolls = [
        roll for roll in find_rolls([w.group for w in plan.wanted])
        if roll.later in numbers or roll.earlier in numbers
    ]  # fmt: skip
    by_number = {wanted.group.number: wanted for wanted in plan.wanted}
    asked = GroupJudge(account)
    cash = sum((group_cash(wanted.group, keys) for wanted in touched), ZERO)
    return {
        "trades": len(touched),
        "new_trades": sum(not wanted.group.trade for wanted in touched),
        "reviews": sum(bool(wanted.review) for wanted in touched),
        "cash": str(to_cents(cash)),
        "shown": [
            _trade(wanted, labels[wanted.group.number], asked.judge(wanted)) for wanted in touched[:SHOWN]
        ],
        "rolls": [
            {
                "kind": roll.kind.value, "name": ROLL_NAMES[roll.kind], "reason": roll.reason,
                "moment": roll.moment.isoformat(),
                "earlier": group_label(by_number[roll.earlier]), "later": group_label(by_number[roll.later]),
            }
            for roll in rolls[:SHOWN]
        ],
        "roll_count": len(rolls),
        "waiting": len([key for key in plan.grouping.waiting if key in keys]),
        "settlements": settlement_checks(account, plan, keys),
    }  # fmt: skip


def group_label(wanted: Desired) -> str:
    """The label the trade will have."""
    position = group_position(wanted.group)
    if wanted.title or not position.legs:
        return wanted.title or f"{wanted.group.underlying} position"
    return position_label(Trade.Kind(wanted.named.kind), position, wanted.named.layer)


def group_cash(group: TradeGroup, keys: set[str] | None = None) -> Decimal:
    """Cash of a group's parts after fees, of all rows or of some."""
    moved = zip(group.parts, moved_cash(group.parts), strict=True)
    return sum((cash - part.fees for part, cash in moved if keys is None or part.source.key in keys), ZERO)


def _trade(wanted: Desired, label: str, judged: JudgedOrder | None) -> dict[str, Any]:
    group = wanted.group
    closed = not any(group.held.values())
    return {
        "anchor": group.anchor,
        "label": label,
        "kind": wanted.named.kind,
        "layer": wanted.named.layer,
        "instrument": wanted.instrument,
        "guard": [
            {"rule": one.rule.value, "reason": one.reason, "blocks": one.blocks}
            for one in (judged.guard.refusals if judged else ())
        ],
        "opened": group.opened.isoformat(),
        "closed": closed,
        "cash": str(to_cents(group_cash(group))),
        "fees": str(to_cents(sum((part.fees for part in group.parts), ZERO))),
        "review": wanted.review,
        "trade": group.trade,
        "legs": [[spec.symbol, quantity] for spec, quantity in group.opening()],
        "lines": len(group.parts),
    }


def settlement_checks(account: Account, plan: Plan, keys: set[str]) -> list[dict[str, Any]]:
    """Expirations and cash settlements of the rows beside what the official value says, where one is stored.

    ``difference`` is the file's cash less the computed one, in dollars; None: no official value is stored.
    """
    parts = [
        (part, cash)
        for wanted in plan.wanted
        if any(part.source.kind == "settled" and part.source.key in keys for part in wanted.group.parts)
        for part, cash in zip(wanted.group.parts, moved_cash(wanted.group.parts), strict=True)
        if part.source.kind == "settled" and part.source.key in keys
    ][:SHOWN]
    days = {part.source.spec.expiry for part, _ in parts if part.source.spec.expiry is not None}
    known = closings(days=days, simulated=account.is_demo)
    found = []
    for part, moved in parts:
        spec = part.source.spec
        assert spec.expiry is not None
        level = known[spec.expiry].final_level(spec) if spec.expiry in known else None
        computed = None
        if level is not None:
            strike = None if spec.strike is None else Decimal(str(spec.strike))
            gap = settlement_price(spec, strike, level.value) - part.source.price
            computed = to_cents(moved - part.quantity * gap * spec.multiplier)
        cash = to_cents(moved)
        found.append(
            {
                "symbol": spec.symbol,
                "quantity": part.quantity,
                "cash": str(cash),
                "day": spec.expiry.isoformat(),
                "settles": spec.settlement.value,
                "level": None if level is None else f"{level.value.normalize():f}",
                "computed": None if computed is None else str(computed),
                "difference": None if computed is None else str(cash - computed),
            }
        )
    return found

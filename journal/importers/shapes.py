"""What a group of executions is called: condor, hedge layer or other; and which roll links two of them.

Layers follow the methodology: layer 1 is VIX calls of about 30 days, layer 2 a bought VIX call spread,
layer 3 VIX calls of 90 days and more. A layer found this way is a proposal that a person reviews.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from hedging.engine import purpose
from hedging.engine.book import ContractSpec, InstrumentKind, Leg, Right
from hedging.engine.purpose import HedgeInstrument, hedge_instrument
from hedging.engine.structure import Shape, recognise
from journal.importers.grouping import ExecutionPart, TradeGroup

_NEW_YORK = ZoneInfo("America/New_York")
_NEAR_DAYS = 60
_ONE_MINUTE = timedelta(minutes=1)
Legs = Sequence[tuple[ContractSpec, int]]


@dataclass(frozen=True, slots=True)
class Named:
    """Kind of the trade, its layer, and what a person should look at."""

    kind: str
    layer: int | None = None
    review: str = ""


class RollKind(StrEnum):
    """What an adjustment changed."""

    TIME_SHIFT = "time_shift"
    RECENTER = "recenter"
    WING_SHIFT = "wing_shift"
    FULL_ROLL = "full_roll"
    WING_ROLL = "wing_roll"


#: What an adjustment is called where one wing of a condor was moved and the other stayed.
_OF_ONE_WING = {
    RollKind.RECENTER: RollKind.WING_SHIFT,
    RollKind.FULL_ROLL: RollKind.WING_ROLL,
    RollKind.TIME_SHIFT: RollKind.WING_ROLL,
}


@dataclass(frozen=True, slots=True)
class Roll:
    """Two groups that look like an adjustment: numbers of the groups, kind, why, and when."""

    earlier: int
    later: int
    kind: RollKind
    reason: str
    moment: datetime


def name_group(group: TradeGroup) -> Named:
    """Name what a group opened."""
    legs = group.opening()
    if is_condor(legs):
        return Named("condor")
    if legs and all(spec.kind is InstrumentKind.FUTURE for spec, _ in legs):
        return Named("other", review="VX futures: say whether they belong to a hedge layer.")
    found = hedge_instrument(_engine(legs))
    if found is HedgeInstrument.VIX_CALL:
        days = _days(group, legs)
        layer = 1 if days <= _NEAR_DAYS else 3
        return Named("hedge_layer", layer, f"Taken for layer {layer} by its {days} days to expiry.")
    if found is HedgeInstrument.VIX_CALL_SPREAD:
        return Named("hedge_layer", 2, "Taken for layer 2: a bought VIX call spread.")
    return Named("other")


def is_condor(legs: Legs) -> bool:
    """An iron condor or butterfly on SPX with both wings; see ``hedging.engine.purpose``."""
    return purpose.is_condor(_engine(legs))


def find_rolls(groups: Sequence[TradeGroup]) -> list[Roll]:
    """Adjustments: closed and opened on one day, same underlying and shape, nearest strikes first.

    Futures go by their side in place of strikes, and only where one order, or one minute, did both: a
    position in them is changed far more often than it is rolled. An expiration is no roll. Each opening is
    taken once, and each closing.
    """
    closings = [
        (group, day, parts, _outline(_summed([(part.source.spec, -part.quantity) for part in parts])))
        for group in groups
        for day, parts in _closed_by_day(group).items()
    ]
    opened: dict[tuple[str, date], list[tuple[TradeGroup, _Outline | None]]] = defaultdict(list)
    for group in groups:
        opened[group.underlying, _day(group.opened)].append((group, _outline(group.opening())))
    pairs = []
    for earlier, day, parts, before in closings:
        for later, after in opened.get((earlier.underlying, day), ()):
            if later.number <= earlier.number or (found := _compare(before, after)) is None:
                continue
            if parts[0].source.spec.kind is not InstrumentKind.FUTURE or _one_deal(parts, later):
                pairs.append((found[0], earlier.number, later.number, found[1], earlier, later, parts))
    pairs.sort(key=lambda pair: pair[:3])
    taken_earlier: set[tuple[int, date]] = set()
    taken_later: set[int] = set()
    rolls = []
    for _, first, second, kind, earlier, later, parts in pairs:
        place = (first, _day(later.opened))
        if place in taken_earlier or second in taken_later:
            continue
        taken_earlier.add(place)
        taken_later.add(second)
        one_wing = _rights(earlier.opening()) != _rights([(p.source.spec, p.quantity) for p in parts])
        named = _OF_ONE_WING.get(kind, kind) if one_wing else kind
        rolls.append(Roll(first, second, named, _reason(parts, later), later.opened))
    return rolls


@dataclass(frozen=True, slots=True)
class _Outline:
    """What two positions must share to be one rolled into the other, and their strikes."""

    form: tuple[object, ...]
    strikes: tuple[float, ...]
    expiries: frozenset[date | None]


def _outline(legs: Legs) -> _Outline | None:
    """The outline of option legs, or of one future; None for anything else."""
    if len(legs) == 1 and legs[0][0].kind is InstrumentKind.FUTURE:
        spec, quantity = legs[0]
        return _Outline((spec.root, quantity > 0), (), frozenset({spec.expiry}))
    if not legs or any(spec.strike is None for spec, _ in legs):
        return None
    ordered = sorted(legs, key=lambda leg: (leg[0].right is Right.CALL, leg[0].strike or 0.0))
    form = (_shape(legs), *((spec.right, quantity > 0) for spec, quantity in ordered))
    return _Outline(
        form, tuple(spec.strike or 0.0 for spec, _ in ordered), frozenset(spec.expiry for spec, _ in legs)
    )


def _closed_by_day(group: TradeGroup) -> dict[date, list[ExecutionPart]]:
    found: dict[date, list[ExecutionPart]] = {}
    for part in group.parts:
        if not part.opens and part.source.kind == "fill":
            found.setdefault(_day(part.source.moment), []).append(part)
    return found


def _compare(before: _Outline | None, after: _Outline | None) -> tuple[float, RollKind] | None:
    """Distance of the strikes and what changed; None where the shapes differ or nothing moved."""
    if before is None or after is None or before.form != after.form:
        return None
    distance = sum(abs(a - b) for a, b in zip(before.strikes, after.strikes, strict=True))
    if before.expiries != after.expiries:
        return distance, RollKind.FULL_ROLL if distance else RollKind.TIME_SHIFT
    return (distance, RollKind.RECENTER) if distance else None


def _one_deal(parts: Sequence[ExecutionPart], later: TradeGroup) -> bool:
    """Whether one order, or one minute, closed the parts and opened the later group."""
    return any(
        (closing.order and closing.order == opening.order)
        or (closing.timed and opening.timed and abs(closing.moment - opening.moment) <= _ONE_MINUTE)
        for closing in (part.source for part in parts)
        for opening in (part.source for part in later.parts if part.opens)
    )


def _reason(parts: Sequence[ExecutionPart], later: TradeGroup) -> str:
    orders = {part.source.order for part in parts if part.source.order}
    own = {part.source.order for part in later.parts if part.opens and part.source.order}
    if both := orders & own:
        return f"One order, {min(both)}."
    if parts[0].source.spec.kind is InstrumentKind.FUTURE:
        return f"Closed and opened within a minute on {_day(later.opened):%Y-%m-%d}, on the same side."
    return f"Closed and opened on {_day(later.opened):%Y-%m-%d} with the same shape."


def _summed(legs: Legs) -> list[tuple[ContractSpec, int]]:
    found: dict[str, tuple[ContractSpec, int]] = {}
    for spec, quantity in legs:
        found[spec.symbol] = (spec, found.get(spec.symbol, (spec, 0))[1] + quantity)
    return [pair for pair in found.values() if pair[1]]


def _rights(legs: Legs) -> set[Right | None]:
    return {spec.right for spec, _ in legs}


def _shape(legs: Legs) -> Shape:
    return recognise(_engine(legs))


def _engine(legs: Legs) -> list[Leg]:
    return [Leg(spec, quantity, 0.0) for spec, quantity in legs]


def _day(moment: datetime) -> date:
    return moment.astimezone(_NEW_YORK).date()


def _days(group: TradeGroup, legs: Legs) -> int:
    expiries = [spec.expiry for spec, _ in legs if spec.expiry is not None]
    return (min(expiries) - _day(group.opened)).days if expiries else 0

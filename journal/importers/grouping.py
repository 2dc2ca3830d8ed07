"""From executions to trades: a pure function of all of them and of what people decided.

Executions of one order are one trade; without order ids, those of one moment and expiry; without times, those
of one day and expiry, which a person reviews. More of exactly what a trade holds adds to it. Closing goes to
the trade that holds most of what the order closes, then to the oldest. What closes nothing known waits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from hedging.engine.book import ContractSpec, InstrumentKind

ZERO = Decimal(0)
_SAME_MOMENT = timedelta(seconds=2)
BY_DAY = "The file has neither order ids nor times: grouped by day and expiry."
BY_TIME = "The file has no order ids: grouped by time and expiry."


@dataclass(frozen=True, slots=True)
class Execution:
    """One contract of one row, or a fill recorded otherwise (``fixed`` to its ``trade``).

    ``quantity`` is signed unless ``signed`` is False (an expiration that does not say which side it ends).
    ``trade`` is the id of the trade that holds it now, empty for a new one.
    """

    key: str
    leg: int
    moment: datetime
    timed: bool
    spec: ContractSpec
    quantity: int
    price: Decimal
    fees: Decimal
    effect: str = ""
    signed: bool = True
    order: str = ""
    kind: str = "fill"
    choice: str = ""
    trade: str = ""
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class ExecutionPart:
    """The quantity of an execution that belongs to one group, with its share of the fees."""

    source: Execution
    number: int
    quantity: int
    fees: Decimal
    opens: bool

    @property
    def identity(self) -> str:
        """External id of the fill; the first part is numbered 0."""
        return f"{self.source.key}/{self.source.leg}.{self.number}"


def moved_cash(parts: Iterable[ExecutionPart]) -> list[Decimal]:
    """Dollars each part moved before fees (+ received), given all parts of a trade in their order.

    Options and shares move their premium; a future moves its gain over the average entry when it closes.
    """
    held: dict[str, tuple[int, Decimal]] = {}
    moved = []
    for part in parts:
        spec, price = part.source.spec, part.source.price
        if spec.kind is not InstrumentKind.FUTURE:
            moved.append(-part.quantity * price * spec.multiplier)
            continue
        quantity, entry = held.get(spec.symbol, (0, ZERO))
        after = quantity + part.quantity
        closed = 0
        if quantity * part.quantity < 0:
            closed = min(abs(quantity), abs(part.quantity)) * (1 if quantity > 0 else -1)
            entry_after = entry if after * quantity > 0 else price
        else:
            entry_after = (entry * abs(quantity) + price * abs(part.quantity)) / abs(after)
        held[spec.symbol] = (after, entry_after)
        moved.append(closed * (price - entry) * spec.multiplier)
    return moved


@dataclass(slots=True, eq=False)
class TradeGroup:
    """Executions that are one trade."""

    number: int
    underlying: str
    token: str = ""
    trade: str = ""
    parts: list[ExecutionPart] = field(default_factory=list)
    held: dict[str, int] = field(default_factory=dict)
    review: str = ""

    @property
    def opened(self) -> datetime:
        """Moment of the first execution."""
        return self.parts[0].source.moment

    @property
    def anchor(self) -> str:
        """Identity of the group: the least key of what it was opened with."""
        first = self.opened
        return min(part.identity for part in self.parts if part.source.moment == first)

    def opening(self) -> list[tuple[ContractSpec, int]]:
        """All that was opened, by contract."""
        found: dict[str, tuple[ContractSpec, int]] = {}
        for part in self.parts:
            if part.opens:
                spec = part.source.spec
                found[spec.symbol] = (spec, found.get(spec.symbol, (spec, 0))[1] + part.quantity)
        return [pair for pair in found.values() if pair[1]]


@dataclass(frozen=True, slots=True)
class Grouping:
    """All groups, and what closes positions nobody recorded (row key → contracts left over)."""

    groups: Sequence[TradeGroup]
    waiting: dict[str, int]


def group_executions(executions: Iterable[Execution]) -> Grouping:
    """Group executions into trades. The result depends on what is given, not on its order."""
    ordered = sorted(executions, key=_order)
    walk = _Walk(ordered)
    at = 0
    while at < len(ordered):
        end = at + 1
        while end < len(ordered) and _together(ordered[at], ordered[end - 1], ordered[end]):
            end += 1
        walk.cluster(ordered[at:end])
        at = end
    return Grouping([group for group in walk.groups if group.parts], dict(walk.waiting))


#: At one moment: fills, then what the broker settled, then what was computed.
_RANK = {"fill": 0, "computed": 2}


def _order(one: Execution) -> tuple[object, ...]:
    return (
        one.moment,
        _RANK.get(one.kind, 1),
        one.effect == "open",
        one.order,
        one.spec.underlying,
        one.spec.expiry is not None and one.spec.expiry.toordinal(),
        one.key,
        one.leg,
    )


def _together(first: Execution, last: Execution, one: Execution) -> bool:
    """Whether the execution belongs to the same cluster, one order as far as anybody can tell."""
    if first.fixed or one.fixed or first.kind != one.kind or first.kind != "fill":
        return False
    if first.spec.underlying != one.spec.underlying or first.timed != one.timed:
        return False
    if first.order or one.order:
        return first.order == one.order and first.moment == one.moment
    if not first.timed:
        return first.moment == one.moment and first.spec.expiry == one.spec.expiry
    return one.moment - last.moment <= _SAME_MOMENT and first.spec.expiry == one.spec.expiry


class _Walk:
    """State while walking through time."""

    def __init__(self, ordered: Sequence[Execution]) -> None:
        self._orders: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._closes: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._ranks: dict[tuple[object, ...], list[int]] = {}
        for one in ordered:
            if one.order and one.effect != "close":
                self._orders[one.order, one.spec.underlying][one.spec.symbol] += one.quantity
            if one.order and one.effect != "open":
                self._closes[one.order, one.spec.underlying][one.spec.symbol] += one.quantity
        self.groups: list[TradeGroup] = []
        self.waiting: dict[str, int] = defaultdict(int)
        self._by_symbol: dict[str, list[TradeGroup]] = defaultdict(list)
        self._by_order: dict[tuple[str, str], TradeGroup] = {}
        self._by_token: dict[str, TradeGroup] = {}
        self._by_trade: dict[str, TradeGroup] = {}
        self._numbers: dict[tuple[str, int], int] = defaultdict(int)
        self._fees: dict[tuple[str, int], Decimal] = {}
        self._done: dict[tuple[str, int], int] = defaultdict(int)

    def cluster(self, cluster: Sequence[Execution]) -> None:
        """Book one order: first what it closes, then what it opens."""
        rest: list[tuple[Execution, int]] = []
        for one in cluster:
            if one.effect == "open":
                rest.append((one, one.quantity))
                continue
            left = self._close(one, cluster)
            if left and one.effect == "close":
                self.waiting[one.key] += abs(left)
            elif left:
                rest.append((one, left))
        if rest:
            self._open(rest)

    def _close(self, one: Execution, cluster: Sequence[Execution]) -> int:
        """Close what is held against the execution; returns the signed quantity left over."""
        symbol, left = one.spec.symbol, one.quantity
        holders = [group for group in self._by_symbol[symbol] if group.held.get(symbol)]
        if one.signed:
            holders = [group for group in holders if (group.held[symbol] > 0) != (left > 0)]
        if one.fixed:
            holders = [group for group in holders if group.trade == one.trade]
        elif one.order or len(holders) > 1:
            holders = self._ranked(holders, one, cluster)
        for group in holders:
            take = min(abs(left), abs(group.held[symbol]))
            sign = -1 if group.held[symbol] > 0 else 1
            self._book(group, one, sign * take, opens=False)
            rest = abs(left) - take
            left = rest if left > 0 else -rest
            if not left:
                break
        return left

    def _ranked(
        self, holders: list[TradeGroup], one: Execution, cluster: Sequence[Execution]
    ) -> list[TradeGroup]:
        """The holders as the order closes them: decided once, so that partial fills go on where it began."""
        order = one.order or f"{cluster[0].key}/{cluster[0].leg}"
        place = (order, one.spec.symbol, one.signed and one.quantity > 0, one.choice)
        ranks = self._ranks.setdefault(place, [])
        fresh = [group for group in holders if group.number not in ranks]
        if len(fresh) > 1:
            wanted = self._wanted(one, cluster)
            fresh.sort(key=lambda group: self._preference(group, one, wanted))
        ranks += [group.number for group in fresh]
        return sorted(holders, key=lambda group: ranks.index(group.number))

    def _wanted(self, one: Execution, cluster: Sequence[Execution]) -> Mapping[str, int]:
        """All that the order, or what is taken for one, closes: signed quantities by contract."""
        if one.order:
            return self._closes[one.order, one.spec.underlying]
        found: dict[str, int] = defaultdict(int)
        for other in cluster:
            if other.effect != "open":
                found[other.spec.symbol] += other.quantity
        return found

    @staticmethod
    def _preference(group: TradeGroup, one: Execution, wanted: Mapping[str, int]) -> tuple[object, ...]:
        exact = sum(1 for symbol, quantity in wanted.items() if group.held.get(symbol) == -quantity)
        some = sum(1 for symbol, quantity in wanted.items() if group.held.get(symbol, 0) * quantity < 0)
        return (not (one.choice and group.token == one.choice), -some, -exact, group.number)

    def _open(self, rest: Sequence[tuple[Execution, int]]) -> None:
        first = rest[0][0]
        fresh: dict[str, TradeGroup] = {}
        for one, quantity in rest:
            group = self._known(one) or self._adds_to(one, rest)
            if group is None:
                name = one.choice or one.spec.underlying
                group = fresh.get(name) or self._new(one)
                fresh[name] = group
            if not first.order and not one.fixed and len(rest) > 1 and not one.choice:
                group.review = BY_TIME if one.timed else BY_DAY
            elif not one.timed and not one.fixed and not one.choice:
                group.review = BY_DAY
            if one.order:
                self._by_order.setdefault((one.order, one.spec.underlying), group)
            self._book(group, one, quantity, opens=True)

    def _known(self, one: Execution) -> TradeGroup | None:
        """The group a person chose, the trade a fill is fixed to, or the order's own."""
        if one.choice:
            return self._by_token.get(one.choice)
        if one.fixed:
            return self._by_trade.get(one.trade)
        return self._by_order.get((one.order, one.spec.underlying)) if one.order else None

    def _adds_to(self, one: Execution, rest: Sequence[tuple[Execution, int]]) -> TradeGroup | None:
        """The trade that holds exactly these contracts on the same sides: this is more of it."""
        if one.fixed or one.choice:
            return None
        wanted: dict[str, int] = defaultdict(int)
        if one.order:
            wanted = self._orders[one.order, one.spec.underlying]
        else:
            for other, quantity in rest:
                wanted[other.spec.symbol] += quantity
        for group in self._by_symbol[one.spec.symbol]:
            if group.parts[0].source.fixed:
                continue  # entered by hand: perhaps the same trade, which a person decides
            held = {symbol: quantity for symbol, quantity in group.held.items() if quantity}
            if held.keys() == wanted.keys() and all(held[s] * wanted[s] > 0 for s in wanted):
                return group
        return None

    def _new(self, one: Execution) -> TradeGroup:
        group = TradeGroup(len(self.groups), one.spec.underlying, token=one.choice)
        self.groups.append(group)
        if one.choice:
            self._by_token[one.choice] = group
        return group

    def _book(self, group: TradeGroup, one: Execution, quantity: int, *, opens: bool) -> None:
        place, symbol = (one.key, one.leg), one.spec.symbol
        number = self._numbers[place]
        self._numbers[place] += 1
        before = self._fees.get(place, ZERO)
        done = self._done[place] = self._done[place] + abs(quantity)
        fees = one.fees - before
        if done < abs(one.quantity):
            fees = round(one.fees * abs(quantity) / abs(one.quantity), 2)
        self._fees[place] = before + fees
        group.parts.append(ExecutionPart(one, number, quantity, fees, opens))
        group.held[symbol] = group.held.get(symbol, 0) + quantity
        if group not in self._by_symbol[symbol]:
            self._by_symbol[symbol].append(group)
        if opens and one.trade and not group.trade and one.trade not in self._by_trade:
            group.trade = one.trade
            self._by_trade[one.trade] = group

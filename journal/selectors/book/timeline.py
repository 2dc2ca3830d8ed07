"""What happened to a trade and to the trades it was rolled from and into, in time order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from hedging.selectors.calendar import settles_at
from hedging.services.snapshots.contracts import contract_spec
from journal.models import Fill, Note, Trade, TradeLink, User
from journal.selectors.book.roll_history import Chain, chain_of
from journal.selectors.book.trades import Position, live_fills, position_of

ZERO = Decimal(0)
MOST = 200
_NOTE_LENGTH = 160
_MINUS = "\N{MINUS SIGN}"
_RIGHTS = {"P": "put", "C": "call"}


class EventKind(StrEnum):
    """What an event did to the position."""

    OPENED = "opened"
    ADDED = "added"
    REDUCED = "reduced"
    ADJUSTED = "adjusted"
    ROLLED = "rolled"
    SETTLED = "settled"
    CLOSED = "closed"
    NOTE = "note"


_TITLES = {
    EventKind.OPENED: "Opened", EventKind.ADDED: "Added to", EventKind.REDUCED: "Closed in part",
    EventKind.ADJUSTED: "Adjusted", EventKind.SETTLED: "Settled", EventKind.CLOSED: "Closed",
    EventKind.NOTE: "Note",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """Fills of one moment, or a note. Dollars: ``cash`` it moved after fees, ``cumulative`` so far.

    Both are of all trades of the chain; None for a note. ``link`` is the adjustment that these fills are.
    """

    moment: datetime
    kind: EventKind
    title: str
    text: str = ""
    fills: tuple[Fill, ...] = ()
    trades: tuple[Trade, ...] = ()
    cash: Decimal | None = None
    cumulative: Decimal | None = None
    link: TradeLink | None = None

    @property
    def legs(self) -> str:
        """The fills in words, the expiry where it changes: ``31 Dec 26: +2 6450 put at 41.25``."""
        parts, expiry = [], None
        for fill in self.fills:
            contract, what = fill.contract, fill.contract.root
            if contract.strike is not None:
                what = f"{contract.strike.normalize():f} {_RIGHTS[contract.right]}"
            if contract.expiry is not None and contract.expiry != expiry:
                expiry = contract.expiry
                parts.append(f"{expiry:%d %b %y}:")
            parts.append(f"{fill.quantity:+,} {what} at {fill.price.normalize():f};".replace("-", _MINUS))
        return " ".join(parts).rstrip(";")

    @property
    def key(self) -> str:
        """The moment as it stands in addresses."""
        return self.moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True, slots=True)
class Timeline:
    """Events oldest first and the chain they belong to; ``left_out`` older ones are not shown."""

    events: tuple[TimelineEvent, ...]
    chain: Chain
    left_out: int = 0

    @property
    def trades(self) -> tuple[Trade, ...]:
        """The trades of the chain with their fills."""
        return tuple(step.trade for step in self.chain.steps)

    def find(self, key: str) -> TimelineEvent | None:
        """The event of an address."""
        return next((event for event in self.events if event.key == key), None)


def chain_fills(trades: Iterable[Trade], until: datetime | None = None) -> list[Fill]:
    """What really was filled in the trades, in time order."""
    fills = live_fills(fill for trade in trades for fill in trade.fills.all())
    return [fill for fill in fills if until is None or fill.executed_at <= until]


def timeline_of(user: User, trade: Trade, until: datetime | None = None) -> Timeline:
    """Fills, settlements, rolls and notes of the trade and its chain, until a past moment if one is given."""
    chain = chain_of(user, trade)
    trades = {step.trade.pk: step.trade for step in chain.steps}
    led = {step.trade.pk: step.link for step in chain.steps}
    fills = chain_fills(trades.values(), until)
    moments: dict[datetime, list[Fill]] = {}
    for fill in fills:
        moments.setdefault(fill.executed_at, []).append(fill)
    events, before, past = [], position_of(()), list[Fill]()
    begun: set[UUID] = set()
    for moment, now in moments.items():
        past += now
        after = position_of(past)
        link = next((led[f.trade_id] for f in now if f.trade_id not in begun and led[f.trade_id]), None)
        begun |= {fill.trade_id for fill in now}
        kind = EventKind.ROLLED if link else _kind(before, after, now)
        total = after.cash - after.fees
        events.append(
            TimelineEvent(
                moment, kind, link.get_kind_display() if link else _TITLES[kind], "", tuple(now),
                tuple(trades[pk] for pk in dict.fromkeys(fill.trade_id for fill in now)),
                total - (before.cash - before.fees), total, link,
            )
        )  # fmt: skip
        before = after
    events += _notes(user, trades, until)
    events.sort(key=lambda event: event.moment)
    return Timeline(tuple(events[-MOST:]), chain, max(0, len(events) - MOST))


def _kind(before: Position, after: Position, fills: Sequence[Fill]) -> EventKind:
    if all(_is_settlement(fill) for fill in fills):
        return EventKind.SETTLED
    if not before.legs:
        return EventKind.OPENED
    if not after.legs:
        return EventKind.CLOSED
    held = {leg.spec.symbol: leg.quantity for leg in before.legs}
    now = {leg.spec.symbol: leg.quantity for leg in after.legs}
    if held.keys() >= now.keys() and all(abs(now[symbol]) <= abs(held[symbol]) for symbol in now):
        return EventKind.REDUCED
    if held.keys() == now.keys() and all(abs(now[symbol]) >= abs(held[symbol]) for symbol in held):
        return EventKind.ADDED
    return EventKind.ADJUSTED


def _is_settlement(fill: Fill) -> bool:
    """Booked by this journal, or stated by a broker's file at the moment the contract settled."""
    return fill.source == Fill.SETTLEMENT or settles_at(contract_spec(fill.contract)) == fill.executed_at


def _notes(user: User, trades: dict[UUID, Trade], until: datetime | None) -> list[TimelineEvent]:
    notes = Note.objects.for_user(user).filter(review__trade__in=list(trades), deleted_at=None)
    if until is not None:
        notes = notes.filter(created_at__lte=until)
    rows = notes.values_list("created_at", "text", "review__trade")
    title = _TITLES[EventKind.NOTE]
    return [
        TimelineEvent(moment, EventKind.NOTE, title, _shortened(text), trades=(trades[pk],))
        for moment, text, pk in rows
    ]


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _NOTE_LENGTH else f"{line[: _NOTE_LENGTH - 1]}…"

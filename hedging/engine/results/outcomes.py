"""What became of the fills that carried out an order: closed again, still held, or given up.

Lots of one contract in one trade are closed first in, first out. What the order opened is followed until it
is closed; what it closed of an earlier holding is *given up* and compared with having kept it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class OrderFill:
    """A fill: signed quantity, price in points, fees in dollars as a cost; ``of_order`` carried it out."""

    at: datetime
    quantity: int
    price: Decimal
    fees: Decimal
    of_order: bool


@dataclass(frozen=True, slots=True)
class FilledPart:
    """Contracts (signed as they were traded by the order) at a price in points."""

    quantity: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class Followed:
    """One contract of one trade.

    ``realized`` is the gain in dollars, before fees, of what the order opened and somebody closed again;
    ``fees`` those of the order and of the closings, shared by contract. ``closed_at`` is when the last of
    what it opened was closed, None while some is held or nothing was opened. ``is_open`` tells whether the
    contract is still held at all; ``flat_at`` is when others closed what the order had left of it.
    """

    realized: Decimal
    fees: Decimal
    held: tuple[FilledPart, ...]
    given_up: tuple[FilledPart, ...]
    closed_at: datetime | None
    is_open: bool
    flat_at: datetime | None


@dataclass(slots=True)
class _OrderLot:
    quantity: int
    price: Decimal
    of_order: bool


def follow(executions: Iterable[OrderFill], *, multiplier: int) -> Followed:
    """Follow an order through all executions of one contract in one trade, in time order."""
    lots: deque[_OrderLot] = deque()
    realized, fees = ZERO, ZERO
    given_up: list[FilledPart] = []
    closed_at: datetime | None = None
    last: OrderFill | None = None
    for last in executions:
        left, fee = last.quantity, last.fees / abs(last.quantity)
        if last.of_order:
            fees += last.fees
        while left and lots and lots[0].quantity * left < 0:
            lot = lots[0]
            size = min(abs(left), abs(lot.quantity)) * (1 if lot.quantity > 0 else -1)
            if lot.of_order:
                realized += (last.price - lot.price) * size * multiplier
                fees += ZERO if last.of_order else fee * abs(size)
                closed_at = last.at
            elif last.of_order:
                given_up.append(FilledPart(-size, last.price))
            lot.quantity -= size
            left += size
            if not lot.quantity:
                lots.popleft()
        if left:
            lots.append(_OrderLot(left, last.price, last.of_order))
    held = tuple(FilledPart(lot.quantity, lot.price) for lot in lots if lot.of_order)
    flat = last is not None and not lots and not last.of_order
    return Followed(
        realized, fees, held, tuple(given_up), None if held else closed_at, bool(lots),
        last.at if flat and last is not None else None,
    )  # fmt: skip


def horizon(parts: Iterable[Followed]) -> datetime | None:
    """When an order's story ends, None while it goes on.

    With the closing of everything it opened; of an order that only closed, with the closing of what it had
    left. One that closed all there was is compared until its contracts settle.
    """
    every = list(parts)
    if any(part.held for part in every):
        return None
    ends = [part.closed_at for part in every if part.closed_at is not None]
    if ends:
        return max(ends)
    if any(part.is_open for part in every):
        return None
    left = [part.flat_at for part in every if part.flat_at is not None]
    return max(left) if left else None

"""The engine's view of positions: plain frozen values, floats at the engine's door."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from hedging.maths.types import Right

__all__ = [
    "Book",
    "BookTrade",
    "ContractSpec",
    "InstrumentKind",
    "Leg",
    "Right",
    "Settlement",
    "TradeRole",
]


class InstrumentKind(StrEnum):
    """What is held."""

    OPTION = "option"
    FUTURE = "future"
    SHARE = "share"


class Settlement(StrEnum):
    """When an index option settles on its expiry date."""

    AM = "AM"
    PM = "PM"
    NONE = ""


class TradeRole(StrEnum):
    """The part a trade plays in the ALVH hierarchy."""

    CONDOR = "condor"
    HEDGE = "hedge_layer"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ContractSpec:
    """One listed instrument.

    ``strike`` is in index points, ``multiplier`` in dollars a point; ``expiry``, ``strike`` and
    ``right`` are None where the instrument has none.
    """

    symbol: str
    kind: InstrumentKind
    root: str
    underlying: str
    multiplier: int
    expiry: date | None = None
    strike: float | None = None
    right: Right | None = None
    settlement: Settlement = Settlement.NONE


@dataclass(frozen=True, slots=True)
class Leg:
    """An open quantity of one contract inside one trade.

    ``quantity`` is signed (+ long, - short), ``entry_price`` the average open price in points.
    """

    contract: ContractSpec
    quantity: int
    entry_price: float


@dataclass(frozen=True, slots=True)
class BookTrade:
    """A trade with its open legs.

    ``cash`` is all money moved by its fills so far in dollars (+ received, - paid), before
    fees; ``fees`` is a cost (positive). P&L = cash - fees + market value of the open legs.
    """

    trade_id: str
    role: TradeRole
    layer: int | None
    legs: tuple[Leg, ...]
    cash: float
    fees: float


@dataclass(frozen=True, slots=True)
class Book:
    """All trades of one account at one revision; ``capital`` in dollars."""

    account_id: str
    revision: int
    capital: float
    trades: tuple[BookTrade, ...]

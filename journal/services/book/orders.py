"""Orders as people enter them, and the rules they must keep before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.utils import timezone

from hedging.engine.book import ContractSpec, InstrumentKind
from hedging.engine.instruments import ROOTS
from hedging.engine.money import to_cents
from hedging.engine.structure import Structure, describe
from hedging.selectors.calendar import (
    NEW_YORK,
    CalendarRangeError,
    settles_at,
)
from hedging.selectors.listings import expiry_problem
from journal.errors import RuleError
from journal.selectors.book.trades import OpenLeg, Position
from journal.selectors.times import fill_session

MAX_QUANTITY = 100_000
MAX_PRICE = Decimal(100_000)
MAX_FEES = Decimal(1_000_000)
_MAX_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class LegInput:
    """One leg of an order: signed quantity (+ bought), price in points (dollars for a share)."""

    spec: ContractSpec
    quantity: int
    price: Decimal
    note: str = ""


@dataclass(frozen=True, slots=True)
class OrderInput:
    """An execution as entered.

    ``fees`` is the cost of the whole order, None means by the account's fee schedule. ``token``
    makes the order idempotent: the same token in the account is recorded once.
    """

    legs: Sequence[LegInput]
    executed_at: datetime
    fees: Decimal | None = None
    source: str = "manual"
    token: str = ""


@dataclass(frozen=True, slots=True)
class OrderRead:
    """A checked order: the session it was filled in, and the position its own legs are."""

    session: date
    position: Position


def check_order(order: OrderInput) -> date:
    """Check an order against the exchange's rules; return the session it was filled in.

    Raises RuleError naming the input and the leg.
    """
    if not order.legs:
        raise RuleError("An order needs at least one leg.", "legs")
    _check_fees(order.fees)
    session = fill_session(order.executed_at, now=timezone.now())
    seen: set[str] = set()
    for number, leg in enumerate(order.legs, start=1):
        name = f"Leg {number} ({leg.spec.symbol})"
        if leg.spec.symbol in seen:
            raise RuleError(f"{name}: the contract appears twice.", "legs")
        seen.add(leg.spec.symbol)
        if not leg.quantity or abs(leg.quantity) > MAX_QUANTITY:
            raise RuleError(f"{name}: quantity must be between 1 and {MAX_QUANTITY:,}.", "legs")
        _check_price(name, leg.price)
        _check_contract(name, leg.spec, order.executed_at)
    return session


def tick_warnings(legs: Sequence[LegInput]) -> list[str]:
    """Name the prices that are no multiple of the exchange's tick; they are kept as entered.

    Average prices of split fills and allocated package prices are legitimately off the grid, so
    this is a warning and never a refusal.
    """
    found = []
    for leg in legs:
        rule = ROOTS.get(leg.spec.root)
        if rule is None or leg.note or leg.price % rule.tick(leg.price) == 0:
            continue
        tick = rule.tick(leg.price)
        found.append(f"{leg.spec.symbol}: {leg.price} is no multiple of the tick {tick}.")
    return found


def package_warnings(legs: Sequence[tuple[ContractSpec, int]], price: Decimal) -> list[str]:
    """Name a package price that is no multiple of the exchange's smallest step for spreads."""
    steps = {rule.tick_low for spec, _ in legs if (rule := ROOTS.get(spec.root)) is not None}
    step = min(steps, default=None)
    if len(legs) < 2 or step is None or price % step == 0:
        return []
    return [f"The package price {price} is no multiple of the tick {step}."]


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


def order_read(order: OrderInput) -> OrderRead:
    """Check an order and read what it trades. Raises RuleError naming the input and the leg."""
    session = check_order(order)
    return OrderRead(session, order_position(order.legs))


def _check_fees(fees: Decimal | None) -> None:
    if fees is None:
        return
    if not fees.is_finite() or not 0 <= fees <= MAX_FEES:
        raise RuleError("Fees are a cost: zero or more.", "fees")
    if fees != to_cents(fees):
        raise RuleError("Fees are dollars and cents.", "fees")


def _check_price(name: str, price: Decimal) -> None:
    if not price.is_finite() or not 0 <= price <= MAX_PRICE:
        raise RuleError(f"{name}: price must be between 0 and {MAX_PRICE:,}.", "legs")
    if price != round(price, _MAX_DECIMALS):
        raise RuleError(f"{name}: a price has at most {_MAX_DECIMALS} decimals.", "legs")


def _check_contract(name: str, spec: ContractSpec, executed_at: datetime) -> None:
    if spec.expiry is None:
        return
    try:
        problem = expiry_problem(spec)
        settles = settles_at(spec)
    except CalendarRangeError as error:
        raise RuleError(f"{name}: {error}", "legs") from None
    if problem:
        raise RuleError(f"{name}: {problem}", "legs")
    if settles is not None and executed_at > settles:
        raise RuleError(
            f"{name}: settled at {settles.astimezone(NEW_YORK):%Y-%m-%d %H:%M} ET, before this "
            "fill; record a settlement at that time.",
            "legs",
        )

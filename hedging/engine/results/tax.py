"""United States tax figures of one contract in one year: Section 1256 and its 60/40 split.

Sources: 26 U.S.C. 1256(a) (marked to market on the last business day, 60% long-term and 40% short-term),
1256(b) and (g) (regulated futures contracts and nonequity options, among them options on broad-based
indices), IRS Form 6781 Part I. A record for the taxpayer and the adviser, no advice: wash sales,
straddles and elections are not considered.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from hedging.engine.book import ContractSpec, InstrumentKind
from hedging.engine.money import to_cents

ZERO = Decimal(0)
LONG_TERM_SHARE = Decimal("0.60")
#: Underlyings whose listed options and futures are Section 1256 contracts.
BROAD_INDEX = frozenset({"SPX", "XSP", "VIX", "VX"})


class TaxClass(StrEnum):
    """How a contract is taxed. UNCERTAIN: practice differs, so it is kept apart and never added up."""

    SECTION_1256 = "1256"
    SECURITY = "SECURITY"
    UNCERTAIN = "UNCERTAIN"


def tax_class(spec: ContractSpec) -> TaxClass:
    """Class of a contract; options on volatility ETPs such as VXX are uncertain."""
    if spec.kind is InstrumentKind.SHARE:
        return TaxClass.SECURITY
    return TaxClass.SECTION_1256 if spec.underlying in BROAD_INDEX else TaxClass.UNCERTAIN


def split_60_40(net: Decimal) -> tuple[Decimal, Decimal]:
    """Long-term and short-term part of a Section 1256 gain or loss in dollars; they add up to it."""
    net = to_cents(net)
    long_term = to_cents(net * LONG_TERM_SHARE)
    return long_term, net - long_term


@dataclass(frozen=True, slots=True)
class TaxFill:
    """A fill: session date, signed quantity, price in points, fees in dollars as a cost."""

    day: date
    quantity: int
    price: Decimal
    fees: Decimal


@dataclass(frozen=True, slots=True)
class Closed:
    """Part of a lot closed in the year, first in first out; ``gain`` in dollars after fees.

    ``long_term`` is whether a long position was held for more than a year; short sales are short-term.
    """

    opened: date
    closed: date
    quantity: int
    gain: Decimal
    long_term: bool


@dataclass(frozen=True, slots=True)
class ContractYear:
    """One contract in one year, in dollars after fees.

    ``realized`` is None while the mark at the beginning of the year is needed and unknown;
    ``year_end`` is the gain of what is open on the last session over its basis: zero when flat, None
    while that mark is unknown. ``open_start`` and ``open_end`` are quantities.
    """

    realized: Decimal | None
    year_end: Decimal | None
    open_start: int
    open_end: int
    closed: tuple[Closed, ...]

    @property
    def total(self) -> Decimal | None:
        """Realized and year-end mark together, None while either is unknown."""
        if self.realized is None or self.year_end is None:
            return None
        return self.realized + self.year_end


@dataclass(slots=True)
class _TaxLot:
    """Open quantity, its basis in points and the opening fees per unit that are not recognized yet."""

    opened: date
    quantity: int
    basis: Decimal | None
    fee: Decimal


def contract_year(
    executions: Iterable[TaxFill],
    *,
    year: int,
    multiplier: int,
    marked: bool,
    mark_before: Decimal | None = None,
    mark_end: Decimal | None = None,
) -> ContractYear:
    """Work out a contract's year from all its executions in time order, first in first out.

    With ``marked`` (Section 1256) what was open at the end of the year before starts at ``mark_before``,
    its fees recognized then, and what stays open is valued at ``mark_end``. Otherwise nothing is marked.
    """
    lots: deque[_TaxLot] = deque()
    closed: list[tuple[Closed, bool]] = []
    rows = [row for row in executions if row.day.year <= year]
    for row in (row for row in rows if row.day.year < year):
        _execute(lots, row, multiplier)
    start = sum(lot.quantity for lot in lots)
    if marked:
        for lot in lots:
            lot.basis, lot.fee = mark_before, ZERO
    for row in (row for row in rows if row.day.year == year):
        closed += _execute(lots, row, multiplier)
    end = sum(lot.quantity for lot in lots)
    known = all(is_known for _, is_known in closed)
    realized = sum((part.gain for part, _ in closed), ZERO) if known else None
    year_end: Decimal | None = ZERO
    if marked and lots:
        year_end = _open_gain(lots, mark_end, multiplier)
    return ContractYear(realized, year_end, start, end, tuple(part for part, _ in closed))


def _open_gain(lots: Iterable[_TaxLot], mark: Decimal | None, multiplier: int) -> Decimal | None:
    total = ZERO
    for lot in lots:
        if mark is None or lot.basis is None:
            return None
        total += (mark - lot.basis) * lot.quantity * multiplier - lot.fee * abs(lot.quantity)
    return total


def _execute(lots: deque[_TaxLot], row: TaxFill, multiplier: int) -> list[tuple[Closed, bool]]:
    """Close lots of the other side, then open what is left; (part, whether its basis is known)."""
    left, fee = row.quantity, row.fees / abs(row.quantity)
    done: list[tuple[Closed, bool]] = []
    while left and lots and lots[0].quantity * left < 0:
        lot = lots[0]
        size = min(abs(left), abs(lot.quantity)) * (1 if lot.quantity > 0 else -1)
        known = lot.basis is not None
        gain = (row.price - (lot.basis or ZERO)) * size * multiplier - (fee + lot.fee) * abs(size)
        long_term = size > 0 and row.day > _a_year_after(lot.opened)
        done.append((Closed(lot.opened, row.day, size, gain, long_term), known))
        lot.quantity -= size
        left += size
        if not lot.quantity:
            lots.popleft()
    if left:
        lots.append(_TaxLot(row.day, left, row.price, fee))
    return done


def _a_year_after(day: date) -> date:
    """The same day of the next year; the last of February for the 29th."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return day.replace(year=day.year + 1, day=28)

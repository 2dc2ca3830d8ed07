"""What an account report says: frozen values that every format renders alike.

Money is Decimal in whole cents. A figure that is not known is None and printed as "unknown"; a sum
over parts some of which are unknown is a ``Sum`` marked partial. Nothing is ever filled in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from hedging.engine.book import ContractSpec
from hedging.engine.contract_words import spec_words
from hedging.engine.pricing.valuation import FactorGreeks

if TYPE_CHECKING:
    from journal.reports.results import Results

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Sum:
    """Dollars to the cent over the known parts; ``amount`` is None when no part is known."""

    amount: Decimal | None = ZERO
    partial: bool = False

    def plus(self, other: Sum, sign: int = 1) -> Sum:
        """Add (or with ``sign`` -1 subtract) another sum; partial stays partial."""
        partial = self.partial or other.partial
        if other.amount is None:
            return Sum(self.amount, partial)
        if self.amount is None:
            return Sum(sign * other.amount, partial)
        return Sum(self.amount + sign * other.amount, partial)


UNKNOWN = Sum(None, partial=True)


def total(parts: Iterable[Sum]) -> Sum:
    """Add sums. Beside an unknown part, zeros (of closed trades, say) are no knowledge of the whole."""
    every = list(parts)
    amounts = [part.amount for part in every if part.amount is not None]
    partial = any(part.partial for part in every)
    if any(part.amount is None for part in every) and not any(amounts):
        return Sum(None, partial)
    return Sum(sum(amounts, ZERO), partial)


def known(amount: Decimal | None) -> Sum:
    """Wrap one figure: unknown when None."""
    return UNKNOWN if amount is None else Sum(amount)


@dataclass(frozen=True, slots=True)
class PeriodResult:
    """P&L of the period: realized - fees + change of unrealized. Fees are a cost (positive)."""

    opening: Sum = Sum()
    realized: Decimal = ZERO
    fees: Decimal = ZERO
    closing: Sum = Sum()

    @property
    def net(self) -> Sum:
        """P&L of the period after fees."""
        return Sum(self.realized - self.fees).plus(self.closing).plus(self.opening, -1)


def add_results(results: Iterable[PeriodResult]) -> PeriodResult:
    """Sum of results, line by line."""
    every = list(results)
    return PeriodResult(
        total(r.opening for r in every),
        sum((r.realized for r in every), ZERO),
        sum((r.fees for r in every), ZERO),
        total(r.closing for r in every),
    )


@dataclass(frozen=True, slots=True)
class LegLine:
    """An open leg. Per unit, as in hedging.engine.pricing.valuation.LegValuation; ``pnl`` in dollars."""

    spec: ContractSpec
    quantity: int
    entry: Decimal
    source: str
    reason: str = ""
    price: float | None = None
    iv: float | None = None
    delta: float | None = None
    gamma: float | None = None
    theta: float | None = None
    vega: float | None = None
    rho: float | None = None
    pnl: Decimal | None = None

    @property
    def contract(self) -> str:
        """Name the contract: ``SPXW 6450 P · Dec 4 '26 (PM)``."""
        return spec_words(self.spec)

    @property
    def settlement(self) -> str:
        """AM or PM, empty for shares."""
        return self.spec.settlement.value


@dataclass(frozen=True, slots=True)
class TradeLine:
    """A trade with something open at the end of the period, or something done within it.

    ``cash`` (+ received), ``realized``, ``fees`` and ``unrealized`` count from its first fill;
    ``result`` is the period's part of them.
    """

    trade_id: str
    label: str
    role: str
    kind: str
    layer: int | None
    opened_at: datetime
    closed_at: datetime | None
    expiry: date | None
    cash: Decimal
    realized: Decimal
    fees: Decimal
    unrealized: Sum
    result: PeriodResult
    max_profit: Decimal | None = None
    max_loss: Decimal | None = None
    break_evens: tuple[float, ...] = ()
    margin: Decimal | None = None
    pop: float | None = None
    greeks: Mapping[str, FactorGreeks] | None = None
    legs: tuple[LegLine, ...] = ()

    @property
    def net(self) -> Sum:
        """P&L since the first fill, after fees."""
        return Sum(self.realized - self.fees).plus(self.unrealized)

    @property
    def is_open(self) -> bool:
        """Whether legs are open at the end of the period."""
        return bool(self.legs)


@dataclass(frozen=True, slots=True)
class LayerLine:
    """One hedge layer: open positions, premium paid for them, and the period's result."""

    layer: int
    positions: int
    paid: Decimal
    unrealized: Sum
    result: PeriodResult
    greeks: Mapping[str, FactorGreeks]


@dataclass(frozen=True, slots=True)
class FillLine:
    """A fill of the period. ``cash`` is the premium moved (None for futures, which move none)."""

    executed_at: datetime
    trade_date: date
    spec: ContractSpec
    quantity: int
    price: Decimal
    cash: Decimal | None
    fees: Decimal
    trade: str
    note: str
    trade_id: str = ""

    @property
    def contract(self) -> str:
        """Name the contract."""
        return spec_words(self.spec)


@dataclass(frozen=True, slots=True)
class ReportMarks:
    """The market the figures stand on; ``quality`` lists its flags, "stale" when it is old."""

    as_of: datetime
    quality: tuple[str, ...]
    spot: float | None = None


@dataclass(frozen=True, slots=True)
class SettlementPayoff:
    """P&L of all open SPX options when each settles at the same SPX price, after cash and fees."""

    prices: tuple[float, ...]
    pnl: tuple[float, ...]
    spot: float | None
    break_evens: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Header:
    """What the report is about, on whose word, and as of when."""

    account: str
    broker: str
    number: str
    kind: str
    currency: str
    capital: Decimal
    time_zone: str
    date_from: date
    date_to: date
    as_of: datetime
    marks: ReportMarks | None
    opening_marks: ReportMarks | None
    ruleset: str
    book_revision: int
    is_demo: bool
    generated_at: datetime
    generated_by: str


@dataclass(frozen=True, slots=True)
class Stress:
    """Loss in dollars (positive) in the worst of the stress cells, and which cell it is."""

    loss: Sum
    spot: float
    vix: float


@dataclass(frozen=True, slots=True)
class ReportData:
    """Everything a report shows. Sums are the sums of the lines shown, to the cent."""

    header: Header
    condors: PeriodResult
    other: PeriodResult
    hedge: PeriodResult
    account: PeriodResult
    margin: Sum
    stress: Stress | None
    greeks: Mapping[str, FactorGreeks]
    greeks_partial: bool
    trades: tuple[TradeLine, ...]
    layers: tuple[LayerLine, ...]
    fills: tuple[FillLine, ...]
    payoff: SettlementPayoff | None = None
    results: Results | None = None

    @property
    def without_hedge(self) -> PeriodResult:
        """Everything but the hedge layers."""
        return add_results((self.condors, self.other))

    @property
    def open_trades(self) -> tuple[TradeLine, ...]:
        """Trades with open legs at the end of the period."""
        return tuple(trade for trade in self.trades if trade.is_open)

    @property
    def cash(self) -> Decimal:
        """Premiums moved by the fills listed."""
        return sum((fill.cash for fill in self.fills if fill.cash is not None), ZERO)

    @property
    def fill_fees(self) -> Decimal:
        """Fees of the fills listed, as recorded."""
        return sum((fill.fees for fill in self.fills), ZERO)

    @property
    def unknown_reasons(self) -> tuple[str, ...]:
        """Why marks are unknown, each once."""
        found = (
            f"{leg.contract}: {leg.reason or 'no market data'}"
            for trade in self.trades
            for leg in trade.legs
            if leg.price is None
        )
        return tuple(dict.fromkeys(found))

    @property
    def open_total(self) -> PeriodResult:
        """Since the first fill, of open positions; ``opening`` is zero by definition."""
        opened = self.open_trades
        return PeriodResult(
            Sum(),
            sum((t.realized for t in opened), ZERO),
            sum((t.fees for t in opened), ZERO),
            total(t.unrealized for t in opened),
        )

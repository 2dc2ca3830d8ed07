"""What every rule reads: book, market, signals and ruleset, with the sums they share worked out once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np

from hedging.engine.book import Book, BookTrade, InstrumentKind, Leg, Role
from hedging.engine.greeks_units import Factor
from hedging.engine.market import Floats, MarketSnapshot
from hedging.engine.policy.types import Answer, Fact
from hedging.engine.rulesets.types import Ruleset
from hedging.engine.scenarios import STRESS, Shock, StressTest, path_vix, shock_pnl
from hedging.engine.signals.types import Signal, SignalDay, SignalKey, SignalState
from hedging.engine.structure import option_arrays
from hedging.engine.valuation import BookValuation, TradeValuation, value_book
from hedging.maths.margin import defined_risk_margin

VIX_LEVELS = (30.0, 40.0, 60.0, 80.0)
#: Cells of STRESS in which the VIX rises.
RISING = tuple(at for at, shock in enumerate(STRESS) if shock.vix > 0)
DIGITS = 9  # figures are compared after rounding here, so that a computed 35 is not 34.999999999999996


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What neither book nor snapshot holds; None falls back on the ruleset.

    ``second_engine`` dollars in the bucket, ``margin_limit`` a share of equity, both as the account states
    them; ``vx_beta`` VX points per 1% of SPX as estimated from history (``hedging.engine.policy.beta``).
    """

    second_engine: float | None = None
    margin_limit: float | None = None
    vx_beta: float | None = None


@dataclass(frozen=True)
class Context:
    """Inputs in a fixed order, so that results depend on content alone."""

    book: Book
    market: MarketSnapshot
    day: SignalDay
    rules: Ruleset
    facts: AccountFacts = AccountFacts()

    @cached_property
    def weight(self) -> float:
        """Stress weight in [0, 1] that moves interpolated ranges; a half while the VIX is unknown."""
        if self.vix is None:
            return 0.5
        low, high = self.rules.number("interpolate.vix_low"), self.rules.number("interpolate.vix_high")
        return float(np.clip((self.vix - low) / (high - low), 0.0, 1.0))

    def number(self, key: str) -> float:
        """A parameter's figure in force today."""
        return self.rules.number(key, self.weight)

    def span(self, key: str) -> tuple[float, float]:
        """A parameter's range; its figure twice where it has none."""
        parameter = self.rules.parameters[key]
        return parameter.span or (parameter.number(), parameter.number())

    @cached_property
    def vix(self) -> float | None:
        """VIX in points: the snapshot's level, else the signal's."""
        level = self.market.levels.get("VIX")
        return level.value if level else self.day.value(SignalKey.VIX)

    @cached_property
    def valued(self) -> BookValuation:
        """The book's valuation."""
        return value_book(self.book, self.market)

    @cached_property
    def values(self) -> dict[str, TradeValuation]:
        """Valuations by trade id."""
        return {trade.trade_id: trade for trade in self.valued.trades}

    @cached_property
    def condors(self) -> tuple[BookTrade, ...]:
        """Open condors."""
        return tuple(t for t in self.book.trades if t.role is Role.CONDOR and t.legs)

    def layer(self, number: int) -> tuple[BookTrade, ...]:
        """Open hedges of one layer."""
        return tuple(t for t in self.book.trades if t.role is Role.HEDGE and t.layer == number and t.legs)

    @cached_property
    def vix_shocks(self) -> tuple[Shock, ...]:
        """VIX at 30, 40, 60 and 80 with the SPX move that goes with it; none while the VIX is unknown."""
        if self.vix is None:
            return ()
        changes = [level - self.vix for level in VIX_LEVELS]
        return tuple(Shock(spot_with_vix(change), change) for change in changes)

    @cached_property
    def shocked(self) -> tuple[dict[str, Floats], int]:
        """P&L of each trade over STRESS, then ``vix_shocks``, in dollars; and how many legs are left out."""
        pnl, unknown = shock_pnl(self.book.trades, self.market, (*STRESS, *self.vix_shocks))
        return {trade.trade_id: row for trade, row in zip(self.book.trades, pnl, strict=True)}, unknown

    @cached_property
    def stress(self) -> StressTest:
        """The stress cells of the book."""
        by_trade, unknown = self.shocked
        cells = len(STRESS)

        def over(role: Role | None) -> tuple[float, ...]:
            mine = [by_trade[t.trade_id][:cells] for t in self.book.trades if role in {None, t.role}]
            return tuple(float(x) for x in np.sum(mine, axis=0)) if mine else (0.0,) * cells

        return StressTest(STRESS, over(None), over(Role.CONDOR), over(Role.HEDGE), unknown)

    @cached_property
    def worst_cell(self) -> int:
        """Place in STRESS of the cell with rising VIX in which the condors lose most.

        A VIX hedge answers to these; what condors lose in a rally it cannot cover.
        """
        return min(RISING, key=lambda at: self.stress.condors[at])

    @property
    def worst(self) -> Shock:
        """That cell's shock."""
        return STRESS[self.worst_cell]

    @cached_property
    def condor_loss(self) -> float:
        """The condors' loss in that cell, dollars."""
        return max(-self.stress.condors[self.worst_cell], 0.0)

    def pnl_of(self, trades: Iterable[BookTrade]) -> float:
        """Unrealized P&L of the open legs that are known, dollars."""
        return sum((leg.pnl or 0.0 for t in trades for leg in self.values[t.trade_id].legs), 0.0)

    @cached_property
    def loss_from_entry(self) -> float:
        """What the condors will have lost since entry in their worst cell, dollars (LAY-11)."""
        return max(self.condor_loss - self.pnl_of(self.condors), 0.0)

    def gain_from_entry(self, trades: Sequence[BookTrade]) -> float:
        """What hedges will have gained since entry in the condors' worst cell, dollars."""
        return float(self.gains(trades)[0]) + self.pnl_of(trades)

    def gains(self, trades: Iterable[BookTrade]) -> Floats:
        """P&L of some of the book's trades: the condors' worst cell first, then ``vix_shocks``."""
        chosen = [self.worst_cell, *range(len(STRESS), len(STRESS) + len(self.vix_shocks))]
        rows = [self.shocked[0][trade.trade_id][chosen] for trade in trades]
        return np.asarray(np.sum(rows, axis=0)) if rows else np.zeros(len(chosen))

    @cached_property
    def credit(self) -> float:
        """Credit collected by the open condors, dollars: what their fills brought in all."""
        return sum(max(trade.cash, 0.0) for trade in self.condors)

    @cached_property
    def condor_max_loss(self) -> float:
        """Maximum loss of the open condors at expiry, dollars; condors without a bound count nothing."""
        return sum(risk_of(trade)[0] or 0.0 for trade in self.condors)

    @cached_property
    def condor_margin(self) -> float:
        """Gross margin of the open condors, dollars."""
        return sum(risk_of(trade)[1] or 0.0 for trade in self.condors)

    @cached_property
    def condor_count(self) -> float:
        """Condor contracts open."""
        return float(sum(min(abs(leg.quantity) for leg in trade.legs) for trade in self.condors))

    @cached_property
    def base(self) -> float:
        """What exposure is a share of, dollars."""
        match self.rules.word("layers.notional_base"):
            case "margin":
                return self.condor_margin
            case "index_notional":
                return self.condor_count * 100 * (self.market.spot or 0.0)
            case _:
                return self.condor_max_loss

    @cached_property
    def second_engine(self) -> float:
        """Dollars of the bucket that funds adjustments."""
        stated = self.facts.second_engine
        return self.number("second_engine.share") * self.book.capital if stated is None else stated

    def spx_delta(self, trades: Iterable[BookTrade]) -> float:
        """SPX-equivalent delta in $ per SPX point: VX deltas through the VX beta."""
        total = 0.0
        for trade in trades:
            for factor, greeks in self.values[trade.trade_id].totals.greeks.items():
                total += greeks.delta * (1.0 if factor == Factor.SPX.value else self.vx_per_point(factor))
        return total

    @property
    def vx_beta(self) -> float:
        """VX points per 1% of SPX: the estimate, else the ruleset's figure (LAY-7)."""
        estimate = self.facts.vx_beta
        return self.number("layers.vx_beta") if estimate is None else estimate

    def vx_per_point(self, factor: str = Factor.VX.value) -> float:
        """VX points for one SPX point (negative); VXX is left out of equivalents."""
        if factor != Factor.VX.value or not self.market.spot:
            return 0.0
        return self.vx_beta / (0.01 * self.market.spot)

    def signal(self, key: SignalKey) -> Signal:
        """One signal of the day."""
        return self.day.signals[key]

    def state(self, key: SignalKey) -> Answer:
        """A signal's state as an answer."""
        return STATES[self.signal(key).state]

    def below(self, key: SignalKey, limit: float) -> Answer:
        """Whether the signal's figure lies strictly below the limit."""
        value = self.figure(key)
        return Answer.UNKNOWN if value is None else yes(round(value, DIGITS) < round(limit, DIGITS))

    def above(self, key: SignalKey, limit: float) -> Answer:
        """Whether the signal's figure lies strictly above the limit."""
        value = self.figure(key)
        return Answer.UNKNOWN if value is None else yes(round(value, DIGITS) > round(limit, DIGITS))

    def figure(self, key: SignalKey) -> float | None:
        """The signal's value; shares given in percent become fractions. Unknown states have none."""
        signal = self.signal(key)
        if signal.state is SignalState.UNKNOWN or signal.value is None:
            return None
        in_percent = signal.unit.startswith("%") and key in SHARES
        return signal.value / 100 if in_percent else signal.value

    def fact(self, key: SignalKey) -> Fact:
        """A signal as an input of an answer."""
        one = self.signal(key)
        word = "" if one.value is not None else one.state.value
        return Fact(one.label, one.value, one.unit, word=word, source=one.source, as_of=one.as_of)


STATES = {
    SignalState.ON: Answer.YES,
    SignalState.OFF: Answer.NO,
    SignalState.UNKNOWN: Answer.UNKNOWN,
}
#: Signals whose rules are written as fractions.
SHARES = {SignalKey.BACKWARDATION, SignalKey.CONTANGO, SignalKey.RV_IV_CHANGE_10}


def yes(fact: bool) -> Answer:
    """YES or NO."""
    return Answer.YES if fact else Answer.NO


def every(answers: Sequence[Answer]) -> Answer:
    """YES when all are; one NO decides; else UNKNOWN. YES of nothing."""
    if Answer.NO in answers:
        return Answer.NO
    return Answer.UNKNOWN if Answer.UNKNOWN in answers else Answer.YES


def some(answers: Sequence[Answer]) -> Answer:
    """YES when one is; UNKNOWN when one might be; else NO."""
    if Answer.YES in answers:
        return Answer.YES
    return Answer.UNKNOWN if Answer.UNKNOWN in answers else Answer.NO


def normalised(book: Book) -> Book:
    """The same book in a fixed order of trades and legs."""
    trades = sorted(book.trades, key=lambda trade: trade.trade_id)
    return replace(
        book,
        trades=tuple(
            replace(t, legs=tuple(sorted(t.legs, key=lambda leg: (leg.contract.symbol, leg.quantity))))
            for t in trades
        ),
    )


def credit_of(legs: Iterable[Leg]) -> float:
    """Net premium of the open legs at their entry prices, dollars received (+); futures move none."""
    return -sum(
        leg.quantity * leg.entry_price * leg.contract.multiplier
        for leg in legs
        if leg.contract.kind.value != "future"
    )


def risk_of(trade: BookTrade) -> tuple[float | None, float | None]:
    """(maximum loss, gross margin) of a trade in dollars, held to every expiry; None is unbounded.

    Margin is the worst value at expiry, expiry by expiry; the loss takes off what the trade's fills brought.
    """
    groups: dict[tuple[str, object], list[Leg]] = {}
    for leg in trade.legs:
        groups.setdefault((leg.contract.underlying, leg.contract.expiry), []).append(leg)
    margin = 0.0
    for group in groups.values():
        if any(leg.contract.kind is not InstrumentKind.OPTION for leg in group):
            return None, None
        margin += defined_risk_margin(option_arrays(group))
    if not np.isfinite(margin):
        return None, None
    return max(margin - trade.cash, 0.0), margin


def spot_with_vix(change: float) -> float:
    """SPX change (fraction) that goes with a VIX change in points on the stress path; its ends are kept."""
    vix, spot = _path()
    return float(np.interp(change, vix, spot))


@cache
def _path() -> tuple[Floats, Floats]:
    """The stress path by ascending VIX change."""
    falls = [shock.spot for shock in STRESS if shock.spot]
    spot = np.linspace(max(falls), min(falls), 231)
    return np.array([path_vix(one) for one in spot]), spot

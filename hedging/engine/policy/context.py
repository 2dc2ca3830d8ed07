"""What every rule reads: book, market, signals and ruleset, with the sums they share worked out once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np

from hedging.engine.book import Book, BookTrade, ContractSpec, InstrumentKind, Leg, TradeRole
from hedging.engine.market import MarketSnapshot
from hedging.engine.policy.chain import days_to
from hedging.engine.policy.types import Answer, Fact, SizeLimits
from hedging.engine.pricing.greeks_units import Factor
from hedging.engine.pricing.scenarios import (
    STRESS,
    Shock,
    ShockRules,
    StressTest,
    month_vx,
    path_vix,
    shock_pnl,
)
from hedging.engine.pricing.valuation import BookValuation, TradeValuation, value_book
from hedging.engine.results.capital import Funds
from hedging.engine.rulesets.types import Ruleset
from hedging.engine.signals.types import Signal, SignalDay, SignalKey, SignalState
from hedging.engine.structure import option_arrays
from hedging.maths.arrays import Floats
from hedging.maths.margin import defined_risk_margin

VIX_LEVELS = (30.0, 40.0, 60.0, 80.0)
#: Cells of STRESS in which the VIX rises.
RISING = tuple(at for at, shock in enumerate(STRESS) if shock.vix > 0)
LAYERS = (1, 2, 3)
_MONTH_DAYS = 30.0
VX_FLOOR = ShockRules().floor_vx
DIGITS = 9  # figures are compared after rounding here, so that a computed 35 is not 34.999999999999996


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What neither book nor snapshot holds; None falls back on the ruleset.

    ``second_engine`` dollars in the bucket, ``margin_limit`` a share of equity, both as the account states
    them; ``vx_beta`` VX points per 1% of SPX as estimated from history (``hedging.engine.policy.beta``);
    ``funds`` what its cash ledger and fills say is liquid and owed (CON-7), None is unknown; ``trade_size``
    the account's own limits of one trade.
    """

    second_engine: float | None = None
    margin_limit: float | None = None
    vx_beta: float | None = None
    funds: Funds | None = None
    trade_size: SizeLimits | None = None


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
        return tuple(t for t in self.book.trades if t.role is TradeRole.CONDOR and t.legs)

    def layer(self, number: int) -> tuple[BookTrade, ...]:
        """Open hedges of one layer."""
        return tuple(
            t for t in self.book.trades if t.role is TradeRole.HEDGE and t.layer == number and t.legs
        )

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

        def over(role: TradeRole | None) -> tuple[float, ...]:
            mine = [by_trade[t.trade_id][:cells] for t in self.book.trades if role in {None, t.role}]
            return tuple(float(x) for x in np.sum(mine, axis=0)) if mine else (0.0,) * cells

        return StressTest(STRESS, over(None), over(TradeRole.CONDOR), over(TradeRole.HEDGE), unknown)

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
    def margin(self) -> tuple[float, bool]:
        """Gross margin of the whole book by strategy rules, dollars; and whether some trade has no rule."""
        margins = [risk_of(trade)[1] for trade in self.book.trades if trade.legs]
        return sum(m for m in margins if m is not None), any(m is None for m in margins)

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
        """Points of VX (or dollars of VXX) for one SPX point, negative; 0 while it cannot be told.

        The beta is that of the 30-day future, which VXX follows in proportion.
        """
        if not self.market.spot:
            return 0.0
        per_point = self.vx_beta / (0.01 * self.market.spot)
        return per_point * self.vxx_per_vx if factor == Factor.VXX.value else per_point

    @cached_property
    def vxx_per_vx(self) -> float:
        """Dollars of VXX for one point of the 30-day future; 0 without its price or a curve."""
        level, month = self.market.levels.get("VXX"), month_vx(self.market)
        return level.value / month if level and month else 0.0

    def carry(self, spec: ContractSpec) -> float | None:
        """Dollars one bought future or share loses a calendar day while VIX and the curve stand still.

        A future slides to the VIX by its settlement, VXX down the slope of the curve at 30 days. Negative: an
        inverted curve pays. None without VIX, curve or price; an option's decay is its theta.
        """
        if spec.kind is InstrumentKind.SHARE:
            level, slope = self.market.levels.get(spec.symbol), self._slope
            return None if level is None or slope is None else level.value * slope * spec.multiplier
        settle = None if spec.expiry is None else self.market.vx_settle(spec.expiry)
        if settle is None or self.vix is None or spec.expiry is None:
            return None
        days = max(days_to(self.market, spec.expiry), 1)
        return (settle - self.vix) / days * spec.multiplier

    @cached_property
    def _slope(self) -> float | None:
        """Share of its value the 30-day future loses a day as it slides down the curve."""
        curve = sorted(self.market.vx_curve, key=lambda point: point.t)
        month = month_vx(self.market)
        if len(curve) < 2 or not month:
            return None
        far = next((at for at, point in enumerate(curve) if point.t * 365 >= _MONTH_DAYS), len(curve) - 1)
        far = max(far, 1)
        near, far_point = curve[far - 1], curve[far]
        return (far_point.settle - near.settle) / ((far_point.t - near.t) * 365) / month

    def held_days(self, spec: ContractSpec, layer: int | None) -> float:
        """Days a bought contract is held: to its expiry; a share for the layer's tenor."""
        if spec.expiry is not None:
            return max(float(days_to(self.market, spec.expiry)), 0.0)
        return self.number(f"layer{layer}.dte") if layer in LAYERS else _MONTH_DAYS

    def carry_cost(self, spec: ContractSpec, layer: int | None) -> float | None:
        """Dollars of carry over the holding time, never negative: what a budget counts for it."""
        a_day = self.carry(spec)
        return None if a_day is None else max(a_day, 0.0) * self.held_days(spec, layer)

    def premium_of(self, trades: Sequence[BookTrade]) -> float:
        """What open hedges count against premium budgets, dollars.

        Options: what they cost. Futures and shares: their carry ahead. A calendar, which can lose more than
        it cost: what it will have lost since entry in the condors' worst cell, if that is more.
        """
        paid = max(-sum((credit_of(trade.legs) for trade in trades), 0.0), 0.0) or 0.0  # never -0.0
        for trade in trades:
            if is_calendar(trade.legs):
                debit = max(-credit_of(trade.legs), 0.0)
                paid += max(-self.gain_from_entry((trade,)) - debit, 0.0)
            for leg in trade.legs:
                if is_linear(leg.contract) and leg.quantity > 0:
                    paid += leg.quantity * (self.carry_cost(leg.contract, trade.layer) or 0.0)
        return paid

    def decay_of(self, trades: Iterable[BookTrade]) -> float:
        """Theta of the options less the carry of futures and shares, dollars a day (negative: it costs)."""
        total = 0.0
        for trade in trades:
            total += self.values[trade.trade_id].totals.theta
            for leg in trade.legs:
                if is_linear(leg.contract):
                    total -= leg.quantity * (self.carry(leg.contract) or 0.0)
        return total

    def exposure_of(self, trades: Iterable[BookTrade]) -> float:
        """Dollars of notional of the bought legs: multiplier × their future, forward or price (LAY-2)."""
        return sum(
            leg.quantity * leg.multiplier * (leg.forward or 0.0)
            for trade in trades
            for leg in self.values[trade.trade_id].legs
            if leg.quantity > 0
        )

    def future_margin_of(self, trades: Iterable[BookTrade]) -> float:
        """Margin of the VX futures in the trades, dollars (``layers.future_margin``)."""
        share = self.number("layers.future_margin")
        return sum(
            share * abs(leg.size) * (leg.price or leg.entry_price)
            for trade in trades
            for leg in self.values[trade.trade_id].legs
            if leg.underlying == "VX"
        )

    @cached_property
    def used_margin(self) -> float:
        """Margin of the open condors and of every VX future, dollars."""
        return self.condor_margin + self.future_margin_of(self.book.trades)

    @property
    def margin_limit(self) -> float:
        """Most margin as a share of equity: the account's own limit, else the ruleset's."""
        stated = self.facts.margin_limit
        return self.number("condor.margin_of_equity") if stated is None else stated

    @property
    def trade_size(self) -> SizeLimits:
        """Most one trade may lose: the account's own limits, else the ruleset's."""
        return self.facts.trade_size or SizeLimits(
            self.number("guard.warn_of_equity"), self.number("guard.block_of_equity")
        )

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
    """Net premium of the open options at their entry prices, dollars received (+).

    Futures and shares have no premium: what holding them costs is carry (``Context.carry``).
    """
    return -sum(
        leg.quantity * leg.entry_price * leg.contract.multiplier
        for leg in legs
        if not is_linear(leg.contract)
    )


def is_calendar(legs: Sequence[Leg]) -> bool:
    """Whether options of several expiries are bought and sold: they can lose more than they cost."""
    options = [leg for leg in legs if not is_linear(leg.contract)]
    return len({leg.contract.expiry for leg in options}) > 1 and any(leg.quantity < 0 for leg in options)


def is_linear(spec: ContractSpec) -> bool:
    """Whether it is a future or a share: no premium, no expiry value but its own price."""
    return spec.kind is not InstrumentKind.OPTION


def risk_of(trade: BookTrade, future_margin: float = 1.0) -> tuple[float | None, float | None]:
    """(maximum loss, gross margin) of a trade in dollars, held to every expiry; None is unbounded.

    Margin of options is the worst value at expiry, expiry by expiry; the loss takes off what the trade's
    fills brought. A bought future can fall to the floor of VX (``ShockRules``) and takes ``future_margin`` of
    its notional, a bought share is paid in full; a sold one has no bound.
    """
    groups: dict[tuple[str, object], list[Leg]] = {}
    loss = margin = 0.0
    for leg in trade.legs:
        if not is_linear(leg.contract):
            groups.setdefault((leg.contract.underlying, leg.contract.expiry), []).append(leg)
        elif leg.quantity < 0:
            return None, None
        elif leg.contract.kind is InstrumentKind.FUTURE:
            notional = leg.quantity * leg.entry_price * leg.contract.multiplier
            loss += max(notional - leg.quantity * VX_FLOOR * leg.contract.multiplier, 0.0)
            margin += future_margin * notional
    for group in groups.values():
        worst = defined_risk_margin(option_arrays(group))
        loss, margin = loss + worst, margin + worst
    if not np.isfinite(margin):
        return None, None
    return max(loss - trade.cash, 0.0), margin


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

"""The day-by-day account: interest, settlements, orders decided earlier, marks, and what to do next.

Nothing a session does depends on a later one. What is wanted is decided from the signals and marks of a close
and done at the close ``delay`` sessions later, with strikes, prices and sizes of that later close.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import floor

import numpy as np

from hedging.engine.backtest.assumptions import assumptions_of, gaps_of
from hedging.engine.backtest.packages import (
    OpenPackage,
    condor_at,
    crossing,
    hedge_at,
    live_through,
    underlying_of,
)
from hedging.engine.backtest.plan import BacktestPlan, LayerSchedule
from hedging.engine.backtest.surfaces import Surfaces
from hedging.engine.backtest.types import (
    MULTIPLIER,
    PARTS,
    BacktestError,
    BacktestResult,
    BacktestTrade,
    Core,
    Exits,
    Hedge,
    Settings,
)
from hedging.engine.history.series import day64, to_date
from hedging.maths import modelled

Progress = Callable[[int, int], None]
_TOLD_EVERY = 250


def _nothing(_done: int, _total: int) -> None: ...


@dataclass(slots=True)
class _Orders:
    """What a close decided: packages to sell or buy back with the reason, and what may be opened."""

    closes: list[tuple[OpenPackage, str]] = field(default_factory=list)
    condor: bool = False
    far: bool = False
    layers: list[LayerSchedule] = field(default_factory=list)


def run(
    market: Surfaces, plan: BacktestPlan, settings: Settings, *, progress: Progress = _nothing
) -> BacktestResult:
    """The programme over the settings' range. Raises BacktestError when it holds no session."""
    start = int(np.searchsorted(market.days, day64(settings.first)))
    stop = int(np.searchsorted(market.days, day64(settings.last), side="right"))
    if stop - start < 2:
        raise BacktestError(
            f"fewer than two sessions from {settings.first} to {settings.last} have closes of SPX and VIX"
        )
    account = _Account(market, plan, settings, start, stop)
    for row in range(start, stop):
        if (row - start) % _TOLD_EVERY == 0:
            progress(row - start, stop - start)
        account.session(row)
    progress(stop - start, stop - start)
    return account.result()


class _Account:
    """Cash, open packages and the record of one run."""

    def __init__(
        self, market: Surfaces, plan: BacktestPlan, settings: Settings, start: int, stop: int
    ) -> None:
        self.market, self.plan, self.settings = market, plan, settings
        self.start, self.last = start, stop - 1
        self.cash, self.core = settings.capital, 0.0
        self.locked = 0.0
        if settings.core is Core.SPX:
            self.cash, self.core = 0.0, settings.capital
        self.open: list[OpenPackage] = []
        self.trades: list[BacktestTrade] = []
        self.forced: list[int] = []
        self.stale = 0
        self.unpriced = [0, 0, 0, 0]
        self.unofficial = 0
        self.orders = _Orders()
        self.pnl = np.zeros((stop - start, len(PARTS)))
        self.table = np.zeros((stop - start, 10))
        self.before: dict[int, float] = {}
        self.layers = () if settings.hedge is Hedge.OFF else plan.layers

    # -- one session

    def session(self, row: int) -> None:
        """Everything a close does, in order."""
        self.row, self.at = row, row - self.start
        self.today = int(self.market.numbers[row])
        self._carry()
        self._settle()
        self._mark()
        if self.settings.delay == 0:
            self.orders = self._decide()
        self._execute(self.orders)
        self._margin_call()
        self._record()
        if self.settings.delay:
            self.orders = self._decide()

    def _carry(self) -> None:
        """Interest on cash since the last close at the rate known then; the index with its dividends."""
        if self.row == self.start:
            return
        rate = float(self.market.rate[self.row - 1])
        years = (self.today - int(self.market.numbers[self.row - 1])) / 365
        earned = (self.cash - self.locked) * rate * years
        self.cash += earned
        self.pnl[self.at, 6] += earned
        if self.core:
            growth = self.market.spx[self.row] / self.market.spx[self.row - 1]
            gain = self.core * float(growth * np.exp(modelled.coefficients()[0].dividend * years) - 1)
            self.core += gain
            self.pnl[self.at, 7] += gain

    def _settle(self) -> None:
        for one in [p for p in self.open if p.end == self.row]:
            self._gain(one, one.final)
            self._leave(one, one.final, 0.0, "expiry")

    def _mark(self) -> None:
        for one in self.open:
            self._gain(one, one.value(self.row))

    def _gain(self, one: OpenPackage, value: float) -> None:
        was = self.before.get(id(one), one.path[0])
        self.pnl[self.at, one.part] += (value - was) * MULTIPLIER * one.contracts
        self.before[id(one)] = value

    # -- orders

    def _decide(self) -> _Orders:
        """What the rules want after this close."""
        plan, orders = self.plan, _Orders()
        condors = [p for p in self.open if p.part == 0]
        if self.settings.exits is Exits.RULES:
            for one in condors:
                earned = one.value(self.row) - one.path[0]
                if earned >= plan.profit_share * -one.path[0]:
                    orders.closes.append((one, "profit"))
                elif one.days(self.today) <= plan.exit_days:
                    orders.closes.append((one, "days"))
        if plan.condors and plan.may_open[self.row]:
            orders.condor = len(condors) - len(orders.closes) < plan.max_open
            orders.far = bool(plan.collapsed[self.row])
        for layer in self.layers:
            if layer.gate[self.row]:
                orders.layers.append(layer)
                if layer.roll_days and self.settings.hedge is Hedge.ON:
                    orders.closes += [
                        (p, "roll")
                        for p in self.open
                        if p.part == layer.number and p.days(self.today) <= layer.roll_days
                    ]
        return orders

    def _execute(self, orders: _Orders) -> None:
        for one, why in orders.closes:
            if one in self.open:
                self._close(one, why)
        if orders.condor:
            self._open_condor(far=orders.far)
        for layer in orders.layers:
            self._open_layer(layer)

    def _close(self, one: OpenPackage, why: str) -> None:
        value = one.value(self.row)
        prices = self.market.prices(
            underlying_of(one.instrument),
            np.array([self.row]), one.expiry, one.legs,
        )[0]  # fmt: skip
        lost = 0.0
        if np.isfinite(prices).all():
            ratios = np.array([-leg.ratio for leg in one.legs], dtype=np.float64)
            lost = crossing(self.settings.costs, one.instrument, prices, ratios, self._vix)
        cost = (lost * MULTIPLIER + self.settings.costs.fee * len(one.legs)) * one.contracts
        if why == "forced" and one.part and self.settings.hedge is Hedge.PERMANENT:
            cost += self.settings.penalty * abs(value) * MULTIPLIER * one.contracts
        self._leave(one, value, cost, why)

    def _leave(self, one: OpenPackage, value: float, cost: float, why: str) -> None:
        cash = value * MULTIPLIER * one.contracts
        self.cash += cash - cost
        self.pnl[self.at, 5 if one.part else 4] -= cost
        if one.part:
            self.table[self.at, 7] += max(cash, 0.0)
            self.table[self.at, 6] += max(-cash, 0.0)
        self.open.remove(one)
        self.stale += one.stale
        if why == "expiry" and one.instrument.startswith("vix"):
            column = int(np.searchsorted(self.market.vx_expiries, one.expiry))
            self.unofficial += not np.isfinite(self.market.final[column])
        self._book(one, cash, one.costs + cost, why)

    def _book(self, one: OpenPackage, cash: float, costs: float, why: str) -> None:
        self.trades.append(
            BacktestTrade(
                one.part, one.instrument, to_date(self.market.days[one.row]),
                to_date(self.market.days[self.row]),
                to_date(one.expiry), one.legs, one.contracts, one.cash_in, cash, costs, why,
            )
        )  # fmt: skip

    @property
    def _vix(self) -> float:
        return float(self.market.vix[self.row])

    @property
    def equity(self) -> float:
        """Cash, core and marks at this close."""
        marks = sum(p.value(self.row) * MULTIPLIER * p.contracts for p in self.open)
        return self.cash + self.core + marks

    def _open_condor(self, *, far: bool) -> None:
        if self.row >= self.last:
            return
        condors = [p for p in self.open if p.part == 0]
        if len(condors) >= self.plan.max_open:
            return
        held = [int(p.expiry.astype(np.int64)) for p in condors]
        one = condor_at(self.market, self.plan, self.row, held, far=far)
        if one is None:
            return
        width = max(
            abs(one.legs[0].strike - one.legs[1].strike), abs(one.legs[2].strike - one.legs[3].strike)
        )
        margin = width * MULTIPLIER
        risk = margin + one.path[0] * MULTIPLIER
        if risk <= 0:
            return
        equity, used = self.equity, sum(p.margin for p in condors)
        count = min(
            floor(self.plan.size * equity / risk + 1e-9),
            floor((self.plan.margin * equity - used) / margin + 1e-9),
        )
        if count < 1:
            return
        one.margin, one.risk = margin * count, risk * count
        self._enter(one, count)

    def _open_layer(self, layer: LayerSchedule) -> None:
        if self.row >= self.last:
            return
        interest = self.market.interest[self.row]
        front = np.flatnonzero(np.isfinite(interest) & (self.market.vx_expiries > self.market.days[self.row]))
        if len(front) and interest[front[0]] < self.plan.min_interest:
            return
        mine = [p for p in self.open if p.part == layer.number]
        if (layer.sizing == "vxth" and mine) or not self._room(layer, mine):
            return
        one = hedge_at(self.market, layer, self.row)
        if one is None:
            self.unpriced[layer.number] += 1
            return
        count = self._size(layer, one, mine)
        if count < 1:
            return
        one.exposure = self._exposure(one) * count
        one.stress = self._stressed(one) * count
        self._enter(one, count)

    def _room(self, layer: LayerSchedule, mine: list[OpenPackage]) -> bool:
        """Whether anything could be bought at all, before a package is looked for."""
        if layer.sizing == "vxth":
            return True
        condors = [p for p in self.open if p.part == 0]
        if layer.sizing == "ratio":
            return floor(sum(p.contracts for p in condors) * layer.ratio / 10) > sum(
                p.contracts for p in mine
            )
        return layer.budget * sum(p.cash_in for p in condors) > -sum(p.cash_in for p in mine)

    def _size(self, layer: LayerSchedule, one: OpenPackage, mine: list[OpenPackage]) -> int:
        """The smallest of the layer's bounds, as ``policy.bounds`` counts them, less what is held."""
        plan, condors = self.plan, [p for p in self.open if p.part == 0]
        others = [p for p in self.open if p.part not in {0, layer.number}]
        cost = one.path[0] * MULTIPLIER
        equity, have = self.equity, sum(p.contracts for p in mine)
        spent = -sum(p.cash_in for p in mine)
        credit = sum(p.cash_in for p in condors)
        base = self._base(condors)
        days = one.days(self.today)

        def fits(amount: float, each: float) -> int:
            return max(floor(amount / each + 1e-9), 0) if each > 0 else 0

        rates = sum(-p.cash_in * 365 / max(p.days(int(self.market.numbers[p.row])), 1) for p in others + mine)
        bounds = [fits(plan.run_rate * equity - rates, cost * 365 / max(days, 1))]
        if layer.sizing == "vxth":
            low, middle, high, weight, half = plan.vxth
            share = weight if low < one.forward <= middle else half if middle < one.forward <= high else 0.0
            return min(*bounds, fits(share * equity - spent, cost))
        exposure = self._exposure(one)
        shared = plan.shared_caps
        used = spent - (sum(p.cash_in for p in others) if shared else 0.0)
        taken = sum(p.exposure for p in others) if shared else 0.0
        bounds += [
            fits(plan.premium_cap * credit - used, cost),
            fits(plan.exposure_cap * base - taken, exposure) - have,
        ]
        gain = self._stressed(one)
        if gain > 0:
            room = plan.ceiling * sum(p.risk for p in condors) - sum(p.stress for p in others + mine)
            bounds.append(fits(room, gain))
        if layer.sizing == "ratio":
            bounds.append(floor(sum(p.contracts for p in condors) * layer.ratio / 10 + 1e-9) - have)
        else:
            bounds += [
                fits(layer.budget * credit - spent, cost),
                fits(layer.exposure * base, exposure) - have,
            ]
            if layer.number == 3:
                bounds.append(fits(plan.risk_capital * base - spent, cost))
        return min(bounds)

    def _base(self, condors: list[OpenPackage]) -> float:
        if self.plan.base == "margin":
            return sum(p.margin for p in condors)
        if self.plan.base == "index_notional":
            return float(self.market.spx[self.row]) * MULTIPLIER * sum(p.contracts for p in condors)
        return sum(p.risk for p in condors)

    def _exposure(self, one: OpenPackage) -> float:
        """Dollars a package counts for, as ``policy.units``: VX notional, or a put spread's width."""
        if one.instrument == "spx_put_spread":
            return MULTIPLIER * abs(one.legs[0].strike - one.legs[1].strike)
        if one.instrument.startswith("vix") and not self.plan.exposure_by_delta:
            return MULTIPLIER * one.forward
        return MULTIPLIER * one.forward * abs(one.delta)

    def _stressed(self, one: OpenPackage) -> float:
        """Gain of one package if its future doubled, or SPX fell 12%, at expiry: the ceiling's measure."""
        level = one.forward * (2.0 if one.instrument.startswith("vix") else 0.88)
        worth = sum(leg.ratio * max(leg.right * (level - leg.strike), 0.0) for leg in one.legs)
        return (worth - one.path[0]) * MULTIPLIER

    def _enter(self, one: OpenPackage, count: int) -> None:
        ratios = np.array([leg.ratio for leg in one.legs], dtype=np.float64)
        lost = crossing(self.settings.costs, one.instrument, one.prices, ratios, self._vix)
        live_through(self.market, one, self.last)
        one.contracts = count
        one.cash_in = -one.path[0] * MULTIPLIER * count
        one.costs = (lost * MULTIPLIER + self.settings.costs.fee * len(one.legs)) * count
        self.cash += one.cash_in - one.costs
        self.pnl[self.at, 5 if one.part else 4] -= one.costs
        self.before[id(one)] = one.path[0]
        if one.part:
            self.table[self.at, 6] -= one.cash_in
        else:
            self.table[self.at, 8] += one.cash_in
        self.open.append(one)

    # -- limits and the record

    def _margin_call(self) -> None:
        """A condor margin beyond equity, less what is locked away, closes everything at this close."""
        self._lock()
        if sum(p.margin for p in self.open) > self.equity - self.locked and self.open:
            self.forced.append(self.at)
            for one in list(self.open):
                self._close(one, "forced")
            self._lock()

    def _lock(self) -> None:
        if self.settings.hedge is Hedge.PERMANENT:
            posted = sum(p.exposure for p in self.open if p.part) * self.settings.collateral
            self.locked = posted + self.settings.buffer * max(self.equity, 0.0)

    def _record(self) -> None:
        marks = sum(p.value(self.row) * MULTIPLIER * p.contracts for p in self.open)
        hedges = sum(p.value(self.row) * MULTIPLIER * p.contracts for p in self.open if p.part)
        row = self.table[self.at]
        row[0], row[1], row[2], row[3], row[4] = (
            self.cash + self.core + marks,
            self.cash,
            self.core,
            marks,
            hedges,
        )
        row[5] = sum(p.margin for p in self.open)
        row[9] = self.locked

    def result(self) -> BacktestResult:
        """The record; what is still open is listed at its mark."""
        unwind, longest = 0.0, 0
        for one in self.open:
            value = one.value(self.row) * MULTIPLIER * one.contracts
            if one.part:
                longest = max(longest, one.days(self.today))
                unwind += self._unwind(one, value)
            self.stale += one.stale
            self._book(one, value, one.costs, "open")
        equity, cash, core, marks, hedges, margin, premium, payout, credit, locked = self.table.T.copy()
        permanent = self.settings.hedge is Hedge.PERMANENT
        return BacktestResult(
            days=self.market.days[self.start : self.last + 1], equity=equity, cash=cash, core=core,
            marks=marks, hedge_marks=hedges, margin=margin, locked=locked, premium=premium, payout=payout,
            credit=credit,
            pnl=self.pnl, trades=tuple(self.trades),
            forced=tuple(to_date(self.market.days[self.start + at]) for at in self.forced),
            gaps=gaps_of(
                self.market, self.start, self.last, self.layers, self.stale, self.unofficial, self.unpriced
            ),
            assumptions=assumptions_of(self.settings), unwind_cost=unwind,
            unwind_days=longest if permanent else min(longest, 1), settings=self.settings,
        )  # fmt: skip

    def _unwind(self, one: OpenPackage, value: float) -> float:
        """Dollars lost if a hedge had to go at the last close."""
        if self.settings.hedge is Hedge.PERMANENT:
            return self.settings.penalty * abs(value)
        ratios = np.array([-leg.ratio for leg in one.legs], dtype=np.float64)
        underlying = underlying_of(one.instrument)
        prices = self.market.prices(underlying, np.array([self.row]), one.expiry, one.legs)[0]
        if not np.isfinite(prices).all():
            return 0.0
        lost = crossing(self.settings.costs, one.instrument, prices, ratios, self._vix) * MULTIPLIER
        return (lost + self.settings.costs.fee * len(one.legs)) * one.contracts

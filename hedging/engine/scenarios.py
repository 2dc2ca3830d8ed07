"""Joint SPX × VIX shocks: every option repriced, VIX options off their own shocked future.

Conventions of a shock (spot change s, VIX change v in points), each a parameter of ``ShockRules``:
SPX forwards move by s at every expiry, SPX volatilities stay with their strike and shift in parallel by
v/100 × √(30 d / T), at most ``spx_cap`` times; VX futures move by beta(T) × v with beta(T) = e^(-kappa T);
VIX-option volatilities stay with their strike. Carry over the shock is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hedging.engine.book import Book, BookTrade, InstrumentKind
from hedging.engine.market import MarketSnapshot
from hedging.engine.valuation import Factor, LegValuation, factor_of, value_leg
from hedging.maths import black76

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ShockRules:
    """``kappa`` per year (reversion of VIX along the curve), ``spx_cap`` bounds the vol shift's scale.

    Defaults are proposed, not estimated; a ruleset may carry others.
    """

    kappa: float = 3.0
    spx_cap: float = 1.5
    floor_vol: float = 0.03
    floor_vx: float = 8.0


@dataclass(frozen=True, slots=True)
class Shock:
    """SPX change as a fraction, VIX change in points."""

    spot: float
    vix: float


#: Falls come with rising volatility, rallies with falling: the cells of the stressed loss.
STRESS = (
    Shock(-0.15, 30.0),
    Shock(-0.10, 18.0),
    Shock(-0.05, 8.0),
    Shock(-0.03, 4.0),
    Shock(0.0, 6.0),
    Shock(0.03, -1.0),
    Shock(0.05, -2.0),
    Shock(0.08, -3.0),
)
GRID_SPOT = (-0.15, -0.10, -0.07, -0.05, -0.03, -0.01, 0.0, 0.01, 0.03, 0.05, 0.08)
GRID_VIX = (-5.0, 0.0, 5.0, 10.0, 20.0, 30.0, 50.0)


@dataclass(frozen=True, slots=True, eq=False)
class _Arrays:
    """Priceable legs of one kind as arrays of one length."""

    forward: Floats
    strike: Floats
    t: Floats
    vol: Floats
    discount: Floats
    right: Floats
    size: Floats
    is_vix: NDArray[np.bool_]
    linear: list[tuple[Factor, float, float, float]]  # factor, price, years, size
    unknown: int


@dataclass(frozen=True, slots=True, eq=False)
class ScenarioGrid:
    """P&L in dollars against now: rows follow ``spot``, columns ``vix``; ``unknown`` legs are left out."""

    spot: tuple[float, ...]
    vix: tuple[float, ...]
    pnl: Floats
    unknown: int


def _collect(trades: Sequence[BookTrade], market: MarketSnapshot) -> _Arrays:
    columns: list[list[float]] = []
    is_vix: list[bool] = []
    linear: list[tuple[Factor, float, float, float]] = []
    unknown = 0
    for trade in trades:
        for leg in trade.legs:
            spec, value = leg.contract, value_leg(leg, market)
            size = float(leg.quantity * spec.multiplier)
            if value.price is None:
                unknown += 1
            elif spec.kind is not InstrumentKind.OPTION:
                linear.append(
                    (factor_of(spec.underlying), value.price, _years(value, spec.expiry, market), size)
                )
            else:
                assert spec.expiry is not None
                assert spec.strike is not None
                assert spec.right is not None
                expiry = market.slices[(spec.root, spec.expiry)]
                columns.append(
                    [
                        expiry.forward,
                        spec.strike,
                        expiry.t,
                        value.iv or 0.0,
                        expiry.discount,
                        float(spec.right),
                        size,
                    ]
                )
                is_vix.append(factor_of(spec.underlying) is Factor.VX)
    forward, strike, t, vol, discount, right, size_of = np.array(columns, dtype=np.float64).reshape(-1, 7).T
    vix = np.array(is_vix, dtype=bool)
    return _Arrays(forward, strike, t, vol, discount, right, size_of, vix, linear, unknown)


def _years(value: LegValuation, expiry: object, market: MarketSnapshot) -> float:
    return next((point.t for point in market.vx_curve if point.expiry == expiry), 0.0)


def _pnl(legs: _Arrays, shock: Shock, rules: ShockRules, base: Floats) -> float:
    scale = np.minimum(np.sqrt(30 / 365 / np.maximum(legs.t, 1 / 365)), rules.spx_cap)
    vol = np.where(legs.is_vix, legs.vol, np.maximum(legs.vol + shock.vix / 100 * scale, rules.floor_vol))
    vx_move = np.exp(-rules.kappa * legs.t) * shock.vix
    forward = np.where(
        legs.is_vix,
        np.maximum(legs.forward + vx_move, rules.floor_vx),
        legs.forward * (1 + shock.spot),
    )
    fresh = black76.price(forward, legs.strike, legs.t, vol, legs.discount, legs.right)
    total = float(np.sum((fresh - base) * legs.size))
    for factor, price, years, size in legs.linear:
        if factor is Factor.VX:
            moved = max(price + np.exp(-rules.kappa * years) * shock.vix, rules.floor_vx)
        else:  # VXX follows the front of the curve, about half of a spot VIX move
            moved = max(price * (1 + 0.5 * shock.vix / _vix_level(legs)), 0.0)
        total += (moved - price) * size
    return total


def _vix_level(legs: _Arrays) -> float:
    """A level to turn VIX points into a relative move: the front forward of the VIX legs, else 20."""
    return float(legs.forward[legs.is_vix].min()) if legs.is_vix.any() else 20.0


def _base(legs: _Arrays) -> Floats:
    return black76.price(legs.forward, legs.strike, legs.t, legs.vol, legs.discount, legs.right)


def scenario_grid(
    trades: Sequence[BookTrade],
    market: MarketSnapshot,
    spot: Sequence[float] = GRID_SPOT,
    vix: Sequence[float] = GRID_VIX,
    rules: ShockRules | None = None,
) -> ScenarioGrid:
    """P&L of the trades over the joint grid."""
    rules = rules or ShockRules()
    legs = _collect(trades, market)
    base = _base(legs)
    pnl = np.array([[_pnl(legs, Shock(s, v), rules, base) for v in vix] for s in spot])
    return ScenarioGrid(tuple(spot), tuple(vix), pnl, legs.unknown)


def stressed_loss(
    book: Book, market: MarketSnapshot, rules: ShockRules | None = None
) -> tuple[float, Shock, int]:
    """Worst P&L over STRESS as a positive loss in dollars, its shock, and how many legs are unknown."""
    rules = rules or ShockRules()
    legs = _collect(book.trades, market)
    base = _base(legs)
    results = [(_pnl(legs, shock, rules, base), shock) for shock in STRESS]
    worst, shock = min(results, key=lambda result: result[0])
    return max(-worst, 0.0), shock, legs.unknown

"""Joint SPX × VIX shocks: every option repriced, VIX options off their own shocked future.

Conventions of a shock (spot change s, VIX change v in points), each a parameter of ``ShockRules``:

- SPX forwards move by s at every expiry; SPX volatilities stay with their strike and shift in parallel by
  v/100 × √(30 days / T), at most ``spx_cap`` times, never below ``floor_vol``: the VIX is a 30-day figure,
  shorter tenors move more and longer ones less.
- VX futures move by β(T) × v with β(T) = e^(-kappa T), never below ``floor_vx``: spot VIX reverts, so the far
  end of the curve moves less. VIX options move with their own future; their volatilities stay with their
  strike, which understates what long calls gain when the volatility of VIX rises too.
- VXX moves in proportion to the curve's constant 30-day future. Without a curve it is unknown.

A leg's change is the model's change, added to its mark. Time does not pass unless ``days`` says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hedging.engine.book import Book, BookTrade, InstrumentKind, Leg
from hedging.engine.market import MarketSnapshot
from hedging.engine.pricing.valuation import Factor, LegValuation, factor_of, value_leg
from hedging.maths import black76
from hedging.maths.arrays import Floats

_MONTH = 30 / 365


@dataclass(frozen=True, slots=True)
class ShockRules:
    """``kappa`` per year (reversion of VIX along the curve), ``spx_cap`` bounds the vol shift's scale.

    ``floor_vol`` is a fraction, ``floor_vx`` points. Defaults are proposed, not estimated; a ruleset may
    carry others.
    """

    kappa: float = 3.0
    spx_cap: float = 1.5
    floor_vol: float = 0.03
    floor_vx: float = 8.0


class Shock(NamedTuple):
    """SPX change as a fraction, VIX change in points."""

    spot: float
    vix: float


#: Falls come with rising volatility, rallies with falling: the cells of the stressed loss (proposed).
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
#: Spot moves of the path on which VIX answers as in STRESS; no move, no answer.
PATH_SPOT = (
    -0.15,
    -0.12,
    -0.10,
    -0.08,
    -0.06,
    -0.05,
    -0.04,
    -0.03,
    -0.02,
    -0.01,
    0.0,
    0.01,
    0.02,
    0.03,
    0.05,
    0.08,
)


def path_vix(spot: float) -> float:
    """VIX points that go with a spot move: straight lines between the cells of STRESS and no move."""
    known = sorted([(0.0, 0.0), *((shock.spot, shock.vix) for shock in STRESS if shock.spot)])
    return float(np.interp(spot, [s for s, _ in known], [v for _, v in known]))


@dataclass(frozen=True, slots=True, eq=False)
class ScenarioGrid:
    """P&L in dollars against now: rows follow ``spot``, columns ``vix``; ``unknown`` legs are left out.

    ``by_trade`` holds the same grid for each trade id; ``pnl`` is their sum.
    """

    spot: tuple[float, ...]
    vix: tuple[float, ...]
    pnl: Floats
    unknown: int
    by_trade: dict[str, Floats]


class StressResult(NamedTuple):
    """Worst P&L over STRESS as a positive loss in dollars (0: no loss), its shock, unknown legs."""

    loss: float
    shock: Shock
    unknown: int


@dataclass(frozen=True, slots=True)
class StressTest:
    """P&L in dollars of each cell of STRESS for the whole book, for condors alone and hedges alone.

    ``coverage`` is the hedges' gain over the condors' loss, in the condors' worst cell; None where the
    condors lose nothing. Cells leave ``unknown`` legs out.
    """

    shocks: tuple[Shock, ...]
    total: tuple[float, ...]
    condors: tuple[float, ...]
    hedges: tuple[float, ...]
    unknown: int

    @property
    def worst(self) -> StressResult:
        """The cell that loses most."""
        at = int(np.argmin(self.total)) if self.total else 0
        return StressResult(max(-self.total[at], 0.0), self.shocks[at], self.unknown)

    @property
    def coverage(self) -> float | None:
        """Hedge gain ÷ condor loss in the condors' worst cell, as a fraction; negative: it loses too."""
        at = int(np.argmin(self.condors))
        return self.hedges[at] / -self.condors[at] if self.condors[at] < 0 else None


class _Option(NamedTuple):
    """An option to reprice: years, vol, discount, right ±1, dollars a point, and whether VX moves it."""

    trade: int
    forward: float
    strike: float
    t: float
    vol: float
    discount: float
    right: float
    size: float
    on_vx: bool


class _Linear(NamedTuple):
    """A VX future (``t`` years) or VXX share (``t`` None)."""

    trade: int
    price: float
    t: float | None
    size: float


class _Legs(NamedTuple):
    options: list[_Option]
    linear: list[_Linear]
    unknown: int
    month_vx: float | None


def scenario_grid(
    trades: Sequence[BookTrade],
    market: MarketSnapshot,
    spot: Sequence[float] = GRID_SPOT,
    vix: Sequence[float] = GRID_VIX,
    rules: ShockRules | None = None,
    days: float = 0.0,
) -> ScenarioGrid:
    """P&L of the trades over the joint grid, ``days`` calendar days from now."""
    shocks = [Shock(s, v) for s in spot for v in vix]
    found, unknown = _pnl(trades, market, shocks, rules or ShockRules(), days)
    shape = (len(spot), len(vix))
    by_trade = {trade.trade_id: found[at].reshape(shape) for at, trade in enumerate(trades)}
    return ScenarioGrid(tuple(spot), tuple(vix), found.sum(axis=0).reshape(shape), unknown, by_trade)


def shock_pnl(
    trades: Sequence[BookTrade],
    market: MarketSnapshot,
    shocks: Sequence[Shock],
    rules: ShockRules | None = None,
    days: float = 0.0,
) -> tuple[Floats, int]:
    """P&L in dollars of each trade (rows) under each shock (columns), and how many legs are left out."""
    return _pnl(trades, market, shocks, rules or ShockRules(), days)


def stress_test(
    trades: Sequence[BookTrade], market: MarketSnapshot, rules: ShockRules | None = None
) -> StressTest:
    """Every cell of STRESS."""
    found, unknown = _pnl(trades, market, STRESS, rules or ShockRules(), 0.0)

    def over(role: str | None) -> tuple[float, ...]:
        mine = [at for at, trade in enumerate(trades) if role is None or trade.role == role]
        return tuple(float(value) for value in found[mine].sum(axis=0))

    return StressTest(STRESS, over(None), over("condor"), over("hedge_layer"), unknown)


def stressed_loss(book: Book, market: MarketSnapshot) -> StressResult:
    """Worst P&L of the book over STRESS."""
    return stress_test(book.trades, market).worst


def _pnl(
    trades: Sequence[BookTrade],
    market: MarketSnapshot,
    shocks: Sequence[Shock],
    rules: ShockRules,
    days: float,
) -> tuple[Floats, int]:
    legs = _collect(trades, market)
    spot = np.array([shock.spot for shock in shocks], dtype=np.float64)
    vix = np.array([shock.vix for shock in shocks], dtype=np.float64)
    total = np.zeros((len(trades), len(shocks)))
    if legs.options:
        np.add.at(total, [leg.trade for leg in legs.options], _options(legs.options, spot, vix, rules, days))
    for leg in legs.linear:
        total[leg.trade] += linear_move(leg.price, leg.t, vix, legs.month_vx, rules) * leg.size
    return total, legs.unknown


class ShockTerms(NamedTuple):
    """How options answer a shock (m, v), vectors of one length.

    F' = max(F (1 + spot_beta m) + vix_beta v, floor_forward), σ' = max(σ + vol_beta v / 100, floor_vol),
    priced with ``t`` years left and ``discount``; the order is that of ``hedging.maths.fast.books.Shocks``.
    """

    spot_beta: Floats
    vix_beta: Floats
    vol_beta: Floats
    floor_forward: Floats
    floor_vol: Floats
    t: Floats
    discount: Floats

    def changes(
        self, forward: Floats, strike: Floats, t: Floats, vol: Floats, discount: Floats, right: Floats,
        spot: Floats, vix: Floats,
    ) -> Floats:  # fmt: skip
        """Change of price in points, options (rows) × shocks (columns)."""
        term = ShockTerms(*(column[:, None] for column in self))
        now = black76.price(forward, strike, t, vol, discount, right)[:, None]
        moved = np.maximum(
            forward[:, None] * (1 + term.spot_beta * spot) + term.vix_beta * vix, term.floor_forward
        )
        new_vol = np.maximum(vol[:, None] + term.vol_beta * vix / 100, term.floor_vol)
        later = black76.price(moved, strike[:, None], term.t, new_vol, term.discount, right[:, None])
        return np.asarray(later - now)


def shock_terms(
    forward: Floats,
    t: Floats,
    vol: Floats,
    discount: Floats,
    on_vx: NDArray[np.bool_],
    rules: ShockRules,
    days: float,
) -> ShockTerms:
    """The conventions of this module for options of SPX and, where ``on_vx``, of VIX; ``days`` pass."""
    left = np.maximum(t - days / 365, 0.0)
    scale = np.minimum(np.sqrt(_MONTH / np.maximum(t, 1 / 365)), rules.spx_cap)
    return ShockTerms(
        spot_beta=np.where(on_vx, 0.0, 1.0),
        vix_beta=np.where(on_vx, beta(t, rules), 0.0),
        vol_beta=np.where(on_vx, 0.0, scale),
        floor_forward=np.where(on_vx, np.minimum(forward, rules.floor_vx), 0.0),
        floor_vol=np.where(on_vx, vol, np.minimum(vol, rules.floor_vol)),
        t=left,
        discount=discount ** np.divide(left, t, out=np.ones_like(t), where=t > 0),
    )


def _options(options: list[_Option], spot: Floats, vix: Floats, rules: ShockRules, days: float) -> Floats:
    """Change in dollars, options (rows) × shocks (columns)."""
    columns = np.ascontiguousarray(np.array([leg[1:8] for leg in options], dtype=np.float64).T)
    forward, strike, t, vol, discount, right, size = columns
    on_vx = np.array([leg.on_vx for leg in options])
    terms = shock_terms(forward, t, vol, discount, on_vx, rules, days)
    change = terms.changes(forward, strike, t, vol, discount, right, spot, vix)
    return np.asarray(change * size[:, None])


def beta(t: float | Floats, rules: ShockRules) -> Floats:
    """Move of the VX future ``t`` years from settlement per point of VIX: e^(-kappa t)."""
    return np.exp(-rules.kappa * np.asarray(t, dtype=np.float64))


def linear_move(price: float, t: float | None, vix: Floats, month: float | None, rules: ShockRules) -> Floats:
    """Change of price of a VX future, or (``t`` None) of VXX in proportion to the 30-day future ``month``."""
    if t is not None:
        return np.maximum(price + beta(t, rules) * vix, min(price, rules.floor_vx)) - price
    assert month is not None
    moved = np.maximum(month + beta(_MONTH, rules) * vix, min(month, rules.floor_vx))
    return np.asarray(price * (moved / month - 1))


def _collect(trades: Sequence[BookTrade], market: MarketSnapshot) -> _Legs:
    options: list[_Option] = []
    linear: list[_Linear] = []
    unknown = 0
    month = month_vx(market)
    for at, trade in enumerate(trades):
        for leg in trade.legs:
            value = value_leg(leg, market)
            found = _entry(at, leg, value, market)
            if found is None or (isinstance(found, _Linear) and found.t is None and month is None):
                unknown += 1
            elif isinstance(found, _Option):
                options.append(found)
            else:
                linear.append(found)
    return _Legs(options, linear, unknown, month)


def _entry(at: int, leg: Leg, value: LegValuation, market: MarketSnapshot) -> _Option | _Linear | None:
    """The leg as the shocks see it; None when it cannot be repriced. Settled legs move no more."""
    spec, size = leg.contract, float(value.size)
    if value.price is None:
        return None
    if value.t == 0.0:
        return _Linear(at, value.price, 0.0, 0.0)
    if spec.kind is not InstrumentKind.OPTION:
        return _Linear(at, value.price, value.t, size)
    if value.iv is None or value.forward is None or value.t is None or spec.expiry is None:
        return None
    discount = market.slices[(spec.root, spec.expiry)].discount
    return _Option(
        at, value.forward, spec.strike or 0.0, value.t, value.iv, discount, float(spec.right or 0), size,
        factor_of(spec.underlying) is Factor.VX,
    )  # fmt: skip


def month_vx(market: MarketSnapshot) -> float | None:
    """The curve's level 30 days ahead in points, between its contracts; None without a curve."""
    if not market.vx_curve:
        return None
    curve = sorted(market.vx_curve, key=lambda point: point.t)
    return float(np.interp(_MONTH, [point.t for point in curve], [point.settle for point in curve]))

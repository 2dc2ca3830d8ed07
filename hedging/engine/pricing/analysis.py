"""What a trade page shows beyond marks: payoff curves, probability of profit, short-strike deltas.

The curve of today (T+0) moves the forward in proportion to spot and keeps each strike's volatility (sticky
strike): what the position would be worth now, at another level, if nothing else had changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import numpy as np

from hedging.engine.book import BookTrade, InstrumentKind, Leg
from hedging.engine.market import ExpirySlice, MarketSnapshot
from hedging.engine.pricing.scenarios import Shock, shock_pnl
from hedging.engine.pricing.settlement import has_expired
from hedging.engine.pricing.valuation import LegValuation, TradeValuation, value_trade
from hedging.engine.structure import describe, option_arrays
from hedging.maths import black76, margin
from hedging.maths.arrays import Floats
from hedging.maths.payoff import PayoffLegs, expiry_value
from hedging.maths.probability import expected_move, probability_below, probability_below_lognormal
from hedging.maths.smile import SmileModel
from hedging.maths.yearfrac import year_fraction

_POINTS = 161
#: A volatility moved down stays above one point.
_LEAST_VOL = 0.01


@dataclass(frozen=True, slots=True)
class ShortStrike:
    """A sold option's strike, its right and its delta per unit (None when unknown)."""

    symbol: str
    strike: float
    right: str
    delta: float | None


@dataclass(frozen=True, slots=True)
class StrikeMark:
    """A strike on a chart's axis and what stands there, such as ``-1 put``."""

    strike: float
    label: str


@dataclass(frozen=True, slots=True)
class PayoffCurve:
    """P&L in dollars after fees over prices of ``underlying`` (SPX: the index; VIX: its future).

    ``today`` reprices every leg now with the volatility of its strike unchanged; None when a leg is
    unknown. ``expiry`` is exact; ``break_evens`` are where it crosses zero. ``one_sd`` is the forward
    less and plus F·σ·√T with the at-the-money volatility.
    """

    underlying: str
    spot: float
    prices: tuple[float, ...]
    expiry: tuple[float, ...]
    today: tuple[float, ...] | None
    one_sd: tuple[float, float] | None
    break_evens: tuple[float, ...] = ()
    strikes: tuple[StrikeMark, ...] = ()


@dataclass(frozen=True, slots=True)
class TradeAnalysis:
    """Risk-neutral probability of profit at expiry, short strikes and curves; None is unknown.

    ``pop_method`` is ``smile`` (digitals along the fitted smile) or ``lognormal`` (one volatility, where
    no smile could be fitted); ``reason`` says why curve or probability are missing. ``expected_move`` is one
    standard deviation in points. ``portfolio_margin`` is an estimate in dollars, of SPX options only.
    """

    pop: float | None
    short_strikes: tuple[ShortStrike, ...]
    payoff: PayoffCurve | None
    pop_method: str | None = None
    expected_move: float | None = None
    reason: str = ""
    portfolio_margin: float | None = None


def analyse_trade(
    trade: BookTrade, market: MarketSnapshot, valued: TradeValuation | None = None
) -> TradeAnalysis:
    """Analyse one trade's open legs. Curves and POP need option legs of one expiry.

    ``valued`` is the trade's valuation on the same snapshot, where the caller has it already.
    """
    legs = (valued or value_trade(trade, market)).legs
    shorts = tuple(
        ShortStrike(v.symbol, leg.contract.strike or 0.0, leg.contract.right.name.lower(), v.delta)
        for leg, v in zip(trade.legs, legs, strict=True)
        if leg.quantity < 0 and leg.contract.right is not None
    )
    expiry, reason = _one_expiry(trade.legs, market)
    if expiry is None:
        return TradeAnalysis(None, shorts, None, reason=reason)
    cash = trade.cash - trade.fees
    pop, method = profit_probability(trade.legs, legs, cash, expiry)
    move = _one_sd(expiry)
    return TradeAnalysis(
        pop,
        shorts,
        _curve(trade.legs, legs, cash, expiry, market, move),
        method,
        move,
        "" if pop is not None else "no volatility is known for this expiry",
        portfolio_margin_estimate(trade, market),
    )


def portfolio_margin_estimate(trade: BookTrade, market: MarketSnapshot) -> float | None:
    """Worst revaluation of the trade's SPX options over ten equidistant moves from -8% to +6%, in dollars.

    Volatilities stay with their strikes, the minimum a contract holds. None when a leg is unknown or on
    something else than SPX: other classes are margined apart.
    """
    if any(leg.contract.underlying != "SPX" for leg in trade.legs):
        return None
    moves = [Shock(float(move), 0.0) for move in margin.PORTFOLIO_MOVES]
    pnl, unknown = shock_pnl((trade,), market, moves)
    if unknown:
        return None
    contracts = sum(abs(leg.quantity) for leg in trade.legs)
    return margin.portfolio_margin_estimate(pnl[0], contracts)


def _one_expiry(legs: Sequence[Leg], market: MarketSnapshot) -> tuple[ExpirySlice | None, str]:
    """The slice of the legs' common expiry, or why there is none."""
    if not legs:
        return None, "no open legs"
    if any(leg.contract.kind is not InstrumentKind.OPTION for leg in legs):
        return None, "futures and shares have no payoff at expiry of their own"
    keys = {(leg.contract.root, leg.contract.expiry) for leg in legs}
    if len(keys) != 1:
        return None, "the legs expire on different days or settle differently"
    root, day = keys.pop()
    if any(has_expired(leg.contract, market.as_of) for leg in legs):
        return None, "the legs have expired"
    if day is None or (root, day) not in market.slices:
        return None, "this snapshot has no quotes of the expiry"
    found = market.slices[(root, day)]
    if not np.isfinite(found.forward):
        return None, "no forward for this expiry: too few two-sided quotes"
    return found, ""


def profit_probability(
    legs: Sequence[Leg], valued: Sequence[LegValuation], cash: float, expiry: ExpirySlice
) -> tuple[float | None, str | None]:
    """P(P&L at expiry > 0): the probability of each interval between break-evens, and how it was found."""
    known = [leg.iv for leg in valued if leg.iv is not None]
    by_smile = expiry.smile.model is not SmileModel.UNKNOWN
    if not by_smile and not known:
        return None, None
    flat = float(np.mean(known)) if known else 0.0

    def below(level: float) -> float:
        if by_smile:
            return float(probability_below(level, expiry.smile))
        return float(probability_below_lognormal(level, expiry.forward, flat, expiry.t))

    arrays = option_arrays(legs)
    total = 0.0
    for low, high in pairwise([0.0, *describe(legs, cash).break_evens, np.inf]):
        inside = (low + high) / 2 if np.isfinite(high) else max(low, 1.0) * 2
        if float(expiry_value(inside, arrays)) + cash > 0:
            total += (below(high) if np.isfinite(high) else 1.0) - (below(low) if low > 0 else 0.0)
    return float(np.clip(total, 0.0, 1.0)), "smile" if by_smile else "lognormal"


def _curve(
    legs: Sequence[Leg],
    valued: Sequence[LegValuation],
    cash: float,
    expiry: ExpirySlice,
    market: MarketSnapshot,
    move: float | None,
) -> PayoffCurve:
    is_index = expiry.underlying == "SPX" and market.spot is not None
    centre = _centre(expiry, market)
    prices = _axis(legs, centre, move)
    arrays = option_arrays(legs)
    return PayoffCurve(
        underlying="SPX" if is_index else f"VX {expiry.expiry:%d %b %y}",
        spot=centre,
        prices=_floats(prices),
        expiry=_floats(expiry_value(prices, arrays) + cash),
        today=_today(valued, arrays, expiry, expiry.forward * prices / centre, cash),
        one_sd=None if move is None else (expiry.forward - move, expiry.forward + move),
        break_evens=describe(legs, cash).break_evens,
        strikes=tuple(
            StrikeMark(
                leg.contract.strike or 0.0,
                f"{leg.quantity:+d} {leg.contract.right.name.lower() if leg.contract.right else ''}".replace(
                    "-", "\N{MINUS SIGN}"
                ),
            )
            for leg in legs
        ),
    )


def _today(
    valued: Sequence[LegValuation], arrays: PayoffLegs, expiry: ExpirySlice, forwards: Floats, cash: float
) -> tuple[float, ...] | None:
    """P&L now at each forward. The mark's distance from the model's price is kept at every level."""
    if any(leg.iv is None or leg.price is None for leg in valued):
        return None
    vols = np.array([leg.iv for leg in valued], dtype=np.float64)
    marks = np.array([leg.price for leg in valued], dtype=np.float64)

    def model(forward: Floats) -> Floats:
        return black76.price(forward[:, None], arrays.strike, expiry.t, vols, expiry.discount, arrays.right)

    basis = marks - model(np.array([expiry.forward]))[0]
    values = (model(forwards) + basis) @ (arrays.quantity * arrays.multiplier) + cash
    return _floats(np.asarray(values))


def curve_on(
    trade: BookTrade, market: MarketSnapshot, *, moment: datetime, vol_points: float, prices: Sequence[float]
) -> tuple[float, ...] | None:
    """P&L in dollars after fees at ``moment`` over prices of the underlying (T+n), None where it is unknown.

    Every strike keeps its volatility, moved by ``vol_points`` percentage points but not below one; rate and
    carry stay. The forward's distance from spot and the marks' distance from the model shrink with the
    time left, so that the curve of now is ``PayoffCurve.today`` and that of the settlement its ``expiry``.
    """
    expiry, _ = _one_expiry(trade.legs, market)
    valued = value_trade(trade, market).legs
    if expiry is None or any(leg.iv is None or leg.price is None for leg in valued):
        return None
    arrays, at = option_arrays(trade.legs), np.asarray(prices, dtype=np.float64)
    cash = trade.cash - trade.fees
    left = min(year_fraction(moment, expiry.settles_at), expiry.t)
    if left <= 0.0:
        return _floats(expiry_value(at, arrays) + cash)
    share = left / expiry.t
    centre = _centre(expiry, market)
    vols = np.array([leg.iv for leg in valued], dtype=np.float64)
    marks = np.array([leg.price for leg in valued], dtype=np.float64)
    now = black76.price(
        np.array([[expiry.forward]]), arrays.strike, expiry.t, vols, expiry.discount, arrays.right
    )
    forwards = at * (expiry.forward / centre) ** share
    moved = np.maximum(vols + vol_points / 100.0, _LEAST_VOL)
    then = black76.price(forwards[:, None], arrays.strike, left, moved, expiry.discount**share, arrays.right)
    values = (then + (marks - now[0]) * share) @ (arrays.quantity * arrays.multiplier) + cash
    return _floats(np.asarray(values))


def _centre(expiry: ExpirySlice, market: MarketSnapshot) -> float:
    """What the curve's axis is in: the index for SPX, the future for VIX options."""
    is_index = expiry.underlying == "SPX" and market.spot is not None
    return market.spot if is_index and market.spot is not None else expiry.forward


def _one_sd(expiry: ExpirySlice) -> float | None:
    """One standard deviation of the forward in points to expiry; None without a smile."""
    if expiry.smile.model is SmileModel.UNKNOWN:
        return None
    return expected_move(expiry.forward, float(expiry.smile.vol(expiry.forward)), expiry.t)


def _axis(legs: Sequence[Leg], centre: float, move: float | None) -> Floats:
    """Prices that show every strike and two standard deviations, kinks included exactly."""
    strikes = [leg.contract.strike or 0.0 for leg in legs]
    reach = 2.2 * (move or 0.05 * centre)
    margin = 0.25 * (max(strikes) - min(strikes)) + 0.01 * centre
    low = max(0.0, min(min(strikes) - margin, centre - reach))
    high = max(max(strikes) + margin, centre + reach)
    return np.unique(np.concatenate([np.linspace(low, high, _POINTS), strikes, [centre]]))


def _floats(values: Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in values)

"""What a trade page shows beyond marks: payoff curves, probability of profit, short-strike deltas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hedging.engine.book import BookTrade, InstrumentKind, Leg
from hedging.engine.market import ExpirySlice, MarketSnapshot
from hedging.engine.structure import describe, option_arrays
from hedging.engine.valuation import value_leg
from hedging.maths import black76
from hedging.maths.payoff import expiry_value
from hedging.maths.probability import expected_move, probability_below
from hedging.maths.smile import SmileModel

_POINTS = 161


@dataclass(frozen=True, slots=True)
class ShortStrike:
    """A sold option's strike, its right and its delta per unit (None when unknown)."""

    symbol: str
    strike: float
    right: str
    delta: float | None


@dataclass(frozen=True, slots=True)
class PayoffCurve:
    """P&L in dollars over settlement prices of ``underlying`` (SPX: the index; VIX: its future).

    ``today`` reprices every leg now with the volatility of its strike unchanged; None when a leg is
    unknown. ``expiry`` is exact.
    """

    underlying: str
    spot: float
    prices: tuple[float, ...]
    expiry: tuple[float, ...]
    today: tuple[float, ...] | None
    one_sd: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class TradeAnalysis:
    """Risk-neutral probability of profit at expiry, short strikes and curves; None is unknown."""

    pop: float | None
    short_strikes: tuple[ShortStrike, ...]
    payoff: PayoffCurve | None


def analyse_trade(trade: BookTrade, market: MarketSnapshot) -> TradeAnalysis:
    """Analyse one trade's open legs. Curves and POP need option legs of one expiry."""
    shorts = tuple(
        ShortStrike(
            leg.contract.symbol,
            leg.contract.strike or 0.0,
            leg.contract.right.name.lower(),
            value_leg(leg, market).delta,
        )
        for leg in trade.legs
        if leg.quantity < 0 and leg.contract.right is not None
    )
    expiry = _one_expiry(trade.legs, market)
    if expiry is None or not np.isfinite(expiry.forward):
        return TradeAnalysis(None, shorts, None)
    cash = trade.cash - trade.fees
    return TradeAnalysis(_pop(trade.legs, cash, expiry), shorts, _curve(trade, cash, expiry, market))


def _one_expiry(legs: Sequence[Leg], market: MarketSnapshot) -> ExpirySlice | None:
    keys = {(leg.contract.root, leg.contract.expiry) for leg in legs}
    if len(keys) != 1 or any(leg.contract.kind is not InstrumentKind.OPTION for leg in legs):
        return None
    root, day = keys.pop()
    return market.slices[(root, day)] if day is not None and (root, day) in market.slices else None


def _pop(legs: Sequence[Leg], cash: float, expiry: ExpirySlice) -> float | None:
    """P(P&L at expiry > 0): the smile's probability of each interval between break-evens."""
    if expiry.smile.model is SmileModel.UNKNOWN:
        return None
    bounds = list(describe(legs, cash).break_evens)
    edges = [0.0, *bounds, np.inf]
    arrays = option_arrays(legs)
    total = 0.0
    for low, high in pairwise(edges):
        inside = (low + high) / 2 if np.isfinite(high) else max(low, 1.0) * 2
        if float(expiry_value(inside, arrays)) + cash > 0:
            below_high = 1.0 if not np.isfinite(high) else float(probability_below(high, expiry.smile))
            below_low = 0.0 if low <= 0 else float(probability_below(low, expiry.smile))
            total += below_high - below_low
    return float(np.clip(total, 0.0, 1.0))


def _curve(trade: BookTrade, cash: float, expiry: ExpirySlice, market: MarketSnapshot) -> PayoffCurve:
    is_index = expiry.underlying == "SPX" and market.spot is not None
    centre = market.spot if is_index and market.spot is not None else expiry.forward
    move = _one_sd(expiry)
    prices = _axis(trade.legs, centre, move)
    arrays = option_arrays(trade.legs)
    at_expiry = expiry_value(prices, arrays) + cash
    vols = [value_leg(leg, market).iv for leg in trade.legs]
    today = None
    if all(vol is not None for vol in vols):
        forwards = expiry.forward * prices / centre
        fresh = black76.price(
            forwards[:, None],
            arrays.strike,
            expiry.t,
            np.array(vols, dtype=np.float64),
            expiry.discount,
            arrays.right,
        )
        today = tuple(float(v) for v in fresh @ (arrays.quantity * arrays.multiplier) + cash)
    band = None if move is None else (expiry.forward - move, expiry.forward + move)
    return PayoffCurve(
        "SPX" if is_index else f"VX {expiry.expiry:%d %b %y}",
        centre,
        tuple(float(p) for p in prices),
        tuple(float(v) for v in at_expiry),
        today,
        band,
    )


def _one_sd(expiry: ExpirySlice) -> float | None:
    if expiry.smile.model is SmileModel.UNKNOWN:
        return None
    return expected_move(expiry.forward, float(expiry.smile.vol(expiry.forward)), expiry.t)


def _axis(
    legs: Sequence[Leg], centre: float, move: float | None
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Prices that show every strike and two standard deviations, kinks included exactly."""
    strikes = [leg.contract.strike or 0.0 for leg in legs]
    reach = 2.2 * (move or 0.05 * centre)
    margin = 0.25 * (max(strikes) - min(strikes)) + 0.01 * centre
    low = max(0.0, min(min(strikes) - margin, centre - reach))
    high = max(max(strikes) + margin, centre + reach)
    return np.unique(np.concatenate([np.linspace(low, high, _POINTS), strikes, [centre]]))

"""Valuing a book on a market snapshot: marks, Greeks and totals that say what they do not know.

SPX options are priced with Black-76 on the parity forward of their expiry, VIX options on the VX future
of the same expiry, VX futures off the curve, shares off their level. An option's volatility is the one
its own two-sided quote implies, else the fitted smile's. Greeks of SPX and VIX positions have different
factors (SPX points and SPX vol, VX points and vol of VX) and are never added.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from hedging.engine.book import Book, BookTrade, ContractSpec, InstrumentKind, Leg, Role
from hedging.engine.market import ExpirySlice, MarketSnapshot
from hedging.engine.marks import option_quote, quote_mid
from hedging.maths import black76
from hedging.maths.implied_vol import implied_vol
from hedging.maths.smile import SmileModel


class PriceSource(StrEnum):
    """Where a mark came from, best first."""

    QUOTE = "quote"
    SURFACE = "surface"
    SETTLEMENT = "settlement"
    LEVEL = "level"
    UNKNOWN = "unknown"


class Factor(StrEnum):
    """The risk factor a delta or vega refers to."""

    SPX = "SPX"
    VX = "VX"
    VXX = "VXX"


@dataclass(frozen=True, slots=True)
class LegValuation:
    """One leg, per unit.

    ``price`` in points, ``delta`` per point of the forward, ``gamma`` per point²,
    ``theta`` per calendar day, ``vega`` per vol point, ``rho`` per 1% of rate; multiply by quantity and
    multiplier for dollars. None is unknown, and ``reason`` says why.
    """

    symbol: str
    underlying: str
    quantity: int
    multiplier: int
    entry_price: float
    source: PriceSource
    price: float | None = None
    bid: float | None = None
    ask: float | None = None
    iv: float | None = None
    delta: float | None = None
    gamma: float | None = None
    theta: float | None = None
    vega: float | None = None
    rho: float | None = None
    forward: float | None = None
    forward_source: str | None = None
    days: float | None = None
    market_value: float | None = None
    pnl: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FactorGreeks:
    """Dollar Greeks of all legs on one factor: per point, per point², per day, per vol point, per 1%."""

    delta: float = 0.0
    gamma: float = 0.0
    theta: float = 0.0
    vega: float = 0.0
    rho: float = 0.0

    def plus(self, other: FactorGreeks) -> FactorGreeks:
        """Sum on the same factor."""
        return FactorGreeks(
            self.delta + other.delta,
            self.gamma + other.gamma,
            self.theta + other.theta,
            self.vega + other.vega,
            self.rho + other.rho,
        )


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over legs. ``partial`` is True when a leg is unknown: the sums then cover the known legs."""

    market_value: float = 0.0
    pnl: float | None = 0.0
    theta: float = 0.0
    greeks: dict[str, FactorGreeks] = field(default_factory=dict)
    partial: bool = False


@dataclass(frozen=True, slots=True)
class TradeValuation:
    """One trade: its legs, its totals; ``pnl`` is cash - fees + market value, in dollars."""

    trade_id: str
    role: Role
    layer: int | None
    legs: tuple[LegValuation, ...]
    totals: Totals


@dataclass(frozen=True, slots=True)
class BookValuation:
    """All trades of an account, and sums for condors, each hedge layer, and all."""

    account_id: str
    revision: int
    trades: tuple[TradeValuation, ...]
    condors: Totals
    hedges: Totals
    layers: dict[int, Totals]
    total: Totals


def value_book(book: Book, market: MarketSnapshot) -> BookValuation:
    """Value every trade; pure, the same inputs give the same result."""
    trades = tuple(value_trade(trade, market) for trade in book.trades)

    def over(chosen: Iterable[TradeValuation]) -> Totals:
        return sum_totals(trade.totals for trade in chosen)

    layers = sorted({trade.layer for trade in trades if trade.layer is not None})
    return BookValuation(
        book.account_id,
        book.revision,
        trades,
        condors=over(t for t in trades if t.role is Role.CONDOR),
        hedges=over(t for t in trades if t.role is Role.HEDGE),
        layers={layer: over(t for t in trades if t.layer == layer) for layer in layers},
        total=over(trades),
    )


def value_trade(trade: BookTrade, market: MarketSnapshot) -> TradeValuation:
    """Value one trade's open legs."""
    legs = tuple(value_leg(leg, market) for leg in trade.legs)
    partial = any(leg.price is None for leg in legs)
    value = sum(leg.market_value or 0.0 for leg in legs)
    greeks: dict[str, FactorGreeks] = {}
    for leg in legs:
        if leg.delta is None:
            continue
        factor = factor_of(leg.underlying).value
        greeks[factor] = greeks.get(factor, FactorGreeks()).plus(dollar_greeks(leg))
    pnl = None if partial else trade.cash - trade.fees + value
    theta = sum(part.theta for part in greeks.values())
    return TradeValuation(
        trade.trade_id, trade.role, trade.layer, legs, Totals(value, pnl, theta, greeks, partial)
    )


def sum_totals(parts: Iterable[Totals]) -> Totals:
    """Add totals; P&L is unknown as soon as one part's is."""
    value, theta, partial = 0.0, 0.0, False
    pnl: float | None = 0.0
    greeks: dict[str, FactorGreeks] = {}
    for part in parts:
        value += part.market_value
        theta += part.theta
        partial = partial or part.partial
        pnl = None if pnl is None or part.pnl is None else pnl + part.pnl
        for factor, figures in part.greeks.items():
            greeks[factor] = greeks.get(factor, FactorGreeks()).plus(figures)
    return Totals(value, pnl, theta, greeks, partial)


def factor_of(underlying: str) -> Factor:
    """The factor an underlying's Greeks refer to: VIX options move with their VX future."""
    return {"SPX": Factor.SPX, "VIX": Factor.VX, "VX": Factor.VX, "VXX": Factor.VXX}[underlying]


def dollar_greeks(leg: LegValuation) -> FactorGreeks:
    """Per-unit Greeks × quantity × multiplier; unknown Greeks count nothing."""
    size = leg.quantity * leg.multiplier
    return FactorGreeks(
        (leg.delta or 0.0) * size,
        (leg.gamma or 0.0) * size,
        (leg.theta or 0.0) * size,
        (leg.vega or 0.0) * size,
        (leg.rho or 0.0) * size,
    )


def value_leg(leg: Leg, market: MarketSnapshot) -> LegValuation:
    """Mark and Greeks of one leg; unknown stays unknown with its reason."""
    spec = leg.contract
    if spec.kind is InstrumentKind.OPTION:
        return _option(leg, market)
    price = quote_mid(spec, market)
    if price is None:
        what = "VX settlement" if spec.kind is InstrumentKind.FUTURE else f"{spec.symbol} price"
        return _unknown(leg, f"no {what} in this snapshot")
    source = PriceSource.SETTLEMENT if spec.kind is InstrumentKind.FUTURE else PriceSource.LEVEL
    entry_value = leg.entry_price if spec.kind is InstrumentKind.FUTURE else 0.0
    return _valued(
        leg,
        source,
        price,
        delta=1.0,
        gamma=0.0,
        theta=0.0,
        vega=0.0,
        rho=0.0,
        forward=price,
        forward_source=source.value,
        value_from=entry_value,
    )


def _option(leg: Leg, market: MarketSnapshot) -> LegValuation:
    spec = leg.contract
    assert spec.expiry is not None
    assert spec.strike is not None
    assert spec.right is not None
    key = (spec.root, spec.expiry)
    if key not in market.slices:
        return _unknown(leg, _missing(spec, market))
    expiry = market.slices[key]
    if not np.isfinite(expiry.forward):
        return _unknown(leg, "no forward for this expiry: too few two-sided quotes")
    quote = option_quote(spec, market)
    mid = quote.mid if quote else None
    iv = float("nan")
    if mid is not None and quote is not None and quote.bid > 0:
        iv = float(_vol_from_quote(spec, expiry, mid))
    if not np.isfinite(iv) and expiry.smile.model is not SmileModel.UNKNOWN:
        iv = float(expiry.smile.vol(spec.strike))
    if not np.isfinite(iv):
        return _unknown(leg, "neither a quote nor a smile for this strike")
    raw = black76.greeks(expiry.forward, spec.strike, expiry.t, iv, expiry.discount, int(spec.right))
    shown = black76.display_units(raw)
    price = mid if mid is not None else float(shown.price)
    return _valued(
        leg,
        PriceSource.QUOTE if mid is not None else PriceSource.SURFACE,
        price,
        bid=_or_none(quote.bid) if quote else None,
        ask=_or_none(quote.ask) if quote else None,
        iv=iv,
        delta=float(shown.delta),
        gamma=float(shown.gamma),
        theta=float(shown.theta),
        vega=float(shown.vega),
        rho=float(shown.rho),
        forward=expiry.forward,
        forward_source=expiry.forward_source.value,
        days=expiry.t * 365,
    )


def _vol_from_quote(spec: ContractSpec, expiry: ExpirySlice, mid: float) -> float:
    """Implied vol of the strike's out-of-the-money side, which carries the information.

    An in-the-money option's own mid is mostly intrinsic value; put-call parity gives both sides of a
    strike the same volatility, so the better quoted side speaks for both.
    """
    assert spec.strike is not None
    assert spec.right is not None
    sign = int(spec.right)
    in_the_money = sign * (expiry.forward - spec.strike) > 0
    if in_the_money:
        at = int(np.searchsorted(expiry.strikes, spec.strike))
        bid, ask = (expiry.put_bid, expiry.put_ask) if sign > 0 else (expiry.call_bid, expiry.call_ask)
        other = (bid[at] + ask[at]) / 2
        if np.isfinite(other) and bid[at] > 0:
            mid, sign = float(other), -sign
    return float(implied_vol(mid, expiry.forward, spec.strike, expiry.t, expiry.discount, sign))


def _missing(spec: ContractSpec, market: MarketSnapshot) -> str:
    if spec.expiry is not None and spec.expiry <= market.as_of.date():
        return "expired: awaiting its official settlement value"
    if not any(root == spec.root for root, _ in market.slices):
        return f"no {spec.root} option chain in this snapshot"
    return f"the {spec.root} chain of this snapshot does not list this expiry"


def _unknown(leg: Leg, reason: str) -> LegValuation:
    return LegValuation(
        leg.contract.symbol,
        leg.contract.underlying,
        leg.quantity,
        leg.contract.multiplier,
        leg.entry_price,
        PriceSource.UNKNOWN,
        reason=reason,
    )


def _valued(
    leg: Leg, source: PriceSource, price: float, *, value_from: float = 0.0, **figures: float | str | None
) -> LegValuation:
    """``value_from`` is the price a position's value counts from: a future's entry, else zero."""
    size = leg.quantity * leg.contract.multiplier
    return LegValuation(
        leg.contract.symbol,
        leg.contract.underlying,
        leg.quantity,
        leg.contract.multiplier,
        leg.entry_price,
        source,
        price,
        market_value=size * (price - value_from),
        pnl=size * (price - leg.entry_price),
        **figures,  # type: ignore[arg-type]
    )


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None

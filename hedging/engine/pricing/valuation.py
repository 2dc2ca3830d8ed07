"""Valuing a book on a market snapshot: marks, Greeks and totals that say what they do not know.

SPX options are priced with Black-76 (hedging.maths.black76) on the parity forward of their expiry, VIX
options on the VX future of the same expiry, VX futures off the curve, shares off their level. An option's
mark is the mid of its own two-sided, uncrossed quote, else the fitted smile's price; its volatility is the
one that quote implies, else the smile's. Greeks of SPX and VIX positions have different factors (SPX points
and SPX vol, VX points and vol of VX) and are never added. What cannot be known is None with a reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from hedging.engine import codec
from hedging.engine.book import Book, BookTrade, ContractSpec, InstrumentKind, Leg, TradeRole
from hedging.engine.market import ExpirySlice, Flag, MarketSnapshot
from hedging.engine.pricing.greeks_units import Factor, FactorGreeks, factor_of
from hedging.engine.pricing.marks import Quote, option_quote
from hedging.engine.pricing.settlement import has_expired, settled_value, settlement_level
from hedging.maths import black76
from hedging.maths.arrays import Floats
from hedging.maths.implied_vol import implied_vol
from hedging.maths.smile import SmileModel
from hedging.maths.yearfrac import MINUTES_PER_YEAR

__all__ = [
    "AWAITING",
    "BookValuation",
    "Factor",
    "FactorGreeks",
    "LegFlag",
    "LegValuation",
    "PriceSource",
    "Totals",
    "TradeValuation",
    "factor_of",
    "sum_totals",
    "value_book",
    "value_leg",
    "value_trade",
]

AWAITING = "expired: awaiting its official settlement value"
#: A quote older than the snapshot by more than this is called stale.
STALE_AFTER = timedelta(hours=6)


class PriceSource(StrEnum):
    """Where a mark came from: an option's quoted mid, the smile, a settlement, a level, or nowhere.

    SETTLEMENT is the daily settlement of a future, FINAL the official settlement of an expired contract.
    """

    QUOTE = "quote"
    SURFACE = "surface"
    SETTLEMENT = "settlement"
    LEVEL = "level"
    FINAL = "final settlement"
    UNKNOWN = "unknown"


class LegFlag(StrEnum):
    """What a reader must know about a leg's figures, beyond the quality of the data behind them."""

    MODELLED = "modelled"
    OUTSIDE_QUOTES = "outside quotes"
    NO_BID = "nothing bid"
    SMILE_VOL = "vol from the smile"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class LegValuation:
    """One leg, per unit.

    ``price`` in points, ``delta`` per point of the forward, ``gamma`` per point², ``theta`` per calendar
    day, ``vega`` per vol point, ``rho`` per 1% of rate; ``dollars`` are the same × quantity × multiplier.
    ``iv`` is a fraction (0.20 = 20%), ``t`` years and ``days`` calendar days to settlement. ``market_value``
    and ``pnl`` in dollars (a future counts from its entry). None is unknown, and ``reason`` says why.
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
    t: float | None = None
    days: float | None = None
    market_value: float | None = None
    pnl: float | None = None
    dollars: FactorGreeks | None = None
    quoted_at: datetime | None = None
    quality: Flag | None = None
    flags: tuple[LegFlag, ...] = ()
    reason: str = ""

    @property
    def size(self) -> int:
        """Signed quantity × multiplier: dollars of the position per point of the unit."""
        return self.quantity * self.multiplier


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums in dollars over legs whose figures are known; ``partial`` when one is not.

    ``pnl`` (after fees) is None as soon as a leg is unknown; ``market_value`` and Greeks leave
    ``unknown_legs`` out. ``theta`` is dollars a calendar day over all factors; other Greeks stay
    apart, by the name of their factor.
    """

    market_value: float = 0.0
    pnl: float | None = 0.0
    theta: float = 0.0
    greeks: dict[str, FactorGreeks] = field(default_factory=dict)
    partial: bool = False
    unknown_legs: int = 0


@dataclass(frozen=True, slots=True)
class TradeValuation:
    """One trade: its legs, its totals; ``pnl`` is cash - fees + market value, in dollars."""

    trade_id: str
    role: TradeRole
    layer: int | None
    legs: tuple[LegValuation, ...]
    totals: Totals


@dataclass(frozen=True, slots=True)
class BookValuation:
    """All trades of an account, and sums for condors, hedges, each hedge layer, and all."""

    account_id: str
    revision: int
    trades: tuple[TradeValuation, ...]
    condors: Totals
    hedges: Totals
    layers: dict[int, Totals]
    total: Totals

    def to_json(self) -> dict[str, object]:
        """Plain JSON values."""
        found: dict[str, object] = codec.to_json(self)
        return found

    @classmethod
    def from_json(cls, data: dict[str, object]) -> BookValuation:
        """What ``to_json`` wrote."""
        return codec.from_json(cls, data)


def value_book(book: Book, market: MarketSnapshot) -> BookValuation:
    """Value every trade; pure, the same inputs give the same result."""
    price_together((leg.contract for trade in book.trades for leg in trade.legs), market)
    trades = tuple(value_trade(trade, market) for trade in book.trades)

    def over(chosen: Iterable[TradeValuation]) -> Totals:
        return sum_totals(trade.totals for trade in chosen)

    layers = sorted({trade.layer for trade in trades if trade.layer is not None})
    return BookValuation(
        book.account_id,
        book.revision,
        trades,
        condors=over(t for t in trades if t.role is TradeRole.CONDOR),
        hedges=over(t for t in trades if t.role is TradeRole.HEDGE),
        layers={layer: over(t for t in trades if t.layer == layer) for layer in layers},
        total=over(trades),
    )


def value_trade(trade: BookTrade, market: MarketSnapshot) -> TradeValuation:
    """Value one trade's open legs."""
    legs = tuple(value_leg(leg, market) for leg in trade.legs)
    unknown = sum(leg.price is None for leg in legs)
    value = sum(leg.market_value or 0.0 for leg in legs)
    greeks: dict[str, FactorGreeks] = {}
    for leg in legs:
        if leg.dollars is None:
            continue
        factor = factor_of(leg.underlying).value
        greeks[factor] = greeks.get(factor, FactorGreeks()).plus(leg.dollars)
    pnl = None if unknown else trade.cash - trade.fees + value
    theta = sum(part.theta for part in greeks.values())
    totals = Totals(value, pnl, theta, greeks, unknown > 0, unknown)
    return TradeValuation(trade.trade_id, trade.role, trade.layer, legs, totals)


def sum_totals(parts: Iterable[Totals]) -> Totals:
    """Add totals; P&L is unknown as soon as one part's is."""
    value, theta, unknown, partial = 0.0, 0.0, 0, False
    pnl: float | None = 0.0
    greeks: dict[str, FactorGreeks] = {}
    for part in parts:
        value += part.market_value
        theta += part.theta
        unknown += part.unknown_legs
        partial = partial or part.partial
        pnl = None if pnl is None or part.pnl is None else pnl + part.pnl
        for factor, figures in part.greeks.items():
            greeks[factor] = greeks.get(factor, FactorGreeks()).plus(figures)
    return Totals(value, pnl, theta, greeks, partial, unknown)


def value_leg(leg: Leg, market: MarketSnapshot) -> LegValuation:
    """Mark and Greeks of one leg; unknown stays unknown with its reason."""
    spec = leg.contract
    if has_expired(spec, market.as_of):
        return _expired(leg, market)
    if spec.kind is InstrumentKind.OPTION:
        return _option(leg, market)
    if spec.kind is InstrumentKind.FUTURE:
        settle = None if spec.expiry is None else market.vx_settle(spec.expiry)
        if settle is None:
            return _unknown(leg, "no VX settlement of this contract in this snapshot")
        years = next(point.t for point in market.vx_curve if point.expiry == spec.expiry)
        found = replace(
            _blank(leg), source=PriceSource.SETTLEMENT, forward=settle, t=years, days=years * 365,
            forward_source=PriceSource.SETTLEMENT.value,
        )  # fmt: skip
        return _linear(found, settle, leg.entry_price)
    level = market.levels.get(spec.symbol)
    if level is None:
        return _unknown(leg, f"no {spec.symbol} price in this snapshot")
    found = replace(
        _blank(leg), source=PriceSource.LEVEL, forward=level.value, forward_source=PriceSource.LEVEL.value,
        quoted_at=level.as_of, quality=level.flag, flags=_stale(level.as_of, market),
    )  # fmt: skip
    return _linear(found, level.value, 0.0)


#: Unit valuations of a snapshot's contracts, as long as the snapshot lives: each contract is priced once.
_UNITS: WeakKeyDictionary[MarketSnapshot, dict[str, LegValuation]] = WeakKeyDictionary()


def _option(leg: Leg, market: MarketSnapshot) -> LegValuation:
    known = _UNITS.setdefault(market, {})
    symbol = leg.contract.symbol
    if symbol not in known:
        price_together([leg.contract], market)
    return _sized(known[symbol], leg)


class _Facts(NamedTuple):
    """An option before it is priced; ``best`` and ``sign`` are the quote and right that imply its vol."""

    spec: ContractSpec
    expiry: ExpirySlice
    quote: Quote | None
    mid: float | None
    best: float
    sign: int


def price_together(specs: Iterable[ContractSpec], market: MarketSnapshot) -> None:
    """Price contracts that will be valued on the snapshot, options in one vectorised pass.

    Only saves time: ``value_leg`` says the same without it.
    """
    known = _UNITS.setdefault(market, {})
    wanted = {
        spec.symbol: spec
        for spec in specs
        if spec.kind is InstrumentKind.OPTION and spec.symbol not in known
        and not has_expired(spec, market.as_of)
    }  # fmt: skip
    facts: list[_Facts] = []
    for symbol, spec in wanted.items():
        found = _priceable(spec, market)
        if isinstance(found, _Facts):
            facts.append(found)
        else:
            known[symbol] = found
    if not facts:
        return
    columns = [
        (one.expiry.forward, one.spec.strike, one.expiry.t, one.expiry.discount, int(one.spec.right or 0),
         one.best, one.sign)
        for one in facts
    ]  # fmt: skip
    forward, strike, t, discount, right, best, sign = np.array(columns, dtype=np.float64).T
    iv = np.full(len(facts), np.nan)
    quoted = np.isfinite(best)
    if quoted.any():
        terms = (best, forward, strike, t, discount, sign)
        iv[quoted] = implied_vol(*(term[quoted] for term in terms))
    from_smile = ~np.isfinite(iv)
    unquoted: dict[tuple[str, date], list[int]] = defaultdict(list)
    for place, one in enumerate(facts):
        if from_smile[place]:
            unquoted[one.expiry.root, one.expiry.expiry].append(place)
    for places in unquoted.values():
        smile = facts[places[0]].expiry.smile
        if smile.model is not SmileModel.UNKNOWN:
            iv[places] = smile.vol(strike[places])
    raw = black76.greeks(forward, strike, t, np.where(np.isfinite(iv), iv, 1.0), discount, right)
    shown = np.array(black76.display_units(raw)[:6], dtype=np.float64).T
    for at, one in enumerate(facts):
        known[one.spec.symbol] = _unit_option(
            one, float(iv[at]), shown[at], market, from_smile=bool(from_smile[at])
        )


def _sized(unit: LegValuation, leg: Leg) -> LegValuation:
    """The valuation of one contract as that of the leg."""
    if leg.quantity == unit.quantity and leg.entry_price == unit.entry_price:
        return unit
    if unit.price is None or unit.dollars is None:
        return replace(unit, quantity=leg.quantity, entry_price=leg.entry_price)
    size = leg.quantity * unit.multiplier
    return replace(
        unit,
        quantity=leg.quantity,
        entry_price=leg.entry_price,
        dollars=unit.dollars.times(leg.quantity),
        market_value=size * unit.price,
        pnl=size * (unit.price - leg.entry_price),
    )


def _priceable(spec: ContractSpec, market: MarketSnapshot) -> _Facts | LegValuation:
    """What an option can be priced from, or its unknown valuation."""
    leg = Leg(spec, 1, 0.0)
    assert spec.expiry is not None
    if (spec.root, spec.expiry) not in market.slices:
        return _unknown(leg, _missing(spec, market))
    expiry = market.slices[(spec.root, spec.expiry)]
    if not np.isfinite(expiry.forward):
        return _unknown(leg, "no forward for this expiry: too few two-sided quotes")
    quote = option_quote(spec, market)
    mid = quote.mid if quote else None
    if mid is None or quote is None or not quote.bid > 0:
        return _Facts(spec, expiry, quote, mid, float("nan"), 1)
    best, sign = informative_quote(spec, expiry, mid)
    return _Facts(spec, expiry, quote, mid, best, sign)


def _unit_option(
    facts: _Facts, iv: float, shown: Floats, market: MarketSnapshot, *, from_smile: bool
) -> LegValuation:
    """One contract from its facts, its volatility and (price, delta, gamma, vega, theta, rho) on display."""
    expiry, quote, mid = facts.expiry, facts.quote, facts.mid
    leg = Leg(facts.spec, 1, 0.0)
    if not np.isfinite(iv):
        return _unknown(leg, "neither a quote nor a smile for this strike", quote)
    greeks = dict(zip(black76.Greeks._fields, (float(value) for value in shown), strict=False))
    price = mid if mid is not None else greeks["price"]
    quoted_at = quote_time(expiry)
    found = replace(
        _blank(leg),
        source=PriceSource.QUOTE if mid is not None else PriceSource.SURFACE,
        bid=_side(quote, "bid"),
        ask=_side(quote, "ask"),
        iv=iv,
        forward=expiry.forward,
        forward_source=expiry.forward_source.value,
        t=expiry.t,
        days=expiry.t * 365,
        quoted_at=quoted_at,
        quality=expiry.flag,
        flags=(*_warnings(quote, mid, price, from_smile=from_smile), *_stale(quoted_at, market)),
    )
    unit = FactorGreeks(*(greeks[name] for name in ("delta", "gamma", "theta", "vega", "rho")))
    return _priced(found, price, 0.0, unit)


def quote_time(expiry: ExpirySlice) -> datetime:
    """The moment an expiry's quotes were taken: its settlement less the years to it, or as the slice says."""
    if expiry.quoted_at is not None:
        return expiry.quoted_at
    return expiry.settles_at - timedelta(minutes=round(expiry.t * MINUTES_PER_YEAR))


def informative_quote(spec: ContractSpec, expiry: ExpirySlice, mid: float) -> tuple[float, int]:
    """Mid and right (±1) of the strike's out-of-the-money side, whose volatility speaks for the option.

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
    return mid, sign


def _warnings(quote: Quote | None, mid: float | None, price: float, *, from_smile: bool) -> list[LegFlag]:
    found = []
    if mid is None:
        found.append(LegFlag.MODELLED)
        # A comparison with NaN is False: an absent side says nothing.
        if quote is not None and (price < quote.bid or price > quote.ask):
            found.append(LegFlag.OUTSIDE_QUOTES)
    elif from_smile:
        found.append(LegFlag.SMILE_VOL)
    if quote is not None and quote.bid == 0:
        found.append(LegFlag.NO_BID)
    return found


def _stale(quoted_at: datetime, market: MarketSnapshot) -> tuple[LegFlag, ...]:
    return (LegFlag.STALE,) if market.as_of - quoted_at > STALE_AFTER else ()


def _expired(leg: Leg, market: MarketSnapshot) -> LegValuation:
    """An expired leg at its official settlement, without Greeks to come; unknown before that is known."""
    level = settlement_level(leg.contract, market)
    if level is None:
        return _unknown(leg, AWAITING)
    is_future = leg.contract.kind is InstrumentKind.FUTURE
    found = replace(
        _blank(leg), source=PriceSource.FINAL, forward=level, forward_source=PriceSource.FINAL.value,
        t=0.0, days=0.0,
    )  # fmt: skip
    value_from = leg.entry_price if is_future else 0.0
    return _priced(found, settled_value(leg.contract, level), value_from, FactorGreeks())


def _missing(spec: ContractSpec, market: MarketSnapshot) -> str:
    if not any(root == spec.root for root, _ in market.slices):
        return f"no {spec.root} option chain in this snapshot, nor the index levels to model one"
    return f"the {spec.root} chain of this snapshot does not list this expiry"


def _blank(leg: Leg) -> LegValuation:
    spec = leg.contract
    return LegValuation(
        spec.symbol, spec.underlying, leg.quantity, spec.multiplier, leg.entry_price, PriceSource.UNKNOWN
    )


def _unknown(leg: Leg, reason: str, quote: Quote | None = None) -> LegValuation:
    return replace(_blank(leg), bid=_side(quote, "bid"), ask=_side(quote, "ask"), reason=reason)


def _linear(found: LegValuation, price: float, value_from: float) -> LegValuation:
    """A future or share: one dollar of value per dollar of price, nothing else."""
    return _priced(found, price, value_from, FactorGreeks(delta=1.0))


def _priced(found: LegValuation, price: float, value_from: float, unit: FactorGreeks) -> LegValuation:
    """``value_from`` is the price a position's value counts from: a future's entry, else zero."""
    return replace(
        found,
        price=price,
        delta=unit.delta,
        gamma=unit.gamma,
        theta=unit.theta,
        vega=unit.vega,
        rho=unit.rho,
        dollars=unit.times(found.size),
        market_value=found.size * (price - value_from),
        pnl=found.size * (price - found.entry_price),
    )


def _side(quote: Quote | None, side: str) -> float | None:
    value = float("nan") if quote is None else float(getattr(quote, side))
    return value if np.isfinite(value) else None

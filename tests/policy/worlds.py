"""A small made-up market, book and signal day, without a database: every part can be set."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np

from hedging.engine.book import Book, BookTrade, Leg, Settlement, TradeRole
from hedging.engine.instruments import parse_symbol
from hedging.engine.market import ExpirySlice, Flag, ForwardSource, IndexLevel, MarketSnapshot, VXPoint
from hedging.engine.rulesets.document import ruleset_document, ruleset_from
from hedging.engine.rulesets.presets import DEFAULT, preset
from hedging.engine.rulesets.types import Ruleset
from hedging.engine.signals.types import Regime, RegimeDay, Signal, SignalDay, SignalKey, SignalState
from hedging.maths import black76
from hedging.maths.smile import SmileModel, smile_from_variance

NOW = datetime(2026, 1, 5, 21, 0, tzinfo=UTC)
TODAY = NOW.date()
SPOT, RATE = 6900.0, 0.04
#: Third Friday, the Fridays about it, and VIX expiries of 2026 (Cboe calendar).
SPXW = (date(2026, 1, 30), date(2026, 2, 13), date(2026, 2, 20), date(2026, 2, 27), date(2026, 3, 20))
VIX = (date(2026, 1, 21), date(2026, 2, 18), date(2026, 3, 18), date(2026, 5, 19), date(2026, 6, 17))


@cache
def market(
    vix: float = 16.0, *, modelled: bool = False, spread: float = 0.01, oi: int | None = 50_000
) -> MarketSnapshot:
    """SPX at 6900 with a skewed smile, VX futures near ``vix``; quotes ``spread`` × price around the mid."""
    flag = Flag.MODELLED if modelled else Flag.EOD
    slices = {}
    for expiry in SPXW:
        t = _years(expiry)
        forward = SPOT * float(np.exp(0.027 * t))
        strikes = np.arange(5000.0, 8200.0, 5.0)
        slices["SPXW", expiry] = _slice(
            "SPXW", expiry, forward, vix / 100 * 0.95, -0.9, strikes, flag, spread
        )
    for expiry in VIX:
        strikes = np.arange(10.0, 101.0, 1.0)
        slices["VIX", expiry] = _slice("VIX", expiry, _vx(vix, expiry), 0.9, 0.5, strikes, flag, spread)
    levels = {
        name: IndexLevel(name, value, NOW, "daily close", Flag.EOD)
        for name, value in (("SPX", SPOT), ("VIX", vix), ("VVIX", 95.0))
    }
    curve = tuple(VXPoint(expiry, _vx(vix, expiry), _years(expiry), None, oi) for expiry in VIX)
    return MarketSnapshot(
        "m", NOW, SPOT, levels, curve, slices, RATE, frozenset({flag}), f"h{vix}{modelled}{spread}{oi}"
    )


def _vx(vix: float, expiry: date) -> float:
    return 19.0 + (vix - 19.0) * float(np.exp(-3 * _years(expiry)))


def _years(expiry: date) -> float:
    return ((expiry - TODAY).days - 0.3) / 365


def _slice(
    root: str,
    expiry: date,
    forward: float,
    level: float,
    skew: float,
    strikes: Any,
    flag: Flag,
    spread: float,
) -> ExpirySlice:
    t = _years(expiry)
    k = np.linspace(-1.2, 1.2, 81)
    vols = np.clip(level * (1 + skew * np.tanh(k / np.sqrt(t) / 3) + 0.15 * k * k), 0.05, 3.0)
    smile = smile_from_variance(forward, t, SmileModel.MIXTURE, k, vols**2 * t)
    discount = float(np.exp(-RATE * t))
    sides = {}
    for name, right in (("call", 1), ("put", -1)):
        price = black76.price(forward, strikes, t, smile.vol(strikes), discount, right)
        half = np.maximum(price * spread, 0.02)
        sides[f"{name}_bid"], sides[f"{name}_ask"] = np.maximum(price - half, 0.0), price + half
    if flag is Flag.MODELLED:
        strikes = np.empty(0)
        sides = dict.fromkeys(sides, np.empty(0))
    settlement = Settlement.AM if root == "VIX" else Settlement.PM
    return ExpirySlice(
        "VIX" if root == "VIX" else "SPX", root, expiry, settlement, NOW + timedelta(days=t * 365), t,
        forward, discount, ForwardSource.PARITY, strikes, **sides, smile=smile, flag=flag,
    )  # fmt: skip


def day(regime: Regime = Regime.CALM, **figures: Any) -> SignalDay:
    """A day of unknown signals but for the named ones: a number, or True and False for on and off."""
    signals = {}
    for key in SignalKey:
        given = figures.get(key.value)
        state, value = SignalState.UNKNOWN, None
        if isinstance(given, bool):
            state = SignalState.ON if given else SignalState.OFF
        elif given is not None:
            state, value = SignalState.OFF, float(given)
        signals[key] = Signal(key, key.value, value, "", "", state, TODAY, "made up", TODAY, 0)
    assert set(figures) <= {key.value for key in SignalKey}
    return SignalDay(TODAY, signals, RegimeDay(TODAY, regime, TODAY, ()))


CALM = {"rsi_vix": 50, "rsi_spx": 55, "backwardation": -0.05, "iv30": 15, "days_to_major_expiry": 11,
        "regime_shift": False, "macro_stable": True, "rv_iv_change_10": 0.0}  # fmt: skip


def calm(**changes: Any) -> SignalDay:
    """A quiet day with the figures that matter known."""
    return day(**{**CALM, **changes})


def condor(
    contracts: int = 10, trade_id: str = "c1", expiry: date = SPXW[2], credit: float | None = None,
    strikes: tuple[int, int, int, int] = (6550, 6600, 7150, 7200),
) -> BookTrade:  # fmt: skip
    """A condor held since its entry at the marks of the calm market, or at a given credit in points."""
    low, put, call, high = strikes
    names = ((low, "P", 1), (put, "P", -1), (call, "C", -1), (high, "C", 1))
    legs = []
    for strike, right, sign in names:
        spec = parse_symbol(f"SPXW  {expiry:%y%m%d}{right}{strike * 1000:08d}")
        legs.append(Leg(spec, sign * contracts, _mark(spec)))
    if credit is not None:
        now = -sum(leg.quantity / contracts * leg.entry_price for leg in legs)
        legs[1] = Leg(legs[1].contract, legs[1].quantity, legs[1].entry_price + credit - now)
    cash = -sum(leg.quantity * leg.entry_price * 100 for leg in legs)
    return BookTrade(trade_id, TradeRole.CONDOR, None, tuple(legs), cash, 0.0)


def _mark(spec: Any) -> float:
    found = market().slices[spec.root, spec.expiry]
    return float(
        black76.price(
            found.forward, spec.strike, found.t, found.smile.vol(spec.strike), found.discount, int(spec.right)
        )
    )


def hedge(
    layer: int, quantity: int, symbol: str = "VIX   260218C00022000", price: float = 1.5, trade_id: str = ""
) -> BookTrade:
    """VIX calls of one layer."""
    leg = Leg(parse_symbol(symbol), quantity, price)
    return BookTrade(trade_id or f"h{layer}", TradeRole.HEDGE, layer, (leg,), -quantity * price * 100, 0.0)


def book(*trades: BookTrade, capital: float = 1_000_000.0) -> Book:
    return Book("account", 1, capital, trades)


def rules(name: str = DEFAULT, **changes: Any) -> Ruleset:
    """A preset with some bases changed; ``__`` stands for the dot, ranges and policies go."""
    if not changes:
        return preset(name)
    document = ruleset_document(preset(name))
    for key, base in changes.items():
        document["parameters"][key.replace("__", ".")] = {"base": base, "source": "user"}
    return ruleset_from(document)

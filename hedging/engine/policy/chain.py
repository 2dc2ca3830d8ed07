"""Finding contracts in a snapshot: the expiry near a tenor, the strike near a delta, and their prices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from math import ceil, floor
from zoneinfo import ZoneInfo

import numpy as np

from hedging.engine.book import ContractSpec, Leg
from hedging.engine.instruments import option_contract
from hedging.engine.market import ExpirySlice, Flag, MarketSnapshot
from hedging.engine.pricing.valuation import LegValuation, PriceSource, price_together, value_leg
from hedging.maths.arrays import Floats
from hedging.maths.normal import cdf
from hedging.maths.smile import SmileModel
from hedging.maths.types import Right

_FRIDAY = 4
_NEW_YORK = ZoneInfo("America/New_York")


@dataclass(frozen=True, slots=True)
class Pick:
    """One contract with its signed quantity a package and its valuation; ``modelled``: not a quote."""

    spec: ContractSpec
    quantity: int
    value: LegValuation

    @property
    def price(self) -> float:
        """Mark in points."""
        assert self.value.price is not None
        return self.value.price

    @property
    def modelled(self) -> bool:
        """Whether the mark is the surface's."""
        return self.value.source is PriceSource.SURFACE or self.value.quality is Flag.MODELLED


def days_to(market: MarketSnapshot, expiry: date) -> int:
    """Calendar days from the snapshot's day to the expiry."""
    return (expiry - market_day(market)).days


def market_day(market: MarketSnapshot) -> date:
    """The snapshot's day in New York: an evening chain belongs to the day it was taken."""
    return _new_york_day(market.as_of)


@lru_cache(maxsize=64)
def _new_york_day(moment: datetime) -> date:
    return moment.astimezone(_NEW_YORK).date()


def near_expiries(
    market: MarketSnapshot,
    roots: Sequence[str],
    aim: float,
    window: tuple[float, float],
    *,
    monthly: bool = False,
) -> Iterator[ExpirySlice]:
    """Usable expiries of the roots inside the window of days, the nearest to ``aim`` first.

    Ties go to the later expiry, then to the root named first. Where the snapshot names none, the Fridays
    of the window are asked for. Slices are looked at one by one, because some are fitted on first use.
    """
    keys = [key for key in market.slices if key[0] in roots and _fits(market, key[1], window, monthly)]
    if not keys and not monthly:
        keys = _fridays(market, roots[0], window)
    keys.sort(key=lambda key: (abs(days_to(market, key[1]) - aim), -key[1].toordinal(), roots.index(key[0])))
    for key in keys:
        found = market.slices.get(key)
        if found is not None and usable(found):
            yield found


def _fits(market: MarketSnapshot, expiry: date, window: tuple[float, float], monthly: bool) -> bool:
    within = window[0] <= days_to(market, expiry) <= window[1]
    return within and (not monthly or is_monthly(expiry))


def _fridays(market: MarketSnapshot, root: str, window: tuple[float, float]) -> list[tuple[str, date]]:
    today = market_day(market)
    days = (today + timedelta(days=n) for n in range(ceil(window[0]), floor(window[1]) + 1))
    return [(root, day) for day in days if day.weekday() == _FRIDAY]


def is_monthly(expiry: date) -> bool:
    """Whether the day is a month's third Friday."""
    return expiry.weekday() == _FRIDAY and 15 <= expiry.day <= 21


def usable(expiry: ExpirySlice) -> bool:
    """Whether options of the expiry can be priced by delta."""
    return bool(np.isfinite(expiry.forward)) and expiry.smile.model is not SmileModel.UNKNOWN


def strike_by_delta(expiry: ExpirySlice, right: Right, delta: float, *, buy: bool) -> float | None:
    """The listed strike whose absolute delta is nearest; of two equally near the one further out.

    A bought option needs an ask and a sold one a bid, unless the expiry is modelled.
    """
    strikes = strikes_of(expiry, right, buy=buy)
    if not len(strikes):
        return None
    miss = np.round(np.abs(_deltas(expiry, strikes, right) - delta), 9)
    best = np.flatnonzero(miss == miss.min())
    return float(strikes[best[-1] if right is Right.CALL else best[0]])


def _deltas(expiry: ExpirySlice, strikes: Floats, right: Right) -> Floats:
    """Absolute deltas on the forward: D·N(±d1), d1 = ln(F/K)/(σ√T) + σ√T/2."""
    spread = expiry.smile.vol(strikes) * np.sqrt(expiry.t)
    d1 = np.log(expiry.forward / strikes) / spread + spread / 2
    return np.asarray(expiry.discount * cdf(int(right) * d1))


def strike_near(
    expiry: ExpirySlice, right: Right, level: float, *, buy: bool, beyond: float | None = None
) -> float | None:
    """The listed strike nearest to ``level``, of two the one further out of the money.

    ``beyond``: strictly further out of the money than this.
    """
    strikes = strikes_of(expiry, right, buy=buy)
    if beyond is not None:
        strikes = strikes[strikes > beyond] if right is Right.CALL else strikes[strikes < beyond]
    if not len(strikes):
        return None
    miss = np.round(np.abs(strikes - level), 9)
    best = np.flatnonzero(miss == miss.min())
    return float(strikes[best[-1] if right is Right.CALL else best[0]])


def wing(expiry: ExpirySlice, right: Right, short: float, width: float) -> float | None:
    """The listed strike to buy beyond a sold one, ``width`` points further out or the nearest to that."""
    return strike_near(expiry, right, short + int(right) * width, buy=True, beyond=short)


def strikes_of(expiry: ExpirySlice, right: Right, *, buy: bool) -> Floats:
    """Strikes that can be bought (an ask) or sold (a bid); of an expiry without quotes the usual grid."""
    if not quoted(expiry):
        return usual_strikes(expiry)
    if right is Right.CALL:
        use = np.isfinite(expiry.call_ask) if buy else expiry.call_bid > 0
    else:
        use = np.isfinite(expiry.put_ask) if buy else expiry.put_bid > 0
    return np.asarray(expiry.strikes[use])


def quoted(expiry: ExpirySlice) -> bool:
    """Whether the expiry has quotes of its own; else its prices and the grid of its strikes are modelled."""
    return expiry.flag is not Flag.MODELLED and bool(len(expiry.strikes))


def listed_strikes(expiry: ExpirySlice) -> Floats:
    """Every strike of the expiry, ascending; of one without quotes the usual grid."""
    return expiry.strikes if quoted(expiry) else usual_strikes(expiry)


def usual_strikes(expiry: ExpirySlice) -> Floats:
    """Strikes the exchange usually lists: every 5 points for SPX, every point for VIX."""
    if expiry.underlying == "VIX":
        return np.arange(max(8.0, np.ceil(expiry.forward * 0.5)), 131.0)
    step = 5.0
    return np.arange(np.ceil(expiry.forward * 0.5 / step) * step, expiry.forward * 1.4, step)


def picks_of(
    market: MarketSnapshot, expiry: ExpirySlice, wanted: Sequence[tuple[Right, float | None, int]]
) -> tuple[Pick, ...] | None:
    """Contracts of one expiry as (right, strike, quantity); None when a strike or a price is missing."""
    specs: list[tuple[ContractSpec, int]] = []
    for right, strike, quantity in wanted:
        if strike is None:
            return None
        specs.append((option_contract(expiry.root, expiry.expiry, right, Decimal(repr(strike))), quantity))
    return picks_for(market, specs)


def picks_for(market: MarketSnapshot, wanted: Sequence[tuple[ContractSpec, int]]) -> tuple[Pick, ...] | None:
    """Any contracts with their values; None when one has no price."""
    price_together((spec for spec, _ in wanted), market)
    found = [Pick(spec, quantity, value_leg(Leg(spec, 1, 0.0), market)) for spec, quantity in wanted]
    return None if any(one.value.price is None for one in found) else tuple(found)

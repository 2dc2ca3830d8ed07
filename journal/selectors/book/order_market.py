"""What an account's option chain says of an order being entered: strikes by delta, quotes, probability.

The chain is the snapshot that speaks for the day the person looks at: real data for real accounts,
simulated data for demo accounts. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from django.utils import timezone

from hedging.engine.book import BookTrade, ContractSpec, InstrumentKind, Leg, Settlement, TradeRole
from hedging.engine.instruments import ROOTS
from hedging.engine.market import ExpirySlice
from hedging.engine.market import MarketSnapshot as EngineSnapshot
from hedging.engine.money import to_cents
from hedging.engine.policy.chain import Pick, listed_strikes, quoted, strike_by_delta, usable, wing
from hedging.engine.pricing.analysis import TradeAnalysis, analyse_trade
from hedging.engine.pricing.valuation import LegValuation, value_trade
from hedging.maths.types import Right
from hedging.selectors.calendar import NEW_YORK
from hedging.selectors.market import STALE_AFTER, age_text
from hedging.services.snapshots.snapshots import snapshot_for, snapshot_load
from journal.errors import RuleError
from journal.models import Account


@dataclass(frozen=True, slots=True, eq=False)
class AccountChain:
    """A snapshot as the entry form shows it.

    ``age`` and ``stale`` count to the day looked at; ``quoted`` are the underlyings with option quotes of
    their own, every other figure is modelled from levels.
    """

    market: EngineSnapshot
    as_of: datetime
    age: str
    stale: bool
    quoted: frozenset[str]

    @property
    def flags(self) -> list[str]:
        """Quality of the data behind it."""
        return sorted(flag.value for flag in self.market.flags)


@dataclass(frozen=True, slots=True)
class ChainExpiry:
    """An expiry of the chain: its root, its day, when it settles, calendar days from the day looked at."""

    root: str
    expiry: date
    settlement: Settlement
    days: int

    @property
    def key(self) -> str:
        """The value forms send."""
        return f"{self.root}:{self.expiry}"


@dataclass(frozen=True, slots=True)
class CondorStrikes:
    """Four listed strikes in points, ascending."""

    long_put: float
    short_put: float
    short_call: float
    long_call: float


@dataclass(frozen=True, slots=True)
class OrderMarket:
    """An order on a chain. Prices in points a package, + received; None: a leg's quote or price is unknown.

    ``mid`` is at the marks, ``natural`` sells at bids and buys at asks, ``width`` is the package's bid-ask.
    """

    legs: tuple[LegValuation, ...]
    mid: Decimal | None
    natural: Decimal | None
    width: Decimal | None
    modelled: bool
    analysis: TradeAnalysis


def account_chain(account: Account, *, moment: datetime | None = None) -> AccountChain | None:
    """The chain of an account at a moment (now when None); None when no market data is known by then."""
    row = snapshot_for(as_of=moment, simulated=account.is_demo)
    if row is None:
        return None
    age = (moment or timezone.now()) - row.as_of
    chains = (("SPX", row.spx_chain_id), ("VIX", row.vix_chain_id))
    found = frozenset(name for name, pk in chains if pk is not None)
    return AccountChain(snapshot_load(row), row.as_of, age_text(age), age > STALE_AFTER, found)


def chain_expiries(chain: AccountChain, roots: Sequence[str], *, today: date) -> list[ChainExpiry]:
    """Expiries of the roots from ``today`` on, the nearest first; none is fitted for it."""
    found = [
        ChainExpiry(root, expiry, ROOTS[root].settlement, (expiry - today).days)
        for root, expiry in chain.market.slices
        if root in roots and expiry >= today
    ]
    return sorted(set(found), key=lambda one: (one.expiry, one.root))


def chain_slice(chain: AccountChain, root: str, expiry: date) -> ExpirySlice:
    """The expiry's quotes and smile. Raises RuleError where the chain cannot answer for it."""
    found = chain.market.slices.get((root, expiry))
    if found is None or not usable(found):
        day = chain.as_of.astimezone(NEW_YORK)
        raise RuleError(f"The chain of {day:%Y-%m-%d} has no {root} options of {expiry}.", "listed")
    return found


def strikes_listed(expiry: ExpirySlice) -> list[float]:
    """Strikes a stepper may stop at, ascending, in points."""
    return [float(strike) for strike in listed_strikes(expiry)]


def is_modelled(expiry: ExpirySlice) -> bool:
    """Whether the expiry has no quotes of its own: grid and prices are then a model's."""
    return not quoted(expiry)


def condor_by_delta(
    expiry: ExpirySlice, *, put_delta: float, call_delta: float, width: float
) -> CondorStrikes:
    """The condor whose sold strikes lie nearest to absolute deltas (fractions) and whose wings are ``width``.

    Raises RuleError naming the input where a strike is missing or the sold strikes would cross.
    """
    short_put = strike_by_delta(expiry, Right.PUT, put_delta, buy=False)
    short_call = strike_by_delta(expiry, Right.CALL, call_delta, buy=False)
    if short_put is None:
        raise RuleError("No put of this expiry has a bid.", "put_delta")
    if short_call is None:
        raise RuleError("No call of this expiry has a bid.", "call_delta")
    if short_put > short_call:
        raise RuleError("The short put would be above the short call: choose smaller deltas.", "put_delta")
    long_put = wing(expiry, Right.PUT, short_put, width)
    long_call = wing(expiry, Right.CALL, short_call, width)
    if long_put is None or long_call is None:
        side = "put" if long_put is None else "call"
        raise RuleError(f"No {side} further out is offered: choose a larger delta.", "width")
    return CondorStrikes(long_put, short_put, short_call, long_call)


def order_market(
    chain: AccountChain,
    legs: Sequence[tuple[ContractSpec, int]],
    packages: int,
    *,
    price: Decimal | None = None,
) -> OrderMarket:
    """Value an order's legs on a chain; ``price`` is its own in points a package (+ received), else the mid.

    The probability of profit holds for that price, before fees.
    """
    engine_legs = tuple(Leg(spec, quantity, 0.0) for spec, quantity in legs)
    trade = BookTrade("order", TradeRole.CONDOR, None, engine_legs, 0.0, 0.0)
    valued = value_trade(trade, chain.market)
    ratios = [quantity // packages for _, quantity in legs]
    mid = _received([one.price for one in valued.legs], ratios)
    sold = [one.bid if ratio < 0 else one.ask for one, ratio in zip(valued.legs, ratios, strict=True)]
    bought = [one.ask if ratio < 0 else one.bid for one, ratio in zip(valued.legs, ratios, strict=True)]
    natural, best = _received(sold, ratios), _received(bought, ratios)
    points = price if price is not None else mid
    futures = any(spec.kind is InstrumentKind.FUTURE for spec, _ in legs)
    if points is not None and not futures:
        trade = replace(trade, cash=float(points * packages * legs[0][0].multiplier))
    analysis = analyse_trade(trade, chain.market, valued)
    if points is None:
        analysis = replace(analysis, pop=None, payoff=None, reason="without a price there is no probability")
    return OrderMarket(
        valued.legs,
        mid,
        natural,
        None if natural is None or best is None else best - natural,
        any(
            Pick(spec, quantity, one).modelled
            for (spec, quantity), one in zip(legs, valued.legs, strict=True)
        ),
        analysis,
    )


def _received(prices: Sequence[float | None], ratios: Sequence[int]) -> Decimal | None:
    """Points a package brings in at these prices; None when one is unknown."""
    total = Decimal(0)
    for price, ratio in zip(prices, ratios, strict=True):
        if price is None:
            return None
        total -= ratio * Decimal(str(price))
    return to_cents(total)

"""The engine's market at a session's close: the chains of that day, and models where there is none.

A day without a chain of an underlying is modelled from its own closing levels and VX curve. Where a chain of
the days before is known, each contract's modelled volatility is scaled by what that chain said of it against
the same model on that day, so that marks do not jump between quoted and modelled days.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np

from hedging.engine.book import ContractSpec
from hedging.engine.market import Flag, IndexLevel, MarketSnapshot, VXPoint
from hedging.maths import black76
from hedging.maths.smile import SmileModel
from hedging.maths.yearfrac import year_fraction
from hedging.models import ChainSnapshot
from hedging.selectors.calendar import closes_at, opens_at, vix_expiry
from hedging.services.snapshots.closes import SessionClose, closings
from hedging.services.snapshots.modelled import LevelsKnown, ModelledSlices
from hedging.services.snapshots.slices import ChainSlices, MergedSlices
from hedging.services.snapshots.snapshots import bill_rate, chain_slices

_RATIO = (0.5, 2.0)  # beyond, the model and the chain do not speak of the same thing


@dataclass(frozen=True, slots=True, eq=False)
class ClosingMarket:
    """A session's close: ``market`` with quotes where there are any, ``model`` from levels alone."""

    market: MarketSnapshot
    model: ModelledSlices
    quoted: frozenset[str]
    chains: dict[str, date]


def closing_market(closing: SessionClose) -> ClosingMarket:
    """The market of a close; cached by the key of its data."""
    return _cached(closing.key(), _HeldClose(closing))


class _HeldClose:
    """A closing that counts as equal to any other, so that the cache looks at the key alone."""

    def __init__(self, closing: SessionClose) -> None:
        self.closing = closing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _HeldClose)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=16)
def _cached(key: str, held: _HeldClose) -> ClosingMarket:
    closing = held.closing
    moment = closes_at(closing.day)
    levels = {
        symbol: IndexLevel(symbol, float(level.value), moment, "daily close", Flag(level.quality))
        for symbol, level in closing.levels.items()
    }
    curve = tuple(
        VXPoint(expiry, float(settle.value), year_fraction(moment, opens_at(expiry)))
        for expiry, settle in sorted(closing.vx.items())
        if expiry > closing.day and expiry == vix_expiry(expiry.year, expiry.month)
    )
    rate = bill_rate(levels)
    chains: dict[str, ChainSlices] = {}
    for underlying in ("SPX", "VIX"):
        if closing.chain_days.get(underlying) == closing.day:
            row = ChainSnapshot.objects.get(content_hash=closing.chains[underlying])
            chains[underlying] = chain_slices(row, curve if underlying == "VIX" else (), rate)
            rate = chains["SPX"].rate if underlying == "SPX" else rate
    spot = levels["SPX"].value if "SPX" in levels else None
    flag = Flag.SIMULATED if closing.simulated else Flag.MODELLED
    known = LevelsKnown(moment, spot, levels, curve, rate)
    model = ModelledSlices(known, {}, flag)
    market = MarketSnapshot(
        snapshot_id=key,
        as_of=moment,
        spot=spot,
        levels=levels,
        vx_curve=curve,
        slices=MergedSlices(*chains.values(), ModelledSlices(known, chains, flag)),
        rate=rate,
        flags=frozenset(level.flag for level in levels.values()),
        content_hash=key,
    )
    return ClosingMarket(market, model, frozenset(chains), dict(closing.chain_days))


def carried_vol(spec: ContractSpec, now: ClosingMarket, *, simulated: bool) -> tuple[float, date] | None:
    """Volatility of an option on a day without a chain of its underlying, and the day of the chain behind it.

    Model of the day × (chain / model) of the chain's day; None where one of the three is unknown.
    """
    day = now.chains.get(spec.underlying)
    if day is None or spec.expiry is None or spec.strike is None or spec.underlying in now.quoted:
        return None
    then = closing_market(closings(days=[day], simulated=simulated)[day])
    key = (spec.root, spec.expiry)
    if key not in now.model or key not in then.model or key not in then.market.slices:
        return None
    today, model, chain = now.model[key], then.model[key], then.market.slices[key]
    if SmileModel.UNKNOWN in {today.smile.model, model.smile.model, chain.smile.model}:
        return None
    # The same distance from the forward in standard deviations, so that the smile moves with the market.
    k = np.log(spec.strike / today.forward) * np.sqrt(model.t / today.t)
    ratio = float(chain.smile.vol(chain.forward * np.exp(k)) / model.smile.vol(model.forward * np.exp(k)))
    if not _RATIO[0] <= ratio <= _RATIO[1]:
        return None
    return float(today.smile.vol(spec.strike)) * ratio, day


def option_price(spec: ContractSpec, now: ClosingMarket, vol: float) -> black76.Greeks | None:
    """Black-76 of an option at a volatility on the day's own forward, in display units."""
    assert spec.expiry is not None
    assert spec.strike is not None
    key = (spec.root, spec.expiry)
    if key not in now.market.slices:
        return None
    one = now.market.slices[key]
    raw = black76.greeks(one.forward, spec.strike, one.t, vol, one.discount, int(spec.right or 0))
    return black76.display_units(raw)

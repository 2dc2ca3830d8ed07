"""The quoted price of a contract in a snapshot, or None: never a guess."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hedging.engine.book import ContractSpec, InstrumentKind
from hedging.engine.market import MarketSnapshot
from hedging.maths.types import Right


class Quote(NamedTuple):
    """Bid and ask in points; NaN where a side is absent."""

    bid: float
    ask: float

    @property
    def mid(self) -> float | None:
        """Mid of a two-sided, uncrossed quote; half the ask when nothing is bid; else None."""
        if not np.isfinite(self.ask) or not np.isfinite(self.bid) or self.ask < self.bid:
            return None
        return (self.bid + self.ask) / 2


def option_quote(spec: ContractSpec, market: MarketSnapshot) -> Quote | None:
    """The contract's bid and ask, or None when the snapshot does not list it."""
    if spec.expiry is None or spec.strike is None:
        return None
    key = (spec.root, spec.expiry)
    if key not in market.slices:
        return None
    expiry = market.slices[key]
    at = int(np.searchsorted(expiry.strikes, spec.strike))
    if at >= len(expiry.strikes) or expiry.strikes[at] != spec.strike:
        return None
    if spec.right is Right.CALL:
        return Quote(float(expiry.call_bid[at]), float(expiry.call_ask[at]))
    return Quote(float(expiry.put_bid[at]), float(expiry.put_ask[at]))


def quote_mid(spec: ContractSpec, market: MarketSnapshot) -> float | None:
    """Mid quote in points of an option, settlement of a VX future, level of a share; else None."""
    if spec.kind is InstrumentKind.FUTURE and spec.expiry is not None:
        return market.vx_settle(spec.expiry)
    if spec.kind is InstrumentKind.SHARE:
        level = market.levels.get(spec.symbol)
        return level.value if level else None
    quote = option_quote(spec, market)
    return quote.mid if quote else None

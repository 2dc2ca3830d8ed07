"""The engine's view of the market at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from hedging.engine.book import Settlement
from hedging.maths.arrays import Floats
from hedging.maths.smile import Smile


class Flag(StrEnum):
    """How trustworthy or fresh a number is; shown wherever the number is shown."""

    LIVE = "live"
    DELAYED = "delayed"
    EOD = "eod"
    MODELLED = "modelled"
    SIMULATED = "simulated"


class ForwardSource(StrEnum):
    """Where an expiry's forward came from: quotes first, then spot and rates, or between VX futures."""

    VX_FUTURE = "vx_future"
    PARITY = "parity"
    CARRY = "carry"
    VX_CURVE = "vx_curve"


@dataclass(frozen=True, slots=True, eq=False)
class ExpirySlice:
    """One expiry of one root: quotes, forward and fitted smile.

    Arrays share one shape (strikes of this expiry, ascending); a missing quote is NaN. Prices
    and strikes are in points; ``t`` is years (ACT/365) to the settlement moment ``settles_at``, counted from
    the quotes. ``quoted_at`` is set where the figures behind a modelled slice are older than that.
    """

    underlying: str
    root: str
    expiry: date
    settlement: Settlement
    settles_at: datetime
    t: float
    forward: float
    discount: float
    forward_source: ForwardSource
    strikes: Floats
    call_bid: Floats
    call_ask: Floats
    put_bid: Floats
    put_ask: Floats
    smile: Smile
    flag: Flag
    quoted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class VXPoint:
    """One VX contract on the curve: settlement in points; volume and open interest if known."""

    expiry: date
    settle: float
    t: float
    volume: int | None = None
    open_interest: int | None = None


@dataclass(frozen=True, slots=True)
class IndexLevel:
    """A level of an index with the date it belongs to and where it came from."""

    symbol: str
    value: float
    as_of: datetime
    source: str
    flag: Flag


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class MarketSnapshot:
    """Everything the engine may know at ``as_of``; unknown is absent or None, never a default.

    ``slices`` is keyed by (root, expiry) and may answer for listed expiries it does not name when iterated:
    those without quotes, flagged as modelled; ``levels`` by symbol (SPX, VIX, VIX9D, VIX3M, VVIX,
    SKEW, VXX ...); ``rate`` is a continuously compounded annual rate or None.
    """

    snapshot_id: str
    as_of: datetime
    spot: float | None
    levels: Mapping[str, IndexLevel]
    vx_curve: tuple[VXPoint, ...]
    slices: Mapping[tuple[str, date], ExpirySlice]
    rate: float | None
    flags: frozenset[Flag]
    content_hash: str

    def vx_settle(self, expiry: date) -> float | None:
        """Settlement of the VX contract with this expiry, in points; None when not on the curve."""
        return next((point.settle for point in self.vx_curve if point.expiry == expiry), None)

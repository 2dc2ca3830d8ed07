"""What an expired contract is worth: its official settlement where it is known, else nothing is said.

PM contracts (SPXW) settle on the official SPX close of the expiry date, AM contracts on their special
opening quotation: SET for SPX, VRO for VIX and VX (Cboe contract specifications). A spot, an intraday
quote or a later level is never taken instead.
"""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

from hedging.engine.book import ContractSpec, InstrumentKind, Settlement
from hedging.engine.market import Flag, MarketSnapshot

_NEW_YORK = ZoneInfo("America/New_York")
_AM_AT, _PM_AT = time(9, 30), time(16, 0)
#: Symbol of the level that settles (underlying, settlement).
_SYMBOLS = {
    ("SPX", Settlement.PM): "SPX",
    ("SPX", Settlement.AM): "SET",
    ("VIX", Settlement.AM): "VRO",
    ("VX", Settlement.AM): "VRO",
}


def has_expired(spec: ContractSpec, as_of: datetime) -> bool:
    """Whether the settlement moment has passed: 09:30 (AM) or 16:00 (PM) New York time.

    A PM contract on an early close is called expired three hours late; until then it is only unlisted.
    """
    if spec.expiry is None:
        return False
    local = as_of.astimezone(_NEW_YORK)
    if local.date() != spec.expiry:
        return local.date() > spec.expiry
    return local.time() >= (_AM_AT if spec.settlement is Settlement.AM else _PM_AT)


def settlement_level(spec: ContractSpec, market: MarketSnapshot) -> float | None:
    """The official level that settles an expired contract, in points; None while it is not known."""
    level = market.levels.get(_SYMBOLS.get((spec.underlying, spec.settlement), ""))
    if level is None or spec.expiry is None or level.flag not in {Flag.EOD, Flag.SIMULATED}:
        return None
    local = level.as_of.astimezone(_NEW_YORK)
    if local.date() != spec.expiry or level.source != "daily close":
        return None
    return level.value


def settled_value(spec: ContractSpec, level: float) -> float:
    """Intrinsic value in points of an option, the level itself of a future."""
    if spec.kind is not InstrumentKind.OPTION or spec.strike is None or spec.right is None:
        return level
    return max(int(spec.right) * (level - spec.strike), 0.0)

"""Series no public source here has: which symbols signals look for when a user supplies them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hedging.engine.history.series import S
from hedging.engine.signals.types import SignalKey as K


@dataclass(frozen=True, slots=True)
class SuppliedSeries:
    """A series a user may load as ``date,value`` under ``symbol``; ``signals`` read it."""

    symbol: str
    title: str
    unit: str
    signals: tuple[K, ...]
    note: str = ""


SUPPLIED: Final = (
    SuppliedSeries(
        S.PCF, "S&P 500, price over cash flow", "ratio", (K.PCF_DIVERGENCE, K.RV_COLLAPSE),
        "Falling over 63 sessions counts as compression.",
    ),
    SuppliedSeries(
        S.PE, "S&P 500, price over earnings", "ratio", (K.PE_DIVERGENCE,),
        "Takes the place of the ratio made from Shiller's file (SHILLER:P, SHILLER:E).",
    ),
    SuppliedSeries(
        S.CAP_BREADTH, "Market-cap breadth", "% or ratio, above zero", (K.CAP_BREADTH,),
        "Such as the share of capitalisation above its 200-day mean; a fall over 63 sessions is a narrowing.",
    ),
    SuppliedSeries(
        S.REIT, "REITs, total return or adjusted close", "price, every session", (K.REIT_STRESS,),
        "More than 5 points behind SPX over 63 sessions is stress.",
    ),
    SuppliedSeries(
        S.FOREIGN_10Y, "10-year government yield abroad", "% a year", (K.FOREIGN_DIFFERENTIAL,),
        "Compared with DGS10; daily or monthly.",
    ),
    SuppliedSeries(
        S.SPREAD, "SPX options near the money, bid-ask width", "% of mid", (K.SPX_SPREAD,),
        "Measured from stored SPX chains; a supplied value fills days without one.",
    ),
    SuppliedSeries(
        S.ADVANCES, "Advancing issues", "count, every session", (K.AD_LINE, K.AD_DIVERGENCE),
        "With declines in one file named breadth: date,advances,declines.",
    ),
    SuppliedSeries(
        S.DECLINES, "Declining issues", "count, every session", (K.AD_LINE, K.AD_DIVERGENCE),
        "See advances.",
    ),
)  # fmt: skip

"""The thresholds and look-backs of all signals, each with where it comes from."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any, cast

PROPOSED = "proposed"


def _from(default: Any, provenance: str, note: str) -> Any:
    """A field with its provenance; Any, so that mypy reads the declared type."""
    return field(default=default, metadata={"provenance": provenance, "note": note})


@dataclass(frozen=True, slots=True)
class SignalParams:
    """Parameters of signals and regimes; a ruleset fills them, these defaults are the method's.

    Percent and percentage points are written as such (35 is 35); ``backwardation`` alone is an exact
    Decimal share, because 20.6/20.0 - 1 equals it and must not fire. S0 to S4 are the method's sources,
    "proposed" marks what they leave open.
    """

    rsi_period: int = _from(14, "method 3", "Wilder's look-back, sessions")
    macd_fast: int = _from(12, "method 3", "sessions")
    macd_slow: int = _from(26, "method 3", "sessions")
    macd_signal: int = _from(9, "method 3", "sessions")
    rsi_vix_below: float = _from(35.0, "S0", "RSI of VIX, strict")
    rsi_spx_below: float = _from(35.0, "S4", "RSI of SPX, strict")
    iv_above: float = _from(18.0, "S0", "SPX 30-day implied volatility, %, strict")
    backwardation_above: Decimal = _from(Decimal("0.03"), "S4", "M1/M2 - 1")  # noqa: RUF009 a field
    expiry_window_first: int = _from(7, "S4", "calendar days before a major expiration")
    expiry_window_last: int = _from(10, "S4", "calendar days before a major expiration")
    vix_expiry_is_major: bool = _from(False, PROPOSED, "VIX expirations beside third Fridays")
    macd_divergence_closes: int = _from(3, PROPOSED, "closes on which both histograms share a sign")
    collapse_ratio_fall: float = _from(20.0, PROPOSED, "fall of RV10/IV30 in 10 sessions, %, at least")
    collapse_evidence: int = _from(1, PROPOSED, "k of the three further signs")
    collapse_needs_ratio: bool = _from(True, PROPOSED, "the fall of RV10/IV30 is required as well")
    shift_closes: int = _from(3, PROPOSED, "closes in backwardation")
    shift_vix_above: float = _from(20.0, PROPOSED, "VIX, strict")
    macro_stable_pp: float = _from(0.1, PROPOSED, "CPI and PPI within, percentage points")
    rv_range_window: int = _from(20, PROPOSED, "sessions of the Yang-Zhang estimator")
    high_quantile: float = _from(0.90, PROPOSED, "VVIX and SKEW count as high from here, one year")
    divergence_window: int = _from(63, PROPOSED, "sessions in which highs are compared")
    divergence_fresh: int = _from(5, PROPOSED, "SPX's high is at most so many sessions old")
    divergence_lag: int = _from(10, PROPOSED, "and the A/D line's high older by at least so many")
    fomc_soon_days: int = _from(5, PROPOSED, "calendar days before a decision")
    fomc_after_days: int = _from(10, PROPOSED, "calendar days after a decision")
    reer_window: int = _from(60, PROPOSED, "months of the z-score")
    reer_stress_z: float = _from(2.0, PROPOSED, "absolute z-score, at least")
    reer_vol_window: int = _from(24, PROPOSED, "months of REER volatility")
    valuation_lag: int = _from(63, PROPOSED, "sessions over which P/E, P/CF and breadth are compared")
    reit_lag_pp: float = _from(5.0, PROPOSED, "REITs behind SPX over that lag, percentage points")
    open_interest_below: float = _from(100_000.0, PROPOSED, "contracts, all VX months")
    spx_spread_above: float = _from(5.0, PROPOSED, "bid-ask of SPX options, % of mid")
    quick_ratio_below: float = _from(1.0, PROPOSED, "cash and bills over margin and obligations")
    max_age_days: int = _from(5, PROPOSED, "a daily value older than this is unknown")
    expansion_vix_above: float = _from(20.0, PROPOSED, "VIX at the start of an expansion, strict")
    expansion_ratio: float = _from(1.25, PROPOSED, "VIX over its median at the start, at least")
    expansion_median: int = _from(21, PROPOSED, "sessions of that median, before the day")
    exit_median: int = _from(63, PROPOSED, "sessions of the median an expansion must fall below")
    exit_ratio: float = _from(0.95, PROPOSED, "VIX over that median at the end, below")
    exit_vix_below: float = _from(30.0, PROPOSED, "no expansion ends above this VIX")
    exit_closes: int = _from(5, PROPOSED, "closes that must agree before an expansion ends")
    persistent_closes: int = _from(3, "S2", "closes of expansion before it may persist")
    long_expansion_closes: int = _from(
        21, PROPOSED, "an expansion this long persists without REER or breadth"
    )
    shift_exit_closes: int = _from(5, PROPOSED, "closes out of backwardation before a shift is over")
    compressed_enter: float = _from(0.25, PROPOSED, "VIX's percentile of one year, at most")
    compressed_exit: float = _from(0.40, PROPOSED, "and above this it is over")
    calm_closes: int = _from(3, PROPOSED, "closes that must agree to enter or leave the quiet regimes")

    def __post_init__(self) -> None:
        for name in ("macd_divergence_closes", "shift_closes", "exit_closes", "calm_closes", "max_age_days"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        if not 0 < self.macd_fast < self.macd_slow:
            raise ValueError("macd_fast must lie below macd_slow")
        if self.expiry_window_first > self.expiry_window_last:
            raise ValueError("expiry_window_first must not exceed expiry_window_last")
        if self.compressed_enter > self.compressed_exit:
            raise ValueError("compressed_enter must not exceed compressed_exit")


def provenance(name: str) -> str:
    """Where the default of a parameter comes from."""
    return next(cast("str", f.metadata["provenance"]) for f in fields(SignalParams) if f.name == name)

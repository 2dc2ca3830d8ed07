"""What a signal says, and what a day's signals and regime look like to policy and pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class SignalKey(StrEnum):
    """Every signal of the method. The value is its stable name in JSON, rulesets and URLs."""

    RSI_VIX = "rsi_vix"
    RSI_SPX = "rsi_spx"
    MACD_SPX = "macd_spx"
    MACD_VIX = "macd_vix"
    MACD_DIVERGENCE = "macd_divergence"
    IV30 = "iv30"
    RV5 = "rv5"
    RV10 = "rv10"
    RV20 = "rv20"
    RV_RANGE = "rv_range"
    RV_IV = "rv_iv"
    RV_IV_CHANGE_10 = "rv_iv_change_10"
    VIX = "vix"
    BACKWARDATION = "backwardation"
    CONTANGO = "contango"
    VX_SLOPE = "vx_slope"
    VX_SHAPE = "vx_shape"
    ROLL_YIELD = "roll_yield"
    VIX_VIX3M = "vix_vix3m"
    VIX9D_VIX = "vix9d_vix"
    VVIX = "vvix"
    SKEW = "skew"
    AD_LINE = "ad_line"
    AD_DIVERGENCE = "ad_divergence"
    DAYS_TO_FOMC = "days_to_fomc"
    DAYS_SINCE_FOMC = "days_since_fomc"
    CPI_SURPRISE = "cpi_surprise"
    PPI_SURPRISE = "ppi_surprise"
    GDP_CHANGE = "gdp_change"
    MACRO_STABLE = "macro_stable"
    REER = "reer"
    REER_Z = "reer_z"
    REER_VOL = "reer_vol"
    RATE_DIFFERENTIAL = "rate_differential"
    FOREIGN_DIFFERENTIAL = "foreign_differential"
    POST_FOMC_NARROWING = "post_fomc_narrowing"
    CAP_BREADTH = "cap_breadth"
    PE_DIVERGENCE = "pe_divergence"
    PCF_DIVERGENCE = "pcf_divergence"
    REIT_STRESS = "reit_stress"
    VX_OPEN_INTEREST = "vx_open_interest"
    SPX_SPREAD = "spx_spread"
    QUICK_RATIO = "quick_ratio"
    DAYS_TO_MAJOR_EXPIRY = "days_to_major_expiry"
    RV_COLLAPSE = "rv_collapse"
    REGIME_SHIFT = "regime_shift"


class SignalState(StrEnum):
    """Unknown is its own answer and never counts as off."""

    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal on one day.

    ``value`` in ``unit`` (None: unknown, or the signal is a yes or no without a figure); ``threshold`` is
    the rule in words and figures, such as "< 35"; ``distance`` is how far the value is from switching, in
    ``unit`` (negative: beyond it), None where that has no meaning. ``since`` is the first day of the
    present run of the state; an unknown day ends a run. ``as_of`` is the day its newest input belongs to
    (of several inputs the oldest of these), ``age_days`` calendar days from there to the day asked for.
    ``source`` names the series; ``reason`` says why it is unknown or stale.
    """

    key: SignalKey
    label: str
    value: float | None
    unit: str
    threshold: str
    state: SignalState
    since: date | None
    source: str
    as_of: date | None
    age_days: int | None
    stale: bool = False
    distance: float | None = None
    reason: str = ""
    provenance: str = ""


class Regime(StrEnum):
    """The market's state, one for each day."""

    CALM = "calm"
    COMPRESSED = "compressed"
    RV_COLLAPSE = "rv_collapse"
    ISOLATED_EXPANSION = "isolated_expansion"
    PERSISTENT_EXPANSION = "persistent_expansion"
    REGIME_SHIFT = "regime_shift"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RegimeDay:
    """The regime of one day, the first day of its present run, and the readable reasons."""

    day: date
    regime: Regime
    since: date
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SignalDay:
    """Everything known at the close of ``day``. Each SignalKey is present, unknown ones included.

    ``alerts`` are doubts about the data themselves, such as two signals that exclude each other.
    """

    day: date
    signals: Mapping[SignalKey, Signal]
    regime: RegimeDay
    alerts: tuple[str, ...] = ()

    def value(self, key: SignalKey) -> float | None:
        """The signal's figure; None is unknown."""
        return self.signals[key].value

    def on(self, key: SignalKey) -> bool | None:
        """Whether the signal is on; None is unknown, which never counts."""
        state = self.signals[key].state
        return None if state is SignalState.UNKNOWN else state is SignalState.ON

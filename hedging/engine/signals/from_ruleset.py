"""Signal parameters as a ruleset sets them."""

from __future__ import annotations

from decimal import Decimal

from hedging.engine.rulesets.types import Ruleset
from hedging.engine.signals.inputs import DIGITS
from hedging.engine.signals.params import SignalParams


def signal_params(ruleset: Ruleset) -> SignalParams:
    """The ruleset's thresholds; what it does not set keeps the method's default.

    The backwardation share goes through its shortest text, so that 0.03 stays exactly 3%; settlements are
    compared with six decimals of it.
    """
    first, last = ruleset.parameters["layers.window_days"].span or (7, 10)
    return SignalParams(
        rsi_vix_below=ruleset.number("signals.rsi_vix_low"),
        rsi_spx_below=ruleset.number("signals.rsi_spx_low"),
        iv_above=ruleset.number("signals.iv_floor"),
        backwardation_above=Decimal(str(round(ruleset.number("signals.backwardation_min"), 6))),
        expiry_window_first=round(first),
        expiry_window_last=round(last),
        vix_expiry_is_major=ruleset.on("signals.vix_expiry_is_major"),
        shift_closes=ruleset.whole("regime.closes"),
        shift_vix_above=ruleset.number("regime.vix_above"),
        macro_stable_pp=ruleset.number("macro.stable_points"),
        collapse_ratio_fall=round(ruleset.number("collapse.rv_fall") * 100, DIGITS),
        collapse_evidence=ruleset.whole("collapse.confirmations"),
        collapse_needs_ratio=ruleset.on("collapse.require_rv_fall"),
        fomc_soon_days=ruleset.whole("layers.event_days"),
        fomc_after_days=ruleset.whole("collapse.fomc_days"),
        persistent_closes=ruleset.whole("expansion.closes"),
        quick_ratio_below=ruleset.number("liquidity.min_quick_ratio"),
    )

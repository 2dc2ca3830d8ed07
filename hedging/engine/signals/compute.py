"""All signals and regimes of a history at once."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import numpy as np

from hedging.engine.history.series import MarketHistory, S
from hedging.engine.signals.breadth import breadth_columns, spread
from hedging.engine.signals.curve import VXCurve, backwardation, curve_columns, open_interest, shown_levels
from hedging.engine.signals.expiries import days_to_major_expiry
from hedging.engine.signals.frame import ON, UNKNOWN, SignalColumn, SignalFrame
from hedging.engine.signals.inputs import (
    DIGITS,
    DatedValues,
    SignalInputs,
    all_of,
    count_on,
    oldest,
    run_length,
    states,
)
from hedging.engine.signals.macro import macro_columns, yes_or_no
from hedging.engine.signals.params import PROPOSED, SignalParams
from hedging.engine.signals.prices import price_columns, ratio_changes
from hedging.engine.signals.regimes import RegimeInputs, regimes
from hedging.engine.signals.types import SignalKey as K
from hedging.maths import indicators

_RSI_CONFLICT = (
    "RSI of VIX and of SPX are both below their thresholds: calm and stress at once. Check the closes."
)

Columns = Mapping[K, SignalColumn]


def compute_signals(history: MarketHistory, params: SignalParams | None = None) -> SignalFrame:
    """Every signal and the regime of every session, each from what was known at its close.

    A history cut at a day (``known_at``) gives the same rows up to that day. Series that are absent
    make their signals unknown.
    """
    inputs = SignalInputs(history, params or SignalParams())
    with np.errstate(invalid="ignore", divide="ignore"):
        return _frame(inputs)


def _frame(inputs: SignalInputs) -> SignalFrame:
    curve = VXCurve(inputs)
    columns = {
        column.key: column
        for column in (
            *price_columns(inputs),
            *curve_columns(inputs, curve),
            open_interest(inputs, curve),
            *breadth_columns(inputs),
            spread(inputs),
            *macro_columns(inputs),
            days_to_major_expiry(inputs),
            _quick_ratio(inputs),
        )
    }
    columns[K.RV_COLLAPSE] = _collapse(inputs, columns)
    inverted, _, _ = backwardation(curve, Decimal(0))
    curve_known = np.isfinite(columns[K.BACKWARDATION].values)
    columns[K.REGIME_SHIFT] = _shift(inputs, columns, inverted, curve_known)
    walked = regimes(_regime_inputs(inputs, columns, states(inverted, ~curve_known)), inputs.params)
    both = (columns[K.RSI_VIX].state == ON) & (columns[K.RSI_SPX].state == ON)
    alerts = {int(at): (_RSI_CONFLICT,) for at in np.flatnonzero(both)}
    ordered = {key: columns[key] for key in K}
    shown = shown_levels(inputs, curve)
    return SignalFrame(inputs.days, ordered, walked, alerts, shown, inputs.history.sessions)


def _quick_ratio(inputs: SignalInputs) -> SignalColumn:
    level = inputs.params.quick_ratio_below
    return inputs.column(
        K.QUICK_RATIO,
        "Account quick ratio",
        inputs.nothing(),
        unit="ratio",
        threshold=f"< {level:g}",
        source="the account",
        provenance=f"S2, S3; level {PROPOSED}",
        why_unknown="It belongs to an account, not to the market.",
    )


def _collapse(inputs: SignalInputs, columns: Columns) -> SignalColumn:
    """RSI(VIX) low while implied stays high, realized falling faster than implied, and k further signs."""
    p = inputs.params
    ratio, realized, implied = ratio_changes(inputs)
    unknown = np.isnan(columns[K.RV_IV_CHANGE_10].values)
    # Implied fell less than realized: down 10% against down 40%; a rise is no fall at all.
    deep = np.round(ratio.values + p.collapse_ratio_fall, DIGITS) <= 0
    slower = deep & (implied.values > realized.values)
    faster_fall = states(slower, unknown)
    mandatory = [columns[K.RSI_VIX].state, columns[K.IV30].state]
    if p.collapse_needs_ratio:
        mandatory.append(faster_fall)
    signs = [columns[key].state for key in (K.PCF_DIVERGENCE, K.MACD_DIVERGENCE, K.POST_FOMC_NARROWING)]
    enough = count_on(*signs) >= p.collapse_evidence
    # Unknown signs do not count; without enough known ones the answer is no, not unknown.
    state = all_of(*mandatory, states(enough, np.zeros(len(inputs), dtype=bool)))
    rule = f"RSI(VIX) < {p.rsi_vix_below:g}, IV30 > {p.iv_above:g}"
    if p.collapse_needs_ratio:
        rule += f", RV10/IV30 down ≥ {p.collapse_ratio_fall:g}% in 10 sessions with IV30 falling less"
    return yes_or_no(
        inputs,
        K.RV_COLLAPSE,
        "Realized-vol collapse",
        state,
        oldest(DatedValues(ratio.values, columns[K.RSI_VIX].as_of), ratio),
        threshold=f"{rule}, and {p.collapse_evidence} of P/CF, MACD divergence, post-FOMC narrowing",
        source="SPX and VIX closes, P/CF, rates, releases",
        provenance=f"S0; measure {PROPOSED}",
        why_unknown="RSI of VIX, implied or realized volatility is unknown.",
    )


def _shift(inputs: SignalInputs, columns: Columns, inverted: np.ndarray, known: np.ndarray) -> SignalColumn:
    """Backwardation above zero on the last closes and VIX above its level."""
    p = inputs.params
    closes = run_length(inverted & known)
    # Unknown when an unknown close within the window could complete the run.
    possible = run_length(inverted | ~known) >= p.shift_closes
    run = states(closes >= p.shift_closes, possible & (closes < p.shift_closes))
    state = all_of(run, columns[K.VIX].state)
    return yes_or_no(
        inputs,
        K.REGIME_SHIFT,
        "Confirmed regime shift",
        state,
        np.where(known, inputs.days, columns[K.VIX].as_of),
        threshold=f"M1 > M2 for {p.shift_closes} closes and VIX > {p.shift_vix_above:g}",
        source="VX settlements, VIX close",
        provenance=f"S4; method 8, {PROPOSED}",
        why_unknown="The VX curve of the last closes is unknown and VIX does not decide it.",
    )


def _before(values: np.ndarray, window: int) -> np.ndarray:
    """Median of the ``window`` entries before each; NaN where one of them is unknown."""
    out = np.full(len(values), np.nan)
    if len(values) > window:
        seen = np.lib.stride_tricks.sliding_window_view(values[:-1], window)
        out[window:] = np.median(seen, axis=1)
    return out


def _regime_inputs(inputs: SignalInputs, columns: Columns, backwardated: np.ndarray) -> RegimeInputs:
    p = inputs.params
    vix = columns[K.VIX].values
    percentile = inputs.apply(S.VIX, lambda x: indicators.percentile_rank(x, indicators.TRADING_DAYS))
    # One of two signs is enough; unknown only matters when the other is not on.
    reer, cap = columns[K.REER_Z].state, columns[K.CAP_BREADTH].state
    on = (reer == ON) | (cap == ON)
    stress = states(on, ~on & (reer == UNKNOWN) & (cap == UNKNOWN))
    return RegimeInputs(
        days=inputs.days,
        vix=vix,
        jump=vix / _before(vix, p.expansion_median),
        settled=vix / _before(vix, p.exit_median),
        backwardated=backwardated,
        shift=columns[K.REGIME_SHIFT].state,
        collapse=columns[K.RV_COLLAPSE].state,
        stress=stress,
        macro_stable=columns[K.MACRO_STABLE].state,
        percentile=percentile.values,
        rv_iv=columns[K.RV_IV].values,
    )

"""Signals of the index closes: RSI, MACD, implied and realized volatility, ratios of VIX tenors."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from hedging.engine.history.series import S
from hedging.engine.signals.frame import SignalColumn
from hedging.engine.signals.inputs import DatedValues, SignalInputs, above, below, run_length
from hedging.engine.signals.params import PROPOSED
from hedging.engine.signals.types import SignalKey as K
from hedging.maths import indicators
from hedging.maths.arrays import Floats

METHOD = "method 3"
YEAR = indicators.TRADING_DAYS


def price_columns(inputs: SignalInputs) -> list[SignalColumn]:
    """Every signal that needs closes of SPX, VIX and their kin only."""
    return [
        *_momentum(inputs),
        macd_divergence(inputs),
        *_volatility(inputs),
        *_ratios(inputs),
        *_high_levels(inputs),
    ]


def _momentum(inputs: SignalInputs) -> list[SignalColumn]:
    p = inputs.params
    found = []
    for key, symbol, level, origin in (
        (K.RSI_VIX, S.VIX, p.rsi_vix_below, "S0"),
        (K.RSI_SPX, S.SPX, p.rsi_spx_below, "S4"),
    ):
        figures = inputs.apply(symbol, partial(indicators.rsi, period=p.rsi_period))
        on, distance = below(figures.values, level)
        found.append(
            inputs.column(
                key,
                f"RSI of {symbol}",
                figures,
                unit="points",
                threshold=f"< {level:g}",
                source=inputs.source(symbol),
                provenance=f"{origin}; Wilder {p.rsi_period}",
                why_unknown=f"Needs {p.rsi_period + 1} closes of {symbol} that move.",
                on=on,
                distance=distance,
            )
        )
    for key, symbol, rises in ((K.MACD_SPX, S.SPX, False), (K.MACD_VIX, S.VIX, True)):
        figures = inputs.apply(symbol, lambda close: indicators.macd(
            close, p.macd_fast, p.macd_slow, p.macd_signal)[2])  # fmt: skip
        on, distance = (above if rises else below)(figures.values, 0.0)
        found.append(
            inputs.column(
                key,
                f"MACD of {symbol}, line less signal",
                figures,
                unit="points",
                threshold="> 0 (line above its signal)" if rises else "< 0 (line below its signal)",
                source=inputs.source(symbol),
                provenance=f"{METHOD}; {p.macd_fast}/{p.macd_slow}/{p.macd_signal}",
                why_unknown=f"Needs {p.macd_slow + p.macd_signal - 1} closes of {symbol}.",
                on=on,
                distance=distance,
            )
        )
    return found


def macd_divergence(inputs: SignalInputs) -> SignalColumn:
    """SPX against the volatility term structure: both MACD histograms on the same side of zero.

    A rising SPX normally comes with a falling front end against the back (VIX/VIX3M; M1/M2 where VIX3M
    has no history), so their histograms have opposite signs. The figure counts the closes in a row on
    which they agree; it fires from ``macd_divergence_closes`` on.
    """
    p = inputs.params

    def histogram(values: Floats) -> Floats:
        return indicators.macd(values, p.macd_fast, p.macd_slow, p.macd_signal)[2]

    spx = inputs.apply(S.SPX, histogram)
    by_index = inputs.apply_joined((S.VIX, S.VIX3M), lambda vix, vix3m: histogram(vix / vix3m))
    by_future = _futures_ratio(inputs, histogram)
    use_index = np.isfinite(by_index.values) & ~inputs.too_old(by_index, p.max_age_days)
    term = np.where(use_index, by_index.values, by_future.values)
    as_of = np.minimum(spx.as_of, np.where(use_index, by_index.as_of, by_future.as_of))
    known = np.isfinite(spx.values) & np.isfinite(term)
    agree = known & (np.sign(spx.values) == np.sign(term))
    count = np.where(known, run_length(agree).astype(np.float64), np.nan)
    on, distance = above(count, p.macd_divergence_closes - 1)
    return inputs.column(
        K.MACD_DIVERGENCE,
        "MACD divergence, SPX against the volatility term structure",
        DatedValues(count, as_of),
        unit="closes",
        threshold=f"≥ {p.macd_divergence_closes} closes with both histograms on one side",
        source="SPX and VIX/VIX3M, before its history M1/M2",
        provenance=f"S0; definition {PROPOSED}",
        why_unknown="Needs SPX and either VIX3M or VX settlements over the look-back.",
        on=on,
        distance=distance + 1,
    )


def _futures_ratio(inputs: SignalInputs, histogram: Callable[[Floats], Floats]) -> DatedValues:
    months = inputs.vx.months()
    ratio = months.settle[:, 0] / months.settle[:, 1]
    known = np.isfinite(ratio)
    if not known.any():
        return inputs.nothing()
    days = months.days[known]
    return inputs.figures(days, days, histogram(ratio[known]))


def _volatility(inputs: SignalInputs) -> list[SignalColumn]:
    p = inputs.params
    iv = inputs.plain(S.VIX)
    on, distance = above(iv.values, p.iv_above)
    columns = [
        inputs.column(
            K.IV30,
            "SPX implied volatility, 30 days",
            iv,
            unit="% a year",
            threshold=f"> {p.iv_above:g}",
            source=inputs.source(S.VIX),
            provenance="S0; the VIX close is the 30-day figure",
            why_unknown="No VIX close.",
            on=on,
            distance=distance,
        )
    ]
    for key, period in ((K.RV5, 5), (K.RV10, 10), (K.RV20, 20)):
        figures = inputs.apply(S.SPX, partial(indicators.realized_vol, period=period))
        columns.append(
            _realized(inputs, key, f"Realized volatility, {period} days, close to close", figures, iv)
        )
    columns.append(
        _realized(inputs, K.RV_RANGE, f"Realized volatility, {p.rv_range_window} days, Yang-Zhang range",
                  _range_vol(inputs), iv)
    )  # fmt: skip
    return columns


def _realized(
    inputs: SignalInputs, key: K, label: str, figures: DatedValues, iv: DatedValues
) -> SignalColumn:
    level = np.where(inputs.too_old(iv, inputs.params.max_age_days), np.nan, iv.values)
    on, distance = above(figures.values, level)
    ranged = key is K.RV_RANGE
    return inputs.column(
        key,
        label,
        figures,
        unit="% a year",
        threshold="> implied {0}",
        source=inputs.source(S.SPX),
        provenance=f"{METHOD}; rule {PROPOSED}",
        why_unknown=(
            "Open, high and low of SPX are not usable over the window."
            if ranged
            else "Needs the closes of the window, and VIX to compare with."
        ),
        on=on,
        distance=distance,
        levels=(level,),
    )


def _range_vol(inputs: SignalInputs) -> DatedValues:
    bars = inputs.history.bars.get(S.SPX)
    if bars is None or not len(bars):
        return inputs.nothing()
    keep = np.isin(bars.days, inputs.history.sessions)
    values = indicators.yang_zhang(
        bars.open[keep], bars.high[keep], bars.low[keep], bars.close[keep], inputs.params.rv_range_window
    )
    return inputs.figures(bars.days[keep], bars.days[keep], values)


def _ratio_of_vols(close: Floats, vix: Floats) -> Floats:
    return indicators.realized_vol(close, 10) / vix


def _changed(values: Floats, lag: int) -> Floats:
    """Relative change in percent, with NaN let through."""
    out = np.full(len(values), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        out[lag:] = 100 * (values[lag:] / values[:-lag] - 1)
    return np.where(np.isfinite(out), out, np.nan)


def ratio_changes(inputs: SignalInputs) -> tuple[DatedValues, DatedValues, DatedValues]:
    """Ten-session changes in percent of RV10/IV30, of RV10 and of IV30, on common days."""
    pair = (S.SPX, S.VIX)
    ratio = inputs.apply_joined(pair, lambda spx, vix: _changed(_ratio_of_vols(spx, vix), 10))
    realized = inputs.apply_joined(pair, lambda spx, _: _changed(indicators.realized_vol(spx, 10), 10))
    implied = inputs.apply_joined(pair, lambda _, vix: _changed(vix, 10))
    return ratio, realized, implied


def _ratios(inputs: SignalInputs) -> list[SignalColumn]:
    p = inputs.params
    rv_iv = inputs.apply_joined((S.SPX, S.VIX), _ratio_of_vols)
    on, distance = above(rv_iv.values, 1.0)
    columns = [
        inputs.column(
            K.RV_IV,
            "Realized over implied, RV10/IV30",
            rv_iv,
            unit="ratio",
            threshold="> 1",
            source="SPX and VIX closes",
            provenance=f"{METHOD}; rule {PROPOSED}",
            why_unknown="Needs 11 closes of SPX and VIX.",
            on=on,
            distance=distance,
        )
    ]
    change, _, _ = ratio_changes(inputs)
    fall = -p.collapse_ratio_fall
    distance = np.round(change.values - fall, 9)
    with np.errstate(invalid="ignore"):
        on = distance <= 0
    columns.append(
        inputs.column(
            K.RV_IV_CHANGE_10,
            "Change of RV10/IV30 in 10 sessions",
            change,
            unit="%",
            threshold=f"≤ {fall:g}".replace("-", "−"),
            source="SPX and VIX closes",
            provenance=f"{METHOD}; rule {PROPOSED}",
            why_unknown="Needs 21 closes of SPX and VIX.",
            on=on,
            distance=distance,
        )
    )
    for key, label, top, bottom in (
        (K.VIX_VIX3M, "VIX over VIX3M", S.VIX, S.VIX3M),
        (K.VIX9D_VIX, "VIX9D over VIX", S.VIX9D, S.VIX),
    ):
        figures = inputs.apply_joined((top, bottom), lambda a, b: a / b)
        on, distance = above(figures.values, 1.0)
        columns.append(
            inputs.column(
                key,
                label,
                figures,
                unit="ratio",
                threshold="> 1",
                source=f"{top} and {bottom} closes",
                provenance=f"{METHOD}; rule {PROPOSED}",
                why_unknown=f"No common close of {top} and {bottom}.",
                on=on,
                distance=distance,
            )
        )
    return columns


def _high_levels(inputs: SignalInputs) -> list[SignalColumn]:
    p = inputs.params
    vix = inputs.plain(S.VIX)
    on, distance = above(vix.values, p.shift_vix_above)
    columns = [
        inputs.column(
            K.VIX,
            "VIX",
            vix,
            unit="points",
            threshold=f"> {p.shift_vix_above:g}",
            source=inputs.source(S.VIX),
            provenance=f"method 8, {PROPOSED}",
            why_unknown="No VIX close.",
            on=on,
            distance=distance,
        )
    ]
    for key, symbol in ((K.VVIX, S.VVIX), (K.SKEW, S.SKEW)):
        figures = inputs.plain(symbol)
        level = inputs.apply(symbol, lambda x: indicators.rolling_quantile(x, YEAR, p.high_quantile))
        on, distance = above(figures.values, level.values)
        columns.append(
            inputs.column(
                key,
                str(symbol),
                figures,
                unit="points",
                threshold=f"> {{0}} ({p.high_quantile:.0%} quantile of one year)",
                source=inputs.source(symbol),
                provenance=f"{METHOD}; rule {PROPOSED}",
                why_unknown=f"Needs a {symbol} close and {YEAR} sessions to compare with.",
                on=on,
                distance=distance,
                levels=(level.values,),
            )
        )
    return columns

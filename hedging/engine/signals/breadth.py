"""Signals of breadth and valuation: the A/D line, capitalisation breadth, P/E, P/CF, REITs."""

from __future__ import annotations

import numpy as np

from hedging.engine.history.series import S
from hedging.engine.signals.frame import SignalColumn
from hedging.engine.signals.inputs import DatedValues, SignalInputs, above, below, lagged
from hedging.engine.signals.params import PROPOSED
from hedging.engine.signals.types import SignalKey as K
from hedging.maths import indicators
from hedging.maths.arrays import Floats

_BREADTH = "NYSE, after its end one stock universe"


def breadth_columns(inputs: SignalInputs) -> list[SignalColumn]:
    """The A/D line with its means and divergence, and what depends on supplied series."""
    return [*_ad_columns(inputs), *_valuation(inputs), _reit(inputs)]


def ad_line(inputs: SignalInputs) -> tuple[np.ndarray, np.ndarray, Floats] | None:
    """Days, the day each was known, and the line: the running sum of 100·(A−D)/(A+D).

    Ratios instead of counts, because the number of listed issues grew fivefold and the two sources
    count different universes. The official NYSE count is taken while it lasts.
    """
    parts = []
    for up, down in ((S.NYSE_ADVANCES, S.NYSE_DECLINES), (S.ADVANCES, S.DECLINES)):
        found = inputs.joined(up, down)
        if found is not None:
            days, known, (advances, declines) = found
            moved = advances + declines > 0
            parts.append((days[moved], known[moved], ((advances - declines) / (advances + declines))[moved]))
    if not parts:
        return None
    days, known, net = parts[0]
    for more, more_known, more_net in parts[1:]:
        later = more > days[-1]
        days = np.concatenate([days, more[later]])
        known = np.concatenate([known, more_known[later]])
        net = np.concatenate([net, more_net[later]])
    return days, known, 100 * np.cumsum(net)


def _ad_columns(inputs: SignalInputs) -> list[SignalColumn]:
    p = inputs.params
    line = ad_line(inputs)
    if line is None:
        figures, fast, slow, older = (inputs.nothing() for _ in range(4))
        spx_age = inputs.nothing()
    else:
        days, known, values = line
        figures = inputs.figures(days, known, values)
        fast = inputs.figures(days, known, indicators.ema(values, 10))
        slow = inputs.figures(days, known, indicators.ema(values, 21))
        older = inputs.figures(days, known, indicators.sessions_since_high(values, p.divergence_window))
        spx_age = inputs.apply(S.SPX, lambda x: indicators.sessions_since_high(x, p.divergence_window))
    on, distance = below(fast.values, slow.values)
    lag = older.values - spx_age.values
    with np.errstate(invalid="ignore"):
        fires = (lag >= p.divergence_lag) & (spx_age.values <= p.divergence_fresh)
    return [
        inputs.column(
            K.AD_LINE,
            "Advance-decline line, ratio-adjusted",
            figures,
            unit="points",
            threshold="10-day EMA {0} < 21-day EMA {1}",
            source=_BREADTH,
            provenance=f"method 3; rule {PROPOSED}",
            why_unknown="No advances and declines, or fewer than 21 days of them.",
            on=on,
            distance=distance,
            levels=(fast.values, slow.values),
        ),
        inputs.column(
            K.AD_DIVERGENCE,
            "Divergence of SPX and the A/D line",
            DatedValues(lag, np.minimum(figures.as_of, spx_age.as_of)),
            unit="sessions",
            threshold=(
                f"≥ {p.divergence_lag} sessions between the {p.divergence_window}-session highs of the A/D "
                f"line and of SPX, SPX's at most {p.divergence_fresh} old"
            ),
            source=f"SPX, {_BREADTH}",
            provenance=f"S1, S4; definition {PROPOSED}",
            why_unknown=f"Needs {p.divergence_window} sessions of SPX and of advances and declines.",
            on=fires,
        ),
    ]


def _over(inputs: SignalInputs, symbol: str, *, traded: bool) -> DatedValues:
    """Change in percent of what was known against what was known ``valuation_lag`` sessions before."""
    now = inputs.plain(symbol, traded=traded)
    before = lagged(now.values, inputs.params.valuation_lag)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = 100 * (now.values / before - 1)
    return DatedValues(np.where(np.isfinite(value), value, np.nan), now.as_of)


def _valuation(inputs: SignalInputs) -> list[SignalColumn]:
    p = inputs.params
    spx = _over(inputs, S.SPX, traded=True)
    months = f"{p.valuation_lag} sessions"
    found = []
    for key, symbol, label, what in (
        (K.CAP_BREADTH, S.CAP_BREADTH, "Market-cap breadth", "narrows"),
        (K.PCF_DIVERGENCE, S.PCF, "P/CF compression", "compresses"),
    ):
        figures = _over(inputs, symbol, traded=False)
        on, distance = below(figures.values, 0.0)
        found.append(
            inputs.column(
                key,
                f"{label}, change over {months}",
                figures,
                unit="%",
                threshold=f"< 0 ({what})",
                source=inputs.source(symbol),
                provenance=f"S0, S1; rule {PROPOSED}",
                why_unknown=f"No series {symbol} is loaded far enough back; it is supplied by the user.",
                on=on,
                distance=distance,
                max_age=130,
                late_days=75,
            )
        )
    pe = _over(inputs, S.PE, traded=False)
    on, distance = below(pe.values, 0.0)
    with np.errstate(invalid="ignore"):
        on &= spx.values > 0
    found.append(
        inputs.column(
            K.PE_DIVERGENCE,
            f"P/E divergence, change over {months}",
            pe,
            unit="%",
            threshold="< 0 while SPX rose (SPX {0}%)",
            source=inputs.source(S.PE),
            provenance=f"S1; rule {PROPOSED}",
            why_unknown=f"No P/E known {months} back, or no SPX close then.",
            on=on,
            distance=distance,
            levels=(spx.values,),
            max_age=220,
            late_days=130,
        )
    )
    return found


def _reit(inputs: SignalInputs) -> SignalColumn:
    """REITs against SPX over the lag: the difference of their returns."""
    p = inputs.params
    lag = p.valuation_lag

    def relative(reit: Floats, spx: Floats) -> Floats:
        return 100 * (indicators.change(reit, lag) - indicators.change(spx, lag))

    figures = inputs.apply_joined((S.REIT, S.SPX), relative)
    on, distance = below(figures.values, -p.reit_lag_pp)
    return inputs.column(
        K.REIT_STRESS,
        f"REITs against SPX over {lag} sessions",
        figures,
        unit="pp",
        threshold=f"< −{p.reit_lag_pp:g}",
        source=inputs.source(S.REIT),
        provenance=f"S3; rule {PROPOSED}",
        why_unknown=f"Needs {lag + 1} sessions of a REIT series and SPX.",
        on=on,
        distance=distance,
    )


def spread(inputs: SignalInputs) -> SignalColumn:
    """Bid-ask spread of SPX options near the money, 30 days ahead, as the chains of the session quote it."""
    p = inputs.params
    figures = inputs.plain(S.SPREAD)
    on, distance = above(figures.values, p.spx_spread_above)
    return inputs.column(
        K.SPX_SPREAD,
        "SPX option spread near the money, 30 days",
        figures,
        unit="% of mid",
        threshold=f"> {p.spx_spread_above:g} (wide)",
        source=inputs.source(S.SPREAD),
        provenance=f"S2, S3; rule {PROPOSED}",
        why_unknown=f"No SPX option chain is stored near this day, nor a series {S.SPREAD}.",
        on=on,
        distance=distance,
    )

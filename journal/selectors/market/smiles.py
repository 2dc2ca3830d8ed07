"""The smile of one expiry as a chart: quotes' vols and our fit."""

from __future__ import annotations

from typing import Any

import numpy as np

from hedging.engine.market import ExpirySlice
from hedging.engine.pricing.quotes import quoted_vols
from hedging.maths.smile import SmileModel

_MODELLED_REACH = (-3.0, 2.5)  # deviations σ√T drawn where nothing is quoted
_SHORT = 1.0 / 365


def smile_table(chart: dict[str, Any]) -> dict[str, Any]:
    """The chart's quotes by strike, beside the fit there."""
    fit, *sides = (dict(series["data"]) for series in chart["series"])
    if not sides:
        rows = [(f"{k:.2f}", f"{vol:.2f}") for k, vol in list(fit.items())[::8]]
        return {"head": ["Strike", "Modelled, %"], "rows": rows, "numeric_first": True}
    grid, vols = np.array(list(fit)), np.array(list(fit.values()))
    quoted = [
        (
            f"{k:g}",
            *(f"{side[k]:.2f}" if k in side else None for side in sides),
            f"{np.interp(k, grid, vols):.2f}",
        )
        for k in sorted(set().union(*sides))
    ]
    return {
        "head": ["Strike", "Bid vol, %", "Ask vol, %", "Our fit, %"],
        "rows": quoted,
        "numeric_first": True,
    }


def smile_chart(expiry: ExpirySlice) -> dict[str, Any] | None:
    """Bid and ask vols of out-of-the-money quotes, and the smile, in percent.

    Without quotes the modelled smile alone; None when neither is known.
    """
    quotes = quoted_vols(expiry)
    quoted = len(quotes.strike) > 0
    if not quoted and (expiry.smile.model is SmileModel.UNKNOWN or not np.isfinite(expiry.forward)):
        return None
    low, high = (quotes.strike.min(), quotes.strike.max()) if quoted else _reach(expiry)
    grid = np.linspace(low, high, 160)

    def pairs(strikes: Any, vols: Any) -> list[list[float]]:
        return [
            [float(k), round(float(v) * 100, 3)] for k, v in zip(strikes, vols, strict=True) if np.isfinite(v)
        ]

    series: list[dict[str, Any]] = [
        {"name": "our fit" if quoted else "modelled", "data": pairs(grid, expiry.smile.vol(grid))}
    ]
    if quoted:
        series += [
            {"name": "bid", "data": pairs(quotes.strike, quotes.bid), "points": True},
            {"name": "ask", "data": pairs(quotes.strike, quotes.ask), "points": True},
        ]
    return {
        "series": series,
        "x_label": "strike",
        "y_label": "implied volatility, %",
    }


def _reach(expiry: ExpirySlice) -> tuple[float, float]:
    """Strikes to draw around the forward of an expiry without quotes."""
    deviation = float(expiry.smile.vol(expiry.forward)) * np.sqrt(max(expiry.t, _SHORT))
    low, high = (expiry.forward * float(np.exp(z * deviation)) for z in _MODELLED_REACH)
    return low, high

"""The smile of one expiry as a chart: quotes' vols and our fit."""

from __future__ import annotations

from typing import Any

import numpy as np

from hedging.engine.market import ExpirySlice
from hedging.engine.quotes import quoted_vols


def smile_chart(expiry: ExpirySlice) -> dict[str, Any] | None:
    """Bid and ask vols of out-of-the-money quotes, and the fitted smile, in percent."""
    quotes = quoted_vols(expiry)
    if not len(quotes.strike):
        return None
    grid = np.linspace(quotes.strike.min(), quotes.strike.max(), 160)

    def pairs(strikes: Any, vols: Any) -> list[list[float]]:
        return [
            [float(k), round(float(v) * 100, 3)] for k, v in zip(strikes, vols, strict=True) if np.isfinite(v)
        ]

    return {
        "series": [
            {"name": "our fit", "data": pairs(grid, expiry.smile.vol(grid))},
            {"name": "bid", "data": pairs(quotes.strike, quotes.bid), "points": True},
            {"name": "ask", "data": pairs(quotes.strike, quotes.ask), "points": True},
        ],
        "x_label": "strike",
        "y_label": "implied volatility, %",
    }

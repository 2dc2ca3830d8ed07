"""Known defects of market series, as rules on arrays and on single values."""

from __future__ import annotations

from datetime import date

import numpy as np

from hedging.engine.history.series import Days, S
from hedging.maths.arrays import Floats

#: Series that exist only on exchange sessions.
SESSION_SERIES = frozenset({S.SPX, S.VIX, S.VIX9D, S.VIX3M, S.VVIX, S.SKEW, S.VXX, S.REIT})
#: Vendors carried the previous close as SPX's open before this day.
SPX_OPEN_FROM = date(2008, 1, 1)
#: No contract ever settled this low: files hold 1.0 where nothing was settled.
VX_LOWEST = 5
#: VX prices and final settlements before this day were quoted at ten times today's scale.
VX_RESCALED_FROM = date(2007, 3, 26)
#: VVIX was back-filled with bad prints in its first year.
VVIX_BAD_YEAR, VVIX_RANGE = 2006, (40.0, 250.0)


def usable(symbol: str, days: Days, close: Floats, sessions: Days) -> np.ndarray:
    """Which rows of a series may be used: finite, above zero and on a session where that must hold."""
    keep: np.ndarray = np.isfinite(close)
    if symbol in SESSION_SERIES:
        keep &= close > 0
        if len(sessions):
            outside = (days < sessions[0]) | (days > sessions[-1])
            keep &= outside | np.isin(days, sessions)
    if symbol == S.VVIX:
        bad_year = days.astype("datetime64[Y]") == np.datetime64(str(VVIX_BAD_YEAR), "Y")
        keep &= ~(bad_year & ((close < VVIX_RANGE[0]) | (close > VVIX_RANGE[1])))
    return keep


def repaired(
    symbol: str, days: Days, bar: tuple[Floats, Floats, Floats, Floats]
) -> tuple[Floats, Floats, Floats, Floats]:
    """(open, high, low, close) with unusable prices as NaN.

    Unusable are SPX opens before 2008, opens outside the range, and a range that does not hold the close.
    """
    opened, high, low, close = (np.array(part, dtype=np.float64) for part in bar)
    if symbol == S.SPX:
        opened[days < np.datetime64(SPX_OPEN_FROM, "D")] = np.nan
    opened[(opened < low) | (opened > high)] = np.nan
    wrong = (close < low) | (close > high)
    high[wrong] = low[wrong] = np.nan
    return opened, high, low, close

"""Rules that keep known defects of market files out; each drop is counted under its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal

from hedging.providers.formats.tables import BarRow
from hedging.selectors.calendar import FIRST_DAY, LAST_DAY, is_session

#: Series that exist only on exchange sessions.
SESSION_SERIES = {"SPX", "VIX", "VIX9D", "VIX3M", "VVIX", "SKEW", "VXX"}
#: Vendors carried the previous close as SPX's open before this day.
SPX_OPEN_FROM = date(2008, 1, 1)
#: VVIX was back-filled with bad prints in its first year.
VVIX_RANGE = (Decimal(40), Decimal(250))


def clean_bars(rows: Iterable[BarRow], dropped: Counter[str]) -> list[BarRow]:
    """Bars that may be stored; impossible ones are dropped, unusable prices are blanked."""
    kept: list[BarRow] = []
    for row in rows:
        reason = _reason(row)
        if reason:
            dropped[reason] += 1
            continue
        kept.append(_repaired(row, dropped))
    return kept


def _reason(row: BarRow) -> str | None:
    if row.symbol in SESSION_SERIES:
        if row.close <= 0:
            return "price not above zero"
        if FIRST_DAY <= row.day <= LAST_DAY and not is_session(row.day):
            return "not an exchange session"
    if row.symbol == "VVIX" and row.day.year == 2006 and not VVIX_RANGE[0] <= row.close <= VVIX_RANGE[1]:
        return "VVIX 2006 print out of range"
    return None


def _repaired(row: BarRow, dropped: Counter[str]) -> BarRow:
    if row.symbol == "SPX" and row.day < SPX_OPEN_FROM and row.open is not None:
        dropped["SPX open before 2008 blanked"] += 1
        row = replace(row, open=None)
    low, high = row.low, row.high
    if low is not None and high is not None:
        if row.open is not None and not low <= row.open <= high:
            dropped["open outside high-low blanked"] += 1
            row = replace(row, open=None)
        if not low <= row.close <= high:
            dropped["high-low does not hold the close: blanked"] += 1
            row = replace(row, high=None, low=None)
    return row

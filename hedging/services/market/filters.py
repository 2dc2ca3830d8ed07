"""Rules that keep known defects of market files out; each drop is counted under its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from hedging.engine.history.rules import (
    SESSION_SERIES,
    SPX_OPEN_FROM,
    VVIX_BAD_YEAR,
    VVIX_RANGE,
    VX_LOWEST,
    VX_RESCALED_FROM,
)
from hedging.engine.history.series import S
from hedging.providers.formats.tables import BarRow, VXRow
from hedging.selectors.calendar import FIRST_DAY, LAST_DAY, is_session

#: No contract of 2004 to 2007 settled above a third of this in today's points.
_TEN_TIMES_FROM = 80


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


def clean_vx(rows: Iterable[VXRow], dropped: Counter[str]) -> list[VXRow]:
    """Settlements in today's points: files from before 26 March 2007 may quote ten times that."""
    kept: list[VXRow] = []
    for row in rows:
        if row.day < VX_RESCALED_FROM and row.settle >= _TEN_TIMES_FROM:
            dropped["VX before 26 March 2007 quoted at ten times today's scale: divided"] += 1
            kept.append(
                replace(
                    row,
                    settle=round(row.settle / 10, 4),
                    open=_tenth(row.open),
                    high=_tenth(row.high),
                    low=_tenth(row.low),
                    close=_tenth(row.close),
                )
            )
        elif row.settle < VX_LOWEST:
            dropped[f"VX settlement below {VX_LOWEST}: a placeholder, no price"] += 1
        else:
            kept.append(row)
    return kept


def _tenth(price: Decimal | None) -> Decimal | None:
    return None if price is None else round(price / 10, 4)


def _reason(row: BarRow) -> str | None:
    if row.symbol in SESSION_SERIES:
        if row.close <= 0:
            return "price not above zero"
        if FIRST_DAY <= row.day <= LAST_DAY and not is_session(row.day):
            return "not an exchange session"
    low, high = VVIX_RANGE
    if row.symbol == S.VVIX and row.day.year == VVIX_BAD_YEAR and not low <= row.close <= high:
        return "VVIX 2006 print out of range"
    return None


def _repaired(row: BarRow, dropped: Counter[str]) -> BarRow:
    if row.symbol == S.SPX and row.day < SPX_OPEN_FROM and row.open is not None:
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

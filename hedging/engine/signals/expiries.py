"""Days to the next major expiration: third Fridays and quarter ends, VIX expirations if wanted."""

from __future__ import annotations

from typing import Final

import numpy as np

from hedging.engine.history.series import CalendarEventKind, Days, MarketHistory
from hedging.engine.signals.frame import SignalColumn
from hedging.engine.signals.inputs import DatedValues, SignalInputs
from hedging.engine.signals.params import PROPOSED
from hedging.engine.signals.types import SignalKey as K

_DAY: Final = np.timedelta64(1, "D")
_FRIDAY: Final = 1  # day 0 of datetime64, 1970-01-01, was a Thursday


def third_fridays(first: np.datetime64, last: np.datetime64) -> Days:
    """Third Fridays of the months from ``first`` to ``last``."""
    months = np.arange(first.astype("datetime64[M]"), last.astype("datetime64[M]") + 1)
    starts = months.astype("datetime64[D]")
    to_friday = (_FRIDAY - starts.astype("int64")) % 7
    found: Days = starts + to_friday + 14
    return found


def quarter_ends(first: np.datetime64, last: np.datetime64) -> Days:
    """Last calendar days of the quarters from ``first`` to ``last``."""
    months = np.arange(first.astype("datetime64[M]"), last.astype("datetime64[M]") + 1)
    closing = months[(months.astype("int64") % 12 + 1) % 3 == 0]
    found: Days = (closing + 1).astype("datetime64[D]") - _DAY
    return found


def major_expiries(history: MarketHistory, first: np.datetime64, last: np.datetime64, *, vix: bool) -> Days:
    """Major expirations between two days, each on the session on or before its date."""
    named = np.concatenate([third_fridays(first, last), quarter_ends(first, last)])
    sessions = history.sessions
    if len(sessions):
        inside = (named >= sessions[0]) & (named <= sessions[-1])
        named[inside] = sessions[np.searchsorted(sessions, named[inside], side="right") - 1]
    if vix:
        named = np.concatenate([named, history.events.days(CalendarEventKind.VIX_EXPIRY)])
    return np.unique(named.astype("datetime64[D]"))


def days_to_major_expiry(inputs: SignalInputs) -> SignalColumn:
    """Calendar days to a major expiration; on inside the window, both ends included.

    Two expirations can lie close together: the one inside the window counts, else the next.
    """
    p, days = inputs.params, inputs.days
    if not len(days):
        value = np.empty(0)
    else:
        found = major_expiries(
            inputs.history, days[0], days[-1] + np.timedelta64(120, "D"), vix=p.vix_expiry_is_major
        )
        nearest = (found[np.searchsorted(found, days)] - days) / _DAY
        window = days + np.timedelta64(p.expiry_window_first, "D")
        inside = (found[np.searchsorted(found, window)] - days) / _DAY
        value = np.where(inside <= p.expiry_window_last, inside, nearest)
    on = (value >= p.expiry_window_first) & (value <= p.expiry_window_last)
    return inputs.column(
        K.DAYS_TO_MAJOR_EXPIRY,
        "Days to a major expiration",
        DatedValues(value, days),
        unit="days",
        threshold=f"{p.expiry_window_first} to {p.expiry_window_last}",
        source="exchange calendar: third Fridays and quarter ends",
        provenance=f"S4; which are major {PROPOSED}",
        why_unknown="No expiration ahead is in the calendar.",
        on=on,
        distance=np.maximum(p.expiry_window_first - value, value - p.expiry_window_last),
    )

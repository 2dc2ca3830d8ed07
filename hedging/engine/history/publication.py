"""From which close on a published figure is known, when its file does not say.

The rules are estimates on the late side: figures that come out after a period are dated by the release
calendar where it names the period, else by the usual lag. Everything else is known at its own close.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time

import numpy as np

from hedging.engine.history.series import CalendarEventKind, Days, Events, S


@dataclass(frozen=True, slots=True)
class Rule:
    """``after_period``: months the observation covers, 0 for a day; ``lag``: calendar days after its end.

    ``release`` names the calendar events whose period dates the figure; ``at`` is the hour in New York.
    """

    after_period: int = 0
    lag: int = 0
    release: CalendarEventKind | None = None
    at: time = time(8, 30)


_NEXT_SESSION = Rule(at=time(9, 0))
#: Series published later than their own close.
RULES: dict[str, Rule] = {
    S.DTB3: _NEXT_SESSION,  # H.15 and Treasury, the evening of the day or the next morning
    S.DGS10: _NEXT_SESSION,
    S.DFF: _NEXT_SESSION,  # New York Fed, 9:00 the next business day
    S.SOFR: _NEXT_SESSION,  # New York Fed, 8:00 the next business day
    S.CPI: Rule(1, 16, CalendarEventKind.CPI),
    S.CPI_CORE: Rule(1, 16, CalendarEventKind.CPI),
    S.PPI: Rule(1, 18, CalendarEventKind.PPI),
    S.GDP: Rule(3, 30, CalendarEventKind.GDP),  # the advance estimate
    S.REER: Rule(1, 20),
    S.SP500_PRICE: Rule(1, 1),
    S.SP500_EARNINGS: Rule(1, 90),  # a quarter's earnings are complete about three months later
    "SHILLER:D": Rule(1, 90),
    "SHILLER:CPI": Rule(1, 16, CalendarEventKind.CPI),
    "SHILLER:GS10": Rule(1, 1),
    S.CAPE: Rule(1, 30),
}
#: Files of these hold today's revision of the past, not what was printed then.
LATER_VINTAGE = frozenset({S.CPI, S.CPI_CORE, S.PPI, S.GDP, S.REER, S.SP500_EARNINGS, S.CAPE, S.PE, S.REIT})
_MONTHS = {
    name: number
    for number, name in enumerate(
        (
            "january", "february", "march", "april", "may", "june",
            "july", "august", "september", "october", "november", "december",
        ),
        start=1,
    )
}  # fmt: skip


def session_from(days: Days, sessions: Days, *, after: bool = False) -> Days:
    """The session on each day or the next one; strictly later with ``after``; beyond the calendar as is."""
    if not len(sessions):
        return days
    at = np.searchsorted(sessions, days, side="right" if after else "left")
    inside = (at < len(sessions)) & (days >= sessions[0])
    found: Days = np.where(inside, sessions[np.minimum(at, len(sessions) - 1)], days)
    return found


def known_days(symbol: str, days: Days, sessions: Days, events: Events) -> Days:
    """First sessions at whose close observations of ``days`` were public, by rule."""
    rule = RULES.get(symbol)
    if rule is None:
        return session_from(days, sessions)
    if not rule.after_period:
        return session_from(days, sessions, after=rule is _NEXT_SESSION)
    months = days.astype("datetime64[M]")
    ends = (months + rule.after_period).astype("datetime64[D]") - 1
    published = ends + rule.lag
    if rule.release is not None:
        released = releases(events, rule.release)
        for at, month in enumerate(months):
            published[at] = released.get(str(month), published[at])
    return session_from(published, sessions)


def releases(events: Events, kind: str) -> dict[str, np.datetime64]:
    """Release day by the period it reports, ``YYYY-MM``; the first release of a period counts."""
    found: dict[str, np.datetime64] = {}
    for event in events.of(kind):
        words = event.period.lower().split()
        if len(words) == 2 and words[0] in _MONTHS and words[1].isdigit():
            found.setdefault(f"{int(words[1]):04d}-{_MONTHS[words[0]]:02d}", np.datetime64(event.day, "D"))
    return found

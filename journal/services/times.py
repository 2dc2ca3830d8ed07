"""Fill times: entered in New York time, stored in UTC, with the exchange session beside it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hedging.selectors.calendar import (
    CalendarRangeError,
    is_session,
    next_session,
    session_date,
)
from journal.services.errors import RuleError

#: Evening trading (global trading hours, from 20:15 ET) belongs to the next session.
_EVENING_HOUR = 20
_CLOCK_TOLERANCE = timedelta(minutes=5)


def local_time(naive: datetime, zone: str = "America/New_York") -> datetime:
    """Attach a zone to a wall-clock time; a time the clock skipped or showed twice is refused."""
    tz = ZoneInfo(zone)
    early, late = naive.replace(tzinfo=tz, fold=0), naive.replace(tzinfo=tz, fold=1)
    if early.utcoffset() != late.utcoffset():
        back = early.astimezone(ZoneInfo("UTC")).astimezone(tz).replace(tzinfo=None)
        kind = "twice" if back == naive else "not at all"
        raise RuleError(
            f"{naive:%Y-%m-%d %H:%M} happened {kind} when the clocks changed; give another time.",
            "filled_at",
        )
    return early


def fill_session(moment: datetime, *, now: datetime) -> date:
    """The exchange session a fill belongs to; raises RuleError for impossible moments."""
    if moment > now + _CLOCK_TOLERANCE:
        raise RuleError("The fill time is in the future.", "filled_at")
    day = session_date(moment)
    try:
        if moment.astimezone(ZoneInfo("America/New_York")).hour >= _EVENING_HOUR:
            return next_session(day)
        trading = is_session(day)
    except CalendarRangeError:
        raise RuleError("The fill time is outside the years this journal covers.", "filled_at") from None
    if not trading:
        raise RuleError(f"{day:%A %Y-%m-%d} is not a trading day.", "filled_at")
    return day

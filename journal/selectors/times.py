"""Fill times: entered in New York time, stored in UTC, with the exchange session beside it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hedging.selectors.calendar import NEW_YORK, CalendarRangeError, is_session
from journal.errors import RuleError

#: From here on trading belongs to the next session: VX reopens at 18:00 ET, SPX and VIX options at
#: 20:15 ET, on the evening before each session (Sunday's before Monday's).
_EVENING_HOUR = 18
_CLOCK_TOLERANCE = timedelta(minutes=5)
_OUTSIDE = "The fill time is outside the years this journal covers."


def local_time(naive: datetime) -> datetime:
    """Attach New York's zone to a wall-clock time; a time the clock skipped or showed twice is refused."""
    tz = NEW_YORK
    early, late = naive.replace(tzinfo=tz, fold=0), naive.replace(tzinfo=tz, fold=1)
    if early.utcoffset() == late.utcoffset():
        return early
    shown = early.astimezone(UTC).astimezone(tz).replace(tzinfo=None) == naive
    raise RuleError(
        f"{naive:%Y-%m-%d %H:%M} happened {'twice' if shown else 'not at all'} when the clocks "
        "changed; give another time.",
        "filled_at",
    )


def fill_session(moment: datetime, *, now: datetime) -> date:
    """Find the exchange session a fill belongs to; raises RuleError for impossible moments."""
    if moment > now + _CLOCK_TOLERANCE:
        raise RuleError("The fill time is in the future.", "filled_at")
    try:
        local = moment.astimezone(NEW_YORK)
        today, tomorrow = local.date(), local.date() + timedelta(days=1)
        if local.hour >= _EVENING_HOUR and is_session(tomorrow):
            return tomorrow
        trading = is_session(today)
    except (CalendarRangeError, OverflowError):
        raise RuleError(_OUTSIDE, "filled_at") from None
    if not trading:
        raise RuleError(f"{today:%A %Y-%m-%d} is not a trading day.", "filled_at")
    return today

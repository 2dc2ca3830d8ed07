"""The exchange calendar: sessions, early closes, expiries and settlement moments.

Sessions come from exchange_calendars (XNYS, which Cboe index options follow); the VIX rule is Cboe's.
Times are built in America/New_York, never with fixed offsets.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from hedging.engine.book import ContractSpec, Settlement

NEW_YORK = ZoneInfo("America/New_York")
FIRST_DAY, LAST_DAY = date(1986, 1, 2), date(2035, 12, 31)
OPEN, CLOSE, EARLY_CLOSE = time(9, 30), time(16, 0), time(13, 0)
_FRIDAY, _WEDNESDAY = 4, 2


#: The two contract months of the first year that settled a week before today's rule (CFE contract files).
_EARLY_VX = {(2004, 7): date(2004, 7, 14), (2004, 10): date(2004, 10, 13)}


class CalendarRangeError(ValueError):
    """A date outside the years the calendar knows."""


@dataclass(frozen=True, slots=True)
class _Sessions:
    days: tuple[date, ...]
    early: frozenset[date]
    known: frozenset[date]


@lru_cache(maxsize=1)
def _sessions() -> _Sessions:
    import exchange_calendars

    calendar = exchange_calendars.get_calendar("XNYS", start=FIRST_DAY.isoformat(), end=LAST_DAY.isoformat())
    days = tuple(stamp.date() for stamp in calendar.sessions)
    early = frozenset(stamp.date() for stamp in calendar.early_closes)
    return _Sessions(days, early, frozenset(days))


def _check(day: date) -> None:
    if not FIRST_DAY <= day <= LAST_DAY:
        raise CalendarRangeError(f"{day} is outside {FIRST_DAY} to {LAST_DAY}")


def is_session(day: date) -> bool:
    """Whether the exchange trades on the day."""
    return day in _sessions().known


def is_early_close(day: date) -> bool:
    """Whether the session ends at 13:00 New York time."""
    return day in _sessions().early


def session_on_or_before(day: date) -> date:
    """The day itself if it is a session, else the last one before it."""
    _check(day)
    days = _sessions().days
    return days[bisect_right(days, day) - 1]


def session_on_or_after(day: date) -> date:
    """The day itself if it is a session, else the first one after it."""
    _check(day)
    days = _sessions().days
    return days[bisect_left(days, day)]


def previous_session(day: date) -> date:
    """The last session strictly before the day."""
    return session_on_or_before(day - timedelta(days=1))


def next_session(day: date) -> date:
    """The first session strictly after the day."""
    return session_on_or_after(day + timedelta(days=1))


def sessions_between(first: date, last: date) -> tuple[date, ...]:
    """Sessions from ``first`` to ``last``, both included."""
    days = _sessions().days
    return days[bisect_left(days, first) : bisect_right(days, last)]


def opens_at(day: date) -> datetime:
    """09:30 New York time."""
    return datetime.combine(day, OPEN, NEW_YORK)


def closes_at(day: date) -> datetime:
    """16:00 New York time, 13:00 on early closes."""
    return datetime.combine(day, EARLY_CLOSE if is_early_close(day) else CLOSE, NEW_YORK)


def market_is_open(moment: datetime) -> bool:
    """Whether regular trading hours contain the moment."""
    local = moment.astimezone(NEW_YORK)
    return is_session(local.date()) and opens_at(local.date()) <= local < closes_at(local.date())


def third_friday(year: int, month: int) -> date:
    """The month's third Friday, whether or not it is a session."""
    first = date(year, month, 1)
    return first + timedelta(days=(_FRIDAY - first.weekday()) % 7 + 14)


def vix_expiry(year: int, month: int) -> date:
    """Final settlement of the month's VX future and VIX options.

    The Wednesday 30 days before the third Friday of the following month; the business day before
    when that Wednesday or that Friday is a holiday (Cboe VX contract specification).
    """
    if (year, month) in _EARLY_VX:
        return _EARLY_VX[year, month]
    following = (year + 1, 1) if month == 12 else (year, month + 1)
    friday = third_friday(*following)
    wednesday = friday - timedelta(days=30)
    _check(friday)
    if is_session(wednesday) and is_session(friday):
        return wednesday
    return previous_session(wednesday)


def vix_expiries_after(day: date, count: int) -> tuple[date, ...]:
    """The next ``count`` monthly VIX expiries strictly after the day."""
    found: list[date] = []
    year, month = day.year, day.month
    while len(found) < count:
        expiry = vix_expiry(year, month)
        if expiry > day:
            found.append(expiry)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return tuple(found)


def settles_at(spec: ContractSpec) -> datetime | None:
    """The moment that fixes the contract's value; None for shares.

    AM contracts (SPX, VIX, VX) settle on the opening prices of the expiry date, PM contracts (SPXW)
    on its close.
    """
    if spec.expiry is None:
        return None
    return settlement_moment(spec.expiry, spec.settlement)


def settlement_moment(expiry: date, settlement: Settlement) -> datetime:
    """Opening of the expiry date for AM, its close for PM."""
    return opens_at(expiry) if settlement is Settlement.AM else closes_at(expiry)


def session_date(moment: datetime) -> date:
    """The exchange date of a moment, in New York."""
    return moment.astimezone(NEW_YORK).date()

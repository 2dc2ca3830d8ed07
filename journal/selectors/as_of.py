"""The day the person looks at: now, or a past day kept in the address or the session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

from django.http import HttpRequest
from django.utils import timezone

from hedging.selectors.calendar import (
    FIRST_DAY,
    NEW_YORK,
    next_session,
    previous_session,
    session_date,
    session_on_or_before,
)

SESSION_AS_OF = "as_of"
PARAMETER = "as_of"
NOW = "now"


@dataclass(frozen=True, slots=True)
class AsOf:
    """A past day, or now when ``day`` is None. ``pinned``: the address says so, not the session."""

    day: date | None = None
    pinned: bool = False

    def __bool__(self) -> bool:
        return self.day is not None

    @property
    def moment(self) -> datetime | None:
        """The end of the day in New York: everything of that day is known. None is now."""
        return None if self.day is None else datetime.combine(self.day, time(23, 59, 59), NEW_YORK)

    @property
    def before(self) -> date | None:
        """The session before."""
        return previous_session(self.day) if self.day and self.day > FIRST_DAY else None

    @property
    def after(self) -> date | None:
        """The next session, while it lies in the past."""
        if self.day is None:
            return None
        found = next_session(self.day)
        return found if found < session_date(timezone.now()) else None


def as_of_for(request: HttpRequest) -> AsOf:
    """The day this request looks at: ``?as_of=`` first (``now`` leaves the past), else the session."""
    given = request.GET.get(PARAMETER)
    if given is not None:
        if given == NOW:
            return AsOf()
        day = past_day(given)
        if day is not None:
            return AsOf(day, pinned=True)
    return AsOf(past_day(request.session.get(SESSION_AS_OF, "")))


def past_day(text: str) -> date | None:
    """The session on or before an ISO date that lies before today and in the calendar, else None."""
    try:
        day = date.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    if not FIRST_DAY <= day < session_date(timezone.now()):
        return None
    return session_on_or_before(day)

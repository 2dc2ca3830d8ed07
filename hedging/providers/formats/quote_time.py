"""What moment a quote file speaks for."""

from __future__ import annotations

from datetime import datetime

from hedging.models import Quality
from hedging.selectors.calendar import (
    NEW_YORK,
    closes_at,
    is_session,
    market_is_open,
    opens_at,
    previous_session,
)


def quote_moment(stamp: datetime) -> tuple[datetime, Quality]:
    """(as_of, quality) of quotes downloaded at ``stamp`` (aware).

    Inside a session the quotes are the delayed ones of that moment; outside they are the close of the
    last session, so a file saved on Sunday speaks for Friday's close.
    """
    local = stamp.astimezone(NEW_YORK)
    if market_is_open(local):
        return local, Quality.DELAYED
    day = local.date()
    if not is_session(day) or local < opens_at(day):
        day = previous_session(day)
    return closes_at(day), Quality.EOD

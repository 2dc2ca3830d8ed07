"""Time to settlement in years: actual minutes over 525,600 (ACT/365)."""

from __future__ import annotations

from datetime import datetime

MINUTES_PER_YEAR = 525_600


def year_fraction(as_of: datetime, settles_at: datetime) -> float:
    """Years from ``as_of`` to ``settles_at`` (both time-zone aware), never below zero."""
    if as_of.tzinfo is None or settles_at.tzinfo is None:
        raise ValueError("times must carry their time zone")
    minutes = (settles_at - as_of).total_seconds() / 60
    return max(minutes, 0.0) / MINUTES_PER_YEAR

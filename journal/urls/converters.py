"""Path converters of the journal's routes."""

from __future__ import annotations

from datetime import date

_FIRST_YEAR, _LAST_YEAR = 1970, 2199


class DayConverter:
    """A calendar day such as 2026-11-20."""

    regex = "[0-9]{4}-[0-9]{2}-[0-9]{2}"

    def to_python(self, value: str) -> date:
        """Read the day; a ValueError makes the address unknown."""
        day = date.fromisoformat(value)
        if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
            raise ValueError
        return day

    def to_url(self, value: date) -> str:
        """Write the day."""
        return value.isoformat()

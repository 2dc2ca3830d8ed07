"""Which expiries the exchange lists for the roots the product knows."""

from __future__ import annotations

from datetime import date

from hedging.engine.book import ContractSpec
from hedging.selectors.calendar import is_session, session_on_or_before, third_friday, vix_expiry


def expiry_problem(spec: ContractSpec) -> str:
    """Say why the exchange lists no such expiry, or return an empty text.

    Raises CalendarRangeError for dates the calendar does not know.
    """
    return "" if spec.expiry is None else listing_problem(spec.root, spec.expiry)


def listing_problem(root: str, day: date) -> str:
    """As ``expiry_problem``, for a root and a date."""
    monthly = session_on_or_before(third_friday(day.year, day.month))
    if not is_session(day):
        return f"{day:%A %Y-%m-%d} is not a trading day."
    if root == "SPX" and day != monthly:
        return (
            f"SPX (AM) options of that month expire on {monthly:%Y-%m-%d}; "
            "other dates are SPXW, written (Weeklys)."
        )
    if root in {"VIX", "VX"} and day != (standard := vix_expiry(day.year, day.month)):
        what = "VIX options" if root == "VIX" else "VX futures"
        other = "; weekly ones are VIXW, written (Weeklys)" if root == "VIX" else ""
        return f"{what} of that month settle on {standard:%Y-%m-%d}{other}."
    return ""

"""Which expiries the exchange lists for the roots the product knows."""

from __future__ import annotations

from hedging.engine.book import ContractSpec
from hedging.selectors.calendar import is_session, session_on_or_before, third_friday, vix_expiry


def expiry_problem(spec: ContractSpec) -> str:
    """Say why the exchange lists no such expiry, or return an empty text.

    Raises CalendarRangeError for dates the calendar does not know.
    """
    day = spec.expiry
    if day is None:
        return ""
    monthly = session_on_or_before(third_friday(day.year, day.month))
    if not is_session(day):
        return f"{day:%A %Y-%m-%d} is not a trading day."
    if spec.root == "SPX" and day != monthly:
        return (
            f"SPX (AM) options of that month expire on {monthly:%Y-%m-%d}; "
            "other dates are SPXW, written (Weeklys)."
        )
    if spec.root in {"VIX", "VX"} and day != (standard := vix_expiry(day.year, day.month)):
        what = "VIX options" if spec.root == "VIX" else "VX futures"
        other = "; weekly ones are VIXW, written (Weeklys)" if spec.root == "VIX" else ""
        return f"{what} of that month settle on {standard:%Y-%m-%d}{other}."
    return ""

"""The VX term structure of several days as a chart, a table and plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from hedging.models import VXSettlement
from hedging.selectors.calendar import vix_expiry
from hedging.selectors.market import curve_on

MONTHS: Final = 8
THIS_DAY, WEEK_BEFORE, MONTH_BEFORE, COMPARED = "this day", "1 week before", "1 month before", "compared day"
_LATE: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class TermCurve:
    """The monthly VX contracts of one day; ``day`` is the day found, at or before the one asked for."""

    name: str
    day: date
    points: tuple[VXSettlement, ...]

    @property
    def settles(self) -> list[float]:
        """Settlements in points, M1 first."""
        return [float(point.settle) for point in self.points]


def term_curve(day: date, *, name: str = "", simulated: bool = False) -> TermCurve | None:
    """The newest curve at most a week before ``day``; None when there is none."""
    found, rows = curve_on(day, simulated=simulated)
    if found is None or day - found >= _LATE:
        return None
    monthly: dict[date, VXSettlement] = {}
    for row in rows:
        known = monthly.get(row.expiry)
        # Of two sources of one settlement the publisher's counts, as in the history.
        if row.expiry == vix_expiry(row.expiry.year, row.expiry.month) and (
            known is None or known.source == "file"
        ):
            monthly[row.expiry] = row
    points = tuple(monthly.values())[:MONTHS]
    return TermCurve(name or str(found), found, points) if points else None


def term_curves(day: date, *, compared: date | None = None, simulated: bool = False) -> list[TermCurve]:
    """The day's curve, those of a week and a month before, and one more if asked for."""
    asked = [
        ("this day", day),
        ("1 week before", day - timedelta(7)),
        ("1 month before", day - timedelta(30)),
    ]
    if compared is not None:
        asked.append(("compared day", compared))
    found = [term_curve(when, name=name, simulated=simulated) for name, when in asked]
    return [curve for curve in found if curve is not None]


def curve_chart(curves: list[TermCurve], spot: float | None) -> dict[str, Any] | None:
    """The curves as the term-structure chart reads them; the first drawn through."""
    if not curves:
        return None
    return {
        "categories": [f"M{n}" for n in range(1, max(len(c.points) for c in curves) + 1)],
        "series": [
            {"name": f"{c.name}, {c.day}", "data": c.settles, "dashed": at > 0} for at, c in enumerate(curves)
        ],
        "x_label": "monthly contract",
        "y_label": "settlement, points",
        "spot": spot,
        "spot_label": "VIX",
    }


def curve_table(curves: list[TermCurve]) -> dict[str, Any]:
    """The same figures as a table: a row a contract."""
    size = max((len(c.points) for c in curves), default=0)
    rows = []
    for at in range(size):
        cells: list[str | None] = [f"M{at + 1}"]
        for curve in curves:
            point = curve.points[at] if at < len(curve.points) else None
            cells.append(f"{point.settle:.4f} ({point.expiry})" if point else None)
        rows.append(cells)
    return {"head": ["Contract", *(f"{c.name}, {c.day}" for c in curves)], "rows": rows}


def curve_summary(curves: list[TermCurve]) -> str:
    """What the day's curve says, in a sentence."""
    if not curves:
        return "No VX settlements near this day."
    now = curves[0]
    if len(now.points) < 2:
        return f"Only one monthly VX contract has a settlement on {now.day}."
    first, second = now.points[0].settle, now.points[1].settle
    text = f"On {now.day} M1 settled at {first:.2f} and M2 at {second:.2f}: "
    if first > second:
        return text + f"backwardation of {100 * (first / second - 1):.1f}%."
    return text + (f"contango of {100 * (second / first - 1):.1f}%." if second > first else "flat.")

"""Greeks of a trade at each session's close, from the stored marks of its legs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from hedging.engine.pricing.greeks_units import POSITION_UNITS as UNITS
from hedging.engine.pricing.greeks_units import Factor, factor_of
from journal.models import DailyMark, Trade

SHOWN = ("delta", "theta", "vega")
_TITLES = {"delta": "Delta", "theta": "Theta", "vega": "Vega"}


@dataclass(frozen=True, slots=True)
class GreekHistory:
    """One Greek on one factor over the sessions, in the unit named; None where a leg's is unknown."""

    name: str
    factor: Factor
    unit: str
    days: tuple[date, ...]
    values: tuple[float | None, ...]

    @property
    def title(self) -> str:
        """Such as ``Delta on SPX``."""
        return f"{_TITLES[self.name]} on {self.factor.value}"

    @property
    def summary(self) -> str:
        """What the chart says, in words."""
        known = [value for value in self.values if value is not None]
        if not known:
            return f"{self.title} is unknown on every session."
        return (
            f"{self.title}, {self.unit}: {known[0]:+,.1f} at first, {known[-1]:+,.1f} at last, "
            f"between {min(known):+,.1f} and {max(known):+,.1f}."
        ).replace("-", "\N{MINUS SIGN}")

    @property
    def chart(self) -> dict[str, Any]:
        """Data of a ``lines`` chart."""
        return {
            "categories": [str(day) for day in self.days],
            "series": [{"name": self.title, "data": list(self.values)}],
            "group": "greeks",
        }

    @property
    def table(self) -> dict[str, Any]:
        """The chart's figures as a table."""
        rows = zip(self.days, self.values, strict=True)
        shown = [[str(day), None if v is None else f"{v:,.2f}"] for day, v in rows]
        return {"head": ["Session", f"{self.title}, {self.unit}"], "rows": shown}


def greeks_history(trade: Trade, until: date | None = None) -> list[GreekHistory]:
    """Delta, theta and vega by factor for the sessions at whose close the trade was open; two at least."""
    rows = DailyMark.objects.filter(trade=trade).exclude(quantity=0).select_related("mark", "contract")
    if until is not None:
        rows = rows.filter(day__lte=until)
    sums: dict[Factor, dict[date, dict[str, float | None]]] = {}
    for row in rows.order_by("day", "contract_id"):
        day = sums.setdefault(factor_of(row.contract.underlying), {}).setdefault(
            row.day, dict.fromkeys(SHOWN, 0.0)
        )
        for name in SHOWN:
            unit = _per_unit(row, name)
            had = day[name]
            size = row.quantity * row.contract.multiplier
            day[name] = None if unit is None or had is None else had + unit * size
    return [
        GreekHistory(
            name, factor, UNITS[factor][name], tuple(days),
            tuple(None if value[name] is None else round(value[name] or 0.0, 4) for value in days.values()),
        )
        for factor, days in sums.items()
        if len(days) > 1
        for name in SHOWN
        if any(value[name] for value in days.values())
    ]  # fmt: skip


def _per_unit(row: DailyMark, name: str) -> float | None:
    """A leg's Greek per unit by the day's mark, None where it is unknown."""
    value: float | None = getattr(row.mark, name) if row.mark is not None and row.known else None
    return value

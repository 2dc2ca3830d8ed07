"""The account's time-weighted performance, with and without its hedge, from its daily series."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from math import nan

import numpy as np

from hedging.engine.results.performance import (
    Performance,
    months,
    performance,
    session_returns,
    underwater,
    until_ruin,
)
from hedging.maths.arrays import Floats
from hedging.selectors.calendar import previous_session
from journal.models import Account, AttributionDay
from journal.selectors.cash.capital_series import CapitalSeries, capital_series


@dataclass(frozen=True, slots=True)
class MonthRow:
    """A month with and without the hedge (fractions, NaN unknown) and its P&L in dollars, flows left out."""

    year: int
    month: int
    hedged: float
    unhedged: float
    pnl: float
    sessions: int


@dataclass(frozen=True, slots=True)
class AccountPerformance:
    """Sessions with equity, returns and drawdown; *unhedged* is the same base without the hedge's P&L.

    ``equity_unhedged`` is the equity less all the hedge gained so far, in dollars. ``cut`` is
    1 − MDD hedged / MDD unhedged, None without a drawdown. ``ruined`` and ``ruined_unhedged`` are the session
    that lost all it began with, where returns end (see ``until_ruin``).
    """

    days: tuple[date, ...]
    equity: Floats
    equity_unhedged: Floats
    returns: Floats
    returns_unhedged: Floats
    hedged: Performance
    unhedged: Performance
    below: Floats
    below_unhedged: Floats
    months: tuple[MonthRow, ...]
    pnl: tuple[Decimal, ...]
    opening: float
    has_hedge: bool
    ruined: date | None = None
    ruined_unhedged: date | None = None

    @property
    def cut(self) -> float | None:
        """How much less the account fell with its hedge, a fraction of the unhedged drawdown."""
        if self.unhedged.drawdown is None or not self.has_hedge:
            return None
        return (
            1.0 - (self.hedged.drawdown.depth if self.hedged.drawdown else 0.0) / self.unhedged.drawdown.depth
        )


@dataclass(frozen=True, slots=True)
class Glance:
    """What a dashboard shows of the last year, from attributed sessions.

    P&L in dollars of the last session, the month and the year so far; ``below`` percent under the year's peak
    now, ``depth`` the deepest of it as fractions. ``quality`` says how the last session was marked (empty: by
    quotes), ``stale`` that a session has closed since. Charts as ``partials/chart.html`` takes them.
    """

    day: date
    last: Decimal
    month: Decimal
    year: Decimal
    below: float
    depth: float
    quality: str
    stale: bool
    chart: dict[str, object]
    table: dict[str, object]
    below_chart: dict[str, object]
    below_table: dict[str, object]
    days_chart: dict[str, object]
    days_table: dict[str, object]


def glance(account: Account, today: date) -> Glance | None:
    """The last year at a glance; None before the first attributed session."""
    found = account_performance(account, today - timedelta(days=365), today)
    if found is None:
        return None
    day = found.days[-1]

    def since(first: date) -> Decimal:
        return sum((p for d, p in zip(found.days, found.pnl, strict=True) if d >= first), Decimal(0))

    modelled = AttributionDay.objects.filter(account=account, day=day, modelled_legs__gt=0).exists()
    worth, worth_table = _lines(found, found.equity, found.equity_unhedged, "usd", "$")
    under, under_table = _lines(found, found.below * 100, found.below_unhedged * 100, "percent", "%")
    return Glance(
        day=day,
        last=found.pnl[-1],
        month=since(day.replace(day=1)),
        year=since(day.replace(month=1, day=1)),
        below=-float(found.below[-1]),
        depth=-float(found.below.min()),
        quality="simulated" if account.is_demo else "modelled" if modelled else "",
        stale=day < previous_session(today),
        chart=worth,
        table=worth_table,
        below_chart=under,
        below_table=under_table,
        days_chart={
            "days": [[str(d), float(p)] for d, p in zip(found.days, found.pnl, strict=True)], "unit": "pnl",
        },
        days_table={
            "head": ["Session", "P&L $"],
            "rows": [[str(d), f"{p:,.2f}"] for d, p in zip(found.days, found.pnl, strict=True)][::-1],
        },
    )  # fmt: skip


def _lines(
    found: AccountPerformance, hedged: Floats, unhedged: Floats, unit: str, sign: str
) -> tuple[dict[str, object], dict[str, object]]:
    """A linked chart of the account with and without its hedge, and its table of about 24 sessions."""
    names = [("with hedge", hedged), *([("without", unhedged)] if found.has_hedge else [])]
    chart: dict[str, object] = {
        "categories": [str(d) for d in found.days],
        "unit": unit,
        "group": "glance",
        "series": [
            {"name": name, "data": [round(float(v), 2) for v in values], "dashed": at > 0}
            for at, (name, values) in enumerate(names)
        ],
    }
    table: dict[str, object] = {
        "head": ["Session", *(f"{name} {sign}" for name, _ in names)],
        "rows": [
            [str(found.days[at]), *(f"{float(values[at]):,.2f}" for _, values in names)]
            for at in range(0, len(found.days), max(1, len(found.days) // 24))
        ],
    }
    return chart, table


def gains(series: CapitalSeries) -> Floats:
    """Each session's gain in dollars: P&L, interest and fees, without the owner's flows."""
    before = np.concatenate([[series.opening], series.equity[:-1]])
    return np.asarray(series.equity - before - series.external)


def both_returns(series: CapitalSeries) -> tuple[Floats, Floats]:
    """Session returns with and without the hedge on one capital base."""
    gain = gains(series)
    hedged = session_returns(gain, series.equity)
    base = series.equity - gain
    with np.errstate(divide="ignore", invalid="ignore"):
        unhedged = np.where(base > 0, (gain - series.groups["hedge"].pnl) / base, np.nan)
    return hedged, np.asarray(unhedged)


def account_performance(
    account: Account, date_from: date | None = None, date_to: date | None = None
) -> AccountPerformance | None:
    """Performance from ``date_from`` to ``date_to`` (sessions, both included); None without a session."""
    series = capital_series(account, date_to)
    if series is None:
        return None
    keep = np.array([date_from is None or day >= date_from for day in series.days])
    if not keep.any():
        return None
    days = tuple(day for day, wanted in zip(series.days, keep, strict=True) if wanted)
    (hedged, lost), (unhedged, lost_unhedged) = (until_ruin(each[keep]) for each in both_returns(series))
    gain, bills = gains(series)[keep], series.bills[keep]
    return AccountPerformance(
        days=days,
        equity=series.equity[keep],
        equity_unhedged=(series.equity - np.cumsum(series.groups["hedge"].pnl))[keep],
        returns=hedged,
        returns_unhedged=unhedged,
        hedged=performance(days, hedged, bills),
        unhedged=performance(days, unhedged, bills),
        below=underwater(np.nan_to_num(hedged)),
        below_unhedged=underwater(np.nan_to_num(unhedged)),
        months=_months(days, hedged, unhedged, gain),
        pnl=tuple(Decimal(f"{value:.2f}") for value in gain),
        opening=float(series.equity[keep][0] - gain[0]),
        has_hedge=bool(series.groups["hedge"].pnl[keep].any()),
        ruined=None if lost is None else days[lost],
        ruined_unhedged=None if lost_unhedged is None else days[lost_unhedged],
    )


def _months(days: tuple[date, ...], hedged: Floats, unhedged: Floats, gain: Floats) -> tuple[MonthRow, ...]:
    by_month = [{(m.year, m.month): m for m in months(days, each)} for each in (hedged, unhedged)]
    sums: dict[tuple[int, int], float] = {}
    for day, value in zip(days, gain, strict=True):
        sums[day.year, day.month] = sums.get((day.year, day.month), 0.0) + float(value)

    def row(key: tuple[int, int]) -> MonthRow:
        mine, without = (found.get(key) for found in by_month)
        return MonthRow(
            *key, mine.value if mine else nan, without.value if without else nan, sums[key],
            mine.sessions if mine else 0,
        )  # fmt: skip

    return tuple(row(key) for key in sorted(sums) if sums[key] or any(key in found for found in by_month))

"""Realized P&L by exchange session: what closing fills gained, less the fees of the day.

A closing fill gains its price over the average entry of what it closes; fees count on the day they
were paid. So the days of a closed trade add up to its realized P&L. Corrected fills and their
corrections are left out together.
"""

from __future__ import annotations

from calendar import Calendar
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from journal.models import Account, Fill, Trade, User

ZERO = Decimal(0)
#: A fill in the evening belongs to the next session, over a long weekend some days later.
_EVENINGS = timedelta(days=7)
_SHADES = ((Decimal("0.66"), "3"), (Decimal("0.33"), "2"), (ZERO, "1"))


@dataclass(slots=True)
class DayResult:
    """One session: realized P&L after fees and the fees alone, in dollars; the trades with fills."""

    day: date
    pnl: Decimal = ZERO
    fees: Decimal = ZERO
    fills: int = 0
    closed_any: bool = False
    trades: dict[UUID, Decimal] = field(default_factory=dict)


def realized_by_day(
    user: User, accounts: Sequence[Account], first: date, last: date
) -> dict[date, DayResult]:
    """Results of every session from ``first`` to ``last`` with a fill; one query."""
    rows = (
        Fill.objects.for_user(user)
        .filter(account__in=accounts, reverses=None, reversed_by=None, trade_date__lte=last)
        .filter(Q(trade__closed_at=None) | Q(trade__closed_at__date__gte=first - _EVENINGS))
        .order_by("trade_id", "executed_at", "created_at", "pk")
        .values_list(
            "trade_id", "contract_id", "contract__multiplier", "quantity", "price", "fees", "trade_date"
        )
    )
    found: dict[date, DayResult] = {}
    for trade_id, day, gain, fees, closes in _gains(rows.iterator(chunk_size=5000)):
        if day < first:
            continue
        result = found.setdefault(day, DayResult(day))
        result.pnl += gain - fees
        result.fees += fees
        result.fills += 1
        result.closed_any |= closes
        result.trades[trade_id] = result.trades.get(trade_id, ZERO) + gain - fees
    return dict(sorted(found.items()))


def _gains(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[UUID, date, Decimal, Decimal, bool]]:
    """Gain of each fill over the average entry, in dollars; rows of one trade stand together."""
    held: dict[tuple[UUID, int], tuple[int, Decimal]] = defaultdict(lambda: (0, ZERO))
    for trade_id, contract, multiplier, quantity, price, fees, day in rows:
        have, entry = held[trade_id, contract]
        closing = have * quantity < 0
        gain, after = ZERO, have + quantity
        if closing:
            closed = min(abs(quantity), abs(have)) * (1 if have > 0 else -1)
            gain = closed * (price - entry) * multiplier
            if after * have < 0:
                entry = price
        else:
            entry = (entry * abs(have) + price * abs(quantity)) / abs(after)
        held[trade_id, contract] = (after, entry)
        yield trade_id, day, gain, fees, closing


@dataclass(frozen=True, slots=True)
class CalendarCell:
    """A day of a month's grid; ``result`` is None without fills, ``css`` the shade of its size."""

    day: date
    in_month: bool
    result: DayResult | None
    css: str


def month_weeks(year: int, month: int, results: dict[date, DayResult]) -> list[list[CalendarCell]]:
    """Weeks of a month from Monday, each day with its result."""
    reach = max((abs(r.pnl) for d, r in results.items() if d.month == month), default=ZERO)
    return [
        [
            CalendarCell(day, day.month == month, results.get(day), shade(results.get(day), reach))
            for day in week
        ]
        for week in Calendar().monthdatescalendar(year, month)
    ]


def shade(result: DayResult | None, reach: Decimal) -> str:
    """The css step of a day's size against the largest of the view: n3 to n1, p1 to p3."""
    if result is None or not result.pnl or not reach:
        return ""
    share = abs(result.pnl) / reach
    step = next(step for limit, step in _SHADES if share > limit or limit == ZERO)
    return ("p" if result.pnl > 0 else "n") + step


@dataclass(frozen=True, slots=True)
class MonthSum:
    """A month's realized P&L after fees; ``up`` and ``down`` count days on which something closed."""

    month: int
    pnl: Decimal
    days: int
    up: int
    down: int


def month_sums(results: dict[date, DayResult]) -> list[MonthSum]:
    """Sums of the months with fills."""
    months: dict[int, list[DayResult]] = defaultdict(list)
    for day, result in results.items():
        months[day.month].append(result)
    return [
        MonthSum(
            month, sum((r.pnl for r in days), ZERO), len(days),
            sum(r.closed_any and r.pnl > 0 for r in days), sum(r.closed_any and r.pnl < 0 for r in days),
        )
        for month, days in sorted(months.items())
    ]  # fmt: skip


def day_trades(user: User, result: DayResult | None) -> list[tuple[Trade, Decimal]]:
    """The day's trades with what each realized that day."""
    if result is None:
        return []
    trades: QuerySet[Trade] = Trade.objects.for_user(user).select_related("account")
    rows = trades.filter(pk__in=list(result.trades)).order_by("label", "pk")
    return [(trade, result.trades[trade.pk]) for trade in rows]

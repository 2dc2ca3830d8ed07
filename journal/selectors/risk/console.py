"""The console: the newest sheet's rows, filtered and ordered as the address says, with their totals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet, Sum
from django.http import QueryDict
from django.utils import timezone

from hedging.selectors.calendar import session_date, sessions_between
from journal.models import Account, BreachCase, Measure, RiskGroup, RiskRow, RiskSheet
from journal.selectors.risk.limits import LimitBook, limit_book, use_of_limit

_TEXT_LENGTH = 80


@dataclass(frozen=True, slots=True)
class ConsoleColumn:
    """A column of the console: its name in ``?sort=``, the field it orders by, its head and unit."""

    key: str
    field: str
    text: str
    unit: str = ""


COLUMNS = (
    ConsoleColumn("account", "account__name", "Account"),
    ConsoleColumn("net_liq", "net_liq", "Net liq", "$"),
    ConsoleColumn("margin", "margin_pct", "Margin", "% of capital"),
    ConsoleColumn("fall", "fall_pct", "Stress, VIX up", "% of capital"),
    ConsoleColumn("rally", "rally_pct", "Stress, elsewhere", "% of capital"),
    ConsoleColumn("coverage", "coverage_pct", "Coverage", "% of condor loss"),
    ConsoleColumn("spx_delta", "spx_delta", "SPX Δ", "$/pt"),
    ConsoleColumn("spx_vega", "spx_vega", "SPX vega", "$/vol pt"),
    ConsoleColumn("vx_delta", "vx_delta", "VX Δ", "$/pt"),
    ConsoleColumn("theta", "theta", "Θ", "$/day"),
    ConsoleColumn("day", "day_pnl", "Day P&L", "$"),
    ConsoleColumn("month", "month_pnl", "MTD P&L", "$"),
    ConsoleColumn("drawdown", "drawdown_pct", "Drawdown", "%"),
    ConsoleColumn("share", "expiry_share_pct", "Worst expiry", "% of stress"),
    ConsoleColumn("waiting", "waiting", "Waiting"),
    ConsoleColumn("overrides", "overrides", "Overrides", "30 days"),
    ConsoleColumn("activity", "last_activity", "Last activity"),
)
SORTS = {column.key: column.field for column in COLUMNS} | {"severity": "severity"}
#: What ``?breach=`` may ask for.
BREACHES = {
    "any": Q(severity__gt=0),
    "hard": Q(severity=BreachCase.Severity.HARD),
    "soft": Q(severity=BreachCase.Severity.SOFT),
    "unknown": Q(severity=BreachCase.Severity.UNKNOWN) | Q(unknown_legs__gt=0),
    "none": Q(severity=0),
}


@dataclass(frozen=True, slots=True)
class ConsoleFilters:
    """What the console is narrowed to and how it is ordered; what cannot be read narrows nothing."""

    simulated: bool
    text: str = ""
    group: UUID | None = None
    breach: str = ""
    measure: str = ""
    sort: str = ""
    ignored: tuple[str, ...] = ()

    @classmethod
    def from_query(cls, query: QueryDict, *, simulated: bool) -> ConsoleFilters:
        """Read an address; ``simulated`` holds where it does not say which market."""
        bad = []
        market, breach, sort = query.get("market", ""), query.get("breach", ""), query.get("sort", "")
        if market not in {"", "real", "simulated"}:
            bad.append("market")
        if breach and breach not in BREACHES:
            bad.append("breach")
        if sort and sort.removeprefix("-") not in SORTS:
            bad.append("sort")
        measure = query.get("measure", "")
        if measure and measure not in Measure.values:
            bad.append("measure")
        group = None
        if text := query.get("group", ""):
            try:
                group = UUID(text)
            except ValueError:
                bad.append("group")
        return cls(
            simulated=market == "simulated" or (market != "real" and simulated),
            text=query.get("q", "").strip()[:_TEXT_LENGTH].replace("\x00", ""),
            group=group,
            breach="" if "breach" in bad else breach,
            measure="" if "measure" in bad else measure,
            sort="" if "sort" in bad else sort,
            ignored=tuple(bad),
        )


@dataclass(frozen=True, slots=True)
class KnownSum:
    """A sum over accounts in dollars, and how many of them are unknown and not in it."""

    amount: Any
    unknown: int


@dataclass(frozen=True, slots=True)
class ConsoleTotals:
    """Sums of the filtered rows."""

    accounts: int
    breaching: int
    net_liq: KnownSum
    margin: KnownSum
    fall_loss: KnownSum
    rally_loss: KnownSum
    day_pnl: KnownSum
    month_pnl: KnownSum


@dataclass(frozen=True, slots=True)
class LimitShare:
    """A figure in percent of capital, the limit that counts for it, and how much of it is used."""

    value: float | None
    limit: float | None
    used: float | None


@dataclass(frozen=True, slots=True)
class ConsoleRow:
    """A row with the use of its limits in percent, None while unknown."""

    row: RiskRow
    margin: LimitShare
    fall: LimitShare
    rally: LimitShare
    cases: tuple[BreachCase, ...]


def newest_sheet(*, simulated: bool) -> RiskSheet | None:
    """The newest look at all accounts."""
    return RiskSheet.objects.filter(simulated=simulated).order_by("-created_at", "-pk").first()


def sheet_age(sheet: RiskSheet) -> int:
    """Sessions between the sheet's market and today; 0: of today's session, or of none since."""
    return max(len(sessions_between(sheet.day, session_date(timezone.now()))) - 1, 0)


def only_simulated() -> bool:
    """Whether there is no real account: the console then shows the demo's."""
    return not Account.objects.filter(archived_at__isnull=True, is_demo=False).exists()


def console_rows(sheet: RiskSheet, filters: ConsoleFilters) -> QuerySet[RiskRow]:
    """Rows that pass the filters in the order asked for: worst first by default, unknown before figures."""
    rows = RiskRow.objects.filter(sheet=sheet).select_related("account").defer("grid")
    if filters.text:
        name = Q(account__name__icontains=filters.text) | Q(account__broker__icontains=filters.text)
        rows = rows.filter(name | Q(account__number_masked__icontains=filters.text))
    if filters.group:
        rows = rows.filter(account__risk_groups=filters.group)
    if filters.breach:
        rows = rows.filter(BREACHES[filters.breach])
    if filters.measure:
        rows = rows.filter(
            account__breach_cases__measure=filters.measure, account__breach_cases__closed_at__isnull=True
        )
    if not filters.sort:
        return rows.order_by("-severity", F("fall_pct").desc(nulls_first=True), "pk")
    field = F(SORTS[filters.sort.removeprefix("-")])
    down = filters.sort.startswith("-")
    return rows.order_by(field.desc(nulls_first=True) if down else field.asc(nulls_first=True), "pk")


def console_totals(rows: QuerySet[RiskRow]) -> ConsoleTotals:
    """Sums of what is known, and how many accounts are not in each: one query."""
    names = ("net_liq", "margin", "fall_loss", "rally_loss", "day_pnl", "month_pnl")
    sums: dict[str, Any] = {f"sum_{name}": Sum(name) for name in names}
    known: dict[str, Any] = {f"known_{name}": Count(name) for name in names}
    partial = Count("pk", filter=Q(unmargined__gt=0))
    found = rows.order_by().aggregate(
        n=Count("pk"), b=Count("pk", filter=Q(severity__gt=0)), partial=partial, **sums, **known
    )
    totals = {
        name: KnownSum(found[f"sum_{name}"] or 0, found["n"] - found[f"known_{name}"]) for name in names
    }
    totals["margin"] = KnownSum(totals["margin"].amount, found["partial"])
    return ConsoleTotals(accounts=found["n"], breaching=found["b"], **totals)


def with_limits(rows: Sequence[RiskRow]) -> list[ConsoleRow]:
    """Rows of a page with the use of their limits and their open cases: a constant number of queries."""
    book = limit_book()
    cases: dict[UUID, list[BreachCase]] = {}
    for case in BreachCase.objects.filter(closed_at__isnull=True, account__in=[r.account_id for r in rows]):
        cases.setdefault(case.account_id, []).append(case)
    return [_with_limits(row, book, tuple(cases.get(row.account_id, ()))) for row in rows]


def _with_limits(row: RiskRow, book: LimitBook, cases: tuple[BreachCase, ...]) -> ConsoleRow:
    limits = book.limits(row.account)

    def share(measure: Measure, value: float | None) -> LimitShare:
        limit = limits.get(measure)
        return LimitShare(value, limit.hard if limit else None, use_of_limit(measure, value, limit))

    return ConsoleRow(
        row, share(Measure.MARGIN, row.margin_pct), share(Measure.FALL, row.fall_pct),
        share(Measure.RALLY, row.rally_pct), cases,
    )  # fmt: skip


def groups_with_counts() -> QuerySet[RiskGroup]:
    """Groups and how many accounts each has."""
    return RiskGroup.objects.annotate(size=Count("accounts"))

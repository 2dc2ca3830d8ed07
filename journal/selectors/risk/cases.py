"""Reads of breach cases: the desk's list, one case with its history, who can work on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from journal.models import (
    RISK_GROUP,
    RISK_OFFICER_GROUP,
    BreachCase,
    BreachComment,
    Measure,
    RiskRow,
    User,
)
from journal.selectors.risk.limits import FIGURES, Limit, limit_book

_HISTORY = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class CasePage:
    """One case; ``chart`` is the figure at the last sheet of each day beside its limit, None with one day."""

    case: BreachCase
    comments: tuple[BreachComment, ...]
    limit: Limit | None
    row: RiskRow | None
    chart: dict[str, Any] | None
    table: dict[str, Any] | None


def case_list(state: str) -> QuerySet[BreachCase]:
    """Cases of the desk: open ones, unacknowledged and worst first, or closed ones, newest first."""
    rows = BreachCase.objects.select_related("account", "assignee", "acknowledged_by")
    if state == "closed":
        return rows.filter(closed_at__isnull=False).order_by("-closed_at")
    return rows.filter(closed_at__isnull=True).order_by("acknowledged_at", "-severity", "opened_at")


def case_page(case: BreachCase) -> CasePage:
    """A case with its comments, the limit that counts now and the figure's history."""
    measure = Measure(case.measure)
    rows = list(
        RiskRow.objects.filter(account=case.account, sheet__created_at__gte=timezone.now() - _HISTORY)
        .select_related("sheet")
        .defer("grid")
        .order_by("sheet__day", "sheet__pk")
    )
    by_day = {row.sheet.day: getattr(row, FIGURES[measure]) for row in rows}
    limit = limit_book().limits(case.account).get(measure)
    chart, table = _chart(measure, by_day, limit) if len(by_day) > 1 else (None, None)
    comments = tuple(case.comments.select_related("author"))
    return CasePage(case, comments, limit, rows[-1] if rows else None, chart, table)


def _chart(
    measure: Measure, by_day: dict[Any, float | None], limit: Limit | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    days = [str(day) for day in by_day]
    values = [None if value is None else round(value, 2) for value in by_day.values()]
    series: list[dict[str, Any]] = [{"name": str(measure.label), "data": values}]
    if limit is not None:
        series.append({"name": f"limit {limit.hard:g}", "data": [limit.hard] * len(days), "dashed": True})
    chart = {"categories": days, "unit": "percent", "series": series}
    return chart, {"head": ["Day", str(measure.label)], "rows": list(zip(days, values, strict=True))}


def desk_members() -> QuerySet[User]:
    """Everybody of the desk, by name."""
    of_desk = Q(groups__name__in=(RISK_GROUP, RISK_OFFICER_GROUP)) | Q(is_superuser=True)
    return User.objects.filter(of_desk, is_active=True).distinct().order_by("username")

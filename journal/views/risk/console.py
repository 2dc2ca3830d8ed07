"""The console of all accounts, the firm's picture, and what a cell of its grid is made of."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone

from journal.downloads import csv_response
from journal.models import Measure, RiskLimit, RiskRow, RiskSheet
from journal.selectors.risk.console import (
    BREACHES,
    COLUMNS,
    ConsoleFilters,
    console_rows,
    console_totals,
    groups_with_counts,
    newest_sheet,
    only_simulated,
    sheet_age,
    with_limits,
)
from journal.selectors.risk.firm import cell_of, firm_page
from journal.services.audit import audit_record
from journal.services.risk.export import console_xlsx, export_head, export_row
from journal.views.common import person
from journal.views.risk.gates import risk_only

PAGE = 50
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@risk_only
def console(request: HttpRequest) -> HttpResponse:
    """All accounts, worst first, as the address filters and orders them."""
    filters, sheet = _asked(request)
    context: dict[str, Any] = {
        "filters": filters, "sheet": sheet, "chosen": request.GET, "now": timezone.now(),
        "groups": groups_with_counts(), "breaches": tuple(BREACHES), "measures": Measure.choices,
        "proposed": RiskLimit.objects.filter(state=RiskLimit.State.PROPOSED).count(),
        "may_set": person(request).is_risk_officer,
    }  # fmt: skip
    audit_record(actor=person(request), action="risk.view_all", summary="risk console")
    if sheet is not None:
        context["age"] = sheet_age(sheet)
        rows = console_rows(sheet, filters)
        totals = console_totals(rows)
        paginator = Paginator(rows, PAGE)
        paginator.count = totals.accounts
        page = paginator.get_page(request.GET.get("page"))
        query = request.GET.copy()
        query.pop("page", None)
        context |= {
            "page": page, "rows": with_limits(list(page)), "totals": totals, "query": query.urlencode(),
            "heads": _heads(filters.sort, query),
        }  # fmt: skip
    return render(request, "journal/risk/console.html", context)


@risk_only
def export(request: HttpRequest, kind: str) -> HttpResponse:
    """The filtered console as CSV or XLSX, in the order of the page."""
    filters, sheet = _asked(request)
    rows: QuerySet[RiskRow] = RiskRow.objects.none() if sheet is None else console_rows(sheet, filters)
    audit_record(actor=person(request), action="risk.export", summary=f"risk console as {kind}")
    name = f"risk-{sheet.as_of:%Y-%m-%d-%H%M}" if sheet else "risk"
    lines = (export_row(row) for row in rows.iterator(2000))
    if kind == "csv":
        return csv_response(f"{name}.csv", export_head(), lines)
    response = HttpResponse(console_xlsx(lines, as_of=sheet.as_of if sheet else None), content_type=_XLSX)
    response["Content-Disposition"] = f'attachment; filename="{name}.xlsx"'
    return response


@risk_only
def firm(request: HttpRequest) -> HttpResponse:
    """The firm: netted and gross grid, tails, exposure, what settles, movers."""
    filters, sheet = _asked(request)
    audit_record(actor=person(request), action="risk.view_all", summary="firm view")
    context: dict[str, Any] = {
        "filters": filters,
        "sheet": sheet,
        "groups": groups_with_counts(),
        "chosen": request.GET,
    }
    if sheet is not None:
        query = request.GET.copy()
        context |= {
            "age": sheet_age(sheet),
            "firm": firm_page(sheet, filters, gross=request.GET.get("view") == "gross"),
            "query": query.urlencode(),
        }
    return render(request, "journal/risk/firm.html", context)


@risk_only
def cell(request: HttpRequest, spot: int, vix: int) -> HttpResponse:
    """Who loses what in one cell of the firm's grid, named by its row and column."""
    filters, sheet = _asked(request)
    shown = None if sheet is None else cell_of(sheet, filters, spot, vix)
    context = {"filters": filters, "sheet": sheet, "cell": shown, "query": request.GET.urlencode()}
    return render(request, "journal/risk/cell.html", context, status=200 if shown else 404)


def _asked(request: HttpRequest) -> tuple[ConsoleFilters, RiskSheet | None]:
    filters = ConsoleFilters.from_query(request.GET, simulated=only_simulated())
    return filters, newest_sheet(simulated=filters.simulated)


def _heads(sort: str, query: QueryDict) -> list[dict[str, str]]:
    """Column heads with the address that orders by them; the first press shows the largest."""
    heads = []
    for column in COLUMNS:
        address = query.copy()
        down, up = f"-{column.key}", column.key
        address["sort"] = up if sort == down else down
        order = {down: "descending", up: "ascending"}.get(sort, "")
        heads.append(
            {
                "text": column.text, "unit": column.unit, "url": address.urlencode(), "order": order,
                "css": "" if column.key == "account" else "num",
            }
        )  # fmt: skip
    return heads

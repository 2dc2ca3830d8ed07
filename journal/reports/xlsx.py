"""The report as a workbook: the tables of the CSV on one sheet each, written row by row to disk.

Texts are written as texts, never as formulas or links; a cell that a spreadsheet would compute after being
copied elsewhere is neutralised as in the CSV. Numbers are numbers, moments are UTC and say so, unknown
figures are empty cells.
"""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from journal.reports.bundle import Sheet, sheets, without_tail
from journal.reports.model import ReportData
from journal.safe_csv import safe_cell

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

_WIDEST, _SAMPLE = 44, 200
_MONEY = ("pnl",)  # of legs: floats until they are summed


def render_xlsx(data: ReportData) -> bytes:
    """Write the workbook; rows go to a temporary file, so that memory does not grow with them."""
    import xlsxwriter

    buffer = io.BytesIO()
    options = {
        "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
        "strings_to_numbers": False, "nan_inf_to_errors": False, "default_date_format": "yyyy-mm-dd",
        "remove_timezone": True,
    }  # fmt: skip
    book = xlsxwriter.Workbook(buffer, options)
    # The moment the report was made, so that the same report gives the same bytes.
    book.set_properties({"title": "Account report", "created": data.header.generated_at.replace(tzinfo=None)})
    styles = {
        "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}),
        "money": book.add_format({"num_format": "#,##0.00"}),
        "moment": book.add_format({"num_format": 'yyyy-mm-dd hh:mm:ss "UTC"'}),
        "day": book.add_format({"num_format": "yyyy-mm-dd"}),
    }
    for sheet in sheets(data):
        _write(book.add_worksheet(sheet.name[:31]), sheet, styles)
    book.close()
    return buffer.getvalue()


def _write(page: Worksheet, sheet: Sheet, styles: dict[str, Any]) -> None:
    for at, name in enumerate(sheet.columns):
        shown = [_width(row[at]) for row in sheet.rows[:_SAMPLE] if row[at] is not None]
        page.set_column(at, at, min(max([len(name), *shown]) + 2, _WIDEST))
    page.freeze_panes(1, 0)
    page.write_row(0, 0, sheet.columns, styles["head"])
    for number, row in enumerate(sheet.rows, start=1):
        for at, value in enumerate(row):
            _cell(page, number, at, value, sheet.columns[at], styles)
    if sheet.rows:
        page.autofilter(0, 0, len(sheet.rows), len(sheet.columns) - 1)


def _width(value: object) -> int:
    return len(str(without_tail(value) if isinstance(value, float) else value))


def _cell(page: Worksheet, row: int, at: int, value: object, name: str, styles: dict[str, Any]) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        page.write_string(row, at, "yes" if value else "no")
    elif isinstance(value, datetime):
        page.write_datetime(row, at, value.astimezone(UTC).replace(tzinfo=None), styles["moment"])
    elif isinstance(value, date):
        page.write_datetime(row, at, value, styles["day"])
    elif isinstance(value, int | float | Decimal):
        money = isinstance(value, Decimal) or name in _MONEY
        number = without_tail(value) if isinstance(value, float) else float(value)
        page.write_number(row, at, number, styles["money"] if money else None)
    else:
        page.write_string(row, at, safe_cell(str(value)))

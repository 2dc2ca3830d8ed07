"""The formats a report comes in. A further format is one more entry."""

from __future__ import annotations

from collections.abc import Callable

from journal.reports.bundle import render_csv, render_one_csv
from journal.reports.content import document
from journal.reports.html import render_html
from journal.reports.layout import Document
from journal.reports.model import ReportData
from journal.reports.pdf import render_pdf
from journal.reports.xlsx import render_xlsx

Phase = Callable[[int, str], None]
_DRAWING, _LAYING_OUT = 55, 70
_PRINTED: dict[str, tuple[str, Callable[[ReportData, Document], bytes]]] = {
    "html": ("laying out", render_html),
    "pdf": ("typesetting", render_pdf),
}
_TABLES: dict[str, Callable[[ReportData], bytes]] = {
    "csv": render_csv,
    "one-csv": render_one_csv,
    "xlsx": render_xlsx,
}


def render(data: ReportData, form: str, phase: Phase = lambda done, name: None) -> bytes:
    """Render the report, naming each phase before it starts; KeyError for an unknown format."""
    if form in _TABLES:
        phase(_LAYING_OUT, "writing tables")
        return _TABLES[form](data)
    name, renderer = _PRINTED[form]
    phase(_DRAWING, "drawing charts")
    shown = document(data)
    phase(_LAYING_OUT, name)
    return renderer(data, shown)

"""The report as one file that needs nothing else: its style inside, no script, no address of the site."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from journal.reports.layout import Column, Document, Row, Section, Table
from journal.reports.model import ReportData
from journal.reports.texts import MINUS, UNKNOWN

_AMOUNT = re.compile(rf"[{MINUS}+]?\$[\d,.]*\d")


@dataclass(frozen=True, slots=True)
class PrintedCell:
    """A printed cell with the classes of the site's style sheet; ``arrow`` repeats the sign."""

    text: str
    css: str = ""
    arrow: str = ""


@dataclass(frozen=True, slots=True)
class ShownTable:
    """A table ready for the template."""

    columns: tuple[Column, ...]
    rows: list[list[PrintedCell]]
    foot: list[list[PrintedCell]]
    layout: str


@dataclass(frozen=True, slots=True)
class ShownSection:
    """A section ready for the template."""

    section: Section
    table: ShownTable | None
    blocks: list[tuple[str, tuple[tuple[str, str], ...], ShownTable]]
    svg: SafeString
    intro: SafeString

    @property
    def intro_alone(self) -> bool:
        """Whether the introduction stands by itself, not under a drawing."""
        return bool(self.section.intro) and not self.svg


def render_html(_data: ReportData, shown: Document) -> bytes:
    """Render the page; every text is escaped, the drawing is our own."""
    context = {
        "doc": shown,
        "headline": [(label, cell(text, kind)) for label, text, kind in shown.headline],
        "sections": [_section(section) for section in shown.sections],
    }
    return render_to_string("reports/account.html", context).encode()


def _section(section: Section) -> ShownSection:
    # Labels inside the drawing were escaped when it was written as XML.
    svg = mark_safe(section.chart.svg if section.chart else "")  # noqa: S308
    table = _table(section.table) if section.table and not section.empty else None
    blocks = [(block.title, block.facts, _table(block.table)) for block in section.blocks]
    return ShownSection(section, table, blocks, svg, _unbroken(section.intro))


def _unbroken(text: str) -> SafeString:
    """The text, escaped, with amounts that no line end tears from their sign."""
    return mark_safe(_AMOUNT.sub(r'<span class="num">\g<0></span>', escape(text)))  # noqa: S308 - escaped here


def _table(table: Table) -> ShownTable:
    def cells(row: Row) -> list[PrintedCell]:
        return [cell(text, c.kind) for text, c in zip(row, table.columns, strict=True)]

    rows, foot = ([cells(row) for row in part] for part in (table.rows, table.foot))
    return ShownTable(table.columns, rows, foot, table.layout)


def cell(text: str, kind: str) -> PrintedCell:
    """Class and arrow of a cell: sign, arrow and colour say the same."""
    if kind == "text":
        return PrintedCell(text)
    if text == UNKNOWN:
        return PrintedCell(text, "num unknown")
    if kind == "gain" and text.startswith("+"):
        return PrintedCell(text, "num money gain", "▲")
    if kind == "gain" and text.startswith(MINUS):
        return PrintedCell(text, "num money loss", "▼")
    return PrintedCell(text, "num")

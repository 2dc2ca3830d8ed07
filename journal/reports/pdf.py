"""The report typeset for print by typst.

The data travels as a JSON file and is set as text, never read as markup; the compiler sees an empty
folder of its own and has no packages. Fonts come with the compiler, so that the same report gives
the same bytes everywhere, as PDF/A-2u for keeping. Only when a name has characters that none of them
draws are the fonts of the system asked as well, and the promise of PDF/A is dropped.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings

from journal.reports.layout import Document, Row, Section, Table
from journal.reports.model import ReportData

#: Tables of more rows are set as plain lines.
LONG = 1000
_GROUP, _PAGE, _CELL, _NO_BREAK = 5, 15, 50, "\N{NO-BREAK SPACE}"
_STANDARD = "a-2u"


def render_pdf(data: ReportData, shown: Document) -> bytes:
    """Typeset an account report."""
    header = data.header
    return render_document(
        shown, time_zone=header.time_zone, simulated=header.is_demo, made=header.generated_at
    )


def render_document(shown: Document, *, time_zone: str, simulated: bool, made: datetime) -> bytes:
    """Typeset a document; US letter for accounts in American time zones, A4 elsewhere."""
    import typst

    payload = _payload(shown, american=time_zone.startswith("America/"), simulated=simulated)
    files = {"main.typ": _template(), "data.json": json.dumps(payload).encode()}
    files |= {f"{s.chart.name}.svg": s.chart.svg.encode() for s in shown.sections if s.chart}
    made = made.replace(microsecond=0)
    try:
        return _compiled(files, made, fonts=_fonts(system=False), standards=[_STANDARD])
    except typst.TypstError as error:
        if "could not be displayed" not in str(error):
            raise
        return _compiled(files, made, fonts=_fonts(system=True), standards=[])


def _compiled(files: dict[str, bytes], made: datetime, *, fonts: Any, standards: list[str]) -> bytes:
    import typst

    with TemporaryDirectory(prefix="report-") as folder:
        root = Path(folder)
        compile_: Any = typst.compile  # its stub knows no dict of files, its documentation does
        content = compile_(
            files, root=root, package_path=root, package_cache_path=root, format="pdf",
            font_paths=fonts, ignore_system_fonts=True, pdf_standards=standards, timestamp=made,
        )  # fmt: skip
    if not isinstance(content, bytes):
        raise TypeError("typst returned pages, not one document")
    return content


def _template() -> bytes:
    return (Path(settings.BASE_DIR) / "templates" / "reports" / "account.typ").read_bytes()


@lru_cache(maxsize=2)
def _fonts(*, system: bool) -> Any:
    import typst

    return typst.Fonts(include_system_fonts=system)


def _payload(shown: Document, *, american: bool, simulated: bool) -> dict[str, Any]:
    return {
        "paper": "us-letter" if american else "a4",
        "title": shown.title,
        "account": shown.account,
        "period": shown.period,
        "meta": shown.meta,
        "notices": shown.notices,
        "headline": shown.headline,
        "sections": [_section(section) for section in shown.sections],
        "disclaimer": shown.disclaimer,
        "simulated": simulated,
    }


def _section(section: Section) -> dict[str, Any]:
    return {
        "title": section.title,
        "intro": section.intro,
        "empty": section.empty,
        "table": None if section.empty else _table(section.table),
        "chart": section.chart and {"file": f"{section.chart.name}.svg", "alt": section.chart.summary},
        "blocks": [{"title": b.title, "facts": b.facts, "table": _table(b.table)} for b in section.blocks],
    }


def _table(table: Table | None) -> dict[str, Any] | None:
    if table is None:
        return None
    return _listing(table) if len(table.rows) > LONG else {"kind": "table", **asdict(table)}


def _listing(table: Table) -> dict[str, Any]:
    """A long table as lines of a fixed pitch: a tenth of the memory that its cells would take.

    Five lines make a group, fifteen groups fill a page of either paper.
    """
    head = tuple(column.text for column in table.columns)
    lines = [tuple(_shortened(cell) for cell in row) for row in (head, *table.rows, *table.foot)]
    widths = [max(len(row[i]) for row in lines) for i in range(len(head))]

    def line(row: Row) -> str:
        cells = (
            cell.ljust(width) if column.kind == "text" else cell.rjust(width)
            for cell, width, column in zip(row, widths, table.columns, strict=True)
        )
        return "  ".join(cells).replace(" ", _NO_BREAK)

    body = lines[1 : len(table.rows) + 1]
    groups = ["\n".join(map(line, body[i : i + _GROUP])) for i in range(0, len(body), _GROUP)]
    return {
        "kind": "listing", "pitch": sum(widths) + 2 * (len(widths) - 1), "head": line(lines[0]),
        "pages": [groups[i : i + _PAGE] for i in range(0, len(groups), _PAGE)],
        "foot": [line(row) for row in lines[len(table.rows) + 1 :]],
    }  # fmt: skip


def _shortened(text: str) -> str:
    return text if len(text) <= _CELL else text[: _CELL - 1] + "\N{HORIZONTAL ELLIPSIS}"

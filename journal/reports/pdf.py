"""The report typeset for print by typst.

The data travels as a JSON file and is set as text, never read as markup; the compiler (``typeset``) sees a
folder of its own with nothing else in it and has no packages. Fonts come with the compiler, so that the same
report gives the same bytes everywhere, as PDF/A-2u for keeping. Only when a name has characters that none of
them draws are the fonts of the system asked as well, and the promise of PDF/A is dropped.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings

from journal.reports.layout import LONG, Document, Row, Section, Table
from journal.reports.model import ReportData

_GROUP, _PAGE, _CELL, _NO_BREAK = 5, 15, 50, "\N{NO-BREAK SPACE}"
_TIMEOUT = 300


class TypesettingError(RuntimeError):
    """The compiler refused or died; its last words."""


def render_pdf(data: ReportData, shown: Document) -> bytes:
    """Typeset an account report."""
    header = data.header
    return render_document(
        shown, time_zone=header.time_zone, simulated=header.is_demo, made=header.generated_at
    )


def render_document(shown: Document, *, time_zone: str, simulated: bool, made: datetime) -> bytes:
    """Typeset a document; US letter for accounts in American time zones, A4 elsewhere."""
    payload = _payload(shown, american=time_zone.startswith("America/"), simulated=simulated)
    files = {"main.typ": _template(), "data.json": json.dumps(payload).encode()}
    files |= {f"{s.chart.name}.svg": s.chart.svg.encode() for s in shown.sections if s.chart}
    return _compiled(files, made.replace(microsecond=0))


def _compiled(files: dict[str, bytes], made: datetime) -> bytes:
    """Compile in a process of its own, which gives back the memory of thousands of lines at once."""
    with TemporaryDirectory(prefix="report-") as folder:
        root = Path(folder)
        for name, content in files.items():
            (root / name).write_bytes(content)
        command = [
            sys.executable,
            "-P",
            str(Path(__file__).with_name("typeset.py")),
            folder,
            made.isoformat(),
        ]
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT, check=False)  # noqa: S603  # our own file
        if done.returncode:
            raise TypesettingError(done.stderr.decode(errors="replace")[-2000:])
        return (root / "report.pdf").read_bytes()


def _template() -> bytes:
    return (Path(settings.BASE_DIR) / "templates" / "reports" / "account.typ").read_bytes()


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

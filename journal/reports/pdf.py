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

from journal.reports.layout import Document, Section, Table
from journal.reports.model import ReportData

_STANDARD = "a-2u"


def render_pdf(data: ReportData, shown: Document) -> bytes:
    """Typeset the report; US letter for accounts in American time zones, A4 elsewhere."""
    import typst

    files = {"main.typ": _template(), "data.json": json.dumps(_payload(shown, data)).encode()}
    files |= {f"{s.chart.name}.svg": s.chart.svg.encode() for s in shown.sections if s.chart}
    made = data.header.generated_at.replace(microsecond=0)
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


def _payload(shown: Document, data: ReportData) -> dict[str, Any]:
    american = data.header.time_zone.startswith("America/")
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
        "simulated": data.header.is_demo,
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
    return None if table is None else asdict(table)

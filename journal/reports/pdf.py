"""The report typeset for print by typst.

The data travels as a JSON file and is set as text, never read as markup; the compiler sees an empty
folder of its own and has no packages. Fonts come with the compiler, so that the same report gives
the same bytes everywhere; only characters none of them has are looked up among the system's fonts.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings

from journal.reports.layout import Document, Section, Table
from journal.reports.model import ReportData

#: What Libertinus Serif, the typeface of the report, has: Latin, Greek, Cyrillic, Hebrew, symbols.
_COVERED = re.compile(r"^[\u0000-\u05ff\u1d00-\u1fff\u2000-\u22ff\u25a0-\u25ff\ufb00-\ufb4f]*$")


def render_pdf(data: ReportData, shown: Document) -> bytes:
    """Typeset the report; US letter for accounts in American time zones, A4 elsewhere."""
    import typst

    payload = json.dumps(_payload(shown, data), ensure_ascii=False)
    files = {"main.typ": _template(), "data.json": payload.encode()}
    files |= {f"{s.chart.name}.svg": s.chart.svg.encode() for s in shown.sections if s.chart}
    with TemporaryDirectory(prefix="report-") as folder:
        root = Path(folder)
        compiled = typst.compile(
            files, root=root, package_path=root, package_cache_path=root, format="pdf",
            font_paths=_fonts(system=not _COVERED.match(payload)), pdf_standards=["a-2u"],
            timestamp=data.header.generated_at.replace(microsecond=0),
        )  # fmt: skip
    if not isinstance(compiled, bytes):
        raise TypeError("typst returned pages, not one document")
    return compiled


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

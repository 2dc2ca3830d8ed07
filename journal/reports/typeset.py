"""Compiles the typst files of a folder to ``report.pdf``, alone in its process: ``typeset.py FOLDER MADE``.

It imports nothing of the product. PDF/A-2u with the compiler's own fonts; only when these lack a character
are the system's asked, without the promise.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

STANDARD = "a-2u"


def compiled(root: Path, made: datetime) -> bytes:
    """The PDF of ``main.typ``; raises typst.TypstError."""
    import typst

    try:
        return _once(root, made, system=False, standards=[STANDARD])
    except typst.TypstError as error:
        if "could not be displayed" not in str(error):
            raise
        return _once(root, made, system=True, standards=[])


def _once(root: Path, made: datetime, *, system: bool, standards: list[str]) -> bytes:
    import typst

    compile_: Any = typst.compile
    content = compile_(
        str(root / "main.typ"), root=str(root), package_path=str(root), package_cache_path=str(root),
        format="pdf", font_paths=typst.Fonts(include_system_fonts=system), ignore_system_fonts=True,
        pdf_standards=standards, timestamp=made,
    )  # fmt: skip
    if not isinstance(content, bytes):
        raise TypeError("typst returned pages, not one document")
    return content


def main(folder: str, made: str) -> None:
    """Write the PDF beside its sources."""
    root = Path(folder)
    (root / "report.pdf").write_bytes(compiled(root, datetime.fromisoformat(made)))


if __name__ == "__main__":
    main(*sys.argv[1:])

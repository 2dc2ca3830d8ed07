"""Fails when a source file grew beyond what a reader can hold: 500 lines, 110 columns in pages and styles."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

LINES, COLUMNS = 500, 110
WATCHED = (".py", ".html", ".js", ".css", ".typ")
#: Python's columns are the linter's.
NARROW = (".css", ".html", ".js")


def tracked() -> list[Path]:
    """The watched files of this tree, new ones too, vendored ones apart."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")
    names = (name for name in listed if name.endswith(WATCHED) and "/vendor/" not in name)
    return [Path(name) for name in names if Path(name).is_file()]


def oversized(path: Path) -> Iterator[str]:
    """What is too long in a file, if anything: its lines, or one of them."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if len(lines) > LINES:
        yield f"{path}: {len(lines)} lines (limit {LINES})"
    if path.suffix in NARROW:
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS:
                yield f"{path}:{number}: {len(line)} columns (limit {COLUMNS})"


if __name__ == "__main__":
    problems = [problem for path in tracked() for problem in oversized(path)]
    sys.stdout.write(("\n".join(problems) or "no file above its limits") + "\n")
    sys.exit(bool(problems))

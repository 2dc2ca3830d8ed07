"""Fails when a source file grew beyond what a reader can hold: 500 lines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LIMIT = 500
WATCHED = (".py", ".html", ".js", ".css", ".typ")


def oversized() -> list[str]:
    """Tracked source files above the limit, vendored files apart."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    found = []
    for name in listed:
        if not name.endswith(WATCHED) or "/vendor/" in name or not Path(name).is_file():
            continue
        with Path(name).open(encoding="utf-8") as lines:
            count = sum(1 for _ in lines)
        if count > LIMIT:
            found.append(f"{name}: {count} lines (limit {LIMIT})")
    return found


if __name__ == "__main__":
    problems = oversized()
    sys.stdout.write(("\n".join(problems) or "no file above 500 lines") + "\n")
    sys.exit(bool(problems))

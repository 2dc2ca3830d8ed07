"""Installs the linters of pages and scripts: in one step that succeeds or leaves nothing.

``node_tools.py`` brings ``node_modules`` to what package-lock.json says and notes what it held; asked again
for the same it does nothing. Development only: the site needs no Node. Needs the standard library alone.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from environment import STAMP, debian, digests, remove, say, stamped

FILES = [Path("package.json"), Path("package-lock.json"), Path(".npmrc")]
TARGET, MAKING = Path("node_modules"), Path(".node-being-made")


def ensure_node() -> None:
    """Node and npm, from Debian where they are missing."""
    missing = [package for package, name in (("nodejs", "node"), ("npm", "npm")) if not shutil.which(name)]
    if missing:
        debian(missing, "the linters of pages and scripts need Node")


def install() -> None:
    """Install into a folder of its own; raises SystemExit with the end of npm's output."""
    say("Linters: npm installs what package-lock.json names")
    MAKING.mkdir()
    for file in FILES:
        shutil.copy(file, MAKING)
    npm = subprocess.run(["npm", "ci"], cwd=MAKING, capture_output=True, text=True, check=False)
    if npm.returncode:
        tail = "\n".join((npm.stdout + npm.stderr).splitlines()[-15:])
        raise SystemExit(f"{tail}\nThe linters could not be installed; see the lines above.")
    (MAKING / TARGET / STAMP).write_text(json.dumps(digests(FILES)))


def main() -> None:
    """Bring ``node_modules`` to what the files say, or leave it as it was."""
    if stamped(TARGET) == digests(FILES):
        return
    remove(MAKING)
    try:
        ensure_node()
        install()
        remove(TARGET)
        (MAKING / TARGET).rename(TARGET)
    finally:
        remove(MAKING)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit("interrupted; nothing was left half made") from None

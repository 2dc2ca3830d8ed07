"""Makes the environment of the two commands: in one step that succeeds or leaves nothing.

``environment.py FOLDER FILE...`` installs the requirement files into the virtual environment ``FOLDER`` and
notes there what they held; asked again for the same files it does nothing. An environment that an earlier
attempt left half made is made again. Needs the standard library alone.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

STAMP, MAKING = ".installed", ".being-made"
OLDEST = (3, 11)


def say(text: str) -> None:
    """One line, at once."""
    print(text, flush=True)


def digests(files: list[Path]) -> dict[str, str]:
    """What the requirement files hold."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def stamped(folder: Path) -> dict[str, str]:
    """What was installed, as noted; nothing where no attempt ever ended well."""
    try:
        found = json.loads((folder / STAMP).read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def works(folder: Path) -> bool:
    """Whether the environment was made to its end and its Python finds pip."""
    if (folder / MAKING).exists():
        return False
    try:
        done = subprocess.run(
            [folder / "bin" / "python", "-c", "import pip"], capture_output=True, check=False
        )
    except OSError:
        return False
    return done.returncode == 0


def remove(folder: Path) -> None:
    """Take the folder away, or the link that stands for it."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


def debian(packages: list[str], why: str) -> None:
    """Install packages of Debian where that is allowed, else say which to install."""
    names = " ".join(packages)
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise SystemExit(f"{names} missing, {why}: run apt-get install {names} and try again.")
    say(f"Installing {names}: {why}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(
            ["apt-get", "-qq", *command], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            tail = "\n".join((done.stdout + done.stderr).splitlines()[-5:])
            raise SystemExit(f"apt-get {command[0]} failed; install {names} and try again.\n{tail}")


def ensure_venv_module() -> None:
    """Debian keeps a part of ``venv`` in a package of its own: install it where that is allowed."""
    if importlib.util.find_spec("ensurepip") is None:
        debian([f"python{sys.version_info.major}.{sys.version_info.minor}-venv"], "Python's venv needs it")


def make(folder: Path) -> None:
    """An empty environment with pip, marked as being made."""
    say(f"Environment: Python {sys.version.split()[0]} in {folder}")
    ensure_venv_module()
    folder.mkdir(parents=True)
    (folder / MAKING).touch()
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)


def install(folder: Path, files: list[Path]) -> None:
    """Install the files with pip, telling how far it is; raises SystemExit with the end of pip's output."""
    listed = [line for file in files for line in file.read_text().splitlines() if "==" in line]
    say(f"Packages: {len(listed)} from {', '.join(file.name for file in files)}")
    command = [folder / "bin" / "python", "-m", "pip", "install", "--disable-pip-version-check"]
    command += ["--progress-bar", "off", "--upgrade-strategy", "only-if-needed"]
    for file in files:
        command += ["-r", file]
    pip = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    tail: list[str] = []
    seen, step = 0, max(1, len(listed) // 4)
    for line in pip.stdout or ():
        tail = [*tail[-14:], line.rstrip()]
        if line.startswith(("Collecting ", "Requirement already satisfied")):
            seen += 1
            if seen % step == 0 and seen < len(listed):
                say(f"  {seen} of {len(listed)} found")
        elif line.startswith("Installing collected packages"):
            say(f"  installing {line.count(',') + 1}")
    if pip.wait():
        raise SystemExit("\n".join([*tail, "The packages could not be installed; see the lines above."]))


def main(folder: Path, files: list[Path]) -> None:
    """Bring the environment to what the files say, or leave none that is half made."""
    wanted, before = digests(files), stamped(folder)
    whole = works(folder)
    if whole and wanted.items() <= before.items():
        return
    if not whole and os.path.lexists(folder):
        say(f"The environment in {folder} is not whole: it is made again")
        remove(folder)
        before = {}
    try:
        if not whole:
            make(folder)
        install(folder, files)
    except BaseException:
        if not whole:
            remove(folder)
        raise
    (folder / STAMP).write_text(json.dumps(before | wanted))
    (folder / MAKING).unlink(missing_ok=True)


if __name__ == "__main__":
    if sys.version_info < OLDEST:
        raise SystemExit(f"Python 3.11 or newer is needed, not {sys.version.split()[0]}: set PYTHON=/path")
    try:
        main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
    except KeyboardInterrupt:
        raise SystemExit("interrupted; nothing was left half made") from None

"""The linters of pages and scripts are installed whole or not at all."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def install(folder: Path) -> subprocess.CompletedProcess[str]:
    script = ROOT / ".ci/node_tools.py"
    return subprocess.run([sys.executable, script], cwd=folder, capture_output=True, text=True, check=False)


def test_a_failed_install_keeps_the_linters_of_before(tmp_path: Path) -> None:
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(ROOT / name, tmp_path)
    wanted = json.loads((tmp_path / "package.json").read_text())
    wanted["devDependencies"]["eslint"] = "0.0.1"  # not what the lock file names: npm refuses
    (tmp_path / "package.json").write_text(json.dumps(wanted))
    before = tmp_path / "node_modules/kept"
    before.mkdir(parents=True)
    done = install(tmp_path)
    assert done.returncode == 1
    assert "The linters could not be installed" in done.stderr
    assert before.is_dir()
    assert not (tmp_path / ".node-being-made").exists()


def test_the_lock_file_names_no_registry() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert packages
    assert not [name for name, package in packages.items() if "resolved" in package]

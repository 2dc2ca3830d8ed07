"""``manage.py kernel_warm`` leaves machine code on disk for the processes that follow."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_kernels_are_compiled_once_and_loaded_afterwards(tmp_path: Path) -> None:
    environment = {
        **os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "NUMBA_NUM_THREADS": "1",
        "STATE_DIR": str(tmp_path / "state"),
    }  # fmt: skip
    command = [sys.executable, "manage.py", "kernel_warm"]
    for _ in range(2):
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=120
        )
        assert "9 kernels ready" in done.stdout
    written = {path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.nbc")}
    assert len(written) > 9
    code = """
from numba.core import event
from hedging.maths.fast.warm import warm
with event.install_recorder("numba:compile") as seen:
    warm()
assert not seen.buffer, "compiled again"
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True, timeout=120)

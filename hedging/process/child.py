"""One supervised process: its start, its signals, its log."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LOG_BYTES = 5 * 1024 * 1024
_LOGS_KEPT = 3
_READ_AT_MOST = 64 * 1024
#: A warning or worse, as structlog's console and JSON renderers write it.
_WARNING = re.compile(rb'\[(?:warning|error|critical) *\]|"level": ?"(?:warning|error|critical)"')


def _die_with_parent() -> None:
    """Linux: the kernel ends the child when the supervisor is killed outright."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Child:
    """A supervised process: its command, and how its last starts went.

    ``socket`` is a file the process must keep: without it nobody reaches the process, and it is
    started again although it lives. One that runs ``once`` is left alone when it ended well.
    """

    name: str
    command: list[str]
    log_path: Path
    environment: dict[str, str] = field(default_factory=dict)
    socket: Path | None = None
    once: bool = False
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = 0.0
    due: float = 0.0
    _read_to: int = 0

    def start(self, environment: dict[str, str]) -> None:
        """Start the process in a group of its own, its output appended to the log."""
        with self.log_path.open("ab") as output:
            self._read_to = output.tell() if not self.started else self._read_to
            self.process = subprocess.Popen(
                self.command,
                env=environment | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509
            )
        self.started = time.monotonic()

    def terminate(self) -> None:
        """Ask the process to end; it tells its own children, whose work may go to its end."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def kill_group(self) -> None:
        """Kill the process and everything it started."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def ended(self, seconds: float) -> bool:
        """Whether the process ends within so many seconds."""
        if self.process is None:
            return True
        try:
            self.process.wait(max(0.05, seconds))
        except subprocess.TimeoutExpired:
            return False
        return True

    def unreachable(self, patience: float) -> bool:
        """Whether the process lives without the socket it should have made by now."""
        return (
            self.socket is not None
            and time.monotonic() - self.started > patience
            and not self.socket.exists()
        )

    def warnings(self) -> list[str]:
        """Warnings written to the log since the last call, for the console."""
        with suppress(FileNotFoundError), self.log_path.open("rb") as log:
            if log.seek(0, os.SEEK_END) < self._read_to:
                self._read_to = 0
            log.seek(self._read_to)
            text = log.read(_READ_AT_MOST)
            whole = text[: text.rfind(b"\n") + 1] or (text if len(text) == _READ_AT_MOST else b"")
            self._read_to += len(whole)
            return [line.decode(errors="replace") for line in whole.splitlines() if _WARNING.search(line)]
        return []

    def rotate(self) -> None:
        """Keep the log small: the process appends, so a copy and a cut lose it no place."""
        if not self.log_path.exists() or self.log_path.stat().st_size <= _LOG_BYTES:
            return
        for number in range(_LOGS_KEPT, 1, -1):
            older = self.log_path.with_suffix(f".log.{number - 1}")
            if older.exists():
                older.replace(self.log_path.with_suffix(f".log.{number}"))
        shutil.copyfile(self.log_path, self.log_path.with_suffix(".log.1"))
        os.truncate(self.log_path, 0)
        self._read_to = 0

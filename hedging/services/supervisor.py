"""Keeps a set of child processes alive until told to stop."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from logging.handlers import RotatingFileHandler
from pathlib import Path

import structlog

log = structlog.get_logger("hedging.supervisor")

_STOP_SECONDS = 15.0
_MAX_PAUSE = 10.0
_STEADY_SECONDS = 30.0
_PR_SET_PDEATHSIG = 1
_LOG_BYTES = 5 * 1024 * 1024


def _die_with_parent() -> None:
    """Linux: the kernel ends the child when the supervisor is killed outright."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Child:
    """One supervised process: its command, and how its last starts went."""

    name: str
    command: list[str]
    log_path: Path
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = 0.0
    due: float = 0.0

    def start(self, environment: dict[str, str]) -> None:
        """Start the process in a group of its own, its output appended to the log."""
        self._rotate()
        with self.log_path.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509
            )
        self.started = time.monotonic()

    def _rotate(self) -> None:
        if self.log_path.exists() and self.log_path.stat().st_size > _LOG_BYTES:
            handler = RotatingFileHandler(self.log_path, backupCount=3)
            handler.doRollover()
            handler.close()

    def signal_group(self, number: int) -> None:
        """Signal the child and everything it started."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)


@dataclass
class Supervisor:
    """Starts children in order, restarts whichever ends, ends them all on request."""

    children: list[Child]
    environment: dict[str, str]
    stopping: bool = field(default=False, init=False)

    def start(self) -> None:
        """Start every child."""
        for child in self.children:
            child.start(self.environment)

    def tend(self) -> None:
        """Restart children that ended; a child that keeps failing waits longer each time."""
        now = time.monotonic()
        for child in self.children:
            if child.process is None:
                if now >= child.due:
                    child.start(self.environment)
            elif (code := child.process.poll()) is not None:
                child.signal_group(signal.SIGKILL)  # what the dead child had started itself
                steady = now - child.started > _STEADY_SECONDS
                child.pause = 0.2 if steady or not child.pause else min(child.pause * 2, _MAX_PAUSE)
                child.due = now + child.pause
                child.process = None
                log.warning("child_ended", child=child.name, code=code, restart_in=child.pause)

    def run(self, each_round: Callable[[], None]) -> None:
        """Tend the children until ``stopping`` is set, then end them."""
        try:
            while not self.stopping:
                self.tend()
                each_round()
                time.sleep(0.25)
        finally:
            self.stop()

    def stop(self) -> None:
        """End the children, last started first; whoever does not listen is killed."""
        alive = [child for child in reversed(self.children) if child.process is not None]
        for group in (alive[:-1], alive[-1:]):  # what started first, Redis, goes last
            for child in group:
                child.signal_group(signal.SIGTERM)
            end = time.monotonic() + _STOP_SECONDS
            for child in group:
                assert child.process is not None
                with suppress(subprocess.TimeoutExpired):
                    child.process.wait(max(0.1, end - time.monotonic()))
                child.signal_group(signal.SIGKILL)

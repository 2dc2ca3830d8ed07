"""Keeps a set of child processes alive until told to stop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from hedging.process.child import Child

log = structlog.get_logger("hedging.supervisor")

_STOP_SECONDS = 12.0
_STOP_LAST_SECONDS = 3.0
_MAX_PAUSE = 10.0
_STEADY_SECONDS = 30.0
_SOCKET_SECONDS = 5.0
_LOG_ROUND_SECONDS = 10.0


@dataclass
class Supervisor:
    """Starts children in order, restarts whichever ends, ends them all on request.

    A child with a socket (Redis) is started first, waited for, and ended last.
    """

    children: list[Child]
    environment: dict[str, str]
    tell: Callable[[str], None]
    stopping: bool = field(default=False, init=False)
    _logs_seen: float = field(default=0.0, init=False)

    def start(self) -> None:
        """Start every child; those that serve a socket get a moment to open it."""
        for child in self.children:
            if self.stopping:
                return
            if child.socket is not None:
                child.socket.unlink(missing_ok=True)  # left behind by a killed predecessor
            child.start(self.environment)
            end = time.monotonic() + _SOCKET_SECONDS
            while child.socket and not child.socket.exists() and time.monotonic() < end:
                time.sleep(0.02)

    def tend(self) -> None:
        """Restart children that ended; a child that keeps failing waits longer each time."""
        now = time.monotonic()
        for child in self.children:
            if child.process is None:
                if now >= child.due:
                    child.start(self.environment)
                continue
            if child.unreachable(_SOCKET_SECONDS):
                log.warning("child_unreachable", child=child.name)
                child.kill_group()
                child.ended(1.0)
            code = child.process.poll()
            if code == 0 and child.once:
                child.process, child.due = None, math.inf
            elif code is not None:
                child.kill_group()  # what the dead child had started itself
                steady = now - child.started > _STEADY_SECONDS
                child.pause = 0.2 if steady or not child.pause else min(child.pause * 2, _MAX_PAUSE)
                child.due = now + child.pause
                child.process = None
                log.warning("child_ended", child=child.name, code=code, restart_in=child.pause)

    def read_logs(self) -> None:
        """Tell the children's warnings, and keep their logs small."""
        now = time.monotonic()
        rotate = now - self._logs_seen > _LOG_ROUND_SECONDS
        for child in self.children:
            for line in child.warnings():
                self.tell(f"{child.name}: {line}")
            if rotate:
                child.rotate()
        if rotate:
            self._logs_seen = now

    def run(self, each_round: Callable[[], None]) -> None:
        """Tend the children until ``stopping`` is set, then end them."""
        try:
            while not self.stopping:
                self.tend()
                self.read_logs()
                each_round()
                time.sleep(0.25)
        finally:
            self.stop()

    def stop(self) -> None:
        """End the children, servers of sockets last; whoever does not listen is killed."""
        alive = [child for child in self.children if child.process is not None]
        for group, seconds in (
            ([child for child in alive if child.socket is None], _STOP_SECONDS),
            ([child for child in alive if child.socket is not None], _STOP_LAST_SECONDS),
        ):
            for child in group:
                child.terminate()
            end = time.monotonic() + seconds
            for child in group:
                if not child.ended(end - time.monotonic()):
                    log.warning("child_killed", child=child.name)
                child.kill_group()
                child.ended(1.0)
        self.read_logs()

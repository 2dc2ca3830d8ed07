"""The supervisor's hold on one child: restart pauses, logs, signals."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hedging.process import child as child_module
from hedging.process.child import Child
from hedging.process.supervisor import Supervisor


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def supervised(*children: Child) -> tuple[Supervisor, list[str]]:
    told: list[str] = []
    return Supervisor(list(children), dict(os.environ), tell=told.append), told


def until(condition: Callable[[], bool], each: Callable[[], None] = lambda: None) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        each()
        time.sleep(0.02)


def test_a_child_that_keeps_failing_waits_longer_each_time(tmp_path: Path) -> None:
    child = Child("broken", python("raise SystemExit(3)"), tmp_path / "broken.log")
    supervisor, _ = supervised(child)
    supervisor.start()
    pauses: list[float] = []

    def note() -> None:
        supervisor.tend()
        if child.process is None and (not pauses or pauses[-1] != child.pause):
            pauses.append(child.pause)

    until(lambda: len(pauses) == 3, note)
    supervisor.stop()
    assert pauses == [0.2, 0.4, 0.8]


def test_warnings_reach_the_console_and_the_rest_stays_in_the_log(tmp_path: Path) -> None:
    lines = [
        "2026-11-21T01:16:31Z [warning  ] lease_lost [hedging.jobs.engine]",
        "2026-11-21T01:16:31Z [info     ] job_ended [hedging.jobs.engine]",
        '{"level": "error", "event": "job_dead"}',
    ]
    child = Child("talker", python(f"print({chr(10).join(lines)!r})"), tmp_path / "talker.log")
    supervisor, told = supervised(child)
    supervisor.start()
    until(lambda: len(told) == 2, supervisor.read_logs)
    supervisor.stop()
    assert told == [f"talker: {lines[0]}", f"talker: {lines[2]}"]
    assert "job_ended" in child.log_path.read_text()


def test_a_log_is_cut_while_the_child_goes_on_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_module, "_LOG_BYTES", 1000)
    code = "import time\nfor n in range(100000): print(n, 'x' * 50, flush=True); time.sleep(0.001)"
    child = Child("writer", python(code), tmp_path / "writer.log")
    supervisor, _ = supervised(child)
    supervisor.start()
    for number in range(1, child_module._LOGS_KEPT + 3):
        until(lambda: child.log_path.stat().st_size > 1000)
        child.rotate()
        until(lambda: child.log_path.stat().st_size > 0)
        kept = sorted(path.name for path in tmp_path.glob("writer.log.*"))
        assert kept == [f"writer.log.{n}" for n in range(1, min(number, child_module._LOGS_KEPT) + 1)]
    assert not child.log_path.read_bytes().startswith(b"\0")
    supervisor.stop()


def test_a_deaf_child_and_what_it_started_are_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hedging.process.supervisor._STOP_SECONDS", 0.5)
    code = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
        "print(p.pid, flush=True);"
        "time.sleep(60)"
    )
    child = Child("deaf", python(code), tmp_path / "deaf.log")
    supervisor, _ = supervised(child)
    supervisor.start()
    until(lambda: child.log_path.read_text().strip().isdigit())
    grandchild = int(child.log_path.read_text())
    supervisor.stop()
    until(lambda: not alive(grandchild))


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_child_that_runs_once_stays_ended(tmp_path: Path) -> None:
    child = Child("once", python("print('ran')"), tmp_path / "once.log", once=True)
    supervisor, _ = supervised(child)
    supervisor.start()
    until(lambda: child.process is None, supervisor.tend)
    supervisor.tend()
    supervisor.stop()
    assert (tmp_path / "once.log").read_text() == "ran\n"


def test_a_child_that_runs_once_is_tried_again_when_it_failed(tmp_path: Path) -> None:
    child = Child("once", python("raise SystemExit(1)"), tmp_path / "once.log", once=True)
    supervisor, _ = supervised(child)
    supervisor.start()
    until(lambda: child.pause > 0.2, supervisor.tend)
    supervisor.stop()

"""``manage.py up``: children are restarted when killed, and none is left after Ctrl-C."""

from __future__ import annotations

import os
import signal
import socket
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from alvh_site.env import read_environment
from tests.site import ROOT, SiteError, manage, running_site, site_environment


def processes_of(state: Path) -> list[psutil.Process]:
    """Every living process of this state folder, by its environment or (Redis) its socket's path."""
    found = []
    for process in psutil.process_iter():
        try:
            mine = process.environ().get("STATE_DIR") == str(state) or str(state) in command_of(process)
            if mine and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.AccessDenied, psutil.NoSuchProcess):
            continue
    return found


def command_of(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


@pytest.mark.worker
def test_killed_children_come_back_and_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with running_site(state) as (url, _):
        for name in ("gunicorn", "celery -A alvh_site worker", "job_relay", "redis-server"):
            victims = [p for p in processes_of(state) if name in command_of(p)]
            assert victims, name
            for process in victims:
                os.kill(process.pid, signal.SIGKILL)
            began = time.monotonic()
            while time.monotonic() - began < 30:
                alive = {p.pid for p in processes_of(state) if name in command_of(p)}
                if alive - {p.pid for p in victims} and healthy(url):
                    break
                time.sleep(0.3)
            else:
                pytest.fail(f"{name} did not come back within 30 s")
    assert processes_of(state) == []


@pytest.mark.worker
def test_a_redis_without_its_socket_is_started_again(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with running_site(state) as (url, environment):
        socket_file = read_environment(environment, ROOT).redis_socket
        socket_file.unlink()
        # Health alone proves nothing: connections that were open live on in the old process.
        wait_for(lambda: "child_unreachable" in (state / "up.log").read_text(), "Redis is not missed", 60)
        wait_for(lambda: socket_file.exists() and healthy(url), "Redis was not started again", 60)


@pytest.mark.worker
def test_children_do_not_outlive_a_killed_supervisor(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with running_site(state):
        supervisors = [p for p in processes_of(state) if command_of(p).endswith("manage.py up")]
        assert len(supervisors) == 1
        supervisors[0].kill()
        # A worker first ends what it is doing, which on a new machine is compiling the kernels.
        wait_for(lambda: not processes_of(state), "children are left", 180)


def wait_for(condition: Callable[[], bool], otherwise: str, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"{otherwise} after {seconds:.0f} s")
        time.sleep(0.2)


def healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health/", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def test_a_second_start_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with running_site(state) as (_, environment):
        other = site_environment(state, int(environment["PORT"]) + 1)
        with pytest.raises(SiteError, match="already running"):
            manage("up", environment=other)


def test_an_occupied_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        environment = site_environment(tmp_path / "state", taken.getsockname()[1])
        with pytest.raises(SiteError, match="is in use"):
            manage("up", environment=environment)

"""The whole site as a user starts it, for browser tests and screenshots."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import free_port

ROOT = Path(__file__).resolve().parent.parent
#: What a site has of its own, whatever the run around it uses.
OWN = {"REDIS_URL", "DATABASE_URL", "DJANGO_SETTINGS_MODULE", "PUBLIC_URL", "JOB_LEASE_SECONDS"}
#: Folder of the run, shared by its workers; none outside tests.
RUN = "ALVH_TEST_RUN"


class SiteError(RuntimeError):
    """The site did not come up; the message carries the end of its output."""


def chromium() -> str:
    """Path of the browser."""
    for name in (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name) if name else None
        if found:
            return found
    raise SiteError("No Chromium found: install Debian's chromium or set CHROMIUM")


def site_environment(state_dir: Path, port: int, **extra: str) -> dict[str, str]:
    """Environment of a site of its own, with its own embedded Redis and database."""
    environment = {name: value for name, value in os.environ.items() if name not in OWN}
    return {**environment, "STATE_DIR": str(state_dir), "PORT": str(port), **extra}


def manage(*arguments: str, environment: dict[str, str]) -> str:
    """Run a management command and return what it printed."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode:
        raise SiteError(f"manage.py {' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def fill(environment: dict[str, str]) -> None:
    """Tables and the demo; on SQLite a copy of those the run made once, for the test that came first."""
    run = os.environ.get(RUN)
    if run is None or "DATABASE_URL" in environment:
        _make(environment)
        return
    kept, draft = Path(run) / "filled", Path(run) / "filling"
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir()
            _make({**environment, "STATE_DIR": str(draft)})
            draft.rename(kept)
    shutil.copytree(kept, environment["STATE_DIR"], dirs_exist_ok=True)


def _make(environment: dict[str, str]) -> None:
    manage("migrate", "--verbosity", "0", environment=environment)
    manage("demo", "load", environment=environment)


@contextmanager
def running_site(state_dir: Path, **extra: str) -> Iterator[tuple[str, dict[str, str]]]:
    """A filled site under ``manage.py up``; yields (URL, environment)."""
    state_dir.mkdir(parents=True, exist_ok=True)
    port = free_port()
    environment = site_environment(state_dir, port, **extra)
    fill(environment)
    log = state_dir / "up.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(url, process, log)
        yield url, environment
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 90
    while time.monotonic() < end:
        if process.poll() is not None:
            raise SiteError(f"manage.py up ended:\n{log.read_text()[-4000:]}")
        try:
            with urllib.request.urlopen(f"{url}/health/", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            pass
        time.sleep(0.3)
    raise SiteError(f"the site was not healthy within 90 s:\n{log.read_text()[-4000:]}")

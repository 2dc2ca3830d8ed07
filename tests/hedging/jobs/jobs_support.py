"""A job system of its own for kill tests: database, Redis, worker processes, relay."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import redis

from hedging.process.redis_server import redis_command
from tests.site import ROOT, manage, site_environment

_RUNNING = "SELECT 1 FROM hedging_job WHERE state = 'running' LIMIT 1"


class Processes:
    """Redis, two worker processes and a relay; each can be killed and is started again."""

    def __init__(self, state: Path, **extra: str) -> None:
        self.state = state
        state.mkdir(parents=True, exist_ok=True)
        self.environment = site_environment(state, 0, JOB_LEASE_SECONDS="4", WORKERS="2", **extra)
        self.socket = state / "redis" / "redis.sock"
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        manage("migrate", "--verbosity", "0", environment=self.environment)

    def command(self, name: str) -> list[str]:
        """Command line of one process."""
        if name == "redis":
            return redis_command(self.socket, self.state / "redis")
        if name == "relay":
            return [sys.executable, "manage.py", "job_relay"]
        return [
            sys.executable, "-m", "celery", "-A", "alvh_site", "worker", "--concurrency", "2",
            "--loglevel", "WARNING", "--hostname", f"{name}@test", "--without-gossip", "--without-mingle",
        ]  # fmt: skip

    def start(self, name: str) -> None:
        """Start (or restart) one process in a group of its own."""
        with (self.state / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                self.command(name), cwd=ROOT, env=self.environment, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def kill(self, name: str) -> None:
        """Kill -9 the process and everything it started, then start it again."""
        process = self.running[name]
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        self.start(name)

    def revive(self) -> None:
        """Start again whatever ended by itself, as the supervisor does."""
        for name, process in list(self.running.items()):
            if process.poll() is not None:
                self.start(name)

    def empty_redis(self) -> None:
        """Lose every message."""
        redis.Redis(unix_socket_path=str(self.socket)).flushall()

    def stop(self) -> None:
        """End everything."""
        for process in self.running.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)

    def wait_for_a_running_job(self) -> None:
        """Until a worker holds a job: before that, killing one would show nothing."""
        url = urlsplit(self.environment.get("DATABASE_URL", ""))
        end = time.monotonic() + 120
        while time.monotonic() < end:
            if url.scheme:
                with psycopg.connect(url.geturl()) as database:
                    running = database.execute(_RUNNING).fetchone()
            else:
                with closing(sqlite3.connect(self.state / "alvh.sqlite3", timeout=20)) as database:
                    running = database.execute(_RUNNING).fetchone()
            if running:
                return
            time.sleep(0.1)
        raise TimeoutError("no worker took a job")

    def wait_for_redis(self) -> None:
        """Until Redis answers."""
        client = redis.Redis(unix_socket_path=str(self.socket))
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                client.ping()
            except redis.RedisError:
                time.sleep(0.1)
            else:
                return
        raise TimeoutError("Redis did not start")

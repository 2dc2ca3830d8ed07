"""``manage.py up``: the whole site under one supervisor."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from hedging.process.child import Child
from hedging.process.redis_server import RedisMissingError, redis_command
from hedging.process.supervisor import Supervisor

_READY_SECONDS = 90


class Command(BaseCommand):
    help = "Run web server, workers, relay, schedule and Redis; Ctrl-C ends them all."
    requires_system_checks: list[str] = []

    def handle(self, **options: Any) -> None:
        environment = settings.ENV
        state: Path = environment.state_dir
        (state / "logs").mkdir(parents=True, exist_ok=True)
        lock = self._lock(state)
        self._check_port(environment.port)
        call_command("migrate", verbosity=0)
        supervisor = Supervisor(
            self._children(state), os.environ | {"STATE_DIR": str(state)}, tell=self._tell
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: setattr(supervisor, "stopping", True))
        self.url = f"http://127.0.0.1:{environment.port}"
        self.ready, self.started, self.asked = False, time.monotonic(), 0.0
        self.stdout.write(f"ALVH Journal at {self.url}, logs in {state / 'logs'}")
        supervisor.start()
        supervisor.run(self._announce)
        self.stdout.write("stopped")
        lock.close()

    def _lock(self, state: Path) -> TextIO:
        """Held while the site runs, so that a second start on one folder refuses."""
        handle = (state / "up.lock").open("w")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(f"the site is already running on {state}") from None
        return handle

    def _check_port(self, port: int) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                raise CommandError(f"port {port} is in use; choose another with PORT=…") from None

    def _tell(self, line: str) -> None:
        """Pass on a child's warning; while the parts start, /health/ is expected to be red."""
        if not self.ready and "/health/" in line:
            return
        self.stderr.write(line)
        self.stderr.flush()

    def _children(self, state: Path) -> list[Child]:
        """Redis first: the others wait for its socket."""
        environment = settings.ENV
        logs = state / "logs"
        manage = [sys.executable, str(environment.base_dir / "manage.py")]
        celery = [sys.executable, "-m", "celery", "-A", "alvh_site"]
        children: list[Child] = []
        if environment.redis_url is None:
            try:
                command = redis_command(environment.redis_socket, state / "redis")
            except RedisMissingError as error:
                raise CommandError(str(error)) from None
            children.append(Child("redis", command, logs / "redis.log", socket=environment.redis_socket))
        worker = [
            *celery, "worker", "--concurrency", str(environment.worker_processes), "--loglevel", "WARNING",
            "--without-gossip", "--without-mingle", "--hostname", "worker@localhost",
        ]  # fmt: skip
        one_thread = {"NUMBA_NUM_THREADS": "1"}
        return [
            *children,
            Child("web", self._web(environment.port), logs / "web.log"),
            Child("worker", worker, logs / "worker.log", one_thread),
            Child(
                "schedule", [*celery, "beat", "--loglevel", "WARNING", "--pidfile="], logs / "schedule.log"
            ),
            Child("relay", [*manage, "job_relay"], logs / "relay.log"),
            Child("kernel", [*manage, "kernel_warm"], logs / "kernel.log", one_thread, once=True),
        ]

    def _web(self, port: int) -> list[str]:
        """Gunicorn with threads; requests are logged by the site itself."""
        return [
            sys.executable, "-m", "gunicorn", "alvh_site.wsgi:application", "--bind", f"127.0.0.1:{port}",
            "--worker-class", "gthread", "--workers", "2", "--threads", "8", "--max-requests", "5000",
            "--max-requests-jitter", "500", "--graceful-timeout", "10", "--no-control-socket",
        ]  # fmt: skip

    def _announce(self) -> None:
        """Print ``ready`` once /health/ is green."""
        now = time.monotonic()
        if self.ready or now - self.asked < 0.5:
            return
        self.asked = now
        try:
            with urllib.request.urlopen(f"{self.url}/health/", timeout=3) as answer:  # noqa: S310
                self.ready = answer.status == 200
        except (urllib.error.URLError, OSError):
            if now - self.started > _READY_SECONDS:
                self.stderr.write("still not healthy; see the logs and /health/")
                self.started = now
            return
        if self.ready:
            for username, password, _ in settings.DEMO_LOGINS:
                self.stdout.write(f"demo login: {username} / {password}")
            self.stdout.write(f"ready: {self.url} ({now - self.started:.1f} s)")
            self.stdout.flush()

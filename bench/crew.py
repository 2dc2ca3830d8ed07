"""Celery worker processes of one core each, for measuring what another worker adds."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from hedging.models import Job

_ROOT = Path(__file__).resolve().parents[1]
_PATIENCE = 600.0


class Crew:
    """Workers that hear queues of their own: the site's schedule does not get between the samples.

    Queue ``first-n`` is heard by the first n workers.
    """

    def __init__(self, size: int) -> None:
        state = Path(os.environ["STATE_DIR"])
        state.mkdir(parents=True, exist_ok=True)
        self._processes = []
        for number in range(1, size + 1):
            queues = ",".join(f"first-{count}" for count in range(number, size + 1))
            command = [
                sys.executable, "-m", "celery", "-A", "alvh_site", "worker", "--concurrency", "1",
                "--queues", queues, "--hostname", f"bench{number}@localhost", "--loglevel", "WARNING",
                "--without-gossip", "--without-mingle",
            ]  # fmt: skip
            with (state / f"worker-{number}.log").open("wb") as log:
                self._processes.append(
                    subprocess.Popen(
                        command,
                        cwd=_ROOT,
                        env=os.environ | {"NUMBA_NUM_THREADS": "1"},
                        stdout=log,
                        stderr=log,
                    )
                )
        atexit.register(self.stop)

    def ready(self) -> None:
        """Wait until every worker answers; raises RuntimeError when one does not within a minute."""
        from celery import current_app

        end = time.monotonic() + 60
        while len(current_app.control.ping(timeout=1)) < len(self._processes):
            if time.monotonic() > end:
                raise RuntimeError("the workers did not start; see their logs")

    def attribute(self, day: date, *, workers: int) -> None:
        """Ask for a session of every account by the site's own jobs and wait until the workers did them.

        Raises RuntimeError when a job fails or takes ten minutes.
        """
        from journal.services.attribution.batch import day_request

        self.do(day_request(day=day, simulated=True, nonce=uuid4().hex[:8]), workers=workers)

    def do(self, jobs: Sequence[Job], *, workers: int) -> None:
        """Notify the first ``workers`` of the jobs and wait until all are done; raises as ``attribute``."""
        from celery import current_app

        from hedging.jobs.notify import RUN_JOB
        from hedging.models import Job

        ids = [job.pk for job in jobs]
        for job in ids:
            current_app.send_task(RUN_JOB, args=[str(job)], queue=f"first-{workers}")
        end = time.monotonic() + _PATIENCE
        waiting = Job.objects.filter(pk__in=ids).exclude(state=Job.State.DONE)
        while waiting.exists():
            if time.monotonic() > end or waiting.filter(state=Job.State.DEAD).exists():
                raise RuntimeError("the workers did not do their jobs; see their logs")
            time.sleep(0.1)  # asking more often would take time from the workers

    def processor_seconds(self) -> float:
        """Processor time of the workers and their children so far."""
        import psutil

        found = 0.0
        for process in self._processes:
            mine = psutil.Process(process.pid)
            for one in (mine, *mine.children(recursive=True)):
                used = one.cpu_times()
                found += used.user + used.system
        return found

    def stop(self) -> None:
        """End the workers."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(60)

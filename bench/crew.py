"""Celery worker processes of one core each, for measuring what another worker adds."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from uuid import uuid4

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

    def attribute(self, day: date, *, workers: int) -> None:
        """Ask for a session of every account by the site's own jobs and wait until the workers did them.

        Raises RuntimeError when a job fails or takes ten minutes.
        """
        from celery import current_app

        from hedging.models import Job
        from hedging.services.bell import RUN_JOB
        from journal.services.attribution_batch import day_request

        jobs = [job.pk for job in day_request(day=day, simulated=True, nonce=uuid4().hex[:8])]
        for job in jobs:
            current_app.send_task(RUN_JOB, args=[str(job)], queue=f"first-{workers}")
        end = time.monotonic() + _PATIENCE
        waiting = Job.objects.filter(pk__in=jobs).exclude(state=Job.State.DONE)
        while waiting.exists():
            if time.monotonic() > end or waiting.filter(state=Job.State.DEAD).exists():
                raise RuntimeError("the workers did not do their jobs; see their logs")
            time.sleep(0.1)  # asking more often would take time from the workers

    def stop(self) -> None:
        """End the workers."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(60)

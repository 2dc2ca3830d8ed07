"""Celery tasks: id in, service called. They are interfaces and hold no logic."""

from __future__ import annotations

import os
import sys
import uuid
from typing import Any

from celery import shared_task
from celery.signals import worker_process_init, worker_ready

from hedging.services import probe as probe  # registers its job kind
from hedging.services import signals as signals
from hedging.services.heartbeat import beat, beat_while_busy
from hedging.services.jobs import job_run


@shared_task(name="hedging.run_job", ignore_result=True)
def run_job(job_id: str) -> None:
    """Run one database-owned job if it is still to be had."""
    # The schedule's own beat waits behind a long queue; a worker that works is alive.
    beat_while_busy("worker")
    job_run(uuid.UUID(job_id))


@shared_task(name="hedging.heartbeat", ignore_result=True)
def heartbeat() -> None:
    """Show that schedule, Redis and a worker work together."""
    beat("worker")


@worker_process_init.connect
def one_numba_thread(**_: Any) -> None:
    """Prefork workers share the cores: each computes on one thread."""
    os.environ["NUMBA_NUM_THREADS"] = "1"
    if "numba" in sys.modules:  # imported before the fork, with its settings already read
        sys.modules["numba"].set_num_threads(1)


@worker_ready.connect
def first_beat(**_: Any) -> None:
    """A worker that took its place shows it at once, without waiting for the schedule."""
    beat("worker")

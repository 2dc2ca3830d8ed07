"""Celery tasks: id in, service called. They are interfaces and hold no logic."""

from __future__ import annotations

import uuid
from typing import Any

from celery import shared_task
from celery.signals import worker_process_init, worker_ready

from hedging.services import probe as probe  # registers its job kind
from hedging.services.heartbeat import beat
from hedging.services.jobs import job_run


@shared_task(name="hedging.run_job", ignore_result=True)
def run_job(job_id: str) -> None:
    """Run one database-owned job if it is still to be had."""
    job_run(uuid.UUID(job_id))


@shared_task(name="hedging.heartbeat", ignore_result=True)
def heartbeat() -> None:
    """Show that schedule, Redis and a worker work together."""
    beat("worker")


@worker_process_init.connect
def one_numba_thread(**_: Any) -> None:
    """Prefork workers share the cores: each computes on one thread."""
    import os

    os.environ["NUMBA_NUM_THREADS"] = "1"


@worker_ready.connect
def first_beat(**_: Any) -> None:
    """A worker that took its place shows it at once, without waiting for the schedule."""
    beat("worker")

"""Celery tasks: id in, service called. They are interfaces and hold no logic."""

from __future__ import annotations

import os
import sys
import uuid
from typing import Any

from celery import shared_task
from celery.signals import worker_process_init, worker_ready
from django.utils import timezone

from hedging.jobs.engine import job_run
from hedging.jobs.heartbeat import beat, beat_while_busy
from hedging.selectors.quality import quality_findings
from hedging.services.market import fetch, retain


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


@shared_task(name="hedging.market_fetch", ignore_result=True)
def market_fetch(group: str) -> None:
    """Ask for a scheduled round of fetching; the minute in the key makes it once."""
    fetch.fetch_request(names=(group,), slot=f"{timezone.now():%Y-%m-%dT%H:%M}")


@shared_task(name="hedging.market_retain", ignore_result=True)
def market_retain() -> None:
    """Apply the retention rules."""
    retain.market_retain(now=timezone.now())


@shared_task(name="hedging.market_quality", ignore_result=True)
def market_quality() -> None:
    """Look for what is wrong with the stored data; without new data nothing is done."""
    quality_findings(now=timezone.now())


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

"""Keeps a job's lease while a handler computes, so that only a dead worker loses it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog
from django.db import Error as DatabaseFailure
from django.db import connection

from hedging.jobs.context import JobContext
from hedging.jobs.heartbeat import beat

log = structlog.get_logger(__name__)


@contextmanager
def kept_lease(context: JobContext, lease: timedelta) -> Iterator[None]:
    """Renew the lease from a thread with its own connection at a third of its length."""
    stop = threading.Event()

    def renew() -> None:
        try:
            while not stop.wait(lease.total_seconds() / 3):
                try:
                    if not context.renew():
                        return
                    beat("worker")  # a long job keeps the schedule's own beat waiting
                except DatabaseFailure as error:
                    log.warning("lease_not_renewed", error=str(error))
        finally:
            connection.close()

    keeper = threading.Thread(target=renew, name="lease", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join()

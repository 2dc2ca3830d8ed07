"""``manage.py job_relay``: notifies workers of due jobs and takes back lost leases, once a second."""

from __future__ import annotations

import signal
import threading
from typing import Any

import structlog
from django.core.management.base import BaseCommand
from django.db import Error as DatabaseFailure
from django.db import close_old_connections, connection

from hedging.jobs.heartbeat import beat
from hedging.jobs.relay import relay_once

log = structlog.get_logger("hedging.relay")
_BEAT_EVERY = 5


class Command(BaseCommand):
    help = "Relay between the job table and the workers; runs until it is stopped."

    def handle(self, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        rounds = 0
        while not stop.wait(1.0):
            try:
                relay_once()
                if rounds % _BEAT_EVERY == 0:
                    beat("relay")
            except DatabaseFailure as error:
                log.warning("relay_waits_for_database", error=str(error))
                connection.close()
            close_old_connections()
            rounds += 1

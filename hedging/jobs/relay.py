"""The relay's round: take back leases of dead workers, ring for jobs nobody was told about.

Several relays may run: PostgreSQL hands each its own rows (SKIP LOCKED), SQLite lets one write at a
time, and every change is a compare-and-set, so at worst a job is rung twice, which does nothing.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from hedging.jobs import notify as bell
from hedging.jobs.engine import CANCELLED, WORKER_LOST, WORKER_LOST_FOR_NOW
from hedging.models import Job

log = structlog.get_logger(__name__)

#: Jobs rung and not yet claimed; more would only make the queue in Redis longer.
IN_FLIGHT = 200
#: A ring nobody answered is repeated after this long while the queue in Redis is moving ...
RING_AGAIN_AFTER = timedelta(seconds=20)
#: ... and after this long when it is empty, for then the messages are lost.
RING_LOST_AFTER = timedelta(seconds=3)

_BELL_AWAY = (OperationalError, RedisError, OSError)


def relay_once() -> int:
    """One round; returns how many jobs it rang for."""
    now = timezone.now()
    leases_expire(now=now)
    return due_ring(now=now)


def leases_expire(*, now: datetime) -> int:
    """Queue again, or give up on, the jobs whose worker no longer renews its lease."""
    lost = Job.objects.filter(state=Job.State.RUNNING, lease_until__lt=now)
    if not lost.exists():  # the usual round takes no write lock
        return 0
    taken = 0
    with transaction.atomic():
        for job in _apart(lost)[:IN_FLIGHT]:
            taken += _take_back(job, now)
    return taken


def _take_back(job: Job, now: datetime) -> int:
    row = Job.objects.filter(
        pk=job.pk, state=Job.State.RUNNING, lease_token=job.lease_token, lease_until__lt=now
    )
    if job.cancel_requested:
        return row.update(state=Job.State.CANCELLED, finished_at=now, lease_until=None, error=CANCELLED)
    log.warning("worker_lost", job_id=str(job.pk), attempt=job.attempts, of=job.max_attempts)
    if job.attempts >= job.max_attempts:
        return row.update(state=Job.State.DEAD, finished_at=now, lease_until=None, error=WORKER_LOST)
    return row.update(
        state=Job.State.QUEUED,
        due_at=now,
        rung_at=None,
        lease_token=None,
        lease_until=None,
        error=WORKER_LOST_FOR_NOW,
    )


def due_ring(*, now: datetime) -> int:
    """Ring for due jobs that were not rung, or rung in vain, up to the in-flight cap."""
    due = Job.objects.filter(state=Job.State.QUEUED, due_at__lte=now)
    if not due.exists():
        return 0
    try:
        patience = RING_AGAIN_AFTER if bell.waiting() else RING_LOST_AFTER
    except _BELL_AWAY as error:
        log.warning("relay_waits_for_redis", error=str(error))
        return 0
    unheard = Q(rung_at__isnull=True) | Q(rung_at__lt=now - patience)
    room = IN_FLIGHT - due.exclude(unheard).count()
    if room <= 0 or not due.filter(unheard).exists():
        return 0
    with transaction.atomic():
        rows = _apart(due.filter(unheard).order_by("due_at"))[:room]
        chosen = [job.pk for job in rows]
        Job.objects.filter(pk__in=chosen, state=Job.State.QUEUED).update(rung_at=now)
    return _ring_all(chosen, now)


def _ring_all(chosen: list[uuid.UUID], now: datetime) -> int:
    for number, pk in enumerate(chosen):
        try:
            bell.send(pk)
        except _BELL_AWAY as error:
            # One failure is enough to know: waiting for each would keep the relay from its leases.
            log.warning("relay_waits_for_redis", error=str(error))
            Job.objects.filter(pk__in=chosen[number:], rung_at=now).update(rung_at=None)
            return number
    return len(chosen)


def _apart(rows: QuerySet[Job]) -> QuerySet[Job]:
    """The rows no other relay holds, locked for this one where the database can."""
    if connection.features.has_select_for_update_skip_locked:
        return rows.select_for_update(skip_locked=True)
    return rows

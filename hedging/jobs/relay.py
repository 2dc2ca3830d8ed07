"""The relay's round: take back leases of dead workers, notify workers of jobs no message was sent for.

Several relays may run: PostgreSQL hands each its own rows (SKIP LOCKED), SQLite lets one write at a
time, and every change is a compare-and-set, so at worst a worker is notified twice, which does nothing.
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

from hedging.jobs import notify
from hedging.jobs.engine import CANCELLED, WORKER_LOST, WORKER_LOST_FOR_NOW
from hedging.models import Job

log = structlog.get_logger(__name__)

#: Jobs with a message sent and not yet claimed; more would only make the queue in Redis longer.
IN_FLIGHT = 200
#: A message no worker took is sent again after this long while the queue in Redis is moving ...
NOTIFY_AGAIN_AFTER = timedelta(seconds=20)
#: ... and after this long when it is empty, for then the messages are lost.
NOTIFY_LOST_AFTER = timedelta(seconds=3)

_REDIS_AWAY = (OperationalError, RedisError, OSError)


def relay_once() -> int:
    """One round; returns how many jobs it sent a message for."""
    now = timezone.now()
    leases_expire(now=now)
    return due_notify(now=now)


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
        notified_at=None,
        lease_token=None,
        lease_until=None,
        error=WORKER_LOST_FOR_NOW,
    )


def due_notify(*, now: datetime) -> int:
    """Notify workers of due jobs without a message, or with one that was lost, up to the in-flight cap."""
    due = Job.objects.filter(state=Job.State.QUEUED, due_at__lte=now)
    if not due.exists():
        return 0
    try:
        patience = NOTIFY_AGAIN_AFTER if notify.messages_waiting() else NOTIFY_LOST_AFTER
    except _REDIS_AWAY as error:
        log.warning("relay_waits_for_redis", error=str(error))
        return 0
    unnoticed = Q(notified_at__isnull=True) | Q(notified_at__lt=now - patience)
    room = IN_FLIGHT - due.exclude(unnoticed).count()
    if room <= 0 or not due.filter(unnoticed).exists():
        return 0
    with transaction.atomic():
        rows = _apart(due.filter(unnoticed).order_by("due_at"))[:room]
        chosen = [job.pk for job in rows]
        Job.objects.filter(pk__in=chosen, state=Job.State.QUEUED).update(notified_at=now)
    return _notify_all(chosen, now)


def _notify_all(chosen: list[uuid.UUID], now: datetime) -> int:
    for number, pk in enumerate(chosen):
        try:
            notify.message_send(pk)
        except _REDIS_AWAY as error:
            # One failure is enough to know: waiting for each would keep the relay from its leases.
            log.warning("relay_waits_for_redis", error=str(error))
            Job.objects.filter(pk__in=chosen[number:], notified_at=now).update(notified_at=None)
            return number
    return len(chosen)


def _apart(rows: QuerySet[Job]) -> QuerySet[Job]:
    """The rows no other relay holds, locked for this one where the database can."""
    if connection.features.has_select_for_update_skip_locked:
        return rows.select_for_update(skip_locked=True)
    return rows

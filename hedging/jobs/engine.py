"""The job engine: the database owns every job, Redis only notifies workers.

A request is a row with a unique key; a worker borrows it with a lease and a token; the effect is
written in the same transaction that marks the job done, and only while the token still holds. So a
lost message, a killed worker or an emptied Redis delays work, and never loses or doubles it.
The relay, hedging.jobs.relay, takes back what dead workers held and notifies again.
"""

from __future__ import annotations

import time
import uuid
from datetime import timedelta
from time import monotonic
from typing import Any

import structlog
from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from structlog.contextvars import get_contextvars

from hedging.jobs.context import (
    JobCancelledError,
    JobContext,
    JobError,
    JobRetryError,
    JobStaleError,
    job_held,
    job_mine,
)
from hedging.jobs.lease import kept_lease
from hedging.jobs.registry import Effect, Handler, declared, handler_of
from hedging.models import Job

log = structlog.get_logger(__name__)

_BACKOFF_SECONDS = 5
WORKER_LOST = "The worker stopped while it was doing this. Press Retry to start again."
CANCELLED = "Cancelled."
WORKER_LOST_FOR_NOW = "The worker stopped while it was doing this; it is being done again."


def job_request(
    *,
    kind: str,
    scope: str,
    as_of: str = "",
    ruleset_version: str = "",
    input_revision: str = "",
    payload: dict[str, Any] | None = None,
    requested_by: str = "",
    delay: timedelta = timedelta(0),
    max_attempts: int | None = None,
) -> tuple[Job, bool]:
    """The job with this key, made if new; returns (job, made). Workers are notified on commit.

    Runs inside the caller's transaction, so the job exists exactly when the change it follows does.
    """
    job, made = Job.objects.get_or_create(
        kind=kind,
        scope=scope,
        as_of=as_of,
        ruleset_version=ruleset_version,
        input_revision=input_revision,
        defaults={
            "payload": payload or {},
            "requested_by": requested_by,
            "due_at": timezone.now() + delay,
            "max_attempts": max_attempts or settings.JOB_MAX_ATTEMPTS,
            "correlation_id": str(get_contextvars().get("request_id", "")),
        },
    )
    if made and not delay:
        transaction.on_commit(lambda: worker_notify(job.pk), robust=True)
    return job, made


def worker_notify(job_id: uuid.UUID) -> bool:
    """Send the message that makes a worker look at the job; without Redis the relay does it later.

    A command run by hand before the site starts, as the one that loads the demo, warns of nothing.
    """
    from kombu.exceptions import OperationalError
    from redis.exceptions import RedisError

    from hedging.jobs.notify import message_send, redis_is_expected

    if not redis_is_expected():
        return False
    try:
        message_send(job_id)
    except (OperationalError, RedisError, OSError) as error:
        _warn_once_a_minute(job_id, error)
        return False
    try:
        Job.objects.filter(pk=job_id).update(notified_at=timezone.now())
    except DatabaseFailure as error:  # what was asked for is stored; a second message does no harm
        log.warning("notified_at_not_stored", job_id=str(job_id), error=str(error))
    return True


_warned_at = -60.0


def _warn_once_a_minute(job_id: uuid.UUID, error: Exception) -> None:
    """Many jobs asked for while Redis is away are one event, not one line each."""
    global _warned_at  # noqa: PLW0603
    if time.monotonic() - _warned_at >= 60:
        _warned_at = time.monotonic()
        log.warning("worker_not_notified", job_id=str(job_id), error=str(error), then="by the relay")


def job_cancel(*, job: Job) -> Job:
    """Cancel: at once while queued, at the next check while running, not at all when finished."""
    now = timezone.now()
    if not Job.objects.filter(pk=job.pk, state=Job.State.QUEUED).update(
        state=Job.State.CANCELLED, finished_at=now, cancel_requested=True
    ):
        Job.objects.filter(pk=job.pk, state=Job.State.RUNNING).update(cancel_requested=True)
    job.refresh_from_db()
    return job


def job_retry(*, job: Job) -> Job:
    """Queue a failed or cancelled job again with fresh attempts; others are left alone."""
    again = Job.objects.filter(pk=job.pk, state__in=(Job.State.DEAD, Job.State.CANCELLED)).update(
        state=Job.State.QUEUED,
        attempts=0,
        error="",
        due_at=timezone.now(),
        cancel_requested=False,
        progress=0,
        progress_total=0,
        phase="",
        result=None,
        notified_at=None,
        started_at=None,
        finished_at=None,
        lease_token=None,
        lease_until=None,
    )
    if again:
        transaction.on_commit(lambda: worker_notify(job.pk), robust=True)
    job.refresh_from_db()
    return job


def job_claim(job_id: uuid.UUID) -> Job | None:
    """Borrow a due job by compare-and-set; None when it is not to be had."""
    job = Job.objects.filter(pk=job_id, state=Job.State.QUEUED, due_at__lte=timezone.now()).first()
    if job is None:
        return None
    known = declared(job.kind)
    lease = known.lease if known else timedelta(seconds=settings.JOB_LEASE_SECONDS)
    now, token = timezone.now(), uuid.uuid4()
    claimed = Job.objects.filter(pk=job.pk, state=Job.State.QUEUED, attempts=job.attempts).update(
        state=Job.State.RUNNING,
        lease_token=token,
        lease_until=now + lease,
        attempts=F("attempts") + 1,
        started_at=now,
        progress=0,
        phase="",
        error="",
    )
    if not claimed:
        return None
    job.refresh_from_db()
    return job


def job_run(job_id: uuid.UUID) -> Job.State | None:
    """Claim and run one job to its end; returns the state it reached, None when not claimed."""
    job = job_claim(job_id)
    if job is None:
        return None
    known, handler = declared(job.kind), handler_of(job.kind)
    with structlog.contextvars.bound_contextvars(
        job_id=str(job.pk), job_kind=job.kind, scope=job.scope, request_id=job.correlation_id
    ):
        began = monotonic()
        if known is None or handler is None:
            state = _fail(job, f"This version does not know jobs of kind {job.kind}.", final=True)
        else:
            state = _attempt(job, handler, known.lease)
        log.info("job_ended", state=state, attempt=job.attempts, seconds=round(monotonic() - began, 3))
    return state


def _attempt(job: Job, handler: Handler, lease: timedelta) -> Job.State | None:
    """Compute under a kept lease, then end the job one way or another."""
    context = JobContext(job, lease)
    try:
        with kept_lease(context, lease):
            effect = handler(context)
        return _finish(job, effect)
    except JobCancelledError:
        return _end(job, Job.State.CANCELLED, CANCELLED)
    except JobStaleError as stale:
        return _end(job, Job.State.CANCELLED, str(stale) or "Newer data replaced this request.")
    except JobError as error:
        return _fail(job, str(error), final=True)
    except JobRetryError as error:
        log.warning("job_retries", error=str(error), attempt=job.attempts)
        return _fail(job, str(error), final=False)
    except Exception as error:  # the boundary of a worker: any failure must end in the row
        log.exception("job_failed")
        if isinstance(error, DatabaseFailure) and not connection.in_atomic_block:
            connection.close()  # it may be broken; the row is written on a new one
        reference = job.correlation_id or job.pk
        return _fail(job, f"Something went wrong on our side (reference {reference}).", final=False)


def _finish(job: Job, effect: Effect | None) -> Job.State | None:
    """Effect and end in one transaction, only while the lease is ours and nobody asked to cancel."""
    with transaction.atomic():
        if job_held(job).update(state=Job.State.DONE, finished_at=timezone.now(), lease_until=None, error=""):
            result = effect() if effect is not None else None
            if result is not None:
                Job.objects.filter(pk=job.pk).update(result=result)
            return Job.State.DONE
    return _end(job, Job.State.CANCELLED, CANCELLED)


def _end(job: Job, state: Job.State, message: str) -> Job.State | None:
    """Close the job, or None when another worker or nobody has it by now."""
    return _close(job, state=state, finished_at=timezone.now(), lease_until=None, error=message)


def _fail(job: Job, message: str, *, final: bool) -> Job.State | None:
    """Dead at once or after the last attempt, else queued again after a pause."""
    if job_mine(job).filter(cancel_requested=True).exists():
        return _end(job, Job.State.CANCELLED, CANCELLED)
    if final or job.attempts >= job.max_attempts:
        log.error("job_dead", error=message)
        return _end(job, Job.State.DEAD, message)
    pause = timedelta(seconds=_BACKOFF_SECONDS * 2 ** (job.attempts - 1))
    return _close(
        job,
        state=Job.State.QUEUED,
        due_at=timezone.now() + pause,
        notified_at=None,
        lease_token=None,
        lease_until=None,
        error=message,
    )


def _close(job: Job, *, state: Job.State, **fields: Any) -> Job.State | None:
    """The last write of an attempt, by compare-and-set."""
    if job_mine(job).update(state=state, **fields):
        return state
    log.warning("lease_lost")
    return None

"""The job engine: the database owns every job, Redis only rings the bell.

A request is a row with a unique key; a worker borrows it with a lease and a token; the effect is
written in the same transaction that marks the job done, and only while the token still holds. So a
lost message, a killed worker or an emptied Redis delays work, and never loses or doubles it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from structlog.contextvars import get_contextvars

from hedging.models import Job

log = structlog.get_logger(__name__)

Effect = Callable[[], Any]
Handler = Callable[["JobContext"], "Effect | None"]

_RING_AGAIN_AFTER = timedelta(seconds=20)
_IN_FLIGHT = 200
_BACKOFF_SECONDS = 5
WORKER_LOST = "The worker stopped while it was doing this. Press Retry to start again."


class JobError(Exception):
    """A failure with a message people may read; it is not retried."""


class JobRetryError(Exception):
    """A passing failure: the job is tried again after a pause, up to its limit."""


class JobCancelledError(Exception):
    """Somebody asked to cancel; handlers let it pass through."""


class JobStaleError(Exception):
    """The inputs changed while the job ran; its result is not written."""


@dataclass(frozen=True, slots=True)
class _Registered:
    handler: Handler
    lease: timedelta


_HANDLERS: dict[str, _Registered] = {}


def job_handler(kind: str, *, lease_seconds: int | None = None) -> Callable[[Handler], Handler]:
    """Register the handler of a job kind.

    The handler computes and returns a closure (or None); the closure runs in the transaction that
    marks the job done, and what it returns becomes ``job.result``.
    """

    def register(handler: Handler) -> Handler:
        seconds = settings.JOB_LEASE_SECONDS if lease_seconds is None else lease_seconds
        _HANDLERS[kind] = _Registered(handler, timedelta(seconds=seconds))
        return handler

    return register


class JobContext:
    """What a handler sees of its job: the row, progress, and the wish to cancel."""

    def __init__(self, job: Job, lease: timedelta) -> None:
        self.job = job
        self._lease = lease
        self._token = job.lease_token
        self._written = timezone.now()

    def progress(self, done: int, total: int, phase: str = "") -> None:
        """Show progress (written at most twice a second), keep the lease, notice a cancel.

        Raises JobCancelledError when somebody asked to cancel or the lease is gone.
        """
        now = timezone.now()
        if now - self._written < timedelta(seconds=0.5) and phase in ("", self.job.phase):
            return
        self._written = now
        self.job.phase = phase or self.job.phase
        held = Job.objects.filter(
            pk=self.job.pk, lease_token=self._token, state=Job.State.RUNNING, cancel_requested=False
        ).update(progress=done, progress_total=total, phase=self.job.phase, lease_until=now + self._lease)
        if not held:
            raise JobCancelledError

    def renew(self) -> bool:
        """Prolong the lease; False when it is no longer ours."""
        return bool(
            Job.objects.filter(pk=self.job.pk, lease_token=self._token, state=Job.State.RUNNING).update(
                lease_until=timezone.now() + self._lease
            )
        )


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
    """The job with this key, made if new; returns (job, made). The bell rings on commit.

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
        transaction.on_commit(lambda: ring(job.pk))
    return job, made


def ring(job_id: uuid.UUID) -> bool:
    """Tell a worker to look at the job; without Redis the relay does it later."""
    from kombu.exceptions import OperationalError
    from redis.exceptions import RedisError

    from hedging.services.bell import send

    try:
        send(job_id)
    except (OperationalError, RedisError, OSError) as error:
        log.warning("bell_not_rung", job_id=str(job_id), error=str(error))
        return False
    Job.objects.filter(pk=job_id).update(rung_at=timezone.now())
    return True


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
        phase="",
        finished_at=None,
        lease_token=None,
        lease_until=None,
    )
    if again:
        transaction.on_commit(lambda: ring(job.pk))
    job.refresh_from_db()
    return job


def job_claim(job_id: uuid.UUID) -> Job | None:
    """Borrow a due job by compare-and-set; None when it is not to be had."""
    job = Job.objects.filter(pk=job_id, state=Job.State.QUEUED, due_at__lte=timezone.now()).first()
    if job is None:
        return None
    registered = _HANDLERS.get(job.kind)
    lease = registered.lease if registered else timedelta(seconds=settings.JOB_LEASE_SECONDS)
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
    from hedging.services.lease import kept_lease

    job = job_claim(job_id)
    if job is None:
        return None
    registered = _HANDLERS.get(job.kind)
    if registered is None:
        return _fail(job, f"This version does not know jobs of kind {job.kind}.", final=True)
    context = JobContext(job, registered.lease)
    with structlog.contextvars.bound_contextvars(
        job_id=str(job.pk), job_kind=job.kind, scope=job.scope, request_id=job.correlation_id
    ):
        try:
            with kept_lease(context, registered.lease):
                effect = registered.handler(context)
            return _finish(job, effect)
        except JobCancelledError:
            return _end(job, Job.State.CANCELLED, "Cancelled.")
        except JobStaleError as stale:
            return _end(job, Job.State.CANCELLED, str(stale) or "Newer data replaced this request.")
        except JobError as error:
            return _fail(job, str(error), final=True)
        except JobRetryError as error:
            return _fail(job, str(error), final=False)
        except Exception:  # the boundary of a worker: any failure must end in the row
            log.exception("job_failed")
            return _fail(
                job,
                f"Something went wrong on our side (reference {job.correlation_id or job.pk}).",
                final=False,
            )


def _mine(job: Job) -> Any:
    return Job.objects.filter(pk=job.pk, lease_token=job.lease_token, state=Job.State.RUNNING)


def _finish(job: Job, effect: Effect | None) -> Job.State | None:
    """Effect and end in one transaction, only while the lease is ours."""
    with transaction.atomic():
        now = timezone.now()
        if not _mine(job).update(state=Job.State.DONE, finished_at=now, lease_until=None, error=""):
            log.warning("lease_lost")
            return None
        result = effect() if effect is not None else None
        Job.objects.filter(pk=job.pk).update(result=result)
    return Job.State.DONE


def _end(job: Job, state: Job.State, message: str) -> Job.State:
    _mine(job).update(state=state, finished_at=timezone.now(), lease_until=None, error=message)
    return state


def _fail(job: Job, message: str, *, final: bool) -> Job.State:
    if final or job.attempts >= job.max_attempts:
        log.error("job_dead", job_id=str(job.pk), error=message)
        return _end(job, Job.State.DEAD, message)
    pause = timedelta(seconds=_BACKOFF_SECONDS * 2 ** (job.attempts - 1))
    _mine(job).update(
        state=Job.State.QUEUED,
        due_at=timezone.now() + pause,
        rung_at=None,
        lease_token=None,
        lease_until=None,
        error=message,
    )
    return Job.State.QUEUED


def relay_once() -> int:
    """One round of the relay: take back lost leases, ring due jobs; returns how many it rang."""
    now = timezone.now()
    lost = Job.objects.filter(state=Job.State.RUNNING, lease_until__lt=now)
    for job in lost[:_IN_FLIGHT]:
        same = Job.objects.filter(
            pk=job.pk, state=Job.State.RUNNING, lease_token=job.lease_token, lease_until__lt=now
        )
        if job.cancel_requested:
            same.update(state=Job.State.CANCELLED, finished_at=now, error="Cancelled.")
        elif job.attempts >= job.max_attempts:
            same.update(state=Job.State.DEAD, finished_at=now, error=WORKER_LOST)
        else:
            same.update(state=Job.State.QUEUED, due_at=now, rung_at=None, lease_token=None, lease_until=None)
    due = Job.objects.filter(state=Job.State.QUEUED, due_at__lte=now).filter(
        Q(rung_at__isnull=True) | Q(rung_at__lt=now - _RING_AGAIN_AFTER)
    )
    # Two relays may pick the same row: ringing twice is harmless, claiming is what counts.
    return sum(ring(pk) for pk in due.order_by("due_at").values_list("pk", flat=True)[:_IN_FLIGHT])

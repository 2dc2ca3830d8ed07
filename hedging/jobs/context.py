"""What a job's handler sees: the row, its progress, the wish to cancel; and how it may end."""

from __future__ import annotations

from datetime import timedelta
from time import monotonic

from django.db.models import QuerySet
from django.utils import timezone

from hedging.models import Job

_WRITE_EVERY_SECONDS = 0.5


class JobError(Exception):
    """A failure with a message people may read; it is not retried."""


class JobRetryError(Exception):
    """A passing failure: the job is tried again after a pause, up to its limit."""


class JobCancelledError(Exception):
    """Somebody asked to cancel; handlers let it pass through."""


class JobStaleError(Exception):
    """The inputs changed while the job ran; its result is not written."""


class JobContext:
    """What a handler sees of its job: the row, progress, and the wish to cancel."""

    def __init__(self, job: Job, lease: timedelta) -> None:
        self.job = job
        self._lease = lease
        self._written = monotonic()
        self._done, self._total = 0, 0
        self._lost = False

    def progress(self, done: int, total: int, phase: str = "") -> None:
        """Show progress (written at most twice a second), keep the lease, notice a cancel.

        Raises JobCancelledError when somebody asked to cancel or the lease is gone.
        """
        self._done, self._total = done, total
        new_phase = phase not in ("", self.job.phase)
        self.job.phase = phase or self.job.phase
        self._write(at_once=new_phase)

    def check(self) -> None:
        """Keep the lease and notice a cancel, like ``progress`` without news; cheap in a loop."""
        self._write(at_once=False)

    def _write(self, *, at_once: bool) -> None:
        if self._lost:
            raise JobCancelledError
        if not at_once and monotonic() - self._written < _WRITE_EVERY_SECONDS:
            return
        self._written = monotonic()
        held = job_held(self.job).update(
            progress=self._done,
            progress_total=self._total,
            phase=self.job.phase,
            lease_until=timezone.now() + self._lease,
        )
        if not held:
            raise JobCancelledError

    def renew(self) -> bool:
        """Prolong the lease; False when it is no longer ours or a cancel was asked for."""
        held = job_held(self.job).update(lease_until=timezone.now() + self._lease)
        self._lost = not held
        return bool(held)


def job_mine(job: Job) -> QuerySet[Job]:
    """The row, while this worker's lease token still holds."""
    return Job.objects.filter(pk=job.pk, lease_token=job.lease_token, state=Job.State.RUNNING)


def job_held(job: Job) -> QuerySet[Job]:
    """The row, while it is ours and nobody asked to cancel."""
    return job_mine(job).filter(cancel_requested=False)

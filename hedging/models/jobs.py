"""Jobs: the database owns them, a relay notifies workers again, workers only borrow them."""

from __future__ import annotations

import uuid

from django.db import models


class Job(models.Model):
    """A unit of background work. Its key makes the same request the same row.

    ``scope`` names what the job is about without knowing traders (for example
    ``account:<uuid>``); ``requested_by`` is the opaque id of whoever asked.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        DEAD = "dead", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=60)
    scope = models.CharField(max_length=80)
    as_of = models.CharField(max_length=40, blank=True, default="")
    ruleset_version = models.CharField(max_length=64, blank=True, default="")
    input_revision = models.CharField(max_length=80, blank=True, default="")
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=3)
    due_at = models.DateTimeField()
    notified_at = models.DateTimeField(null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    phase = models.CharField(max_length=120, blank=True, default="")
    progress = models.PositiveIntegerField(default=0)
    progress_total = models.PositiveIntegerField(default=0)
    cancel_requested = models.BooleanField(default=False)
    error = models.TextField(blank=True, default="")
    result = models.JSONField(null=True, blank=True)
    requested_by = models.CharField(max_length=64, blank=True, default="")
    correlation_id = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)
        indexes = (
            models.Index(fields=("state", "due_at"), name="job_state_due"),
            models.Index(fields=("scope", "-created_at"), name="job_scope_created"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("kind", "scope", "as_of", "ruleset_version", "input_revision"),
                name="job_unique_key",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.scope} {self.state}"

    @property
    def is_open(self) -> bool:
        """Whether a worker still has something to do."""
        return self.state in (self.State.QUEUED, self.State.RUNNING)

    @property
    def percent(self) -> int | None:
        """Progress in percent, or None while the total is unknown."""
        if self.state == self.State.DONE:
            return 100
        if not self.progress_total:
            return None
        return min(100, self.progress * 100 // self.progress_total)


class Heartbeat(models.Model):
    """When a kind of process last showed that it lives; read by /health/."""

    name = models.CharField(max_length=40, primary_key=True)
    beat_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} {self.beat_at:%H:%M:%S}"

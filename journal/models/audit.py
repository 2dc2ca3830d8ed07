"""The audit trail: written with the change it describes, protected by database triggers."""

from __future__ import annotations

from django.db import models


class AuditEvent(models.Model):
    """Who did what to which object, when. Rows of real accounts cannot be changed or deleted.

    References are plain ids, so that an event outlives what it describes. Triggers refuse UPDATE
    always and DELETE unless ``is_demo``: removing the demo leaves no trace, nothing else goes.
    """

    at = models.DateTimeField(auto_now_add=True)
    actor_id = models.CharField(max_length=64, blank=True, default="")
    actor_name = models.CharField(max_length=150, blank=True, default="")
    action = models.CharField(max_length=60, db_index=True)
    account_id = models.CharField(max_length=64, blank=True, default="", db_index=True)
    object_type = models.CharField(max_length=40, blank=True, default="")
    object_id = models.CharField(max_length=64, blank=True, default="")
    summary = models.CharField(max_length=300, blank=True, default="")
    changes = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True, default="")
    is_demo = models.BooleanField(default=False)

    class Meta:
        ordering = ("-at", "-pk")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_name} {self.action}"

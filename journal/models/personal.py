"""What belongs to one user: saved views, changes that can be undone, exports, the wish to be deleted."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Self, TypeVar

from django.db import models

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from journal.models.users import User

_Row_co = TypeVar("_Row_co", bound=models.Model, covariant=True)


class PersonalQuerySet(models.QuerySet[_Row_co]):
    """Rows of one user alone."""

    def for_user(self, user: User | AnonymousUser) -> Self:
        """The user's own rows; none for a visitor."""
        return self.filter(user=user) if user.is_authenticated else self.none()


class SavedView(models.Model):
    """The filters and order of the trades list under a name; ``query`` as in its address."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey("journal.User", on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PersonalQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("user", "name"), name="saved_view_name_once"),)

    def __str__(self) -> str:
        return self.name


class BulkChange(models.Model):
    """One change of many trades, or one removal, with what undoing it needs; see docs/adr/0013.

    ``undo`` holds ids and former values of exactly what was changed. A form sent twice has the same
    ``token`` and is one change.
    """

    class Action(models.TextChoices):
        TAG = "tag", "Tag"
        UNTAG = "untag", "Untag"
        RATE = "rate", "Rate"
        MOVE = "move", "Move"
        CLOSE = "close", "Close"
        VIEW = "view", "Remove a saved view"
        DAYS = "days", "Take a tag off days"
        CHANNEL = "channel", "Remove a channel"
        MEMBER = "member", "Take a role"
        SCHEDULE = "schedule", "Stop a schedule"
        MARK = "mark", "Forget a year-end mark"
        LINK = "link", "Dismiss a roll"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey("journal.User", on_delete=models.CASCADE, related_name="bulk_changes")
    token = models.CharField(max_length=40)
    action = models.CharField(max_length=12, choices=Action)
    summary = models.CharField(max_length=200)
    count = models.PositiveIntegerField()
    undo = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_count = models.PositiveIntegerField(null=True, blank=True)

    objects = PersonalQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)
        constraints = (models.UniqueConstraint(fields=("user", "token"), name="bulk_change_once"),)

    def __str__(self) -> str:
        return self.summary


class DataTransfer(models.Model):
    """An export that was made, or a file to be read in. ``digest`` is over the rows, without ids."""

    class Kind(models.TextChoices):
        EXPORT = "export", "Export"
        IMPORT = "import", "Import"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey("journal.User", on_delete=models.CASCADE, related_name="transfers")
    kind = models.CharField(max_length=6, choices=Kind)
    filename = models.CharField(max_length=120)
    content = models.BinaryField()
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, blank=True, default="")
    counts = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PersonalQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.filename


class DeletionRequest(models.Model):
    """A user asked to be deleted; it happens at ``due_at`` unless the request is withdrawn before."""

    user = models.OneToOneField("journal.User", on_delete=models.CASCADE, related_name="deletion_request")
    requested_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField()
    problem = models.CharField(max_length=200, blank=True, default="")

    objects = PersonalQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.user} on {self.due_at:%Y-%m-%d}"

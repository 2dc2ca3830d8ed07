"""What belongs to one user's way of working: saved views of a list, and changes that can be undone."""

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
    """One change of many trades with what undoing it needs; see docs/adr/0017.

    ``undo`` holds ids and former values of exactly what was changed. A form sent twice has the same
    ``token`` and is one change.
    """

    class Action(models.TextChoices):
        TAG = "tag", "Tag"
        UNTAG = "untag", "Untag"
        RATE = "rate", "Rate"
        MOVE = "move", "Move"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey("journal.User", on_delete=models.CASCADE, related_name="bulk_changes")
    token = models.CharField(max_length=40)
    action = models.CharField(max_length=6, choices=Action)
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

"""What a trader thinks about trades and days: tags, ratings, checklists, notes, files.

Everything about a trade hangs on its TradeReview, never on the trade itself. The review outlives the
trade: when an import is undone the review stays behind with its ``anchor``, the hash of the opening
fills, and joins the trade that is made of the same fills again.
"""

from __future__ import annotations

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from journal.models.accounts import Account
from journal.models.trades import OwnedQuerySet, Trade


class Tag(models.Model):
    """A word for trades and date ranges of an account; a mistake is a tag of its own kind."""

    class Kind(models.TextChoices):
        LABEL = "label", "Tag"
        MISTAKE = "mistake", "Mistake"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=40)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.LABEL)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("kind", "name")
        constraints = (models.UniqueConstraint(fields=("account", "name"), name="tag_name_once"),)

    def __str__(self) -> str:
        return self.name


class Playbook(models.Model):
    """A named way of trading with the questions to answer before entry."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="playbooks")
    name = models.CharField(max_length=80)
    text = models.TextField(blank=True, default="")
    items = models.JSONField(default=list)
    version = models.PositiveIntegerField(default=1, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("account", "name"), name="playbook_name_once"),)

    def __str__(self) -> str:
        return self.name


class TradeReview(models.Model):
    """The review of one trade; ``trade`` is empty while the trade is not recorded.

    ``checklist`` holds ``{"text", "checked"}`` as answered at ``checklist_at``; it is stored once and
    does not follow later changes of the playbook.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="reviews")
    trade = models.OneToOneField(
        Trade, null=True, blank=True, on_delete=models.SET_NULL, related_name="review"
    )
    anchor = models.CharField(max_length=64, blank=True, default="", db_index=True)
    rating = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    playbook = models.ForeignKey(
        Playbook, null=True, blank=True, on_delete=models.SET_NULL, related_name="reviews"
    )
    checklist = models.JSONField(default=list)
    checklist_name = models.CharField(max_length=80, blank=True, default="")
    checklist_at = models.DateTimeField(null=True, blank=True)
    checklist_at_entry = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(rating__isnull=True) | Q(rating__gte=1, rating__lte=5),
                name="review_rating_1_to_5",
            ),
        )

    def __str__(self) -> str:
        return f"review of {self.trade_id or self.anchor[:8]}"


class Tagging(models.Model):
    """A tag on one trade (through its review), or on the days from ``date_from`` to ``date_to``."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="taggings")
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="taggings")
    review = models.ForeignKey(
        TradeReview, null=True, blank=True, on_delete=models.CASCADE, related_name="taggings"
    )
    date_from = models.DateField(null=True, blank=True)
    date_to = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=("account", "date_from"), name="tagging_account_days"),)
        constraints = (
            models.UniqueConstraint(fields=("tag", "review"), name="tagging_once"),
            models.UniqueConstraint(fields=("tag", "date_from", "date_to"), name="tagging_range_once"),
            models.CheckConstraint(
                condition=Q(review__isnull=False, date_from__isnull=True, date_to__isnull=True)
                | Q(review__isnull=True, date_from__isnull=False, date_to__gte=models.F("date_from")),
                name="tagging_trade_or_days",
            ),
        )

    def __str__(self) -> str:
        return f"{self.tag} on {self.review_id or f'{self.date_from} to {self.date_to}'}"


class Subject(models.Model):
    """Something about a trade (its review) or about a day of an account; removal can be undone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    review = models.ForeignKey(TradeReview, null=True, blank=True, on_delete=models.CASCADE)
    day = models.DateField(null=True, blank=True)
    created_by = models.ForeignKey("journal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        abstract = True
        default_related_name = "%(class)ss"
        constraints = (
            models.CheckConstraint(
                condition=Q(review__isnull=False, day__isnull=True)
                | Q(review__isnull=True, day__isnull=False),
                name="%(class)s_trade_or_day",
            ),
        )


class Note(Subject):
    """Markdown about a trade or a day. Every text it had is a NoteRevision."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="notes")
    text = models.TextField()
    version = models.PositiveIntegerField(default=1, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(Subject.Meta):
        ordering = ("created_at", "pk")

    def __str__(self) -> str:
        return self.text[:60]


class NoteRevision(models.Model):
    """One text of a note, as it was saved."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="revisions")
    version = models.PositiveIntegerField()
    text = models.TextField()
    written_by = models.ForeignKey("journal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    written_at = models.DateTimeField(auto_now_add=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-version",)
        constraints = (models.UniqueConstraint(fields=("note", "version"), name="note_revision_once"),)

    def __str__(self) -> str:
        return f"version {self.version}"


class Attachment(Subject):
    """An image or a PDF, kept in the database under its hash; the type is read from its content."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=120)
    media_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    thumbnail = models.BinaryField(null=True, blank=True)

    class Meta(Subject.Meta):
        ordering = ("created_at", "pk")

    def __str__(self) -> str:
        return self.name

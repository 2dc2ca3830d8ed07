"""Staged imports of broker files, how their rows are grouped into trades, and the links between trades.

A batch keeps the file and one row for every record of it. Rows that changed positions stay the evidence of
the fills they made: trades are grouped again from all recorded rows of the account after every import, so
that the order in which files arrive does not matter. Decisions of people are kept by the identity of the
rows, never by trade, so that they survive an undo and another import.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from journal.models.accounts import Account
from journal.models.trades import OwnedQuerySet, Trade


class ImportBatch(models.Model):
    """One file on its way into an account: read, looked at, committed once, and perhaps undone.

    One that recorded nothing can be discarded; it keeps the state it had (``discarded_from``).
    """

    class State(models.TextChoices):
        READING = "reading", "Being read"
        STAGED = "staged", "To be checked"
        COMMITTING = "committing", "Being recorded"
        COMMITTED = "committed", "Recorded"
        UNDONE = "undone", "Undone"
        REFUSED = "refused", "Not readable"
        DISCARDED = "discarded", "Discarded"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="imports")
    state = models.CharField(max_length=10, choices=State, default=State.READING)
    filename = models.CharField(max_length=160)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    content = models.BinaryField()
    broker = models.CharField(max_length=16, blank=True, default="")
    layout = models.CharField(max_length=40, blank=True, default="")
    zone = models.CharField(max_length=40, default="America/New_York")
    encoding = models.CharField(max_length=12, blank=True, default="")
    problem = models.JSONField(null=True, blank=True)
    counts = models.JSONField(default=dict)
    totals = models.JSONField(default=list)
    remarks = models.JSONField(default=list)
    plan = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1, editable=False)
    job_id = models.UUIDField(null=True, blank=True)
    created_by = models.ForeignKey("journal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    committed_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    discarded_at = models.DateTimeField(null=True, blank=True)
    discarded_from = models.CharField(max_length=10, blank=True, default="")

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.filename} ({self.get_state_display()})"


class ImportRow(models.Model):
    """One record of the file. ``data`` is what it was understood as, ``raw`` what it says.

    ``word`` is the broker's name of a cash movement, by which an answer is remembered.
    """

    class Status(models.TextChoices):
        NEW = "new", "New"
        DUPLICATE = "duplicate", "Duplicate"
        ERROR = "error", "Error"
        OUTSIDE = "outside", "Not imported"
        OTHER = "other", "Nothing to record"
        RECORDED = "recorded", "Recorded"
        WAITING = "waiting", "Waiting for its opening"
        UNDONE = "undone", "Undone"

    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="rows", db_index=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="import_rows")
    position = models.PositiveIntegerField()
    line = models.PositiveIntegerField()
    kind = models.CharField(max_length=10)
    status = models.CharField(max_length=10, choices=Status)
    key = models.CharField(max_length=130)
    data = models.JSONField(default=dict)
    raw = models.TextField()
    message = models.CharField(max_length=300, blank=True, default="")
    field = models.CharField(max_length=40, blank=True, default="")
    word = models.CharField(max_length=80, blank=True, default="")
    cash = models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True)
    fixed = models.BooleanField(default=False)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("batch", "position")
        indexes = (models.Index(fields=("batch", "status", "position"), name="import_row_status"),)
        constraints = (
            models.UniqueConstraint(
                fields=("account", "key"),
                condition=Q(status__in=("recorded", "waiting")),
                name="import_row_recorded_once",
            ),
        )

    def __str__(self) -> str:
        return f"line {self.line}: {self.status}"

    @property
    def may_change(self) -> bool:
        """Whether the page offers to fix or change it while its file is staged."""
        new_cash = self.kind == "cash" and self.status == self.Status.NEW
        return self.fixed or new_cash or self.status == self.Status.ERROR


class ImportSetting(models.Model):
    """What was chosen for a broker's files in an account, remembered for the next file.

    ``movements`` maps the broker's name of a cash movement to a kind of the cash ledger, or to ``note``.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="import_settings")
    broker = models.CharField(max_length=16)
    zone = models.CharField(max_length=40)
    encoding = models.CharField(max_length=12, blank=True, default="")
    movements = models.JSONField(default=dict, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("account", "broker"), name="import_setting_once"),)

    def __str__(self) -> str:
        return f"{self.broker}: {self.zone}"


class GroupChoice(models.Model):
    """Somebody's decision that a row belongs to a group; rows of one group are one trade."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="group_choices")
    key = models.CharField(max_length=130)
    group = models.CharField(max_length=40, db_index=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("account", "key"), name="group_choice_once"),)

    def __str__(self) -> str:
        return f"{self.key} in {self.group}"


class GroupLabel(models.Model):
    """What somebody said a group is: its name, kind and hedge layer."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="group_labels")
    group = models.CharField(max_length=40)
    title = models.CharField(max_length=120, blank=True, default="")
    kind = models.CharField(max_length=12, choices=Trade.Kind, blank=True, default="")
    layer = models.PositiveSmallIntegerField(null=True, blank=True)
    reviewed = models.BooleanField(default=False)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("account", "group"), name="group_label_once"),)

    def __str__(self) -> str:
        return self.title or self.group


class TradeLink(models.Model):
    """An adjustment: ``later`` was opened when ``earlier`` was closed in whole or in part.

    Links are proposed by the import or drawn by hand; only confirmed ones make a chain. The anchors are the
    identities of the opening rows: a link finds its trades again after an undo and another import.
    """

    class Kind(models.TextChoices):
        TIME_SHIFT = "time_shift", "Time-shift"
        RECENTER = "recenter", "Recenter"
        WING_SHIFT = "wing_shift", "Wing shift"
        FULL_ROLL = "full_roll", "Full roll"
        WING_ROLL = "wing_roll", "One-wing roll"
        ADJUSTMENT = "adjustment", "Adjustment"

    class State(models.TextChoices):
        PROPOSED = "proposed", "Possible roll"
        CONFIRMED = "confirmed", "Confirmed"
        DISMISSED = "dismissed", "Not a roll"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="trade_links")
    earlier = models.ForeignKey(Trade, null=True, on_delete=models.SET_NULL, related_name="links_onward")
    later = models.ForeignKey(Trade, null=True, on_delete=models.SET_NULL, related_name="links_back")
    earlier_anchor = models.CharField(max_length=150)
    later_anchor = models.CharField(max_length=150)
    kind = models.CharField(max_length=12, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.PROPOSED)
    reason = models.CharField(max_length=200, blank=True, default="")
    moment = models.DateTimeField()
    decided_by = models.ForeignKey("journal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("moment", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=("account", "earlier_anchor", "later_anchor"), name="trade_link_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.state}"

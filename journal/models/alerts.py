"""What asked for attention, where people want to hear of it, and whether they were told."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from journal.models.accounts import Account
from journal.models.trades import OwnedQuerySet, Trade


class Alert(models.Model):
    """One thing that asks for attention; raised once, cleared when it is over, raised again later.

    ``key`` names the thing within the account, such as ``short_strike:<trade>``.
    """

    class Kind(models.TextChoices):
        TRIGGER = "trigger", "A trigger fired"
        RECOMMENDATION = "recommendation", "A recommendation waits"
        SHORT_STRIKE = "short_strike", "A short strike was touched"
        DTE = "dte", "Days to expiry"
        PROFIT = "profit", "Share of maximum profit"
        MOVE = "move", "Expected move"
        MARGIN = "margin", "Margin limit"
        STRESS = "stress", "Stressed loss limit"
        STALE = "stale", "Stale data"
        RESIDUAL = "residual", "Attribution residual"
        SETTLEMENT = "settlement", "Awaiting an official settlement"
        SIGNERS = "signers", "Who signs is about to change"
        RISK = "risk", "A limit of the risk desk"
        CORRECTION = "correction", "Market data was corrected"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="alerts")
    trade = models.ForeignKey(Trade, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=16, choices=Kind)
    key = models.CharField(max_length=120)
    message = models.CharField(max_length=300)
    raised_at = models.DateTimeField(auto_now_add=True)
    cleared_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    seen_by = models.ForeignKey("journal.User", null=True, on_delete=models.SET_NULL, related_name="+")

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-raised_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("account", "key"), condition=Q(cleared_at__isnull=True), name="alert_raised_once"
            ),
        )

    def __str__(self) -> str:
        return self.message

    @property
    def is_new(self) -> bool:
        """Whether it is raised and nobody has seen it."""
        return self.seen_at is None and self.cleared_at is None

    @property
    def about_hedge(self) -> bool:
        """Whether something can be done about it on the Hedge page."""
        return self.kind in {self.Kind.RECOMMENDATION, self.Kind.TRIGGER, self.Kind.STRESS}


class AlertChannel(models.Model):
    """Where a member wants to hear of an account's alerts, and when not (quiet hours, local time)."""

    class Kind(models.TextChoices):
        EMAIL = "email", "E-mail"
        WEBHOOK = "webhook", "Webhook"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="alert_channels")
    user = models.ForeignKey("journal.User", on_delete=models.CASCADE, related_name="alert_channels")
    kind = models.CharField(max_length=7, choices=Kind)
    target = models.CharField(max_length=300)
    secret = models.CharField(max_length=64, blank=True, default="")
    kinds = models.JSONField(default=list, blank=True)
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_to = models.TimeField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("created_at",)
        constraints = (
            models.UniqueConstraint(fields=("account", "user", "kind", "target"), name="channel_once"),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.target}"

    @property
    def kinds_text(self) -> str:
        """What it tells of, in words."""
        return ", ".join(str(Alert.Kind(kind).label) for kind in self.kinds) or "everything"


class AlertDelivery(models.Model):
    """One alert on one channel: sent once, or why it was not."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"

    #: How often a message is tried before it is given up.
    MOST_ATTEMPTS = 6

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.ForeignKey(AlertChannel, on_delete=models.CASCADE, related_name="deliveries")
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True, default="")
    due_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-due_at",)
        constraints = (models.UniqueConstraint(fields=("alert", "channel"), name="delivery_once"),)

    def __str__(self) -> str:
        return f"{self.alert} to {self.channel}: {self.state}"

"""Who decided what by which rules: ruleset versions, advice, recommendations, signatures, decisions."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from journal.models.accounts import Account
from journal.models.trades import OwnedQuerySet, Trade


class RulesetVersion(models.Model):
    """One immutable version of an account's rules; a change is a new version with a parent.

    ``document`` is what hedging.engine.rulesets.document reads; ``content_hash`` covers it without its
    status. Triggers refuse a change of either. ``evidence`` is the backtest a proposal stands on.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PROPOSED = "proposed", "Proposed"
        APPROVED = "approved", "Approved, waiting for its day"
        ACTIVE = "active", "Active"
        RETIRED = "retired", "Retired"
        WITHDRAWN = "withdrawn", "Withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="rulesets")
    name = models.CharField(max_length=60)
    title = models.CharField(max_length=160)
    document = models.JSONField()
    content_hash = models.CharField(max_length=64)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    status = models.CharField(max_length=9, choices=Status, default=Status.DRAFT)
    reason = models.CharField(max_length=400, blank=True, default="")
    evidence = models.JSONField(null=True, blank=True)
    created_by = models.ForeignKey("journal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    proposed_at = models.DateTimeField(null=True, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    active_from = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(fields=("account", "content_hash"), name="ruleset_content_once"),
            models.UniqueConstraint(
                fields=("account",), condition=Q(status="active"), name="ruleset_one_active"
            ),
        )

    def __str__(self) -> str:
        return f"{self.title} ({self.content_hash[:8]})"


class AdviceRun(models.Model):
    """Everything policy said of an account on one snapshot; a newer answer supersedes, never overwrites."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="advice_runs")
    ruleset = models.ForeignKey(RulesetVersion, on_delete=models.PROTECT, related_name="runs")
    snapshot = models.ForeignKey("hedging.MarketSnapshot", on_delete=models.PROTECT, related_name="+")
    as_of = models.DateTimeField()
    ruleset_hash = models.CharField(max_length=64)
    book_revision = models.PositiveBigIntegerField()
    content_hash = models.CharField(max_length=64)
    advice = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    superseded_at = models.DateTimeField(null=True, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("account", "as_of", "ruleset_hash", "book_revision"),
                condition=Q(superseded_at__isnull=True),
                name="advice_one_current",
            ),
        )

    def __str__(self) -> str:
        return f"Advice for {self.account} at {self.as_of:%Y-%m-%d %H:%M}"


class Recommendation(models.Model):
    """One proposal of an advice run and what became of it.

    ``content_hash`` covers the proposal and its inputs: signatures are bound to it. ``loss_before`` and
    ``loss_after`` are stressed losses in dollars (positive), None where unknown.
    """

    class State(models.TextChoices):
        HOLD = "hold", "Nothing to do"
        NEW = "new", "Waiting"
        APPROVED = "approved", "Approved"
        EXECUTED = "executed", "Executed"
        OVERRIDDEN = "overridden", "Overridden"
        SNOOZED = "snoozed", "Snoozed"
        EXPIRED = "expired", "Expired"
        SUPERSEDED = "superseded", "Superseded"

    OPEN = (State.NEW, State.SNOOZED, State.APPROVED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(AdviceRun, on_delete=models.CASCADE, related_name="recommendations")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="recommendations")
    ordinal = models.PositiveSmallIntegerField()
    action = models.CharField(max_length=20)
    layer = models.PositiveSmallIntegerField(null=True, blank=True)
    trade = models.ForeignKey(Trade, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    title = models.CharField(max_length=200)
    proposal = models.JSONField()
    content_hash = models.CharField(max_length=64)
    risk_reducing = models.BooleanField(null=True, blank=True)
    loss_before = models.FloatField(null=True, blank=True)
    loss_after = models.FloatField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.NEW)
    snoozed_until = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    approved_at = models.DateTimeField(null=True, blank=True)
    executable_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "ordinal")
        indexes = (models.Index(fields=("account", "state"), name="recommendation_state"),)
        constraints = (models.UniqueConstraint(fields=("run", "ordinal"), name="recommendation_once"),)

    def __str__(self) -> str:
        return self.title


class ApprovalChange(models.Model):
    """A change of who signs for an account, or of how many must and how long it waits (GOV-2).

    ``terms`` are plain values by kind: needed and delay_hours, or user, login and role. With several signers
    it takes effect only after they signed it by the rule it changes; ``content_hash`` covers both.
    ``release`` is set where an operator waived the signatures of logins that can no longer sign: operator,
    reason and lost (public ids and logins).
    """

    class Kind(models.TextChoices):
        RULE = "rule", "Signatures and delay"
        ADD = "add", "Role given"
        REMOVE = "remove", "Role taken"

    class Status(models.TextChoices):
        PROPOSED = "proposed", "Waiting for signatures"
        APPROVED = "approved", "Approved, waiting for its time"
        APPLIED = "applied", "In force"
        WITHDRAWN = "withdrawn", "Withdrawn"
        FAILED = "failed", "No longer possible"

    OPEN = (Status.PROPOSED, Status.APPROVED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="approval_changes")
    kind = models.CharField(max_length=6, choices=Kind)
    summary = models.CharField(max_length=200)
    terms = models.JSONField()
    content_hash = models.CharField(max_length=64)
    tightens = models.BooleanField(default=False)
    status = models.CharField(max_length=9, choices=Status, default=Status.PROPOSED)
    outcome = models.CharField(max_length=200, blank=True, default="")
    release = models.JSONField(null=True, blank=True)
    created_by = models.ForeignKey("journal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    effective_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("account",),
                condition=Q(status__in=("proposed", "approved")),
                name="approval_change_one_open",
            ),
        )

    def __str__(self) -> str:
        return self.summary


class Signature(models.Model):
    """A signer's yes to rules, a recommendation or a change of approvals, bound to the content shown."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="signatures")
    ruleset = models.ForeignKey(
        RulesetVersion, null=True, blank=True, on_delete=models.CASCADE, related_name="signatures"
    )
    recommendation = models.ForeignKey(
        Recommendation, null=True, blank=True, on_delete=models.CASCADE, related_name="signatures"
    )
    change = models.ForeignKey(
        ApprovalChange, null=True, blank=True, on_delete=models.CASCADE, related_name="signatures"
    )
    signer = models.ForeignKey("journal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    signer_name = models.CharField(max_length=150)
    content_hash = models.CharField(max_length=64)
    at = models.DateTimeField(auto_now_add=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("at",)
        constraints = (
            models.CheckConstraint(
                condition=Q(ruleset__isnull=False, recommendation__isnull=True, change__isnull=True)
                | Q(ruleset__isnull=True, recommendation__isnull=False, change__isnull=True)
                | Q(ruleset__isnull=True, recommendation__isnull=True, change__isnull=False),
                name="signature_of_one_thing",
            ),
            models.UniqueConstraint(fields=("change", "signer"), name="signature_change_once"),
            models.UniqueConstraint(fields=("ruleset", "signer"), name="signature_ruleset_once"),
            models.UniqueConstraint(fields=("recommendation", "signer"), name="signature_advice_once"),
        )

    def __str__(self) -> str:
        return f"{self.signer_name} signed {self.content_hash[:8]}"


class Decision(models.Model):
    """What was decided about a recommendation, by whom and why; append-only.

    ``tag`` of an override comes from its effect on the stressed loss: a steward lowers risk, a promoter
    raises it. ``scenario_effect`` is that effect in dollars (positive: the loss became larger).
    """

    class Kind(models.TextChoices):
        APPROVED = "approved", "Approved"
        EXECUTED = "executed", "Executed"
        OVERRIDDEN = "overridden", "Overridden"
        SNOOZED = "snoozed", "Snoozed"
        EXPIRED = "expired", "Expired"
        SUPERSEDED = "superseded", "Superseded"

    class Tag(models.TextChoices):
        STEWARD = "steward", "Steward: lowers risk"
        PROMOTER = "promoter", "Promoter: raises risk"
        NEUTRAL = "neutral", "No effect on the stressed loss"
        UNKNOWN = "unknown", "Effect unknown"
        NONE = "", "-"

    class Reason(models.TextChoices):
        LIQUIDITY = "liquidity", "Spread or size not tradable"
        PRICE = "price", "Limit not reachable"
        DATA = "data", "I doubt the data"
        VIEW = "view", "I see the market differently"
        CAPITAL = "capital", "Capital is needed elsewhere"
        ALREADY = "already", "Already covered another way"
        OTHER = "other", "Other"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="decisions")
    recommendation = models.ForeignKey(Recommendation, on_delete=models.CASCADE, related_name="decisions")
    kind = models.CharField(max_length=10, choices=Kind)
    actor = models.ForeignKey("journal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    actor_name = models.CharField(max_length=150, default="system")
    reason_code = models.CharField(max_length=10, choices=Reason, blank=True, default="")
    reason = models.TextField(blank=True, default="")
    tag = models.CharField(max_length=8, choices=Tag, blank=True, default=Tag.NONE)
    scenario_effect = models.FloatField(null=True, blank=True)
    fills = models.JSONField(default=list)
    trade = models.ForeignKey(Trade, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("at", "pk")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.recommendation}"


class Outcome(models.Model):
    """What a decided recommendation's orders earned up to a later snapshot, in dollars.

    ``pnl`` is after ``costs``: of the fills that carried it out and those that closed them again, else of the
    orders at their proposed limits with assumed costs, which is what an override gave up (or saved). None
    while a leg cannot be valued; ``reason`` says why. ``realized`` is the part, before costs, of what was
    opened and closed again. ``book_revision`` and ``fills_hash`` tell when fills changed since. Costs are
    None in outcomes final before costs were counted.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="outcomes")
    recommendation = models.OneToOneField(Recommendation, on_delete=models.CASCADE, related_name="outcome")
    snapshot = models.ForeignKey("hedging.MarketSnapshot", on_delete=models.PROTECT, related_name="+")
    as_of = models.DateTimeField()
    pnl = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    costs = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    realized = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    at_fills = models.BooleanField(default=False)
    book_revision = models.PositiveBigIntegerField(default=0)
    fills_hash = models.CharField(max_length=64, blank=True, default="")
    reason = models.CharField(max_length=200, blank=True, default="")
    is_final = models.BooleanField(default=False)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-as_of",)

    def __str__(self) -> str:
        return f"{self.recommendation}: {self.pnl}"

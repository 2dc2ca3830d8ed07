"""The risk desk: figures of all accounts at one moment, groups, limits, and the cases their breaches open."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from journal.models.accounts import Account
from journal.models.trades import OwnedQuerySet


class RiskSheet(models.Model):
    """One look at every account of one kind of market (real or simulated) on one snapshot.

    ``content_key`` is taken over the market and the books: the same inputs make one sheet. ``figures`` holds
    the firm's totals, its grid and movers as ``journal.services.risk.sheet`` writes them.
    """

    simulated = models.BooleanField()
    as_of = models.DateTimeField(help_text="the market's moment")
    day = models.DateField(help_text="exchange session of the market")
    market_hash = models.CharField(max_length=64)
    content_key = models.CharField(max_length=64)
    accounts = models.PositiveIntegerField()
    figures = models.JSONField(default=dict)
    seconds = models.FloatField(help_text="time the worker took")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-as_of", "-pk")
        constraints = (
            models.UniqueConstraint(fields=("simulated", "content_key"), name="risk_sheet_content_once"),
        )

    def __str__(self) -> str:
        return f"Risk of {self.accounts} accounts at {self.as_of:%Y-%m-%d %H:%M}"


class RiskRow(models.Model):
    """One account on one sheet, in dollars and percent of its capital; null is unknown, never zero.

    ``fall_loss`` is the worst stressed loss where VIX rises, ``rally_loss`` the worst elsewhere, both at
    least 0. ``coverage`` is hedge gain over condor loss, null while unknown or where there is
    nothing to cover. ``margin`` is at least what is asked for: ``unmargined`` trades are not in it.
    ``grid`` is float32, FIRM_SPOT × FIRM_VIX of ``hedging.engine.pricing.firm``.
    """

    sheet = models.ForeignKey(RiskSheet, on_delete=models.CASCADE, related_name="rows", db_index=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="risk_rows")
    book_revision = models.PositiveBigIntegerField()
    capital = models.DecimalField(max_digits=16, decimal_places=2)
    net_liq = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    open_pnl = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    day_pnl = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    month_pnl = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    drawdown_pct = models.FloatField(null=True)
    margin = models.FloatField(null=True)
    margin_pct = models.FloatField(null=True)
    unmargined = models.PositiveIntegerField(help_text="trades whose margin is unknown")
    portfolio_margin = models.FloatField(null=True)
    fall_loss = models.FloatField(null=True)
    fall_pct = models.FloatField(null=True)
    rally_loss = models.FloatField(null=True)
    rally_pct = models.FloatField(null=True)
    trade_loss_pct = models.FloatField(null=True)
    coverage_pct = models.FloatField(null=True)
    nothing_to_cover = models.BooleanField(default=False)
    spx_delta = models.FloatField()
    spx_gamma = models.FloatField()
    spx_vega = models.FloatField()
    vx_delta = models.FloatField()
    vx_vega = models.FloatField()
    theta = models.FloatField()
    worst_expiry = models.DateField(null=True)
    expiry_loss_pct = models.FloatField(null=True)
    expiry_share_pct = models.FloatField(null=True)
    worst_strike = models.FloatField(null=True)
    strike_share_pct = models.FloatField(null=True)
    open_trades = models.PositiveIntegerField()
    unknown_legs = models.PositiveIntegerField()
    mark_age_days = models.PositiveIntegerField(help_text="sessions since the marks")
    waiting = models.PositiveIntegerField(help_text="recommendations that wait")
    overrides = models.PositiveIntegerField(help_text="limits overridden in 30 days")
    last_activity = models.DateTimeField(null=True)
    breaches = models.PositiveIntegerField()
    severity = models.PositiveSmallIntegerField(help_text="0 none, 1 unknown, 2 soft, 3 hard")
    grid = models.BinaryField()

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-severity", "-fall_pct", "account_id")
        constraints = (models.UniqueConstraint(fields=("sheet", "account"), name="risk_row_once"),)
        indexes = (
            models.Index(fields=("sheet", "-severity", "-fall_pct"), name="risk_row_worst_first"),
            models.Index(fields=("sheet", "-fall_pct"), name="risk_row_fall"),
        )

    def __str__(self) -> str:
        return f"{self.account} on {self.sheet_id}"


class RiskGroup(models.Model):
    """Accounts that are looked at together: a desk, a strategy, a tag."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=60, unique=True)
    accounts = models.ManyToManyField(Account, related_name="risk_groups", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Measure(models.TextChoices):
    """What a limit is about; percent of the account's capital where the label says so."""

    MARGIN = "margin", "Margin, % of capital"
    FALL = "fall", "Stressed loss, VIX up, % of capital"
    RALLY = "rally", "Stressed loss, elsewhere, % of capital"
    TRADE = "trade", "Stressed loss of one trade, % of capital"
    EXPIRY = "expiry", "Stressed loss of one expiry, % of capital"
    EXPIRY_SHARE = "expiry_share", "Share of the worst expiry, %"
    STRIKE_SHARE = "strike_share", "Share of the most sold strike, %"
    COVERAGE_LOW = "coverage_low", "Hedge coverage, at least %"
    COVERAGE_HIGH = "coverage_high", "Hedge coverage, at most %"
    DRAWDOWN = "drawdown", "Drawdown, %"
    AGE = "age", "Sessions since the marks"


class RiskLimit(models.Model):
    """One version of a limit: of an account, of each account of a group, or of every account of the firm.

    The narrowest scope counts. ``soft`` warns, ``hard`` breaches. A version ends when the next is in force;
    nothing is overwritten. Raising a firm limit waits for a second person (``approved_by``).
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", "Waits for a second person"
        IN_FORCE = "in_force", "In force"
        ENDED = "ended", "Ended"
        REFUSED = "refused", "Refused"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    measure = models.CharField(max_length=16, choices=Measure)
    account = models.ForeignKey(
        Account, null=True, blank=True, on_delete=models.CASCADE, related_name="risk_limits"
    )
    group = models.ForeignKey(
        RiskGroup, null=True, blank=True, on_delete=models.CASCADE, related_name="risk_limits"
    )
    soft = models.FloatField(null=True, blank=True)
    hard = models.FloatField()
    state = models.CharField(max_length=8, choices=State)
    reason = models.CharField(max_length=300)
    made_by = models.ForeignKey("journal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    approved_by = models.ForeignKey("journal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    in_force_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-made_at",)
        constraints = (
            models.CheckConstraint(
                condition=Q(account__isnull=True) | Q(group__isnull=True), name="risk_limit_one_scope"
            ),
            models.UniqueConstraint(
                fields=("measure", "account"), condition=Q(state="in_force", account__isnull=False),
                name="risk_limit_of_account_once",
            ),
            models.UniqueConstraint(
                fields=("measure", "group"), condition=Q(state="in_force", group__isnull=False),
                name="risk_limit_of_group_once",
            ),
            models.UniqueConstraint(
                fields=("measure",),
                condition=Q(state="in_force", account__isnull=True, group__isnull=True),
                name="risk_limit_of_firm_once",
            ),
        )  # fmt: skip

    def __str__(self) -> str:
        return f"{self.get_measure_display()}: {self.hard:g}"

    @property
    def may_end(self) -> bool:
        """Whether it can be taken away: a firm limit is only ever changed."""
        return self.state == self.State.IN_FORCE and bool(self.account_id or self.group_id)


class BreachCase(models.Model):
    """A limit of an account that broke: opened by the sheet, closed by the figures of a later one.

    ``value`` and ``limit`` are those of the moment it opened (value null: unknown), ``last_value`` the
    newest. A case is acknowledged with a reason until a day; then it asks again.
    """

    class Severity(models.IntegerChoices):
        UNKNOWN = 1, "Unknown"
        SOFT = 2, "Soft"
        HARD = 3, "Hard"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="breach_cases")
    measure = models.CharField(max_length=16, choices=Measure)
    severity = models.PositiveSmallIntegerField(choices=Severity)
    limit = models.FloatField(null=True)
    value = models.FloatField(null=True)
    last_value = models.FloatField(null=True)
    figures = models.JSONField(default=dict)
    opened_at = models.DateTimeField()
    assignee = models.ForeignKey("journal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    acknowledged_by = models.ForeignKey(
        "journal.User", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_until = models.DateField(null=True)
    acknowledged_reason = models.CharField(max_length=300, blank=True, default="")
    escalated_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-severity", "opened_at")
        constraints = (
            models.UniqueConstraint(
                fields=("account", "measure"), condition=Q(closed_at__isnull=True), name="breach_open_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_measure_display()} of {self.account}"


class BreachComment(models.Model):
    """What somebody of the desk, or the trader, said of a case."""

    case = models.ForeignKey(BreachCase, on_delete=models.CASCADE, related_name="comments")
    author = models.ForeignKey("journal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    of_desk = models.BooleanField()
    text = models.CharField(max_length=1000)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("at",)

    def __str__(self) -> str:
        return self.text[:60]

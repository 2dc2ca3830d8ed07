"""Market data at rest: bars, VX settlements, chains, and the snapshots built from them."""

from __future__ import annotations

import uuid

from django.db import models


class Quality(models.TextChoices):
    """How a number came to be; shown wherever the number is shown."""

    LIVE = "live", "live"
    DELAYED = "delayed", "delayed"
    EOD = "eod", "end of day"
    MODELLED = "modelled", "modelled"
    SIMULATED = "simulated", "simulated"


class IngestRun(models.Model):
    """One file or fetch that was read: the same content is never stored twice."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=255)
    source = models.CharField(max_length=40)
    format = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64, db_index=True)
    rows_read = models.PositiveIntegerField(default=0)
    rows_new = models.PositiveIntegerField(default=0)
    rows_unchanged = models.PositiveIntegerField(default=0)
    rows_dropped = models.PositiveIntegerField(default=0)
    notes = models.JSONField(default=list)
    loaded_by = models.CharField(max_length=64, blank=True, default="")
    error = models.TextField(blank=True, default="", help_text="why nothing of it was kept")
    seconds = models.FloatField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.name} ({self.format})"


class DailyBar(models.Model):
    """One value or OHLC bar of a series on a date, with its revisions kept.

    The newest row of (source, symbol, date) has ``superseded_at`` null. ``published_at`` is when
    the value became public; macro values are revised, signals read only what was known by then.
    """

    source = models.CharField(max_length=40)
    symbol = models.CharField(max_length=32)
    date = models.DateField()
    open = models.DecimalField(max_digits=16, decimal_places=6, null=True, blank=True)
    high = models.DecimalField(max_digits=16, decimal_places=6, null=True, blank=True)
    low = models.DecimalField(max_digits=16, decimal_places=6, null=True, blank=True)
    close = models.DecimalField(max_digits=16, decimal_places=6)
    quality = models.CharField(max_length=10, choices=Quality, default=Quality.EOD)
    published_at = models.DateTimeField(null=True, blank=True)
    published_estimated = models.BooleanField(default=False, help_text="published_at is by rule, not stated")
    recorded_at = models.DateTimeField(auto_now_add=True)
    superseded_at = models.DateTimeField(null=True, blank=True)
    run = models.ForeignKey(IngestRun, null=True, blank=True, on_delete=models.PROTECT, related_name="bars")

    class Meta:
        ordering = ("symbol", "date")
        indexes = (models.Index(fields=("symbol", "-date"), name="bar_symbol_date"),)
        constraints = (
            models.UniqueConstraint(
                fields=("source", "symbol", "date"),
                condition=models.Q(superseded_at__isnull=True),
                name="bar_one_current_row",
            ),
        )

    def __str__(self) -> str:
        return f"{self.symbol} {self.date} {self.close}"


class VXSettlement(models.Model):
    """Daily settlement of one VX contract, with its revisions kept like DailyBar."""

    source = models.CharField(max_length=40)
    date = models.DateField()
    expiry = models.DateField()
    open = models.DecimalField(max_digits=12, decimal_places=4, null=True, blank=True)
    high = models.DecimalField(max_digits=12, decimal_places=4, null=True, blank=True)
    low = models.DecimalField(max_digits=12, decimal_places=4, null=True, blank=True)
    close = models.DecimalField(max_digits=12, decimal_places=4, null=True, blank=True)
    settle = models.DecimalField(max_digits=12, decimal_places=4)
    volume = models.PositiveBigIntegerField(null=True, blank=True)
    open_interest = models.PositiveBigIntegerField(null=True, blank=True)
    quality = models.CharField(max_length=10, choices=Quality, default=Quality.EOD)
    recorded_at = models.DateTimeField(auto_now_add=True)
    superseded_at = models.DateTimeField(null=True, blank=True)
    run = models.ForeignKey(IngestRun, null=True, blank=True, on_delete=models.PROTECT, related_name="vx")

    class Meta:
        ordering = ("date", "expiry")
        indexes = (models.Index(fields=("-date", "expiry"), name="vx_date_expiry"),)
        constraints = (
            models.UniqueConstraint(
                fields=("source", "date", "expiry"),
                condition=models.Q(superseded_at__isnull=True),
                name="vx_one_current_row",
            ),
            models.CheckConstraint(condition=models.Q(settle__gt=0), name="vx_settle_positive"),
        )

    def __str__(self) -> str:
        return f"VX {self.expiry} on {self.date}: {self.settle}"


class ChainSnapshot(models.Model):
    """An option chain at one quote time, stored as one compressed columnar blob.

    ``payload`` holds the columns of hedging.providers.formats.chain.ChainTable; ``content_hash``
    is taken over the canonical columns, so the same quotes are stored once whatever file they
    came in.
    """

    source = models.CharField(max_length=40)
    underlying = models.CharField(max_length=8)
    as_of = models.DateTimeField(help_text="quote time")
    spot = models.DecimalField(max_digits=14, decimal_places=6, null=True, blank=True)
    row_count = models.PositiveIntegerField()
    payload = models.BinaryField()
    content_hash = models.CharField(max_length=64, unique=True)
    near_spread = models.FloatField(
        null=True, blank=True, help_text="median bid-ask near the money, 30 days ahead, % of mid; SPX only"
    )
    quality = models.CharField(max_length=10, choices=Quality)
    recorded_at = models.DateTimeField(auto_now_add=True)
    run = models.ForeignKey(IngestRun, null=True, blank=True, on_delete=models.PROTECT, related_name="chains")

    class Meta:
        ordering = ("-as_of",)
        indexes = (models.Index(fields=("underlying", "-as_of"), name="chain_underlying_asof"),)

    def __str__(self) -> str:
        return f"{self.underlying} chain {self.as_of:%Y-%m-%d %H:%M} ({self.row_count} options)"


class MarketSnapshot(models.Model):
    """What the engine saw at a moment: which chains, which VX curve, which bars, and its hash.

    The heavy arrays are rebuilt from the parts it names (hedging.services.snapshots.snapshots); the same
    parts always rebuild the same content hash.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    as_of = models.DateTimeField(db_index=True)
    content_hash = models.CharField(max_length=64, unique=True)
    spx_chain = models.ForeignKey(
        ChainSnapshot, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    vix_chain = models.ForeignKey(
        ChainSnapshot, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    vx_date = models.DateField(null=True, blank=True)
    flags = models.JSONField(default=list)
    summary = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-as_of",)

    def __str__(self) -> str:
        return f"market at {self.as_of:%Y-%m-%d %H:%M} {self.content_hash[:8]}"

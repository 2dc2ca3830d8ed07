"""What workers computed for the pages: valuations and reports."""

from __future__ import annotations

import uuid

from django.db import models

from journal.models.accounts import Account
from journal.models.trades import OwnedQuerySet, Trade


class Valuation(models.Model):
    """One trade valued on one market snapshot at one book revision (the content key).

    ``result`` is the JSON of hedging.engine.pricing.valuation.TradeValuation; a newer revision writes a
    new row, it never overwrites.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="valuations")
    trade = models.ForeignKey(Trade, on_delete=models.CASCADE, related_name="valuations")
    snapshot = models.ForeignKey("hedging.MarketSnapshot", on_delete=models.PROTECT, related_name="+")
    as_of = models.DateTimeField()
    book_revision = models.PositiveBigIntegerField()
    result = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-as_of", "-book_revision")
        constraints = (
            models.UniqueConstraint(
                fields=("trade", "snapshot", "book_revision"), name="valuation_content_key"
            ),
        )

    def __str__(self) -> str:
        return f"{self.trade} at {self.as_of:%Y-%m-%d %H:%M}"


class AccountRisk(models.Model):
    """An account's totals on one snapshot at one book revision: what the risk console lists."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="risks")
    snapshot = models.ForeignKey("hedging.MarketSnapshot", on_delete=models.PROTECT, related_name="+")
    as_of = models.DateTimeField()
    book_revision = models.PositiveBigIntegerField()
    result = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-as_of", "-book_revision")
        constraints = (
            models.UniqueConstraint(
                fields=("account", "snapshot", "book_revision"), name="account_risk_content_key"
            ),
        )

    def __str__(self) -> str:
        return f"{self.account} at {self.as_of:%Y-%m-%d %H:%M}"


class Report(models.Model):
    """A rendered account report: immutable bytes with their hash, open to members only."""

    class Format(models.TextChoices):
        HTML = "html", "HTML"
        PDF = "pdf", "PDF"
        CSV = "csv", "CSV"
        XLSX = "xlsx", "Excel"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="reports")
    job_id = models.UUIDField(unique=True)
    format = models.CharField(max_length=4, choices=Format)
    date_from = models.DateField()
    date_to = models.DateField()
    as_of = models.DateTimeField(null=True, blank=True)
    filename = models.CharField(max_length=160)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    requested_by = models.ForeignKey("journal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.filename

    @property
    def has_page(self) -> bool:
        """Whether a browser can show it."""
        return self.format in {self.Format.PDF, self.Format.HTML}


class IdempotencyKey(models.Model):
    """The stored answer to a write request, so that a repeat gets it again instead of a second row."""

    user = models.ForeignKey("journal.User", on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=120)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    body = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "key"), name="idempotency_key_once"),)

    def __str__(self) -> str:
        return self.key

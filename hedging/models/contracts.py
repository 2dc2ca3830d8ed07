"""Listed contracts as the exchange defines them."""

from __future__ import annotations

from django.db import models


class Contract(models.Model):
    """One listed instrument: an SPX/VIX option, a VX future or an ETP share.

    Rules per root (settlement, multiplier, tick) are in hedging.engine.instruments.
    """

    class Kind(models.TextChoices):
        OPTION = "option", "Option"
        FUTURE = "future", "Future"
        SHARE = "share", "Share"

    class Right(models.TextChoices):
        CALL = "C", "Call"
        PUT = "P", "Put"
        NONE = "", "-"

    class Settlement(models.TextChoices):
        AM = "AM", "AM (opening prices)"
        PM = "PM", "PM (close)"
        NONE = "", "-"

    symbol = models.CharField(
        max_length=32, unique=True, help_text="OCC symbol (21 characters), VX/YYYY-MM-DD or ticker"
    )
    kind = models.CharField(max_length=8, choices=Kind)
    root = models.CharField(max_length=8)
    underlying = models.CharField(max_length=8, db_index=True)
    expiry = models.DateField(null=True, blank=True)
    strike = models.DecimalField(max_digits=12, decimal_places=3, null=True, blank=True)
    right = models.CharField(max_length=1, choices=Right, blank=True, default="")
    multiplier = models.PositiveIntegerField()
    settlement = models.CharField(max_length=2, choices=Settlement, blank=True, default="")

    class Meta:
        ordering = ("underlying", "expiry", "strike", "right")
        constraints = (
            models.CheckConstraint(condition=models.Q(multiplier__gt=0), name="contract_multiplier_positive"),
            models.CheckConstraint(
                condition=~models.Q(kind="option")
                | models.Q(expiry__isnull=False, strike__gt=0, right__in=["C", "P"]),
                name="contract_option_complete",
            ),
        )

    def __str__(self) -> str:
        return self.symbol

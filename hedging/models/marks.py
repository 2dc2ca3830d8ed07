"""Daily marks of contracts: priced once for every account that holds them."""

from __future__ import annotations

from django.db import models

from hedging.models.contracts import Contract
from hedging.models.market import Quality


class ContractMark(models.Model):
    """What one contract was worth at one session's close, and the state of the market behind it.

    ``market_key`` is a hash of the data the mark was made from: data that arrives later makes a new row, the
    old one stays. ``price`` in points, null when unknown with ``reason`` saying why; Greeks per unit as in
    docs/units.md; ``forward``, ``iv``, ``t`` (years) and ``rate`` are what the attribution starts from.
    """

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="marks")
    day = models.DateField()
    market_key = models.CharField(max_length=64)
    price = models.DecimalField(max_digits=14, decimal_places=6, null=True)
    bid = models.DecimalField(max_digits=14, decimal_places=6, null=True)
    ask = models.DecimalField(max_digits=14, decimal_places=6, null=True)
    source = models.CharField(max_length=20)
    quality = models.CharField(max_length=10, choices=Quality, blank=True, default="")
    flags = models.CharField(max_length=80, blank=True, default="")
    quoted_at = models.DateTimeField(null=True)
    forward = models.FloatField(null=True)
    iv = models.FloatField(null=True)
    t = models.FloatField(null=True)
    rate = models.FloatField(null=True)
    delta = models.FloatField(null=True)
    gamma = models.FloatField(null=True)
    theta = models.FloatField(null=True)
    vega = models.FloatField(null=True)
    reason = models.CharField(max_length=160, blank=True, default="")

    class Meta:
        ordering = ("day", "contract_id")
        constraints = (
            models.UniqueConstraint(fields=("contract", "day", "market_key"), name="contract_mark_once"),
        )

    def __str__(self) -> str:
        return f"{self.contract_id} on {self.day}: {self.price}"

    @property
    def is_modelled(self) -> bool:
        """Whether no quote of the contract itself stands behind the price."""
        return self.source == "surface" or self.quality == Quality.MODELLED

"""Year-end marks that a trader entered, for the tax worksheet."""

from __future__ import annotations

from django.db import models

from journal.models.accounts import Account
from journal.models.trades import OwnedQuerySet


class YearEndMark(models.Model):
    """The value of a contract on the last session of a year as the broker reported it, in points."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="year_end_marks")
    contract = models.ForeignKey("hedging.Contract", on_delete=models.PROTECT, related_name="+")
    year = models.PositiveSmallIntegerField()
    price = models.DecimalField(max_digits=14, decimal_places=6)
    entered_by = models.ForeignKey("journal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    entered_at = models.DateTimeField(auto_now=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("year", "contract")
        constraints = (
            models.UniqueConstraint(fields=("account", "contract", "year"), name="year_end_mark_once"),
            models.CheckConstraint(condition=models.Q(price__gte=0), name="year_end_mark_not_negative"),
        )

    def __str__(self) -> str:
        return f"{self.contract} at the end of {self.year}: {self.price}"

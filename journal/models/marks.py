"""What each position was worth each day, and why it changed: rebuilt from fills and marks at any time."""

from __future__ import annotations

from django.db import models

from journal.models.accounts import Account
from journal.models.trades import OwnedQuerySet, Trade


class DailyMark(models.Model):
    """One leg of a trade on one session: what was held at its close, at which mark, and the day's P&L.

    Amounts are integers, so that both databases add them without error: ``value`` and ``pnl`` in millionths
    of a dollar, the effects in cents (their sum is ``pnl`` rounded). ``value`` is the market value of options
    and shares; a future has none, its gain is in ``pnl``. While ``known`` is false the mark of an open leg
    is unknown: P&L and effects are zero here and come with the next known mark, whose ``since`` names the
    session it counts from.
    """

    # Account and trade lead an index below each; a second one of their own would only slow down writing.
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    trade = models.ForeignKey(Trade, on_delete=models.CASCADE, related_name="daily_marks", db_index=False)
    # Unchecked by the database: workers that write in parallel would all lock the same contracts' rows. Nor
    # indexed: nobody asks by them, and a session's legs share so few that all would write the same pages.
    contract = models.ForeignKey(
        "hedging.Contract", on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    mark = models.ForeignKey(
        "hedging.ContractMark", null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False,
        db_index=False,
    )  # fmt: skip
    base = models.ForeignKey(
        "hedging.ContractMark", null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False,
        db_index=False,
    )  # fmt: skip
    day = models.DateField()
    since = models.DateField(null=True)
    quantity = models.IntegerField()
    held = models.IntegerField()
    known = models.BooleanField()
    value = models.BigIntegerField()
    pnl = models.BigIntegerField()
    delta = models.BigIntegerField()
    gamma = models.BigIntegerField()
    vega = models.BigIntegerField()
    theta = models.BigIntegerField()
    vanna = models.BigIntegerField()
    volga = models.BigIntegerField()
    rho = models.BigIntegerField()
    trading = models.BigIntegerField()
    fees = models.BigIntegerField()
    residual = models.BigIntegerField()

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("day", "trade_id", "contract_id")
        indexes = (models.Index(fields=("account", "day"), name="daily_mark_account_day"),)
        constraints = (models.UniqueConstraint(fields=("trade", "contract", "day"), name="daily_mark_once"),)

    def __str__(self) -> str:
        return f"{self.quantity:+d} × {self.contract_id} on {self.day}"


class AttributionDay(models.Model):
    """One account on one session: the sum of its legs, and the key that says what it was made from.

    ``market_hash`` is taken over the marks used, ``content_hash`` over the legs' rows: the same fills and
    marks give the same hash. ``result`` holds effects in cents by group (condor, hedge, other, each layer),
    the full revaluation and the interaction; see docs/adr/0011.
    """

    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="attribution_days", db_index=False
    )
    day = models.DateField()
    book_revision = models.PositiveBigIntegerField()
    market_hash = models.CharField(max_length=64)
    content_hash = models.CharField(max_length=64)
    value = models.BigIntegerField(help_text="millionths of a dollar")
    pnl = models.BigIntegerField(help_text="millionths of a dollar")
    residual_share = models.FloatField(null=True)
    legs = models.PositiveIntegerField()
    unknown_legs = models.PositiveIntegerField()
    modelled_legs = models.PositiveIntegerField()
    result = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("day",)
        constraints = (models.UniqueConstraint(fields=("account", "day"), name="attribution_day_once"),)

    def __str__(self) -> str:
        return f"{self.account} on {self.day}"

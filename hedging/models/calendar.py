"""Events that move markets; revisions are kept."""

from __future__ import annotations

from django.db import models

from hedging.models.market import IngestRun


class MacroEvent(models.Model):
    """One scheduled or past event: a release, a meeting, an expiration.

    ``day`` and ``time_et`` are when it takes place, ``period`` what it reports ("February 2024").
    Figures are in ``unit`` and null until released. ``published_at`` is when the outcome was public;
    ``scheduled`` False marks what nobody knew of before. The newest row of (kind, day, period) has
    ``superseded_at`` null.
    """

    source = models.CharField(max_length=60)
    kind = models.CharField(max_length=40)
    day = models.DateField()
    time_et = models.TimeField(null=True, blank=True)
    period = models.CharField(max_length=40, blank=True, default="")
    detail = models.CharField(max_length=200, blank=True, default="")
    actual = models.DecimalField(max_digits=16, decimal_places=6, null=True, blank=True)
    forecast = models.DecimalField(max_digits=16, decimal_places=6, null=True, blank=True)
    previous = models.DecimalField(max_digits=16, decimal_places=6, null=True, blank=True)
    unit = models.CharField(max_length=20, blank=True, default="")
    scheduled = models.BooleanField(default=True)
    published_at = models.DateTimeField()
    recorded_at = models.DateTimeField(auto_now_add=True)
    superseded_at = models.DateTimeField(null=True, blank=True)
    run = models.ForeignKey(IngestRun, null=True, blank=True, on_delete=models.PROTECT, related_name="events")

    class Meta:
        ordering = ("day", "kind")
        indexes = (models.Index(fields=("kind", "day"), name="event_kind_day"),)
        constraints = (
            models.UniqueConstraint(
                fields=("kind", "day", "period"),
                condition=models.Q(superseded_at__isnull=True),
                name="event_one_current_row",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.day} {self.period}".rstrip()

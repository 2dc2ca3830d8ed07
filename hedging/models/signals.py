"""Computed signals at rest."""

from __future__ import annotations

from django.db import models


class SignalFrameRow(models.Model):
    """Signals and regimes of a whole history under one set of thresholds, as one compressed archive.

    ``payload`` is hedging.engine.signals.codec's; ``revision`` names the history it was computed from and
    ``params_hash`` the thresholds. It can be computed again at any time; only the newest is kept.
    """

    simulated = models.BooleanField()
    params_hash = models.CharField(max_length=64)
    revision = models.CharField(max_length=120)
    version = models.PositiveSmallIntegerField()
    first_day = models.DateField(null=True, blank=True)
    last_day = models.DateField(null=True, blank=True)
    payload = models.BinaryField()
    seconds = models.FloatField(help_text="how long the computation took")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(fields=("simulated", "params_hash"), name="signal_frame_one_row"),
        )

    def __str__(self) -> str:
        kind = "simulated" if self.simulated else "real"
        return f"{kind} signals to {self.last_day}"

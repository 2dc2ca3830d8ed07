"""Backtests an account asked for, kept with their figures."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models

from hedging.jobs.scopes import account_scope
from hedging.models import Job
from journal.models.accounts import Account
from journal.models.trades import OwnedQuerySet


class BacktestRun(models.Model):
    """One backtest, or several sets of parameters on one range.

    ``key`` is the hash of what the figures depend on: the same question is answered once. ``settings`` and
    ``document`` (the ruleset) are what was asked. ``sets`` are changed parameters, one object a set; a single
    run has none. ``result`` is None until the worker is done.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="backtests")
    key = models.CharField(max_length=64)
    title = models.CharField(max_length=120)
    document = models.JSONField()
    settings = models.JSONField()
    sets = models.JSONField(default=list, blank=True)
    result = models.JSONField(null=True, blank=True)
    created_by = models.ForeignKey("journal.User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "pk")
        constraints = (models.UniqueConstraint(fields=("account", "key"), name="backtest_once"),)

    def __str__(self) -> str:
        return f"{self.title}, {self.settings['first']} to {self.settings['last']}"

    @property
    def jobs(self) -> models.QuerySet[Job]:
        """Its jobs, one for a single run, else one a part."""
        return Job.objects.filter(scope=account_scope(self.account_id), as_of=str(self.pk))


class BacktestPart(models.Model):
    """Figures of some of a run's sets, written by the worker that computed them."""

    run = models.ForeignKey(BacktestRun, on_delete=models.CASCADE, related_name="parts")
    first = models.PositiveIntegerField()
    figures: models.JSONField[Any, Any] = models.JSONField()
    seconds = models.FloatField()

    class Meta:
        ordering = ("first",)
        constraints = (models.UniqueConstraint(fields=("run", "first"), name="backtest_part_once"),)

    def __str__(self) -> str:
        return f"{self.run_id} from {self.first}"

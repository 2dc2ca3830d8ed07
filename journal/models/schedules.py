"""Reports that are made again each week or month."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from journal.models.accounts import Account
from journal.models.results import Report
from journal.models.trades import OwnedQuerySet


class ReportSchedule(models.Model):
    """A report of every past week (Monday to Sunday) or calendar month, made once a period.

    ``done_until`` is the last day of the newest period a job was requested for; the job's key names schedule
    and period, so that two schedulers or a restart ask once. An ``email`` gets the file as an attachment,
    or a link that asks for the login.
    """

    class Every(models.TextChoices):
        WEEK = "week", "Every week"
        MONTH = "month", "Every month"

    class Send(models.TextChoices):
        NONE = "", "Nothing, it is stored here"
        ATTACHMENT = "attachment", "The file"
        LINK = "link", "A link to it"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="report_schedules")
    created_by = models.ForeignKey("journal.User", on_delete=models.CASCADE, related_name="+")
    every = models.CharField(max_length=5, choices=Every)
    format = models.CharField(max_length=4, choices=Report.Format, default=Report.Format.PDF)
    send = models.CharField(max_length=10, choices=Send, blank=True, default="")
    email = models.EmailField(blank=True, default="")
    done_until = models.DateField()
    stopped_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("created_at",)
        constraints = (
            models.CheckConstraint(condition=Q(send="") | ~Q(email=""), name="schedule_sends_to_somebody"),
        )

    def __str__(self) -> str:
        return f"{self.get_every_display()}, {self.get_format_display()}"

"""What is fetched from where, and how that went."""

from __future__ import annotations

from django.db import models


class MarketSource(models.Model):
    """One file that is fetched again and again: its validators, its last outcome.

    ``success_at`` is the last time the source answered well, ``changed_at`` the last time it had something
    new; ``error`` is empty while all is well. ``not_before`` is when the source may be asked again.
    """

    key = models.CharField(max_length=120, primary_key=True)
    provider = models.CharField(max_length=40)
    group = models.CharField(max_length=20)
    url = models.CharField(max_length=500)
    etag = models.CharField(max_length=200, blank=True, default="")
    last_modified = models.CharField(max_length=60, blank=True, default="")
    sha256 = models.CharField(max_length=64, blank=True, default="")
    size = models.PositiveBigIntegerField(default=0)
    attempt_at = models.DateTimeField(null=True, blank=True)
    success_at = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True, default="")

    class Meta:
        ordering = ("key",)

    def __str__(self) -> str:
        return self.key


class StagedFile(models.Model):
    """A market file sent to the site with others, until a worker has loaded it."""

    name = models.CharField(max_length=255)
    content = models.BinaryField()
    loaded_by = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Lock(models.Model):
    """A named lock with an end, taken by compare-and-set: a killed holder loses it by itself."""

    name = models.CharField(max_length=40, primary_key=True)
    token = models.UUIDField(null=True, blank=True)
    until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name

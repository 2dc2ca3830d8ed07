"""Signs of life of the site's processes."""

from __future__ import annotations

from django.utils import timezone

from hedging.models import Heartbeat


def beat(name: str) -> None:
    """Note that the process kind ``name`` lives now."""
    Heartbeat.objects.update_or_create(name=name, defaults={"beat_at": timezone.now()})

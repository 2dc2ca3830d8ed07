"""Signs of life of the site's processes."""

from __future__ import annotations

from time import monotonic

from django.utils import timezone

from hedging.models import Heartbeat


def beat(name: str) -> None:
    """Note that the process kind ``name`` lives now."""
    Heartbeat.objects.update_or_create(name=name, defaults={"beat_at": timezone.now()})


_BUSY_EVERY_SECONDS = 5.0
_busy: dict[str, float] = {}


def beat_while_busy(name: str) -> None:
    """``beat`` at most every few seconds: for processes that do many small things."""
    now = monotonic()
    if now - _busy.get(name, float("-inf")) >= _BUSY_EVERY_SECONDS:
        _busy[name] = now
        beat(name)

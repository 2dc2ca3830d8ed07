"""Reads of alerts for the page and the shell."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Prefetch

from journal.models import Account, Alert, AlertChannel, AlertDelivery, User


@dataclass(frozen=True, slots=True)
class AlertPage:
    """Alerts of an account and the user's own channels."""

    open_ones: tuple[Alert, ...]
    past: tuple[Alert, ...]
    channels: tuple[AlertChannel, ...]


def alert_page(user: User, account: Account) -> AlertPage:
    """What is open, the last hundred that are over, and where the user is told."""
    rows = Alert.objects.for_user(user).filter(account=account).select_related("trade")
    mine = AlertDelivery.objects.filter(channel__user=user).select_related("channel")
    rows = rows.prefetch_related(Prefetch("deliveries", queryset=mine))
    return AlertPage(
        tuple(rows.filter(cleared_at__isnull=True)),
        tuple(rows.filter(cleared_at__isnull=False)[:100]),
        tuple(AlertChannel.objects.for_user(user).filter(account=account, user=user)),
    )


def unseen_count(user: User, account: Account | None) -> int:
    """Open alerts of the account nobody has looked at."""
    if account is None:
        return 0
    rows = Alert.objects.for_user(user).filter(account=account, cleared_at__isnull=True, seen_at__isnull=True)
    return int(rows.count())

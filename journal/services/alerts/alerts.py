"""Raising, clearing and telling alerts: once each, outside quiet hours, tried again when it fails."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from email.utils import parseaddr
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import get_random_string

from hedging.jobs.context import JobContext, JobError, JobRetryError
from hedging.jobs.engine import job_request
from hedging.jobs.registry import job_handler
from hedging.jobs.scopes import account_scope
from journal.errors import RuleError
from journal.job_kinds import DELIVER_ALERT
from journal.models import Account, Alert, AlertChannel, AlertDelivery, BulkChange, Trade, User
from journal.services.alerts.webhooks import webhook_check, webhook_post
from journal.services.audit import audit_record
from journal.services.guests import known_only
from journal.services.undo_records import removal_record

log = structlog.get_logger(__name__)
SIGNATURE_HEADER = "X-Signature-SHA256"
_MOST_CHANNELS = 10


@dataclass(frozen=True, slots=True)
class AlertFinding:
    """Something that asks for attention now; ``key`` is its name within the account."""

    kind: Alert.Kind
    key: str
    message: str
    trade_id: str | None = None


@transaction.atomic
def alerts_update(
    *, account: Account, kinds: Sequence[Alert.Kind], findings: Sequence[AlertFinding]
) -> list[Alert]:
    """Raise what is new, clear what of ``kinds`` is over; what stays is not told again. Returns the new."""
    Account.objects.select_for_update().get(pk=account.pk)
    now = timezone.now()
    open_ones = {
        alert.key: alert
        for alert in Alert.objects.filter(account=account, cleared_at__isnull=True, kind__in=kinds)
    }
    found = {finding.key[:120]: finding for finding in findings}
    gone = [alert.pk for key, alert in open_ones.items() if key not in found]
    Alert.objects.filter(pk__in=gone).update(cleared_at=now)
    trades = {str(pk) for pk in Trade.objects.filter(account=account).values_list("pk", flat=True)}
    made = []
    for key, finding in found.items():
        if key not in open_ones:
            made.append(_raise(account, finding, trades, now))
    return made


@transaction.atomic
def alert_raise(*, account: Account, finding: AlertFinding) -> Alert | None:
    """Raise one alert beside the others; None when it stands already."""
    Account.objects.select_for_update().get(pk=account.pk)
    if Alert.objects.filter(account=account, key=finding.key[:120], cleared_at__isnull=True).exists():
        return None
    known = Trade.objects.filter(account=account).values_list("pk", flat=True)
    trades = {str(pk) for pk in known} if finding.trade_id else set()
    return _raise(account, finding, trades, timezone.now())


def alert_clear(*, account: Account, key: str) -> int:
    """Say that one thing is over; returns how many alerts that closed (none or one)."""
    rows = Alert.objects.filter(account=account, key=key[:120], cleared_at__isnull=True)
    return rows.update(cleared_at=timezone.now())


def _raise(account: Account, finding: AlertFinding, trades: Collection[str], now: datetime) -> Alert:
    alert = Alert.objects.create(
        account=account, kind=finding.kind, key=finding.key[:120], message=finding.message[:300],
        trade_id=finding.trade_id if finding.trade_id in trades else None,
    )  # fmt: skip
    _queue(alert, now)
    return alert


def _queue(alert: Alert, now: datetime) -> None:
    for channel in AlertChannel.objects.filter(account=alert.account, is_active=True):
        if channel.kinds and alert.kind not in channel.kinds:
            continue
        due = quiet_until(channel, now) or now
        delivery = AlertDelivery.objects.create(alert=alert, channel=channel, due_at=due)
        job_request(
            kind=DELIVER_ALERT, scope=account_scope(alert.account_id), input_revision=str(delivery.pk),
            payload={"delivery": delivery.pk}, delay=due - now, max_attempts=AlertDelivery.MOST_ATTEMPTS,
        )  # fmt: skip


def quiet_until(channel: AlertChannel, now: datetime) -> datetime | None:
    """The end of the channel's quiet hours if ``now`` lies in them, in the account's time zone."""
    start, end = channel.quiet_from, channel.quiet_to
    if start is None or end is None or start == end:
        return None
    zone = ZoneInfo(channel.account.time_zone)
    local = now.astimezone(zone)
    wall = local.time().replace(tzinfo=None)
    inside = start <= wall < end if start < end else wall >= start or wall < end
    if not inside:
        return None
    day = local.date() if wall < end else local.date() + timedelta(days=1)
    return datetime.combine(day, end, zone)


@job_handler(DELIVER_ALERT)
def deliver(context: JobContext) -> Callable[[], Any] | None:
    """Send one alert; a failure is tried again with growing pauses, then shown on the page."""
    delivery = (
        AlertDelivery.objects.select_related("alert__account", "channel__user")
        .filter(pk=context.job.payload["delivery"])
        .first()
    )
    if delivery is None or delivery.state == AlertDelivery.State.SENT or not delivery.channel.is_active:
        return None
    AlertDelivery.objects.filter(pk=delivery.pk).update(attempts=context.job.attempts)
    try:
        _send(delivery)
    except (OSError, RuleError) as error:
        reason = (str(error) or type(error).__name__)[:300]
        AlertDelivery.objects.filter(pk=delivery.pk).update(state=AlertDelivery.State.FAILED, error=reason)
        if isinstance(error, RuleError):
            raise JobError(reason) from None
        raise JobRetryError(reason) from None

    def sent() -> None:
        AlertDelivery.objects.filter(pk=delivery.pk).update(
            state=AlertDelivery.State.SENT, error="", sent_at=timezone.now()
        )

    return sent


def _send(delivery: AlertDelivery) -> None:
    alert, channel = delivery.alert, delivery.channel
    if channel.kind == AlertChannel.Kind.EMAIL:
        send_mail(
            f"[{alert.account.name}] {alert.message}"[:160].replace("\n", " "),
            f"{alert.message}\n\n{alert.get_kind_display()}, {alert.raised_at:%Y-%m-%d %H:%M} UTC.\n"
            "Educational, not advice.\n",
            None, [channel.target],
        )  # fmt: skip
        return
    body = json.dumps(
        {
            "id": str(alert.pk), "kind": alert.kind, "message": alert.message,
            "account": str(alert.account_id), "trade": str(alert.trade_id) if alert.trade_id else None,
            "raised_at": alert.raised_at.isoformat(),
        },
        sort_keys=True,
    ).encode()  # fmt: skip
    headers = {"Content-Type": "application/json", SIGNATURE_HEADER: signature(channel.secret, body)}
    status = webhook_post(channel.target, body, headers)
    if not 200 <= status < 300:
        raise OSError(f"it answered {status}")


def signature(secret: str, body: bytes) -> str:
    """HMAC-SHA256 of the body with the channel's secret, in hex: what the receiver compares."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@transaction.atomic
def channel_add(*, user: User, account: Account, kind: str, target: str, **values: Any) -> AlertChannel:
    """Add a channel of the user's own. Raises RuleError naming the input."""
    known_only(user, "have messages sent", "target")
    if kind == AlertChannel.Kind.EMAIL:
        try:
            validate_email(parseaddr(target)[1] or target)
        except ValidationError:
            raise RuleError("This is not an e-mail address.", "target") from None
        target = parseaddr(target)[1]
    elif kind == AlertChannel.Kind.WEBHOOK:
        try:
            webhook_check(target)
        except OSError as error:
            raise RuleError(str(error), "target") from None
    else:
        raise RuleError("A channel is an e-mail address or a webhook.", "kind")
    unknown = set(values.get("kinds") or []) - set(Alert.Kind.values)
    if unknown:
        raise RuleError(f"Unknown kinds: {', '.join(sorted(unknown))}.", "kinds")
    if AlertChannel.objects.filter(account=account, user=user).count() >= _MOST_CHANNELS:
        raise RuleError(f"At most {_MOST_CHANNELS} channels.", "target")
    try:
        with transaction.atomic():
            channel = AlertChannel.objects.create(
                account=account, user=user, kind=kind, target=target,
                secret=get_random_string(40) if kind == AlertChannel.Kind.WEBHOOK else "", **values,
            )  # fmt: skip
    except IntegrityError:
        raise RuleError("This channel exists already.", "target") from None
    audit_record(actor=user, action="alert_channel.add", account=account, obj=channel, summary=str(channel))
    return channel


@transaction.atomic
def channel_remove(*, user: User, channel: AlertChannel) -> BulkChange:
    """Remove a channel of the user's own; returns the record to undo it from.

    The record holds the webhook's secret, as the channel did, so that the receiver need not change it; it
    lives a day. Messages that waited are not sent any more. Raises RuleError for another member's.
    """
    if channel.user_id != user.pk:
        raise RuleError("This channel belongs to another member.")
    audit_record(
        actor=user, action="alert_channel.remove", account=channel.account, obj=channel, summary=str(channel)
    )
    former = {
        "account": str(channel.account_id), "kind": channel.kind, "target": channel.target,
        "secret": channel.secret, "kinds": channel.kinds, "is_active": channel.is_active,
        "quiet_from": channel.quiet_from.isoformat() if channel.quiet_from else None,
        "quiet_to": channel.quiet_to.isoformat() if channel.quiet_to else None,
    }  # fmt: skip
    summary = f"{channel} removed"
    channel.delete()
    return removal_record(user=user, action=BulkChange.Action.CHANNEL, summary=summary, undo=[former])


def channel_restore(user: User, undo: Sequence[Any]) -> int:
    """Add removed channels again where the user is still a member and has no such channel."""
    count = 0
    for row in undo:
        account = Account.objects.for_user(user).filter(pk=row["account"]).first()
        mine = AlertChannel.objects.filter(account=account, user=user)
        same = mine.filter(kind=row["kind"], target=row["target"])
        if account is None or same.exists() or mine.count() >= _MOST_CHANNELS:
            continue
        quiet = {
            name: time.fromisoformat(row[name]) if row[name] else None for name in ("quiet_from", "quiet_to")
        }
        channel = AlertChannel.objects.create(
            account=account, user=user, kind=row["kind"], target=row["target"], secret=row["secret"],
            kinds=row["kinds"], is_active=row["is_active"], **quiet,
        )  # fmt: skip
        audit_record(
            actor=user, action="alert_channel.add", account=account, obj=channel, summary=str(channel)
        )
        count += 1
    return count


@transaction.atomic
def alerts_seen(*, user: User, account: Account) -> int:
    """Mark the account's alerts as seen; returns how many were not."""
    rows = Alert.objects.filter(account=account, seen_at__isnull=True)
    return rows.update(seen_at=timezone.now(), seen_by=user)

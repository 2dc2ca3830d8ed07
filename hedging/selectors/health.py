"""Whether the site's parts are well."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.models import Count, Q
from redis.exceptions import RedisError

from hedging.models import ChainSnapshot, DailyBar, Heartbeat, Job, MarketSource

WORKER_SILENT_AFTER = timedelta(seconds=45)
RELAY_SILENT_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Part:
    """One part: well or not, and a sentence without secrets. ``ok`` None means unknown."""

    name: str
    ok: bool | None
    detail: str


def health_parts(*, now: datetime) -> list[Part]:
    """Database, Redis, worker, relay, jobs and data age."""
    database = _database()
    parts = [database, _redis()]
    if database.ok:
        parts += [
            _beat("worker", WORKER_SILENT_AFTER, now),
            _beat("relay", RELAY_SILENT_AFTER, now),
            _jobs(),
            _data(now),
            _sources(),
        ]
    return parts


def _database() -> Part:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return Part("database", False, "does not answer")
    return Part("database", True, connection.vendor)


def _redis() -> Part:
    try:
        cache.set("health", "1", 5)
    except (RedisError, OSError):
        return Part("redis", False, "does not answer")
    return Part("redis", True, "answers")


def _beat(name: str, limit: timedelta, now: datetime) -> Part:
    row = Heartbeat.objects.filter(name=name).first()
    if row is None:
        return Part(name, False, "has not been seen yet")
    age = now - row.beat_at
    return Part(name, age <= limit, f"seen {max(0, int(age.total_seconds()))} s ago")


def _jobs() -> Part:
    dead = Job.objects.filter(state=Job.State.DEAD).count()
    waiting = Job.objects.filter(state=Job.State.QUEUED).count()
    return Part("jobs", True, f"{waiting} waiting, {dead} failed")


def _data(now: datetime) -> Part:
    """Age of the newest data; having none is unknown, which is not a fault."""
    chain = ChainSnapshot.objects.order_by("-as_of").values_list("as_of", flat=True).first()
    bar = DailyBar.objects.order_by("-date").values_list("date", flat=True).first()
    if chain is None and bar is None:
        return Part("data", None, "no market data loaded")
    newest = chain.date() if chain else bar
    if bar and (newest is None or bar > newest):
        newest = bar
    days = (now.date() - newest).days if newest else 0
    return Part("data", True, f"newest from {newest} ({days} days old)")


def _sources() -> Part:
    """Fetched files: a failing one leaves the stored data as they are, which is told and no fault."""
    rows = MarketSource.objects.aggregate(known=Count("pk"), failing=Count("pk", filter=~Q(error="")))
    if not rows["known"]:
        return Part("sources", None, "nothing has been fetched")
    if not rows["failing"]:
        return Part("sources", True, f"{rows['known']} files fetched")
    return Part("sources", None, f"{rows['failing']} of {rows['known']} files failed at the last attempt")

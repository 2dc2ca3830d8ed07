"""Whether the site's parts are well."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.models import Count, Max, Q
from redis.exceptions import RedisError

from hedging.models import ChainSnapshot, DailyBar, Heartbeat, Job, MarketSource, Quality
from hedging.selectors.calendar import session_date
from hedging.selectors.market import STALE_AFTER
from hedging.selectors.quality import quality_told

WORKER_SILENT_AFTER = timedelta(seconds=45)
RELAY_SILENT_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class HealthPart:
    """One part: well or not, and a sentence without secrets. ``ok`` None means unknown."""

    name: str
    ok: bool | None
    detail: str


def health_parts(*, now: datetime) -> list[HealthPart]:
    """Database, Redis, worker, relay, jobs and data age."""
    database = _database()
    parts = [database, _redis()]
    if database.ok:
        parts += [
            _beat("worker", WORKER_SILENT_AFTER, now),
            _beat("relay", RELAY_SILENT_AFTER, now),
            _jobs(),
            _data(now),
            _quality(now),
            _sources(),
        ]
    return parts


def _database() -> HealthPart:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HealthPart("database", False, "does not answer")
    return HealthPart("database", True, connection.vendor)


def _redis() -> HealthPart:
    try:
        cache.set("health", "1", 5)
    except (RedisError, OSError):
        return HealthPart("redis", False, "does not answer")
    return HealthPart("redis", True, "answers")


def _beat(name: str, limit: timedelta, now: datetime) -> HealthPart:
    row = Heartbeat.objects.filter(name=name).first()
    if row is None:
        return HealthPart(name, False, "has not been seen yet")
    age = now - row.beat_at
    return HealthPart(name, age <= limit, f"seen {max(0, int(age.total_seconds()))} s ago")


def _jobs() -> HealthPart:
    dead = Job.objects.filter(state=Job.State.DEAD).count()
    waiting = Job.objects.filter(state=Job.State.QUEUED).count()
    return HealthPart("jobs", True, f"{waiting} waiting, {dead} failed")


def _data(now: datetime) -> HealthPart:
    """Age of the newest real data; having none, or old ones, is told and no fault of the site."""
    newest, kind = _newest(simulated=False), "newest"
    if newest is None:
        newest, kind = _newest(simulated=True), "simulated only, newest"
    if newest is None:
        return HealthPart("data", None, "no market data loaded")
    days = (session_date(now) - newest).days
    old = days > STALE_AFTER.days
    return HealthPart(
        "data", None if old else True, f"{kind} from {newest} ({days} days old{', stale' * old})"
    )


def _newest(*, simulated: bool) -> date | None:
    """Day of the newest chain or bar of the market."""
    kind = Q(quality=Quality.SIMULATED)
    kind = kind if simulated else ~kind
    chain = ChainSnapshot.objects.filter(kind).aggregate(newest=Max("as_of"))["newest"]
    bar = DailyBar.objects.filter(kind).aggregate(newest=Max("date"))["newest"]
    days = [day for day in (chain and session_date(chain), bar) if day is not None]
    return max(days, default=None)


def _quality(now: datetime) -> HealthPart:
    """What is wrong with the stored data, as last looked at; findings are told and no fault of the site."""
    told = quality_told()
    if told is None:
        return HealthPart("quality", None, "not looked at lately")
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(told.kinds.items())) or "no findings"
    minutes = max(0, int((now - told.at).total_seconds()) // 60)
    detail = f"{kinds}; {told.errors} errors; looked at {minutes} min ago"
    return HealthPart("quality", None if told.errors or told.kinds.get("stale") else True, detail)


def _sources() -> HealthPart:
    """Fetched files: a failing one leaves the stored data as they are, which is told and no fault."""
    rows = MarketSource.objects.aggregate(known=Count("pk"), failing=Count("pk", filter=~Q(error="")))
    if not rows["known"]:
        return HealthPart("sources", None, "nothing has been fetched")
    if not rows["failing"]:
        return HealthPart("sources", True, f"{rows['known']} files fetched")
    return HealthPart(
        "sources", None, f"{rows['failing']} of {rows['known']} files failed at the last attempt"
    )

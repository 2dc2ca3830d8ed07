"""Reads of market data for pages: freshness, series, curves, sources."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Max, Min
from django.utils import timezone

from hedging.models import ChainSnapshot, DailyBar, IngestRun, MarketSnapshot, Quality, VXSettlement
from hedging.selectors.calendar import market_is_open

STALE_AFTER = timedelta(days=4)


@dataclass(frozen=True, slots=True)
class MarketStatus:
    """Freshness of the newest snapshot."""

    as_of: datetime
    flags: tuple[str, ...]
    age: str
    stale: bool
    is_open: bool


@dataclass(frozen=True, slots=True)
class SourceAge:
    """One stored series or chain: what it spans and how old its newest entry is."""

    name: str
    source: str
    quality: str
    first: date
    last: date
    count: int
    age_days: int
    stale: bool


def market_status(*, simulated: bool = False) -> MarketStatus | None:
    """Status of the newest real (or simulated) snapshot, None when there is none."""
    rows = MarketSnapshot.objects.order_by("-as_of")
    row = next(
        (r for r in rows.only("as_of", "flags")[:20] if (Quality.SIMULATED in r.flags) == simulated), None
    )
    if row is None:
        return None
    now = timezone.now()
    age = now - row.as_of
    return MarketStatus(row.as_of, tuple(row.flags), age_text(age), age > STALE_AFTER, market_is_open(now))


def age_text(age: timedelta) -> str:
    """An age in the largest fitting unit."""
    if age.days > 0:
        return f"{age.days} days old"
    hours, minutes = age.seconds // 3600, age.seconds % 3600 // 60
    return f"{hours} h old" if hours else f"{minutes} min old"


def sources(*, now: datetime) -> list[SourceAge]:
    """Everything stored, by series, with its age in days; stale beyond STALE_AFTER."""
    found: list[SourceAge] = []

    def add(name: str, source: str, quality: str, first: date, last: date, count: int) -> None:
        age = (now.date() - last).days
        found.append(SourceAge(name, source, quality, first, last, count, age, age > STALE_AFTER.days))

    bars = DailyBar.objects.filter(superseded_at__isnull=True).values("symbol", "source", "quality")
    for row in bars.annotate(first=Min("date"), last=Max("date"), n=Count("pk")).order_by("symbol"):
        add(row["symbol"], row["source"], row["quality"], row["first"], row["last"], row["n"])
    vx = VXSettlement.objects.filter(superseded_at__isnull=True).values("source", "quality")
    for curve in vx.annotate(first=Min("date"), last=Max("date"), n=Count("pk")):
        add("VX futures", curve["source"], curve["quality"], curve["first"], curve["last"], curve["n"])
    chains = ChainSnapshot.objects.values("underlying", "source", "quality")
    for chain in chains.annotate(first=Min("as_of"), last=Max("as_of"), n=Count("pk")):
        add(
            f"{chain['underlying']} option chains",
            chain["source"],
            chain["quality"],
            chain["first"].date(),
            chain["last"].date(),
            chain["n"],
        )
    return found


def recent_runs(count: int = 15) -> list[IngestRun]:
    """The newest files and fetches."""
    return list(IngestRun.objects.all()[:count])


def curve_on(day: date, *, simulated: bool = False) -> tuple[date | None, list[VXSettlement]]:
    """The VX curve of the newest day at or before ``day`` (monthlies and weeklys as stored)."""
    rows = VXSettlement.objects.filter(superseded_at__isnull=True, date__lte=day)
    rows = rows.filter(quality=Quality.SIMULATED) if simulated else rows.exclude(quality=Quality.SIMULATED)
    newest = rows.order_by("-date").values_list("date", flat=True).first()
    if newest is None:
        return None, []
    return newest, list(rows.filter(date=newest, expiry__gt=newest).order_by("expiry"))

"""Reads of market data for pages: freshness, series, curves, sources."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from django.db.models import Count, Max, Min, Q
from django.utils import timezone

from hedging.engine.history.quality import overdue
from hedging.engine.history.series import S
from hedging.engine.signals.supplied import SUPPLIED, SuppliedSeries
from hedging.jobs.kinds import MARKET_FETCH, MARKET_LOAD
from hedging.models import (
    ChainSnapshot,
    DailyBar,
    IngestRun,
    Job,
    MarketSnapshot,
    MarketSource,
    Quality,
    VXSettlement,
)
from hedging.selectors.cached import cached
from hedging.selectors.calendar import FIRST_DAY, LAST_DAY, market_is_open, session_date, sessions_between

STALE_AFTER = timedelta(days=4)
VX_SYMBOL = "VX"
#: Group of files that are fetched once.
_PAST = "history"


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
    """One stored series or chain: what it spans and how old its newest entry is.

    ``stale`` says why in words (empty: not), measured by the series' own rhythm; ``symbol`` is its CSV's.
    """

    name: str
    symbol: str
    source: str
    quality: str
    first: date
    last: date
    count: int
    age_days: int
    stale: str


def market_status(*, simulated: bool = False) -> MarketStatus | None:
    """Status of the newest real (or simulated) snapshot, None when there is none."""
    rows = MarketSnapshot.objects.order_by("-as_of").only("as_of", "flags")
    is_simulated = {"flags__icontains": Quality.SIMULATED.value}
    row = (rows.filter(**is_simulated) if simulated else rows.exclude(**is_simulated)).first()
    if row is None:
        return None
    now = timezone.now()
    age = now - row.as_of
    return MarketStatus(row.as_of, tuple(row.flags), age_text(age), age > STALE_AFTER, market_is_open(now))


def age_text(age: timedelta) -> str:
    """An age in the largest fitting unit."""
    if age.days > 0:
        return f"{age.days} day{'' if age.days == 1 else 's'} old"
    hours, minutes = age.seconds // 3600, age.seconds % 3600 // 60
    return f"{hours} h old" if hours else f"{minutes} min old"


def sources(*, now: datetime) -> list[SourceAge]:
    """Everything stored, by series and source, with its age in days."""
    today = session_date(now)
    return cached("sources", today, lambda: _sources(today))


def _sources(today: date) -> list[SourceAge]:
    sessions = np.array(sessions_between(FIRST_DAY, LAST_DAY), dtype="datetime64[D]")
    found: list[SourceAge] = []

    def add(name: str, symbol: str, row: dict[str, Any], first: date, last: date) -> None:
        text = overdue(symbol, last, sessions, today)
        age = (today - last).days
        found.append(SourceAge(name, symbol, row["source"], row["quality"], first, last, row["n"], age, text))

    bars: Any = DailyBar.objects.filter(superseded_at__isnull=True).values("symbol", "source", "quality")
    for row in bars.annotate(first=Min("date"), last=Max("date"), n=Count("pk")).order_by("symbol", "source"):
        add(row["symbol"], row["symbol"], row, row["first"], row["last"])
    vx: Any = VXSettlement.objects.filter(superseded_at__isnull=True).values("source", "quality")
    for row in vx.annotate(first=Min("date"), last=Max("date"), n=Count("pk")).order_by("source"):
        add("VX futures", VX_SYMBOL, row, row["first"], row["last"])
    chains: Any = ChainSnapshot.objects.values("underlying", "source", "quality")
    for row in chains.annotate(first=Min("as_of"), last=Max("as_of"), n=Count("pk")).order_by("underlying"):
        name = f"{row['underlying']} option chains"
        add(name, "", row, session_date(row["first"]), session_date(row["last"]))
    return found


@dataclass(frozen=True, slots=True)
class SuppliedState:
    """A series users may supply, and what of it is stored or measured; ``last`` None: nothing."""

    series: SuppliedSeries
    last: date | None
    stale: str


def supplied_series(*, now: datetime) -> list[SuppliedState]:
    """Every symbol signals look for that no public source here has, with its newest stored day."""
    newest: dict[str, SourceAge] = {}
    for stored in sources(now=now):
        if stored.quality != Quality.SIMULATED and (
            stored.symbol not in newest or newest[stored.symbol].last < stored.last
        ):
            newest[stored.symbol] = stored
    measured = ChainSnapshot.objects.filter(near_spread__isnull=False).exclude(quality=Quality.SIMULATED)
    chain = measured.aggregate(newest=Max("as_of"))["newest"]
    found = []
    for one in SUPPLIED:
        row = newest.get(one.symbol)
        last, stale = (row.last, row.stale) if row else (None, "")
        if one.symbol == S.SPREAD and chain and (last is None or session_date(chain) > last):
            last, stale = session_date(chain), ""
        found.append(SuppliedState(one, last, stale))
    return found


def sources_csv(*, now: datetime) -> Iterator[list[str]]:
    """Header and rows of ``sources``."""
    yield ["symbol", "first", "last", "entries", "age_days", "stale", "name", "source", "quality"]
    for s in sources(now=now):
        yield [
            s.symbol,
            str(s.first),
            str(s.last),
            str(s.count),
            str(s.age_days),
            s.stale,
            s.name,
            s.source,
            s.quality,
        ]


def fetched_files() -> list[MarketSource]:
    """Every file that is fetched again and again, with how that went; of the past what failed."""
    return list(MarketSource.objects.exclude(group=_PAST, error=""))


def past_files() -> dict[str, int]:
    """How many files of the past were asked for, and how many of them came."""
    return MarketSource.objects.filter(group=_PAST).aggregate(
        asked=Count("pk"), came=Count("pk", filter=Q(success_at__isnull=False))
    )


def newest_fetch() -> Job | None:
    """The newest round of fetching that was asked for."""
    return Job.objects.filter(kind=MARKET_FETCH).order_by("-created_at").first()


def newest_load(*, since: datetime) -> Job | None:
    """The newest load of several files, if it was asked for since then."""
    jobs = Job.objects.filter(kind=MARKET_LOAD, created_at__gt=since)
    return jobs.order_by("-created_at").first()


def series_csv(*, symbol: str, source: str = "") -> Iterator[list[str]]:
    """Header and rows of one stored series, current values only; VX is one row a contract and day."""
    if symbol == VX_SYMBOL:
        names: tuple[str, ...] = (
            "date", "expiry", "open", "high", "low", "close", "settle", "volume", "open_interest",
            "source", "quality",
        )  # fmt: skip
        rows: Any = VXSettlement.objects.order_by("date", "expiry")
    else:
        names = (
            "date",
            "open",
            "high",
            "low",
            "close",
            "published_at",
            "published_estimated",
            "source",
            "quality",
        )
        rows = DailyBar.objects.filter(symbol=symbol).order_by("date", "source")
    rows = rows.filter(superseded_at__isnull=True)
    if source:
        rows = rows.filter(source=source)
    yield list(names)
    for row in rows.values_list(*names).iterator(chunk_size=2000):
        yield ["" if value is None else str(value) for value in row]


def has_series(symbol: str) -> bool:
    """Whether anything is stored under the symbol."""
    if symbol == VX_SYMBOL:
        return VXSettlement.objects.exists()
    return DailyBar.objects.filter(symbol=symbol).exists()


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

"""The data-quality findings of everything stored, kept until data or day change."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from django.core.cache import cache
from django.db.models import FloatField, Max, Min
from django.db.models.functions import Cast
from redis.exceptions import RedisError

from hedging.engine.history.quality import QualityFinding, Severity, findings
from hedging.models import ChainSnapshot, DailyBar, Quality
from hedging.selectors.cached import cached
from hedging.selectors.calendar import next_session, session_date, sessions_between
from hedging.selectors.history import market_history

#: Two sources of one value may differ by this share; closes of vendors round differently.
AGREEMENT = 0.002
STALE_CHAIN = timedelta(days=4)
_NEWEST = "market:quality-told"
_KEPT_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class QualityTold:
    """How many findings there were when somebody last looked: errors, and all of them by kind."""

    at: datetime
    errors: int
    kinds: dict[str, int]


def quality_findings(*, now: datetime) -> list[QualityFinding]:
    """Findings about the real data, errors first. Slow once after each load, then cached."""
    today = session_date(now)
    found = cached("quality", today, lambda: _findings(today, now))
    kinds = Counter(finding.kind for finding in found)
    told = QualityTold(now, sum(f.severity is Severity.ERROR for f in found), dict(kinds))
    with suppress(RedisError, OSError):
        cache.set(_NEWEST, told, _KEPT_SECONDS)
    return found


def quality_told() -> QualityTold | None:
    """The newest count of findings, without looking again; None when nobody looked lately."""
    with suppress(RedisError, OSError):
        found: QualityTold | None = cache.get(_NEWEST)
        return found
    return None


def _findings(today: date, now: datetime) -> list[QualityFinding]:
    found = [*findings(market_history(), today), *_disagreements(), *_chains(now)]
    order = list(Severity)
    return sorted(found, key=lambda f: (order.index(f.severity), f.kind, f.series))


def _disagreements() -> list[QualityFinding]:
    """Days on which two sources of one series give different values."""
    rows = (
        DailyBar.objects.filter(superseded_at__isnull=True)
        .exclude(quality=Quality.SIMULATED)
        .values("symbol", "date")
        .annotate(low=Cast(Min("close"), FloatField()), high=Cast(Max("close"), FloatField()))
        .filter(high__gt=0)
        .order_by("symbol", "-date")
    )
    counts: Counter[str] = Counter()
    days: dict[str, list[date]] = {}
    several = _symbols_of_several_sources()
    for row in rows.filter(symbol__in=several) if several else ():
        if row["high"] - row["low"] > AGREEMENT * abs(row["high"]):
            counts[row["symbol"]] += 1
            days.setdefault(row["symbol"], []).append(row["date"])
    return [
        QualityFinding(
            "duplicate", Severity.WARNING, symbol,
            f"two sources differ by more than {AGREEMENT:.1%} on {count} days; the publisher's value is used",
            count, tuple(days[symbol][:8]),
        )
        for symbol, count in counts.items()
    ]  # fmt: skip


def _symbols_of_several_sources() -> list[str]:
    pairs = (
        DailyBar.objects.filter(superseded_at__isnull=True)
        .exclude(quality=Quality.SIMULATED)
        .values_list("symbol", "source")
        .distinct()
    )
    counts = Counter(symbol for symbol, _ in pairs.order_by())
    return [symbol for symbol, count in counts.items() if count > 1]


def _chains(now: datetime) -> list[QualityFinding]:
    """Age of the newest chain of each underlying, and sessions without one since the chains began daily."""
    found = []
    for underlying in ("SPX", "VIX"):
        chains = ChainSnapshot.objects.filter(underlying=underlying).exclude(quality=Quality.SIMULATED)
        moments = list(chains.order_by("as_of").values_list("as_of", flat=True))
        if not moments:
            continue
        newest = moments[-1]
        if now - newest > STALE_CHAIN:
            message = f"newest chain of {newest:%Y-%m-%d}: {(now - newest).days} days old"
            found.append(
                QualityFinding(
                    "stale", Severity.WARNING, f"{underlying} chains", message, 1, (session_date(newest),)
                )
            )
        days = sorted({session_date(moment) for moment in moments})
        missing = [
            day
            for before, after in pairwise(days)
            if (after - before).days <= 10
            for day in sessions_between(next_session(before), after)[:-1]
        ]
        if missing:
            message = f"{len(missing)} sessions between chains have none"
            found.append(
                QualityFinding(
                    "gap", Severity.NOTE, f"{underlying} chains", message, len(missing), tuple(missing[:8])
                )
            )
    return found

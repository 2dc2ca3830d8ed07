"""What is known about the close of each session, read for many days at once.

A day's key is a hash of everything a mark of that day may be made from; the same data give the same key, so
that marks are made once and made again when better data arrive.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Min, QuerySet

from hedging.engine.book import ContractSpec, Settlement
from hedging.models import ChainSnapshot, DailyBar, Quality, VXSettlement
from hedging.selectors.calendar import NEW_YORK, closes_at
from hedging.selectors.ranks import BY_RANK
from hedging.services.snapshots.snapshots import LEVEL_SYMBOLS

#: Raised when marks of the same data would come out differently.
PRICER = "1"
#: SPX and VIX options trade a quarter of an hour after the close; chains taken by then speak for the day.
LATEST_CHAIN = timedelta(minutes=30)
#: How far back a chain still says how a contract stands to the model.
CARRY_DAYS = 10
_RATES, _RATE_AGE = ("DTB3", "SOFR"), timedelta(days=7)
_FINAL = {
    ("SPX", Settlement.PM): "SPX",
    ("SPX", Settlement.AM): "SET",
    ("VIX", Settlement.AM): "VRO",
    ("VX", Settlement.AM): "VRO",
}
_OFFICIAL = (Quality.EOD, Quality.SIMULATED)


@dataclass(frozen=True, slots=True)
class ClosingLevel:
    """A closing or official level in points and how it came to be."""

    value: Decimal
    quality: str


@dataclass(slots=True)
class SessionClose:
    """The close of one session.

    ``levels`` by symbol (rates may be a few days old, everything else is of the day), VX settlements by
    expiry; by underlying the hash and the day of the newest chain.
    """

    day: date
    simulated: bool
    levels: dict[str, ClosingLevel] = field(default_factory=dict)
    vx: dict[date, ClosingLevel] = field(default_factory=dict)
    chains: dict[str, str] = field(default_factory=dict)
    chain_days: dict[str, date] = field(default_factory=dict)

    @property
    def moment(self) -> datetime:
        """When everything about the day is known."""
        return closes_at(self.day) + LATEST_CHAIN

    def key(self) -> str:
        """Hash of the parts."""
        parts = {
            "pricer": PRICER,
            "simulated": self.simulated,
            "levels": {k: (str(v.value), v.quality) for k, v in self.levels.items()},
            "vx": {str(k): (str(v.value), v.quality) for k, v in self.vx.items()},
            "chains": self.chains,
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def final_level(self, spec: ContractSpec) -> ClosingLevel | None:
        """The official level that settles the contract on this day; None while it is not loaded."""
        symbol = _FINAL.get((spec.underlying, spec.settlement), "")
        level = self.levels.get(symbol)
        return level if level is not None and level.quality in _OFFICIAL else None


def _of_kind(rows: QuerySet[Any, Any], simulated: bool) -> QuerySet[Any, Any]:
    """Real or simulated data: they never mix."""
    return rows.filter(quality=Quality.SIMULATED) if simulated else rows.exclude(quality=Quality.SIMULATED)


#: Levels that settle anything.
FINAL_SYMBOLS = tuple(sorted(set(_FINAL.values())))


def final_symbol(spec: ContractSpec) -> str:
    """Name of the level that settles the contract (SPX, SET, VRO); empty when nothing does."""
    return _FINAL.get((spec.underlying, spec.settlement), "")


def closings(*, days: Collection[date], simulated: bool) -> dict[date, SessionClose]:
    """The closes of the days, real or simulated, with a constant number of queries."""
    found = {day: SessionClose(day, simulated) for day in days}
    if not found:
        return found
    first, last = min(found), max(found)
    symbols = {*LEVEL_SYMBOLS, *_FINAL.values()}
    bars = DailyBar.objects.filter(superseded_at__isnull=True, symbol__in=symbols, date__range=(first, last))
    for day, symbol, close, quality in (
        _of_kind(bars, simulated)
        .order_by(*BY_RANK, "recorded_at", "pk")
        .values_list("date", "symbol", "close", "quality")
    ):
        if day in found:
            found[day].levels[symbol] = ClosingLevel(close, quality)
    rows = VXSettlement.objects.filter(superseded_at__isnull=True, date__range=(first, last))
    for day, expiry, settle, quality in (
        _of_kind(rows, simulated)
        .order_by(*BY_RANK, "recorded_at", "pk")
        .values_list("date", "expiry", "settle", "quality")
    ):
        if day in found:
            found[day].vx[expiry] = ClosingLevel(settle, quality)
    _add_chains(found, first, last, simulated=simulated)
    return found


def _add_chains(found: dict[date, SessionClose], first: date, last: date, *, simulated: bool) -> None:
    """The newest chain of each underlying by each close, at most CARRY_DAYS old."""
    chains = ChainSnapshot.objects.filter(
        as_of__gt=closes_at(first) - timedelta(days=CARRY_DAYS + 1), as_of__lte=closes_at(last) + LATEST_CHAIN
    )
    rows = _of_kind(chains, simulated).order_by("as_of", "recorded_at", "pk")
    waiting = list(rows.values_list("as_of", "underlying", "content_hash"))[::-1]
    newest: dict[str, tuple[date, str]] = {}
    for day in sorted(found):
        closing = found[day]
        while waiting and waiting[-1][0] <= closing.moment:
            as_of, underlying, content_hash = waiting.pop()
            newest[underlying] = (as_of.astimezone(NEW_YORK).date(), content_hash)
        for underlying, (at, content_hash) in newest.items():
            if (day - at).days <= CARRY_DAYS:
                closing.chains[underlying], closing.chain_days[underlying] = content_hash, at


def first_day_recorded(*, since: datetime, simulated: bool) -> date | None:
    """The earliest session about which something was loaded after ``since``; None when nothing was."""
    found: list[date | None] = []
    models: tuple[Any, ...] = (DailyBar, VXSettlement)
    for model in models:
        rows = model.objects.filter(recorded_at__gt=since, superseded_at__isnull=True)
        found.append(_of_kind(rows, simulated).aggregate(day=Min("date"))["day"])
    chains = ChainSnapshot.objects.filter(recorded_at__gt=since)
    moment = _of_kind(chains, simulated).aggregate(at=Min("as_of"))["at"]
    found.append(moment.astimezone(NEW_YORK).date() if moment else None)
    return min((day for day in found if day is not None), default=None)

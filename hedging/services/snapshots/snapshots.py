"""Market snapshots: which stored parts speak for a moment, and the engine's view of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
from django.db.models import Q, QuerySet

from hedging.engine.market import Flag, IndexLevel, VXPoint
from hedging.engine.market import MarketSnapshot as EngineSnapshot
from hedging.maths.yearfrac import year_fraction
from hedging.models import ChainSnapshot, DailyBar, MarketSnapshot, Quality, VXSettlement
from hedging.providers.formats.chain import unpack
from hedging.selectors.calendar import (
    NEW_YORK,
    closes_at,
    opens_at,
    session_on_or_before,
    vix_expiry,
)
from hedging.selectors.ranks import BY_RANK
from hedging.services.snapshots.modelled import LevelsKnown, ModelledSlices, can_model
from hedging.services.snapshots.slices import ChainSlices, MergedSlices

LEVEL_SYMBOLS = ("SPX", "VIX", "VIX9D", "VIX3M", "VVIX", "SKEW", "VXX", "DTB3", "SOFR")
#: Rates that a snapshot tells beside them; nothing is priced on these.
RATE_SYMBOLS = ("DFF", "DGS10")
#: Parts older than this, counted from the snapshot's moment, are left out as too old to price on.
MAX_PART_AGE = timedelta(days=5)


_Rows = TypeVar("_Rows", bound="QuerySet[Any, Any]")


def _of_kind(rows: _Rows, simulated: bool) -> _Rows:
    return rows.filter(quality=Quality.SIMULATED) if simulated else rows.exclude(quality=Quality.SIMULATED)


def snapshot_for(*, as_of: datetime | None = None, simulated: bool = False) -> MarketSnapshot | None:
    """The snapshot that speaks for ``as_of`` (newest when None), made on first use.

    It is anchored on the newest SPX chain at or before the moment, or on the newest VIX or SPX close when
    there is no chain or none within MAX_PART_AGE of that close: options are then modelled from the index
    levels. Real and simulated data never mix. None when nothing is known by then.
    """
    chains = _of_kind(ChainSnapshot.objects.order_by("-as_of", "-recorded_at"), simulated)
    if as_of is not None:
        chains = chains.filter(as_of__lte=as_of)
    spx = chains.filter(underlying="SPX").defer("payload").first()
    close = _last_close(as_of, simulated)
    if spx is not None and close is not None and close - spx.as_of > MAX_PART_AGE:
        spx = None
    anchor = spx.as_of if spx else close
    if anchor is None:
        return None
    vix = (
        chains.filter(underlying="VIX", as_of__lte=anchor, as_of__gt=anchor - MAX_PART_AGE)
        .defer("payload")
        .first()
    )
    levels = _levels(anchor, simulated)
    curve = _curve(anchor, simulated)
    vx_date = curve[0].date if curve else None
    parts = {
        "as_of": anchor.isoformat(),
        "spx": spx.content_hash if spx else None,
        "vix": vix.content_hash if vix else None,
        "vx": [
            (str(row.date), str(row.expiry), str(row.settle), row.volume, row.open_interest) for row in curve
        ],
        "levels": {bar.symbol: (str(bar.date), str(bar.close)) for bar in levels},
    }
    content_hash = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    flags = {*(row.quality for row in (spx, vix) if row), *(b.quality for b in levels)}
    symbols = {bar.symbol for bar in levels}
    if can_model(
        symbols=symbols, has_curve=bool(curve), spx_chain=spx is not None, vix_chain=vix is not None
    ):
        flags.add(Quality.MODELLED)
    row, _ = MarketSnapshot.objects.get_or_create(
        content_hash=content_hash,
        defaults={
            "as_of": anchor,
            "spx_chain": spx,
            "vix_chain": vix,
            "vx_date": vx_date,
            "flags": sorted(flags),
            "summary": parts,
        },
    )
    return row


def _known_day(moment: datetime) -> date:
    """The last session whose closing figures are known at the moment."""
    day = session_on_or_before(moment.astimezone(NEW_YORK).date())
    return day if moment >= closes_at(day) else session_on_or_before(day - timedelta(days=1))


def _last_close(as_of: datetime | None, simulated: bool) -> datetime | None:
    bars = _of_kind(DailyBar.objects.filter(symbol__in=("SPX", "VIX"), superseded_at__isnull=True), simulated)
    if as_of is not None:
        bars = bars.filter(date__lte=_known_day(as_of))
    bar = bars.order_by("-date").first()
    return closes_at(bar.date) if bar else None


def _levels(anchor: datetime, simulated: bool) -> list[DailyBar]:
    """The newest value of each level published by the anchor, at most MAX_PART_AGE old."""
    last = _known_day(anchor)
    rows = _of_kind(
        DailyBar.objects.filter(
            Q(published_at__isnull=True) | Q(published_at__lte=anchor),
            symbol__in=(*LEVEL_SYMBOLS, *RATE_SYMBOLS),
            superseded_at__isnull=True,
            date__lte=last,
            date__gt=last - MAX_PART_AGE,
        ).order_by("symbol", "date", *BY_RANK, "recorded_at"),
        simulated,
    )
    return list({row.symbol: row for row in rows}.values())


def _curve(anchor: datetime, simulated: bool) -> list[VXSettlement]:
    """VX settlements of the newest day known at the anchor; contracts not yet settled."""
    last = _known_day(anchor)
    rows = _of_kind(
        VXSettlement.objects.filter(superseded_at__isnull=True, date__lte=last, date__gt=last - MAX_PART_AGE),
        simulated,
    )
    newest = rows.order_by("-date").values_list("date", flat=True).first()
    if newest is None:
        return []
    listed = rows.filter(date=newest, expiry__gt=newest).order_by(*BY_RANK, "recorded_at")
    found = {row.expiry: row for row in listed}
    # Only the monthly contracts make the curve; weeklys are kept but not part of M1, M2, ...
    return [row for expiry, row in sorted(found.items()) if expiry == vix_expiry(expiry.year, expiry.month)]


def snapshot_summary(row: MarketSnapshot) -> dict[str, Any]:
    """What a snapshot holds, as plain values: moment, quality, spot, levels, chains, the VX curve, rates."""
    view = snapshot_load(row)

    def chain(found: ChainSnapshot | None) -> dict[str, Any] | None:
        return (
            None
            if found is None
            else {
                "as_of": found.as_of.astimezone(UTC).isoformat(),
                "options": found.row_count,
                "source": found.source,
                "quality": found.quality,
            }
        )

    return {
        "as_of": row.as_of.astimezone(UTC).isoformat(),
        "content_hash": row.content_hash,
        "quality": sorted(flag.value for flag in view.flags),
        "spot": view.spot,
        "rate": view.rate,
        "levels": {
            name: {
                "value": level.value,
                "as_of": level.as_of.astimezone(UTC).isoformat(),
                "source": level.source,
                "quality": level.flag.value,
            }
            for name, level in sorted(view.levels.items())
        },
        "chains": {"SPX": chain(row.spx_chain), "VIX": chain(row.vix_chain)},
        "vx_date": row.vx_date.isoformat() if row.vx_date else None,
        "vx_curve": [
            {
                "month": f"M{number}",
                "expiry": point.expiry.isoformat(),
                "settle": point.settle,
                "volume": point.volume,
                "open_interest": point.open_interest,
            }
            for number, point in enumerate(view.vx_curve, 1)
        ],
        "expiries": [f"{root}:{expiry}" for root, expiry in view.slices],
    }


def snapshot_load(row: MarketSnapshot) -> EngineSnapshot:
    """The engine's view of a stored snapshot; cached by content hash, slices fitted on demand."""
    return _load(row.content_hash)


@lru_cache(maxsize=8)
def _load(content_hash: str) -> EngineSnapshot:
    row = MarketSnapshot.objects.select_related("spx_chain", "vix_chain").get(content_hash=content_hash)
    levels = {
        symbol: _level(symbol, day, value, row) for symbol, (day, value) in row.summary["levels"].items()
    }
    curve = tuple(
        VXPoint(expiry, float(settle), year_fraction(row.as_of, opens_at(expiry)), *counts)
        for expiry, settle, counts in (
            (date.fromisoformat(expiry), settle, counts) for _, expiry, settle, *counts in row.summary["vx"]
        )
    )
    given = bill_rate(levels)
    chains: dict[str, ChainSlices] = {}
    rate, spot = given, levels["SPX"].value if "SPX" in levels else None
    if row.spx_chain is not None:
        chains["SPX"] = chain_slices(row.spx_chain, (), given)
        rate = chains["SPX"].rate
        if row.spx_chain.spot is not None:
            spot = float(row.spx_chain.spot)
            levels["SPX"] = IndexLevel(
                "SPX", spot, row.spx_chain.as_of, row.spx_chain.source, Flag(row.spx_chain.quality)
            )
    if row.vix_chain is not None:
        chains["VIX"] = chain_slices(row.vix_chain, curve, rate)
    flags = {Flag(flag) for flag in row.flags}
    if can_model(set(levels), has_curve=bool(curve), spx_chain="SPX" in chains, vix_chain="VIX" in chains):
        flags.add(Flag.MODELLED)
    modelled = ModelledSlices(
        LevelsKnown(row.as_of, spot, levels, curve, rate),
        chains,
        Flag.SIMULATED if Flag.SIMULATED in flags else Flag.MODELLED,
    )
    return EngineSnapshot(
        snapshot_id=str(row.pk),
        as_of=row.as_of,
        spot=spot,
        levels=levels,
        vx_curve=curve,
        slices=MergedSlices(*chains.values(), modelled),
        rate=rate,
        flags=frozenset(flags),
        content_hash=row.content_hash,
    )


def _level(symbol: str, day: str, value: str, row: MarketSnapshot) -> IndexLevel:
    flag = Flag.SIMULATED if Quality.SIMULATED in row.flags else Flag.EOD
    return IndexLevel(symbol, float(value), closes_at(date.fromisoformat(day)), "daily close", flag)


def chain_slices(chain: ChainSnapshot, curve: tuple[VXPoint, ...], rate: float | None) -> ChainSlices:
    """The slices of a stored chain."""
    spot = None if chain.spot is None else float(chain.spot)
    table = unpack(chain.underlying, chain.as_of, spot, bytes(chain.payload))
    return ChainSlices(table, curve, rate, Flag(chain.quality))


def bill_rate(levels: Mapping[str, IndexLevel]) -> float | None:
    """Continuous rate from the 3-month bill's discount yield (91 days, ACT/360), else from SOFR."""
    if "DTB3" in levels:
        return float(-np.log1p(-levels["DTB3"].value / 100 * 91 / 360) * 365 / 91)
    if "SOFR" in levels:
        return float(np.log1p(levels["SOFR"].value / 100 / 360) * 365)
    return None

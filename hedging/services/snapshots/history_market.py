"""The engine's market at the close of a past session, modelled from index levels and the VX curve alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from math import isfinite

from hedging.engine.canonical import content_hash
from hedging.engine.history.series import MarketHistory, S
from hedging.engine.market import Flag, IndexLevel, MarketSnapshot, VXPoint
from hedging.maths.yearfrac import year_fraction
from hedging.selectors.calendar import closes_at, opens_at
from hedging.services.snapshots.modelled import LevelsKnown, ModelledSlices
from hedging.services.snapshots.slices import Key
from hedging.services.snapshots.snapshots import bill_rate

_LEVELS = (S.SPX, S.VIX, S.VIX9D, S.VIX3M, S.VVIX, S.SKEW, S.DTB3, S.SOFR)
_MAX_AGE = timedelta(days=5)


class _Unbuilt(ModelledSlices):
    """Names its expiries without making them; one that cannot be made raises KeyError when asked for."""

    def __iter__(self) -> Iterator[Key]:
        return self._standard()


def history_market(history: MarketHistory, day: date) -> MarketSnapshot | None:
    """The market at the close of a session, from what was known then; None without SPX or VIX of that day."""
    moment = closes_at(day)
    levels = {}
    for symbol in _LEVELS:
        series = history.get(symbol)
        reading = series.last(day) if series is not None else None
        if reading is not None and day - reading.day <= _MAX_AGE:
            at = closes_at(reading.day)
            levels[symbol.value] = IndexLevel(symbol.value, reading.value, at, "daily close", Flag.EOD)
    if any(symbol not in levels or levels[symbol].as_of != moment for symbol in ("SPX", "VIX")):
        return None
    curve = tuple(
        VXPoint(point.expiry, point.settle, year_fraction(moment, opens_at(point.expiry)),
                _whole(point.volume), _whole(point.open_interest))
        for point in history.vx.curve(day)
        if isfinite(point.settle)
    )  # fmt: skip
    spot, rate = levels["SPX"].value, bill_rate(levels)
    known = LevelsKnown(moment, spot, levels, curve, rate)
    key = content_hash(
        {
            "day": day,
            "levels": {name: level.value for name, level in levels.items()},
            "vx": [(point.expiry, point.settle) for point in curve],
        }
    )
    return MarketSnapshot(
        snapshot_id=f"history {day}",
        as_of=moment,
        spot=spot,
        levels=levels,
        vx_curve=curve,
        slices=_Unbuilt(known, {}, Flag.MODELLED),
        rate=rate,
        flags=frozenset({Flag.EOD, Flag.MODELLED}),
        content_hash=key,
    )


def _whole(count: float) -> int | None:
    return int(count) if isfinite(count) else None

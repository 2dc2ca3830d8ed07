"""The whole stored history as one frozen set of arrays; read once and kept until data change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import numpy as np
from django.db.models import Count, FloatField, Max
from django.db.models.functions import Cast

from hedging.engine.history.build import RawSeries, RawVX, build_history, known_day
from hedging.engine.history.publication import RULES
from hedging.engine.history.series import Days, MarketHistory, S, to_date
from hedging.engine.history.sources import source_rank
from hedging.models import ChainSnapshot, DailyBar, IngestRun, MacroEvent, Quality, VXSettlement
from hedging.selectors.calendar import (
    FIRST_DAY,
    LAST_DAY,
    is_early_close,
    session_date,
    sessions_between,
    vix_expiry,
)
from hedging.selectors.events import event_rows


def market_history(*, simulated: bool = False) -> MarketHistory:
    """Everything stored, real or simulated; the same object until data change.

    Macro series carry every vintage with the day it was published; other series their current values.
    """
    return _history(history_revision(), simulated)


def history_revision() -> str:
    """A short text that changes whenever a bar, settlement or event is added, revised or removed."""
    parts = []
    for model in (DailyBar, VXSettlement, MacroEvent):
        found = model._default_manager.aggregate(newest=Max("pk"), rows=Count("pk"))  # noqa: SLF001 - any model
        parts.append(f"{found['newest'] or 0}.{found['rows']}")
    run = IngestRun.objects.order_by("-created_at").values_list("pk", flat=True).first()
    return "-".join([*parts, run.hex[:12] if run else "0"])


@lru_cache(maxsize=2)
def _history(revision: str, simulated: bool) -> MarketHistory:
    sessions = sessions_between(FIRST_DAY, LAST_DAY)
    days = np.array(sessions, dtype="datetime64[D]")
    raw = _raw(days, simulated)
    return build_history(
        sessions=days,
        early=[is_early_close(day) for day in sessions],
        raw=raw,
        vx=_vx(simulated, _finals(raw.get(S.VRO))),
        events=event_rows(),
        revision=revision,
    )


def _of_kind(rows: Any, simulated: bool) -> Any:
    return rows.filter(quality=Quality.SIMULATED) if simulated else rows.exclude(quality=Quality.SIMULATED)


def _raw(sessions: Days, simulated: bool) -> dict[str, RawSeries]:
    floats = {f"{name}_": Cast(name, FloatField()) for name in ("open", "high", "low", "close")}
    names = ("symbol", "source", "date", *floats, "published_at", "published_estimated")
    macro = [symbol for symbol, rule in RULES.items() if rule.after_period]
    current = _of_kind(DailyBar.objects.filter(superseded_at__isnull=True), simulated)
    found = _by_symbol(
        current.exclude(symbol__in=macro).annotate(**floats).order_by("symbol", "date").values_list(*names)
    )
    vintages = _of_kind(DailyBar.objects.filter(symbol__in=macro), simulated)
    for symbol, rows in _by_symbol(
        vintages.annotate(**floats).order_by("symbol", "date", "pk").values_list(*names)
    ).items():
        found[symbol] = _without_replaced_estimates(rows)
    if measured := _spreads(simulated):
        days = {row[2] for row in measured}
        supplied = [row for row in found.get(S.SPREAD, []) if row[2] not in days]
        found[S.SPREAD] = sorted([*supplied, *measured], key=lambda row: row[2])
    return {symbol: _columns(rows, sessions) for symbol, rows in found.items()}


def _spreads(simulated: bool) -> list[tuple[Any, ...]]:
    """What the last SPX chain of each day quotes, as rows of a series."""
    chains = _of_kind(ChainSnapshot.objects.filter(underlying="SPX", near_spread__isnull=False), simulated)
    by_day: dict[date, float] = {}
    for as_of, spread in chains.order_by("as_of", "pk").values_list("as_of", "near_spread"):
        by_day[session_date(as_of)] = spread
    source = "SPX chains"
    return [(S.SPREAD, source, day, None, None, None, spread, None, False) for day, spread in by_day.items()]


def _by_symbol(rows: Iterable[tuple[Any, ...]]) -> dict[str, list[tuple[Any, ...]]]:
    """Rows of each series from its best source for each day."""
    grouped: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        grouped[row[0]].append(row)
    for symbol, of_symbol in grouped.items():
        if len({row[1] for row in of_symbol}) > 1:
            best: dict[date, str] = {}
            for row in of_symbol:
                if row[2] not in best or source_rank(row[1]) > source_rank(best[row[2]]):
                    best[row[2]] = row[1]
            grouped[symbol] = [row for row in of_symbol if best[row[2]] == row[1]]
    return grouped


def _without_replaced_estimates(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Drop values whose day of publication was a guess where a vintage states the truth from then on."""
    stated: dict[date, datetime] = {}
    for row in rows:
        day, published, estimated = row[2], row[7], row[8]
        if published is not None and not estimated and (day not in stated or published < stated[day]):
            stated[day] = published
    return [row for row in rows if not (row[8] and row[2] in stated and stated[row[2]] <= row[7])]


def _columns(rows: list[tuple[Any, ...]], sessions: Days) -> RawSeries:
    opened, high, low, close = (np.array([row[at] for row in rows], dtype=np.float64) for at in range(3, 7))
    known = None
    if any(row[7] is not None for row in rows):
        moments = {row[7] for row in rows if row[7] is not None}
        by_moment = {moment: known_day(moment, sessions) for moment in moments}
        nothing = np.datetime64("NaT")
        known = np.array([by_moment.get(row[7], nothing) for row in rows], dtype="datetime64[D]")
    bars = bool(np.isfinite(high).any())
    return RawSeries(
        days=np.array([row[2] for row in rows], dtype="datetime64[D]"),
        close=close,
        open=opened if bars else None,
        high=high if bars else None,
        low=low if bars else None,
        known=known,
        source=", ".join(sorted({row[1] for row in rows})),
        first_print=None if any(row[8] for row in rows) else True,
    )


def _finals(raw: RawSeries | None) -> dict[date, float]:
    if raw is None:
        return {}
    return {to_date(day): float(value) for day, value in zip(raw.days, raw.close, strict=True)}


def _vx(simulated: bool, final: dict[date, float]) -> RawVX:
    rows = _of_kind(VXSettlement.objects.filter(superseded_at__isnull=True), simulated)
    rows = rows.annotate(price=Cast("settle", FloatField())).order_by("date", "expiry", "-pk")
    best: dict[tuple[date, date], tuple[Any, ...]] = {}
    for row in rows.values_list("date", "expiry", "price", "volume", "open_interest", "source"):
        if row[:2] not in best or source_rank(row[5]) > source_rank(best[row[:2]][5]):
            best[row[:2]] = row
    # Weekly contracts are stored too; M1, M2, … are the monthly ones.
    monthly = {e for e in {key[1] for key in best} if e == vix_expiry(e.year, e.month)}
    kept_rows = [row for row in best.values() if row[1] in monthly]
    columns = list(zip(*kept_rows, strict=True)) or [()] * 6
    return RawVX(
        days=np.array(columns[0], dtype="datetime64[D]"),
        expiries=np.array(columns[1], dtype="datetime64[D]"),
        settle=np.array(columns[2], dtype=np.float64),
        volume=np.array(columns[3], dtype=np.float64),
        open_interest=np.array(columns[4], dtype=np.float64),
        final=final,
    )

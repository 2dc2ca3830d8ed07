"""Putting parsed rows into tables: new rows in bulk, revisions beside what they replace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from decimal import Decimal
from itertools import groupby
from typing import Any

import numpy as np
from django.utils import timezone

from hedging.engine.history.publication import RULES, known_days
from hedging.engine.history.series import Days, S
from hedging.maths.quoted_spread import near_money_spread
from hedging.models import (
    ChainSnapshot,
    DailyBar,
    IngestRun,
    MacroEvent,
    Quality,
    VXSettlement,
)
from hedging.providers.formats.chain import ChainTable
from hedging.providers.formats.tables import BarRow, EventRow, MarketFileError, VXRow
from hedging.selectors.calendar import (
    FIRST_DAY,
    LAST_DAY,
    NEW_YORK,
    closes_at,
    session_date,
    sessions_between,
)
from hedging.selectors.events import events_current
from hedging.services.bulk import rows_insert

_BATCH = 2000
#: Source of final settlements read off the contracts; a published list of them is preferred.
OWN_FINALS = "vx-expiry-day"
#: Decimal places of the prices, and the first value that does not fit.
_PLACES: dict[Any, tuple[int, Decimal]] = {
    DailyBar: (6, Decimal(10) ** 10),
    MacroEvent: (6, Decimal(10) ** 10),
    VXSettlement: (4, Decimal(10) ** 8),
}
_PRICES = ("open", "high", "low", "close")
Counts = tuple[int, int]


def bars_store(run: IngestRun, quality: Quality, bars: list[BarRow]) -> Counts:
    """Store bars; rows that state when they were published are vintages. Returns (new, unchanged)."""
    plain = [bar for bar in bars if bar.published_at is None]
    by_rule = _published_by_rule(plain)
    rows = (
        {
            "symbol": bar.symbol,
            "date": bar.day,
            "open": bar.open,
            "high": bar.high,
            "low": bar.low,
            "close": bar.close,
            "published_at": by_rule.get((bar.symbol, bar.day)),
            "published_estimated": (bar.symbol, bar.day) in by_rule,
        }
        for bar in plain
    )
    new, same = _store(DailyBar, ("symbol", "date"), _PRICES, run, quality, rows)
    made, kept = _vintages_store(run, quality, [bar for bar in bars if bar.published_at is not None])
    return new + made, same + kept


def _vintages_store(run: IngestRun, quality: Quality, bars: list[BarRow]) -> Counts:
    """Every vintage not stored yet; the newest of a day is current, whatever order they came in."""
    if not bars:
        return 0, 0
    stored: dict[tuple[str, date], list[DailyBar]] = {}
    for row in DailyBar.objects.filter(source=run.source, symbol__in={bar.symbol for bar in bars}):
        stored.setdefault((row.symbol, row.date), []).append(row)
    now = timezone.now()
    fresh: list[DailyBar] = []
    replaced: list[int] = []
    for key, group in groupby(sorted(bars, key=_vintage_order), key=lambda bar: (bar.symbol, bar.day)):
        old = stored.get(key, [])
        stated = {row.published_at for row in old if not row.published_estimated}
        made = [
            DailyBar(
                source=run.source, symbol=bar.symbol, date=bar.day, quality=quality,
                close=_fitting(DailyBar, bar.close, f"{bar.symbol} {bar.day}"),
                published_at=bar.published_at, superseded_at=now, run=run,
            )
            for bar in group
            if bar.published_at not in stated
        ]  # fmt: skip
        if not made:
            continue
        current = next((row for row in old if row.superseded_at is None), None)
        newest = made[-1]
        if current is None or current.published_estimated or _moment(current) < _moment(newest):
            newest.superseded_at = None
            if current is not None:
                replaced.append(current.pk)
        fresh += made
    for batch in _batches(replaced):
        DailyBar.objects.filter(pk__in=batch).update(superseded_at=now)
    DailyBar.objects.bulk_create(fresh, batch_size=_BATCH)
    return len(fresh), len(bars) - len(fresh)


def _vintage_order(bar: BarRow) -> tuple[str, date, datetime]:
    assert bar.published_at is not None
    return bar.symbol, bar.day, bar.published_at


def _moment(row: DailyBar) -> datetime:
    return row.published_at or closes_at(row.date)


def _published_by_rule(bars: list[BarRow]) -> dict[tuple[str, date], datetime]:
    """When figures of later publication came out, by release calendar or usual lag."""
    days: dict[str, list[date]] = {}
    for bar in bars:
        if bar.symbol in RULES:
            days.setdefault(bar.symbol, []).append(bar.day)
    if not days:
        return {}
    sessions: Days = np.array(sessions_between(FIRST_DAY, LAST_DAY), dtype="datetime64[D]")
    events = events_current()
    found: dict[tuple[str, date], datetime] = {}
    for symbol, given in days.items():
        known = known_days(symbol, np.array(given, dtype="datetime64[D]"), sessions, events)
        at: time = RULES[symbol].at
        for day, session in zip(given, known, strict=True):
            found[symbol, day] = datetime.combine(session.item(), at, NEW_YORK)
    return found


def vx_store(run: IngestRun, quality: Quality, rows: list[VXRow]) -> Counts:
    """Store daily settlements; returns (new, unchanged). That of the expiry day is the final one, VRO."""
    finals = {row.expiry: row.settle for row in rows if row.day == row.expiry}
    stated = DailyBar.objects.filter(symbol=S.VRO, date__in=finals, superseded_at__isnull=True)
    for day in stated.exclude(source=OWN_FINALS).values_list("date", flat=True):
        finals.pop(day, None)
    _store(
        DailyBar,
        ("symbol", "date"),
        ("close",),
        run,
        quality,
        (
            {"symbol": str(S.VRO), "date": day, "close": settle, "published_estimated": False}
            for day, settle in finals.items()
        ),
        source=OWN_FINALS,
    )
    return _store(
        VXSettlement,
        ("date", "expiry"),
        ("settle", "volume", "open_interest"),
        run,
        quality,
        (
            {
                "date": row.day,
                "expiry": row.expiry,
                "settle": row.settle,
                "open": row.open,
                "high": row.high,
                "low": row.low,
                "close": row.close,
                "volume": row.volume,
                "open_interest": row.open_interest,
            }
            for row in rows
        ),
    )


def _store(
    model: Any,
    key: tuple[str, ...],
    compared: tuple[str, ...],
    run: IngestRun,
    quality: Quality,
    rows: Iterable[dict[str, Any]],
    *,
    source: str = "",
) -> Counts:
    """Insert new and revised rows of DailyBar or VXSettlement; the last of two equal keys counts.

    A value that is not given says nothing: it neither revises nor repeats a stored one.
    """
    incoming = {tuple(row[name] for name in key): row for row in rows}
    if not incoming:
        return 0, 0
    days = [row["date"] for row in incoming.values()]
    source = source or run.source
    current = model.objects.filter(
        source=source, superseded_at__isnull=True, date__range=(min(days), max(days))
    )
    if "symbol" in key:
        current = current.filter(symbol__in={row["symbol"] for row in incoming.values()})
    width = len(key)
    stored = {row[:width]: row[width:] for row in current.values_list(*key, *compared, "pk")}
    fresh, revised, same = [], [], 0
    now = timezone.now()
    for identity, row in incoming.items():
        old = stored.get(identity)
        if old is None:
            fresh.append(row)
        elif all(
            row[name] is None or _equal(was, row[name]) for was, name in zip(old, compared, strict=False)
        ):
            same += 1
        else:
            revised.append(old[-1])
            if row.get("published_at") is not None:  # a revision is public from when it was seen
                row |= {"published_at": now, "published_estimated": False}
            fresh.append(row)
    for batch in _batches(revised):
        model.objects.filter(pk__in=batch).update(superseded_at=now)
    if fresh:
        given = tuple(fresh[0])
        kept = (source, str(quality), run.pk, now)
        rows_insert(
            model,
            ("source", "quality", "run", "recorded_at", *given),
            ((*kept, *_fitting_row(model, row)) for row in fresh),
        )
    return len(fresh), same


def _fitting_row(model: Any, row: dict[str, Any]) -> Iterator[Any]:
    """The row's values, decimals as their columns hold them."""
    what = f"{row.get('symbol', 'VX')} {row['date']}"
    return (_fitting(model, v, what) if type(v) is Decimal else v for v in row.values())


def _fitting(model: Any, value: Decimal, what: str) -> Decimal:
    """The value rounded to its column's places; MarketFileError when it is too large for it."""
    places, limit = _PLACES[model]
    if abs(value) >= limit:
        raise MarketFileError(f"{what}: {value:f} is out of range")
    return round(value, places)


def _equal(stored: object, given: object) -> bool:
    if isinstance(stored, Decimal) and isinstance(given, Decimal):
        return stored == given or stored == round(given, -int(stored.as_tuple().exponent))
    return stored == given


def _batches(keys: list[int]) -> Iterator[list[int]]:
    return (keys[i : i + _BATCH] for i in range(0, len(keys), _BATCH))


def events_store(run: IngestRun, rows: list[EventRow]) -> Counts:
    """Store calendar events; a row that says nothing about a field leaves what is known."""
    if not rows:
        return 0, 0
    current = {
        (event.kind, event.day, event.period): event
        for event in MacroEvent.objects.filter(
            superseded_at__isnull=True, kind__in={row.kind for row in rows}
        )
    }
    now = timezone.now()
    fresh: dict[tuple[str, date, str], MacroEvent] = {}
    replaced: list[int] = []
    for row in rows:
        key = (row.kind, row.day, row.period)
        old = fresh.get(key) or current.get(key)
        event = _event(run, row, old)
        if old is not None and all(
            _equal(getattr(old, name), getattr(event, name)) for name in _EVENT_FIELDS
        ):
            continue
        if old is not None and old.pk is not None:
            replaced.append(old.pk)
        fresh[key] = event
    for batch in _batches(replaced):
        MacroEvent.objects.filter(pk__in=batch).update(superseded_at=now)
    MacroEvent.objects.bulk_create(fresh.values(), batch_size=_BATCH)
    return len(fresh), len(rows) - len(fresh)


_EVENT_FIELDS = ("time_et", "detail", "actual", "forecast", "previous", "unit", "scheduled")


def _event(run: IngestRun, row: EventRow, old: MacroEvent | None) -> MacroEvent:
    def said(name: str) -> Any:
        value = getattr(row, name)
        if isinstance(value, Decimal):
            return _fitting(MacroEvent, value, f"{row.kind} {row.day}")
        return getattr(old, name) if old is not None and value in (None, "") else value

    at: time | None = said("time_et")
    published = datetime.combine(row.day, at, NEW_YORK) if at else closes_at(row.day)
    return MacroEvent(
        source=(old.source if old is not None and not row.detail else row.source) or run.source,
        kind=row.kind,
        day=row.day,
        period=row.period,
        published_at=published,
        run=run,
        **{name: said(name) for name in _EVENT_FIELDS},
    )


def chain_store(run: IngestRun, quality: Quality, chain: ChainTable) -> Counts:
    """Store a chain unless its quotes are there; returns (new, unchanged) options."""
    content_hash = chain.content_hash()
    if ChainSnapshot.objects.filter(content_hash=content_hash).exists():
        return 0, len(chain)
    ChainSnapshot.objects.create(
        source=run.source,
        underlying=chain.underlying,
        as_of=chain.as_of,
        spot=None if chain.spot is None else Decimal(str(chain.spot)),
        row_count=len(chain),
        payload=chain.pack(),
        content_hash=content_hash,
        near_spread=_near_spread(chain),
        quality=quality,
        run=run,
    )
    return len(chain), 0


def _near_spread(chain: ChainTable) -> float | None:
    """How wide the chain is quoted, percent of mid; only that of SPX is a signal."""
    if chain.underlying != S.SPX:
        return None
    c, day = chain.columns, np.datetime64(session_date(chain.as_of), "D")
    days = (c.expiry - day).astype(np.int64)
    return near_money_spread(days=days, right=c.right, strike=c.strike, bid=c.bid, ask=c.ask)

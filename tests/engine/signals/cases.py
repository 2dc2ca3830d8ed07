"""Small histories, made by hand: closes, curves and calendars whose answers are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np

from hedging.engine.history.series import Bars, CalendarEvent, Events, MarketHistory, S, Series, VXHistory

START = date(2019, 1, 2)


def weekdays(count: int, first: date = START) -> np.ndarray:
    """``count`` Mondays to Fridays from ``first`` on."""
    days = np.arange(np.datetime64(first, "D"), np.datetime64(first, "D") + count * 2 + 7)
    return days[np.is_busday(days)][:count]


def series(symbol: str, days: np.ndarray, values: Sequence[float], *, late: int = 0) -> Series:
    """A series known ``late`` calendar days after its own day."""
    return Series(str(symbol), days, np.asarray(values, dtype=float), days + late, "test")


def curve(days: np.ndarray, months: Mapping[date, Sequence[float]]) -> VXHistory:
    """VX settlements by expiry, one a day; NaN where unpriced."""
    expiries = sorted(months)
    settle = np.column_stack([np.asarray(months[e], dtype=float) for e in expiries])
    interest = np.where(np.isfinite(settle), 200_000.0, np.nan)
    return VXHistory(
        days, np.array(expiries, "datetime64[D]"), settle, interest, interest, np.full(len(expiries), np.nan)
    )


def no_curve() -> VXHistory:
    days, table = np.empty(0, dtype="datetime64[D]"), np.empty((0, 0))
    return VXHistory(days, days, table, table, table, np.empty(0))


def history(
    *found: Series,
    vx: VXHistory | None = None,
    events: Sequence[CalendarEvent] = (),
    bars: Mapping[str, Bars] | None = None,
    sessions: np.ndarray | None = None,
) -> MarketHistory:
    """A history of these series; sessions are all weekdays of the years around them."""
    if sessions is None:
        first = min((s.days[0] for s in found if len(s)), default=np.datetime64(START, "D"))
        sessions = weekdays(1600, (first - 30).item())
    kinds: dict[str, list[CalendarEvent]] = {}
    for event in events:
        kinds.setdefault(event.kind, []).append(event)
    calendar = Events({kind: tuple(sorted(rows, key=lambda e: e.day)) for kind, rows in kinds.items()})
    return MarketHistory(
        sessions=sessions,
        early=np.zeros(len(sessions), dtype=bool),
        series={s.symbol: s for s in found},
        bars=bars or {},
        vx=vx or no_curve(),
        events=calendar,
    )


def closes(count: int, *, seed: int = 1, level: float = 3000, sigma: float = 0.01) -> np.ndarray:
    """A random walk of closes."""
    rng = np.random.default_rng(seed)
    return level * np.exp(np.cumsum(sigma * rng.standard_normal(count)))


def calm_market(
    count: int = 400, *, vix: Sequence[float] | None = None, seed: int = 1, first: date = START
) -> MarketHistory:
    """SPX and VIX of ``count`` weekdays; VIX near 15 where it is not given."""
    days = weekdays(count, first)
    level = 15 + np.sin(np.arange(count) / 9) if vix is None else np.asarray(vix, dtype=float)
    return history(series(S.SPX, days, closes(count, seed=seed)), series(S.VIX, days, level))

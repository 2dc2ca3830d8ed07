"""Edges of the signals and regimes that a ruleset sets, from closes, curves and calendars."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import numpy as np

from hedging.engine.history.series import CalendarEvent, CalendarEventKind, MarketHistory, S
from hedging.engine.signals.compute import compute_signals
from hedging.engine.signals.frame import SignalFrame
from hedging.engine.signals.from_ruleset import signal_params
from hedging.engine.signals.types import Regime
from hedging.engine.signals.types import SignalKey as K
from tests.engine.signals.cases import calm_market, closes, curve, history, series, weekdays
from tests.engine.signals.test_regimes import HIGH, walk
from tests.policy.edges.run import Edge, one

DAYS = weekdays(80)
DECISION = date(2019, 4, 10)  #: A Wednesday, the made-up FOMC decision.
LAST = DAYS[62].item()  #: The third close in backwardation.
OFF, ON = 0, 1
#: Rules under which a collapse waits for the fall of realized over implied alone.
ONLY_FALL = {"signals__rsi_vix_low": 99, "signals__iv_floor": 5, "collapse__confirmations": 0}


def computed(market: MarketHistory, key: str, limit: Any, **others: Any) -> SignalFrame:
    return compute_signals(market, signal_params(one(key, limit, **others)))


def on(frame: SignalFrame, signal: K, day: date) -> int:
    return int(frame.state(signal)[int(np.searchsorted(frame.days, np.datetime64(day, "D")))])


@cache
def quiet() -> MarketHistory:
    return calm_market(80, vix=18 + np.sin(np.arange(80) / 9))


@cache
def inverted(near: float = 25.0) -> MarketHistory:
    """M1 above M2 from the sixtieth close on, VIX then at 26."""
    months = {
        date(2019, 12, 18): np.r_[np.full(60, 14.0), np.full(20, near)],
        date(2020, 1, 22): np.full(80, 20.0),
        date(2020, 2, 19): np.full(80, 21.0),
    }
    vix = np.r_[np.full(60, 14.0), np.full(20, 26.0)]
    return history(series(S.SPX, DAYS, closes(80)), series(S.VIX, DAYS, vix), vx=curve(DAYS, months))


@cache
def printed(cpi: float, ppi: float) -> MarketHistory:
    """A market with prices off their consensus by so much, and one decision after which rates narrow."""
    day = DAYS[40].item()
    events = [
        CalendarEvent(kind, day, day, actual=2.0 + off, forecast=2.0, previous=2.5, unit="%")
        for kind, off in ((CalendarEventKind.CPI, cpi), (CalendarEventKind.PPI, ppi))
    ]
    decision = CalendarEvent(CalendarEventKind.FOMC, DECISION, DECISION)
    rates = (series(S.DGS10, DAYS, np.linspace(4.0, 3.0, 80)), series(S.DTB3, DAYS, np.full(80, 2.0)))
    plain = quiet()
    made = history(events=[*events, decision], sessions=DAYS, *rates)  # noqa: B026
    return replace(plain, series={**plain.series, **made.series}, events=made.events)


def value(signal: K) -> float:
    return compute_signals(quiet()).values(signal)[62]


def fallen() -> tuple[date, float]:
    """The day on which realized over implied fell most, and by how much."""
    frame = compute_signals(quiet())
    change = frame.values(K.RV_IV_CHANGE_10)
    at = int(np.nanargmin(change))
    return frame.days[at].item(), -float(change[at]) / 100


def simple(key: str, signal: K, below: int, at: int, above: int) -> Edge:
    """A daily figure against its threshold."""
    return Edge(key, lambda: value(signal), lambda x: on(computed(quiet(), key, x), signal, LAST),
                below, at, above, note="signal")  # fmt: skip


def macro(cpi: float, ppi: float) -> Edge:
    return Edge("macro.stable_points", lambda: max(abs(cpi), abs(ppi)), lambda x: on(computed(
                printed(cpi, ppi), "macro.stable_points", x), K.MACRO_STABLE, LAST), ON, ON, OFF,
                note=f"CPI {cpi:+g}, PPI {ppi:+g}")  # fmt: skip


def dated(key: str, days: int, signal: K, day: date) -> Edge:
    return Edge(key, lambda: days, lambda x: on(computed(printed(0.0, 0.0), key, round(x)), signal, day),
                ON, ON, OFF, 1, signal.value)  # fmt: skip


def window(first: float, last: float, day: date) -> int:
    market = calm_market(740, first=date(2017, 1, 3))
    frame = computed(market, "layers.window_days", (round(first), round(last)))
    return on(frame, K.DAYS_TO_MAJOR_EXPIRY, day)


def regime(limit: float) -> Regime:
    params = signal_params(one("expansion.closes", round(limit)))
    return walk(12, params, **HIGH, stress={range(8): 1})[7]


EDGES = (
    simple("signals.rsi_vix_low", K.RSI_VIX, ON, OFF, OFF),
    simple("signals.rsi_spx_low", K.RSI_SPX, ON, OFF, OFF),
    simple("signals.iv_floor", K.IV30, OFF, OFF, ON),
    Edge("signals.backwardation_min", lambda: 0.03, lambda x: on(computed(inverted(20.6),
         "signals.backwardation_min", round(x, 6)), K.BACKWARDATION, LAST), OFF, OFF, ON, note="signal"),
    Edge("regime.closes", lambda: 3, lambda x: on(computed(inverted(), "regime.closes", x),
         K.REGIME_SHIFT, LAST), OFF, ON, ON, 1),
    Edge("regime.vix_above", lambda: 26.0, lambda x: on(computed(inverted(), "regime.vix_above", x),
         K.REGIME_SHIFT, LAST), OFF, OFF, ON),
    macro(0.1, 0.0),
    macro(-0.1, 0.0),
    macro(0.0, 0.1),
    macro(0.0, -0.1),
    dated("layers.event_days", 5, K.DAYS_TO_FOMC, date(2019, 4, 5)),
    dated("collapse.fomc_days", 8, K.DAYS_SINCE_FOMC, date(2019, 4, 18)),
    dated("collapse.fomc_days", 8, K.POST_FOMC_NARROWING, date(2019, 4, 18)),
    Edge("layers.window_days", lambda: 7, lambda x: window(x, 10, date(2019, 7, 12)), OFF, ON, ON, 1,
         "signal, first day"),
    Edge("layers.window_days", lambda: 10, lambda x: window(7, x, date(2019, 7, 9)), ON, ON, OFF, 1,
         "signal, last day"),
    Edge("expansion.closes", lambda: 3, regime, Regime.ISOLATED_EXPANSION, Regime.PERSISTENT_EXPANSION,
         Regime.PERSISTENT_EXPANSION, 1),
    Edge("collapse.rv_fall", lambda: fallen()[1], lambda x: on(computed(quiet(), "collapse.rv_fall", x),
         K.RV_IV_CHANGE_10, fallen()[0]), OFF, ON, ON, note="signal"),
    Edge("collapse.rv_fall", lambda: fallen()[1], lambda x: on(computed(quiet(), "collapse.rv_fall", x,
         **ONLY_FALL), K.RV_COLLAPSE, fallen()[0]), OFF, ON, ON, note="regime"),
)  # fmt: skip

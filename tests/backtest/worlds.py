"""Small invented markets whose backtests can be worked by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np

from hedging.engine.backtest.plan import BacktestPlan, LayerSchedule
from hedging.engine.backtest.run import run
from hedging.engine.backtest.surfaces import Surfaces, surfaces_of
from hedging.engine.backtest.types import BacktestResult, Costs, Exits, Hedge, Settings
from hedging.engine.history.build import RawSeries, RawVX, build_history
from hedging.engine.history.series import MarketHistory

FIRST, LAST = date(2015, 1, 2), date(2015, 6, 30)
EXPIRIES = np.array(
    ["2015-01-21", "2015-02-18", "2015-03-18", "2015-04-15", "2015-05-20", "2015-06-17", "2015-07-22",
     "2015-08-19"], dtype="datetime64[D]",
)  # fmt: skip
#: Made up, far from any VX settlement the day before.
FINALS = {day.item(): 30.0 + at for at, day in enumerate(EXPIRIES)}
FREE = Costs(0.0, 0.0, 0.0, 0.0)


def sessions() -> np.ndarray:
    every = np.arange("2015-01-02", "2015-07-01", dtype="datetime64[D]")
    return every[np.is_busday(every)]


def history(*, fall_from: date | None = None, rate: float = 0.0) -> MarketHistory:
    """SPX 2,000 swinging by 8 points, VIX 18; from ``fall_from`` on SPX 1,700 and VIX 40."""
    days = sessions()
    swing = 8.0 * np.sin(np.arange(len(days)) / 3)
    fallen = np.zeros(len(days), dtype=bool) if fall_from is None else days >= np.datetime64(fall_from)
    spx = np.where(fallen, 1700.0, 2000.0) + swing
    vix = np.where(fallen, 40.0, 18.0)
    at, expiry = np.meshgrid(np.arange(len(days)), np.arange(len(EXPIRIES)), indexing="ij")
    live = EXPIRIES[expiry] > days[at]
    settle = np.where(fallen, 36.0, 19.0)[at] + 0.3 * expiry
    raw = {
        "SPX": RawSeries(days, spx), "VIX": RawSeries(days, vix), "VVIX": RawSeries(days, 80 + vix),
        "VIX3M": RawSeries(days, vix + 1), "VIX9D": RawSeries(days, vix - 1),
        "DTB3": RawSeries(days, np.full(len(days), rate * 100)),
    }  # fmt: skip
    vx = RawVX(
        days[at[live]], EXPIRIES[expiry[live]], settle[live], np.full(live.sum(), 1e5),
        np.full(live.sum(), 1e5), FINALS,
    )  # fmt: skip
    return build_history(sessions=days, early=[False] * len(days), raw=raw, vx=vx, events=())


def layer(number: int = 1, **changes: object) -> LayerSchedule:
    plan = LayerSchedule(
        number=number, allowed=("vix_call",), dte=30, window=(15, 50), delta=0.3, sold_delta=0.12,
        sizing="budget", budget=0.5, exposure=5.0, ratio=4, roll_days=0,
        gate=np.ones(len(sessions()), dtype=bool),
    )  # fmt: skip
    return replace(plan, **changes)  # type: ignore[arg-type]  # named fields


def plan(*layers: LayerSchedule, **changes: object) -> BacktestPlan:
    always = np.ones(len(sessions()), dtype=bool)
    made = BacktestPlan(
        condors=True, dte=45, tolerance=10, monthly_only=False, short_delta=0.16, far_delta=0.11,
        long_delta=0.0, width=50, size=0.02, margin=0.5, max_open=1, spacing=7, profit_share=0.5,
        exit_days=21, base="max_loss", exposure_by_delta=False, ceiling=50.0, premium_cap=1.0, run_rate=1.0,
        exposure_cap=5.0, shared_caps=False, risk_capital=1.0, min_interest=0,
        vxth=(15, 30, 50, 0.01, 0.005), layers=layers,
        may_open=always, collapsed=~always,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]  # named fields


def settings(**changes: object) -> Settings:
    made = Settings(FIRST, LAST, exits=Exits.EXPIRY, hedge=Hedge.ON, costs=FREE, delay=1)
    return replace(made, **changes)  # type: ignore[arg-type]  # named fields


def surfaces(**kind: object) -> Surfaces:
    return surfaces_of(history(**kind))  # type: ignore[arg-type]  # named options


def ran(
    world: Surfaces | None = None, rules: BacktestPlan | None = None, **changes: object
) -> BacktestResult:
    return run(world or surfaces(), rules or plan(layer()), settings(**changes))

"""A ruleset's part in a backtest: its figures, and on which days its gates stood open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hedging.engine.history.series import Days
from hedging.engine.rulesets.types import Ruleset
from hedging.engine.signals.frame import OFF, ON, SignalFrame
from hedging.engine.signals.types import Regime
from hedging.engine.signals.types import SignalKey as K
from hedging.maths.arrays import Bools

#: What the simulator can buy, in the ruleset's words.
TRADABLE = ("vix_call", "vix_call_spread", "spx_put", "spx_put_spread")


@dataclass(frozen=True, slots=True)
class LayerSchedule:
    """One layer's figures, and ``gate``: the sessions at whose close it was known to be open."""

    number: int
    allowed: tuple[str, ...]
    dte: float
    window: tuple[float, float]
    delta: float
    sold_delta: float
    sizing: str
    budget: float
    exposure: float
    ratio: float
    roll_days: int
    gate: Bools


@dataclass(frozen=True, slots=True)
class BacktestPlan:
    """Everything a run reads from a ruleset. ``may_open`` and ``collapsed`` stand on the sessions."""

    condors: bool
    dte: float
    tolerance: float
    monthly_only: bool
    short_delta: float
    far_delta: float
    long_delta: float
    width: float
    size: float
    margin: float
    max_open: int
    spacing: int
    profit_share: float
    exit_days: int
    base: str
    exposure_by_delta: bool
    ceiling: float
    premium_cap: float
    run_rate: float
    exposure_cap: float
    shared_caps: bool
    risk_capital: float
    min_interest: float
    vxth: tuple[float, float, float, float, float]
    layers: tuple[LayerSchedule, ...]
    may_open: Bools
    collapsed: Bools


def plan_of(ruleset: Ruleset, frame: SignalFrame, days: Days, *, always: bool = False) -> BacktestPlan:
    """The plan on ``days``; a gate that is not known to be open is shut. ``always`` ignores gates."""
    r = ruleset
    rows = np.searchsorted(frame.days, days, side="right") - 1
    seen = rows >= 0

    def on_days(mask: Any) -> Bools:
        return np.asarray(np.where(seen, mask[np.maximum(rows, 0)], False), dtype=bool)

    def is_on(key: K) -> Bools:
        return np.asarray(frame.state(key) == ON)

    ahead, to_expiry = frame.values(K.DAYS_TO_FOMC), frame.values(K.DAYS_TO_MAJOR_EXPIRY)
    low, high = r.parameters["layers.window_days"].span or (r.number("layers.window_days"),) * 2
    surprise = frame.state(K.MACRO_STABLE) == OFF
    conditions = {
        "stress_gate": is_on(K.RSI_SPX) & is_on(K.BACKWARDATION),
        "window": (to_expiry >= low) & (to_expiry <= high),
        "regime_shift": is_on(K.REGIME_SHIFT),
        "event": ((ahead >= 0) & (ahead <= r.number("layers.event_days")))
        | surprise
        | is_on(K.AD_DIVERGENCE),
    }
    layers = []
    for number in (1, 2, 3):
        if not r.on(f"layer{number}.enabled"):
            continue
        names = list(r.words(f"layer{number}.conditions"))
        if number == 1 and not r.on("layers.base_always_on"):
            names.append("event")
        gate = np.ones(len(frame.days), dtype=bool)
        for name in [] if always else names:
            gate &= conditions[name]
        layers.append(_layer(r, number, on_days(gate)))
    regimes = frame.regimes.mask(*(Regime(name) for name in r.words("condor.regimes")))
    n = r.number
    return BacktestPlan(
        condors=r.on("condor.enabled"), dte=n("condor.dte"), tolerance=n("condor.dte_tolerance"),
        monthly_only=r.on("condor.monthly_only"), short_delta=n("condor.short_delta"),
        far_delta=n("condor.collapse_short_delta"), long_delta=n("condor.long_delta"),
        width=n("condor.wing_width"), size=min(n("condor.size_of_equity"), n("guard.block_of_equity")),
        margin=n("condor.margin_of_equity"), max_open=r.whole("condor.max_open"),
        spacing=r.whole("condor.spacing_days"), profit_share=n("alerts.profit_share"),
        exit_days=r.whole("alerts.dte"), base=r.word("layers.notional_base"),
        exposure_by_delta=r.word("layers.exposure_measure") == "delta_notional",
        ceiling=n("layers.ceiling"), premium_cap=n("caps.premium_of_credit"),
        run_rate=n("caps.run_rate_of_equity"), exposure_cap=n("caps.exposure"),
        shared_caps=r.word("caps.scope") == "hedge", risk_capital=n("layer3.risk_capital"),
        min_interest=n("liquidity.min_open_interest"),
        vxth=(n("vxth.low"), n("vxth.middle"), n("vxth.high"), n("vxth.weight"), n("vxth.half_weight")),
        layers=tuple(layers), may_open=on_days(regimes), collapsed=on_days(is_on(K.RV_COLLAPSE)),
    )  # fmt: skip


def _layer(r: Ruleset, number: int, gate: Bools) -> LayerSchedule:
    key = f"layer{number}."
    aim = r.number(key + "dte")
    return LayerSchedule(
        number=number, allowed=tuple(word for word in r.words(key + "allowed") if word in TRADABLE),
        dte=aim, window=r.parameters[key + "dte"].span or (aim, aim), delta=r.number(key + "delta"),
        sold_delta=r.number(key + "sold_delta"), sizing=r.word(key + "sizing"),
        budget=r.number(key + "budget"), exposure=r.number(key + "exposure"), ratio=r.number(key + "ratio"),
        roll_days=r.whole(key + "roll_days"), gate=gate,
    )  # fmt: skip

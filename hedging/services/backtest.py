"""Backtests on a history: surfaces kept between runs, the benchmarks' own settings, sets of parameters."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import lru_cache
from math import isfinite
from typing import Any, cast

from hedging.engine.backtest.figures import against_benchmark, report_of
from hedging.engine.backtest.plan import plan_of
from hedging.engine.backtest.run import Progress, run
from hedging.engine.backtest.surfaces import Surfaces, surfaces_of
from hedging.engine.backtest.types import BacktestResult, Core, Exits, Hedge, Settings
from hedging.engine.canonical import content_hash
from hedging.engine.history.series import MarketHistory, S
from hedging.engine.rulesets.types import Ruleset
from hedging.engine.signals.compute import compute_signals
from hedging.engine.signals.frame import SignalFrame
from hedging.engine.signals.from_ruleset import signal_params
from hedging.engine.signals.params import SignalParams

#: Presets that stand for a published index, and the index they are measured against.
BENCHMARKS = {"neutral-cndr": S.CNDR, "neutral-vxth": None}
#: Enters every key, so that a changed engine does not answer with an old result.
VERSION = 1


def settings_for(ruleset: Ruleset, settings: Settings) -> Settings:
    """The settings; a benchmark trades its own way: no delay, CNDR held to expiry, VXTH on the index."""
    if ruleset.name == "neutral-cndr":
        return replace(settings, exits=Exits.EXPIRY, delay=0)
    if ruleset.name == "neutral-vxth":
        return replace(settings, core=Core.SPX, delay=0)
    return settings


def backtest_key(*, ruleset: Ruleset, settings: Settings, revision: str) -> str:
    """What a result depends on, as a hash: the same key gives the same figures."""
    asked = settings_json(settings)
    return content_hash({"ruleset": ruleset.hash, "settings": asked, "history": revision, "version": VERSION})


class Backtests:
    """Runs on one history; its surfaces and signals are made once."""

    def __init__(self, history: MarketHistory) -> None:
        self.history = history
        self.surfaces: Surfaces = surfaces_of(history)
        self._frame = lru_cache(maxsize=8)(self._signals)

    def _signals(self, params: SignalParams) -> SignalFrame:
        return compute_signals(self.history, params)

    def run(
        self, ruleset: Ruleset, settings: Settings, progress: Progress = lambda _done, _total: None
    ) -> BacktestResult:
        """One run with the settings as given. Raises BacktestError."""
        always = settings.hedge is Hedge.PERMANENT
        plan = plan_of(ruleset, self._frame(signal_params(ruleset)), self.surfaces.days, always=always)
        return run(self.surfaces, plan, settings, progress=progress)

    def report(
        self, ruleset: Ruleset, settings: Settings, progress: Progress = lambda _done, _total: None
    ) -> dict[str, Any]:
        """A run's figures as JSON values, with its ruleset, settings and benchmark."""
        settings = settings_for(ruleset, settings)
        result = self.run(ruleset, settings, progress)
        found = report_of(result)
        found["ruleset"] = {"name": ruleset.name, "title": ruleset.title, "hash": ruleset.hash}
        found["settings"] = settings_json(settings)
        found["history"] = self.history.revision
        symbol = BENCHMARKS.get(ruleset.name)
        found["benchmark"] = None if symbol is None else self._benchmark(result, symbol)
        if ruleset.name == "neutral-vxth":
            found["gaps"].append("No VXTH index is stored: this run is compared with the S&P 500 alone.")
        return cast("dict[str, Any]", _finite(found))

    def _benchmark(self, result: BacktestResult, symbol: str) -> dict[str, Any] | None:
        series = self.history.get(symbol)
        if series is None:
            return None
        months = {
            str(day.astype("datetime64[M]")): float(value)
            for day, value in zip(series.days, series.values, strict=True)
        }
        against = against_benchmark(result, months)
        return None if against is None else {"symbol": str(symbol)} | against


def _finite(value: Any) -> Any:
    """The same with None for what is no number: JSON knows no NaN, and unknown is shown as unknown."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def settings_json(settings: Settings) -> dict[str, Any]:
    """The settings as JSON values."""
    found: dict[str, Any] = asdict(settings)
    return found | {
        "first": settings.first.isoformat(), "last": settings.last.isoformat(),
        "hedge": settings.hedge.value, "exits": settings.exits.value, "core": settings.core.value,
    }  # fmt: skip


@lru_cache(maxsize=2)
def _kept(at: int) -> list[Backtests]:
    """Room for one set of surfaces by the identity of its history."""
    del at
    return []


def backtests_on(history: MarketHistory) -> Backtests:
    """Backtests on the history, cached in this process while it is the same object."""
    kept = _kept(id(history))
    if not kept or kept[0].history is not history:
        kept[:] = [Backtests(history)]
    return kept[0]

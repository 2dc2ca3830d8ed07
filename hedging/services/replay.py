"""Replaying a ruleset over the history."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from hedging.engine.history.series import MarketHistory, to_date
from hedging.engine.market import MarketSnapshot
from hedging.engine.policy.beta import vx_betas
from hedging.engine.policy.replay import ReplayDay, replay
from hedging.engine.policy.types import Advice
from hedging.engine.rulesets.types import Ruleset
from hedging.engine.signals.compute import compute_signals
from hedging.engine.signals.from_ruleset import signal_params
from hedging.engine.signals.types import SignalDay
from hedging.services.snapshots.history_market import history_market


def replay_history(
    *, history: MarketHistory, ruleset: Ruleset, first: date, last: date
) -> Iterator[tuple[ReplayDay, Advice]]:
    """Every session from ``first`` to ``last`` that has closes of SPX and VIX; the book starts empty."""
    frame = compute_signals(history, signal_params(ruleset))

    betas = vx_betas(history, ruleset.whole("layers.beta_window"))

    def days() -> Iterator[tuple[SignalDay, MarketSnapshot, float | None]]:
        for session in history.sessions_until(last, first):
            day = to_date(session)
            market = history_market(history, day)
            if market is not None:
                yield frame.day(day), market, betas.on(day)

    return replay(days(), ruleset)

"""Advice on stored market data: the snapshot, the signals of its day, and a ruleset over a book."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import lru_cache

from hedging.engine.book import Book
from hedging.engine.policy.advise import advise
from hedging.engine.policy.beta import VXBetas, vx_betas
from hedging.engine.policy.context import AccountFacts
from hedging.engine.policy.types import Advice
from hedging.engine.rulesets.types import Ruleset
from hedging.engine.signals.compute import compute_signals
from hedging.engine.signals.frame import SignalFrame
from hedging.engine.signals.from_ruleset import signal_params
from hedging.engine.signals.params import SignalParams
from hedging.engine.signals.types import SignalDay
from hedging.models import MarketSnapshot
from hedging.selectors.calendar import closes_at, session_on_or_before
from hedging.selectors.history import history_revision, market_history
from hedging.services.snapshots.snapshots import snapshot_for, snapshot_load


class NoMarketError(LookupError):
    """No market data are stored for the day that was asked for."""


def advice_for(
    *,
    book: Book,
    ruleset: Ruleset,
    day: date,
    simulated: bool = False,
    facts: AccountFacts | None = None,
) -> Advice:
    """Advice at the close of the last session on or before ``day``. Raises NoMarketError."""
    session = session_on_or_before(day)
    row = snapshot_for(as_of=closes_at(session), simulated=simulated)
    if row is None:
        raise NoMarketError(f"no market data are stored for {session} or before")
    return advice_on(book=book, ruleset=ruleset, row=row, session=session, simulated=simulated, facts=facts)


def advice_on(
    *,
    book: Book,
    ruleset: Ruleset,
    row: MarketSnapshot,
    session: date,
    simulated: bool = False,
    facts: AccountFacts | None = None,
) -> Advice:
    """Advice on one stored snapshot with the signals of ``session``, a closed session not after it."""
    facts = facts or AccountFacts()
    if facts.vx_beta is None:
        window = ruleset.whole("layers.beta_window")
        facts = replace(facts, vx_beta=_betas(history_revision(), window, simulated).on(session))
    signals = signal_day(session, ruleset, simulated=simulated)
    return advise(book, snapshot_load(row), signals, ruleset, facts)


@lru_cache(maxsize=4)
def _betas(revision: str, window: int, simulated: bool) -> VXBetas:
    return vx_betas(market_history(simulated=simulated), window)


def signal_day(day: date, ruleset: Ruleset, *, simulated: bool = False) -> SignalDay:
    """Signals of a day by a ruleset's thresholds; computed once for each state of the data."""
    return _frame(history_revision(), signal_params(ruleset), simulated).day(day)


@lru_cache(maxsize=4)
def _frame(revision: str, params: SignalParams, simulated: bool) -> SignalFrame:
    return compute_signals(market_history(simulated=simulated), params)

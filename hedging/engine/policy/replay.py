"""A ruleset day by day over history, with a rolling synthetic condor book that follows its advice.

Orders fill at the marks of the day they are advised on, without costs: this shows what the rules say and
when, it is not a backtest of money. A condor is closed once it has earned the profit share or comes near
expiry (the alerts' figures); expired legs leave the book. Equity stays at its start, so that sizes compare.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from hedging.engine.book import Book
from hedging.engine.market import MarketSnapshot
from hedging.engine.policy.advise import advise
from hedging.engine.policy.after import NEW, after_proposal
from hedging.engine.policy.context import AccountFacts
from hedging.engine.policy.types import Action, Advice, Answer
from hedging.engine.pricing.settlement import has_expired
from hedging.engine.rulesets.types import Ruleset
from hedging.engine.signals.types import SignalDay, SignalKey

CAPITAL = 1_000_000.0
#: Alerts on which the synthetic book closes a condor.
_EXITS = {"profit", "expiry"}


@dataclass(frozen=True, slots=True)
class ReplayDay:
    """One day's outcome: figures are None where unknown; ``layers`` are (open, target, held) by layer.

    ``held`` is before the day's orders; ``actions`` name what was advised, with layer where there is one.
    """

    day: date
    regime: str
    spot: float | None
    vix: float | None
    backwardation: float | None
    states: tuple[str, ...]
    layers: tuple[tuple[Answer, int, int], ...]
    actions: tuple[str, ...]
    refused: tuple[str, ...]
    binding: str
    condors: int
    hash: str

    @property
    def text(self) -> str:
        """One line: what a reviewer reads."""
        rungs = " ".join(
            f"L{n}{'+' if open_ is Answer.YES else '?' if open_ is Answer.UNKNOWN else '-'}{held}/{target}"
            for n, (open_, target, held) in enumerate(self.layers, 1)
        )
        vix = "VIX ?" if self.vix is None else f"VIX {self.vix:.2f}"
        back = "M1/M2-1 ?" if self.backwardation is None else f"M1/M2-1 {self.backwardation:+.1%}"
        gate, fall, expansion = self.states
        did = ", ".join(self.actions)
        no = f" | refused {', '.join(self.refused)}" if self.refused else ""
        return (
            f"{self.day} {self.regime} {vix} {back} | gates {gate} | collapse {fall} | "
            f"expansion {expansion} | condors {self.condors} | {rungs} | {did} ({self.binding}){no}"
        )


def replay(
    days: Iterable[tuple[SignalDay, MarketSnapshot, float | None]],
    ruleset: Ruleset,
    *,
    capital: float = CAPITAL,
) -> Iterator[tuple[ReplayDay, Advice]]:
    """Each day's outcome and advice, in order; the book starts empty. Days come with their VX beta."""
    book = Book("replay", 0, capital, ())
    for signals, market, beta in days:
        book = _without_expired(book, market)
        advice = advise(book, market, signals, ruleset, AccountFacts(vx_beta=beta), brief=True)
        closing = {alert.trade_id for alert in advice.alerts if alert.key in _EXITS}
        held = sum(trade.role.value == "condor" for trade in book.trades)
        yield _outcome(advice, signals, market, held), advice
        book = _followed(book, advice, closing, signals.day)


def _without_expired(book: Book, market: MarketSnapshot) -> Book:
    trades = []
    for trade in book.trades:
        legs = tuple(leg for leg in trade.legs if not has_expired(leg.contract, market.as_of))
        if legs:
            trades.append(trade if legs == trade.legs else replace(trade, legs=legs))
    return replace(book, trades=tuple(trades), revision=book.revision + 1)


def _followed(book: Book, advice: Advice, closing: set[str], day: date) -> Book:
    """The book after the advice, then without the condors whose time has come."""
    for proposal in advice.proposals:
        if not proposal.alternative and (proposal.trade_id not in closing or proposal.trade_id is None):
            book = after_proposal(book, proposal)
    trades = [trade for trade in book.trades if trade.legs and trade.trade_id not in closing]
    named = [
        replace(trade, trade_id=f"{day}-{at}") if trade.trade_id.startswith(NEW) else trade
        for at, trade in enumerate(trades)
    ]
    return replace(book, trades=tuple(named))


def _outcome(advice: Advice, signals: SignalDay, market: MarketSnapshot, condors: int) -> ReplayDay:
    vix = market.levels.get("VIX")
    traces = {trace.procedure.value: trace.state for trace in advice.traces}
    back = signals.signals[SignalKey.BACKWARDATION]
    share = None if back.value is None else back.value / (100 if back.unit.startswith("%") else 1)
    return ReplayDay(
        day=signals.day,
        regime=advice.regime,
        spot=market.spot,
        vix=vix.value if vix else None,
        backwardation=share,
        states=(traces["layer gates"], traces["realized-vol collapse"], traces["volatility expansion"]),
        layers=tuple((row.is_open, row.target, row.actual) for row in advice.ladder.rows),
        actions=tuple(_named(p.action, p.layer) for p in advice.proposals),
        refused=tuple(_named(p.action, p.layer) for p in advice.refused),
        binding=advice.binding,
        condors=condors,
        hash=advice.hash,
    )


def _named(action: Action, layer: int | None) -> str:
    return action.value if layer is None else f"{action.value} {layer}"


def summary_lines(days: Iterable[ReplayDay]) -> list[str]:
    """Counts over the days: sessions, regimes, gates, procedures, actions; most frequent first."""
    every = list(days)
    if not every:
        return ["no session"]
    lines = [f"{every[0].day} to {every[-1].day}: {len(every)} sessions"]
    counted = (
        ("regime", [day.regime for day in every]),
        ("gates", [day.states[0] for day in every]),
        ("collapse", [day.states[1] for day in every]),
        ("expansion", [day.states[2] for day in every]),
        ("actions", [action for day in every for action in day.actions]),
        ("refused", [action for day in every for action in day.refused]),
        ("binding", [day.binding for day in every]),
    )
    for name, words in counted:
        counts = {word: words.count(word) for word in sorted(set(words))}
        told = ", ".join(f"{w} {n}" for w, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])))
        lines.append(f"  {name}: {told or 'none'}")
    return lines

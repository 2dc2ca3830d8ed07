"""Edges of condors: choice, size, liquidity, alerts, guardrails and adjustments."""

from __future__ import annotations

from functools import cache
from typing import Any

from hedging.engine.book import BookTrade, Leg, TradeRole
from hedging.engine.instruments import parse_symbol
from hedging.engine.policy.advise import advise
from hedging.engine.policy.alerts import alerts_of, straddle_sd
from hedging.engine.policy.condor.adjust import recenter
from hedging.engine.policy.condor.candidates import candidates_of, condor_picks
from hedging.engine.policy.context import AccountFacts, Context
from hedging.engine.policy.guardrails import guardrails
from hedging.engine.policy.procedures.collapse import collapse_trace, near_shorts
from hedging.engine.policy.types import Action, Answer, CondorCandidate, Proposal
from hedging.engine.results.capital import Funds
from hedging.engine.rulesets.types import Ruleset
from hedging.engine.signals.types import Regime
from tests.policy.edges.run import Edge, one, ruled
from tests.policy.worlds import CALM, SPOT, SPXW, book, calm, condor, day, market

YES, NO = Answer.YES, Answer.NO
OFF = condor(strikes=(6550, 6600, 7000, 7050))  #: Its middle, 6800, lies 100 points below SPX.
HELD = condor(60, expiry=SPXW[4])
FALLEN = {**CALM, "rsi_vix": 30, "iv30": 19, "rv_iv_change_10": -0.25, "macd_divergence": True}


def ctx(rules: Ruleset, *trades: BookTrade, facts: AccountFacts | None = None, **signals: Any) -> Context:
    return Context(book(*trades), market(), calm(**signals), rules, facts or AccountFacts())


def first(context: Context) -> CondorCandidate:
    return candidates_of(context, collapsed=False, most=1)[0]


def allowed(context: Context, name: str) -> int | None:
    return next(bound.contracts for bound in first(context).bounds if bound.name == name)


@cache
def plain() -> CondorCandidate:
    return first(ctx(ruled()))


def found(rules: Ruleset) -> bool:
    return bool(candidates_of(ctx(rules), collapsed=False, most=1))


def odd_chance(low: float, high: float) -> bool:
    told = first(ctx(one("condor.pop", (low, high)))).warnings
    return any("probability of profit" in words for words in told)


def spread() -> float:
    context = ctx(ruled())
    picks = condor_picks(context, market().slices["SPXW", SPXW[2]], 0.16)
    assert picks is not None
    wide = sum((p.value.ask or 0.0) - (p.value.bid or 0.0) for p in picks)
    return wide / abs(sum(p.quantity * p.price for p in picks))


def alerted(key: str, rules: Ruleset, trade: BookTrade) -> bool:
    exact = Context(book(trade), market(spread=0.0), calm(), rules)
    return any(alert.key == key for alert in alerts_of(exact))


def moved() -> float:
    return abs(SPOT - 6800) / (straddle_sd(market(spread=0.0).slices["SPXW", SPXW[2]], 0.85) or 0.0)


def deepest_short() -> float:
    legs = ctx(ruled(), condor()).values["c1"].legs
    return max(abs(leg.delta or 0.0) for leg in legs if leg.quantity < 0)


def short_is_near(limit: float) -> bool:
    context = ctx(one("condor.collapse_short_delta", (0.05, limit)), condor())
    return bool(near_shorts(context, condor()))


def guarded(rules: Ruleset) -> list[bool]:
    call = Leg(parse_symbol("VIX   260218C00030000"), 1, 20.0)
    return [r.blocks for r in guardrails(book(capital=100_000), [call], rules, role=TradeRole.OTHER)]


def off_middle() -> float:
    return (market().slices["SPXW", SPXW[2]].forward - 6800) / 200


def shift_of(rules: Ruleset) -> Proposal:
    held = book(condor(2, credit=2.0))
    advice = advise(held, market(30.0), day(Regime.ISOLATED_EXPANSION, **CALM), rules, brief=True)
    return next(p for p in (*advice.proposals, *advice.refused) if p.action is Action.WING_SHIFT)


def unfunded(limit: float) -> bool:
    rules = one("second_engine.share", limit)
    return any(refusal.rule == "funding" for refusal in shift_of(rules).refusals)


def collapsing(rules: Ruleset) -> Context:
    return Context(book(condor()), market(), day(Regime.RV_COLLAPSE, **FALLEN), rules)


def lever(limit: float) -> Answer:
    return collapse_trace(collapsing(one("condor.margin_of_equity", limit))).step("collapse.leverage").answer


def stressed() -> float:
    context = collapsing(ruled())
    return (context.used_margin + context.stress.worst.loss) / context.book.capital


def quick(limit: float, **given: Any) -> int | None:
    context = ctx(one("liquidity.min_quick_ratio", limit), condor(1, expiry=SPXW[4]), **given)
    return allowed(context, "quick ratio")


def fitting(limit: float) -> int | None:
    return allowed(ctx(one("condor.size_of_equity", limit)), "% of equity")


EDGES = (
    Edge("condor.dte", lambda: 40, lambda x: found(one("condor.dte", x, condor__dte_tolerance=6,
         condor__monthly_only=True)), True, True, False, 1, "46 days less the tolerance"),
    Edge("condor.dte_tolerance", lambda: 6, lambda x: found(one("condor.dte_tolerance", x, condor__dte=40,
         condor__monthly_only=True)), True, True, False, 1),
    Edge("condor.pop", lambda: plain().pop or 0.0, lambda x: odd_chance(x, 0.99), True, False, False,
         note="low end"),
    Edge("condor.pop", lambda: plain().pop or 0.0, lambda x: odd_chance(0.3, x), False, False, True,
         note="high end"),
    Edge("condor.collapse_short_delta", deepest_short, short_is_near, False, False, True),
    Edge("condor.size_of_equity", lambda: 3 * plain().max_loss / 1e6,
         fitting, 3, 3, 2),
    Edge("condor.margin_of_equity", lambda: (60 * 5_000 + 3 * plain().margin) / 1e6,
         lambda x: allowed(ctx(one("condor.margin_of_equity", x), HELD), "margin"), 3, 3, 2),
    Edge("condor.margin_of_equity", stressed, lever, YES, NO, NO, note="leverage needs room"),
    Edge("condor.max_open", lambda: 2, lambda x: allowed(ctx(one("condor.max_open", x),
         condor(1, "a", SPXW[4]), condor(1, "b", SPXW[4])), "open condors"), None, 0, 0, 1),
    Edge("condor.spacing_days", lambda: 7, lambda x: allowed(ctx(one("condor.spacing_days", x),
         condor(1, expiry=SPXW[3])), "spacing"), 0, None, None, 1),
    Edge("liquidity.max_spread", spread,
         lambda x: allowed(ctx(one("liquidity.max_spread", x)), "liquidity"), None, None, 0),
    Edge("liquidity.min_quick_ratio", lambda: 1.0, lambda x: quick(x, quick_ratio=1.0), 0, None, None,
         note="measured"),
    Edge("liquidity.min_quick_ratio", lambda: 1.0,
         lambda x: quick(x, facts=AccountFacts(funds=Funds(4_000.0, 2_000.0, 1_000.0))), 0, None, None,
         note="from funds"),
    Edge("alerts.profit_share", lambda: 0.5, lambda x: alerted("profit", one("alerts.profit_share", x),
         condor(credit=2 * condor(1).cash / 100)), False, True, True),
    Edge("alerts.dte", lambda: 46, lambda x: alerted("expiry", one("alerts.dte", x), condor()),
         True, True, False, 1),
    Edge("alerts.move_share", moved, lambda x: alerted("move", one("alerts.move_share", x), OFF),
         False, True, True),
    Edge("guard.warn_of_equity", lambda: 0.02, lambda x: guarded(one("guard.warn_of_equity", x)),
         [], [], [False]),
    Edge("guard.block_of_equity", lambda: 0.02,
         lambda x: guarded(one("guard.block_of_equity", x, guard__warn_of_equity=0.0,
         condor__size_of_equity=0.001)), [False], [False], [True]),
    Edge("second_engine.share", lambda: (shift_of(ruled()).cost or 0.0) / 1e6, unfunded, False, False, True),
    Edge("expansion.recenter_share", off_middle,
         lambda x: recenter(ctx(one("expansion.recenter_share", x), OFF), OFF) is not None,
         False, False, True),
)  # fmt: skip

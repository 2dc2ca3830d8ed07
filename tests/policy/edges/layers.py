"""Edges of the hedge: gates, tenors, budgets, caps, ceiling, financing, and the collapse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Any

from hedging.engine.book import BookTrade
from hedging.engine.policy.advise import advise
from hedging.engine.policy.context import Context
from hedging.engine.policy.hedge.bounds import extension_bounds, vxth_weight
from hedging.engine.policy.hedge.ladder import LayerPlan, plan_layers
from hedging.engine.policy.hedge.units import Unit, Wanted, find_unit
from hedging.engine.policy.procedures.collapse import collapse_trace
from hedging.engine.policy.procedures.expansion import beta_step
from hedging.engine.policy.procedures.gates import layer_trace
from hedging.engine.policy.types import Action, Advice, Answer, Procedure
from hedging.engine.rulesets.types import Ruleset
from hedging.engine.signals.types import Regime
from tests.policy.edges.run import Edge, one, ruled
from tests.policy.worlds import CALM, book, calm, condor, day, hedge, market

YES, NO = Answer.YES, Answer.NO
STRESS = {**CALM, "rsi_spx": 30, "backwardation": 0.05, "days_to_major_expiry": 9, "regime_shift": True}
FALLEN = {**CALM, "rsi_vix": 30, "iv30": 19, "rv_iv_change_10": -0.25, "macd_divergence": True}
NARROW = {"cap_breadth": True, "pe_divergence": True}
FAR = "VIX   260519C00030000"  #: 134 calendar days from the made-up day.
ONLY_CALLS = {f"layer{n}__allowed": ["vix_call"] for n in (1, 2, 3)}
K = 3  #: Packages that a sized edge lets in at equality.


def ctx(rules: Ruleset, *trades: BookTrade, capital: float = 1e6, **signals: Any) -> Context:
    return Context(book(*(trades or (condor(),)), capital=capital), market(), calm(**signals), rules)


def plan(context: Context, n: int) -> LayerPlan:
    return plan_layers(context, layer_trace(context))[n - 1]


def gate(key: str, rules: Ruleset, **signals: Any) -> Answer:
    return layer_trace(ctx(rules, **signals)).step(key).answer


def bound(context: Context, n: int, name: str) -> int | None:
    return next(b.contracts for b in plan(context, n).row.bounds if b.name == name)


@cache
def basis(n: int, preset: str = "seed-s4-credit-budget") -> tuple[Context, Unit]:
    """The book's sums and the package of a layer, which no amount below changes."""
    context = ctx(ruled(preset))
    unit = plan(context, n).unit
    assert unit is not None
    return context, unit


def sized(
    key: str, n: int, name: str, share: Callable[[Context, Unit], float], preset: str = "",
    signals: Mapping[str, bool] = MappingProxyType({}), **others: Any,
) -> Edge:  # fmt: skip
    """A share that pays for exactly ``K`` packages: one less under it, the same just above."""
    given = (preset,) if preset else ()

    def ask(limit: float) -> int | None:
        rules = ruled(*given, **{key.replace(".", "__"): limit}, **others)
        return bound(ctx(rules, **signals), n, name)

    return Edge(key, lambda: K * share(*basis(n, *given)), ask, K, K, K - 1, note=name)


def futures(limit: float) -> int | None:
    rules = one("layers.future_margin", limit, layer1__allowed=["vx_future"])
    return bound(ctx(rules, capital=200_000), 1, "margin")


def future_share() -> float:
    """The share of its notional at which ``K`` futures fit beside the condors' margin."""
    context = ctx(ruled(), capital=200_000)
    room = context.margin_limit * context.book.capital - context.used_margin
    return room / (K * 1_000 * context.market.vx_curve[1].settle)


def tenor(n: int, low: float, high: float) -> bool:
    rules = one(f"layer{n}.dte", (round(low), round(high)), layer3__roll_days=7, **ONLY_CALLS)
    return plan(ctx(rules), n).unit is not None


def due(n: int, limit: float) -> bool:
    rules = one(f"layer{n}.roll_days", limit, **{f"layer{n}__dte": 60})
    return plan(ctx(rules, condor(), hedge(n, 1)), n).roll_due


def trimmed(limit: float) -> bool:
    return plan(ctx(one("layers.trim_band", limit), condor(20), hedge(1, 33)), 1).row.binding == "ceiling"


def above_ceiling() -> float:
    context = ctx(one("layers.trim_band", 0.0), condor(20), hedge(1, 33))
    return 33 / (bound(context, 1, "ceiling") or 1) - 1


def collapse(rules: Ruleset, *trades: BookTrade, **signals: Any) -> Context:
    held = book(*(trades or (condor(),)))
    return Context(held, market(), day(Regime.RV_COLLAPSE, **{**FALLEN, **signals}), rules)


def state(rules: Ruleset, **signals: Any) -> str:
    return collapse_trace(collapse(rules, **signals)).state


def reaches(limit: float) -> Answer:
    rules = one("collapse.extend_dte", (round(limit), 220))
    return collapse_trace(collapse(rules, condor(), hedge(3, 1, FAR))).step("collapse.extend").answer


def extended(high: float) -> bool:
    rules = one("collapse.extend_dte", (100, round(high)))
    found = advise(book(condor()), market(), day(Regime.RV_COLLAPSE, **FALLEN), rules, brief=True)
    return any(p.action is Action.EXTEND_LAYER for p in (*found.proposals, *found.refused))


def extension_unit(context: Context) -> Unit:
    unit = find_unit(context, ("vix_call",), Wanted(120, (90, 220), 0.25, 0.12))
    assert unit is not None
    return unit


def extension(limit: float) -> int | None:
    context = collapse(one("collapse.extend_budget", limit))
    bounds = extension_bounds(context, extension_unit(context), plan(context, 3).others, 0)
    return bounds[0].contracts


def extension_share() -> float:
    context = collapse(ruled())
    return K * extension_unit(context).cost / context.credit


def travels(low: float) -> bool:
    rules = one("expansion.time_shift_dte", (round(low), 220), layers__notional_base="index_notional")
    held = book(condor(), hedge(1, 1, FAR))
    found = advise(held, market(), day(Regime.PERSISTENT_EXPANSION, **STRESS), rules, brief=True)
    return any(p.action is Action.TIME_SHIFT for p in (*found.proposals, *found.refused))


MANY = (condor(), hedge(1, 400, "VIX   260218C00018000", 3.0))


def raised() -> float:
    return (beta_step(ctx(ruled(), *MANY)).inputs[0].value or 0.0) / 100


def priced(rules: Ruleset, *, cheap: bool = False, fallen: bool = False) -> Advice:
    """Advice on a small account; ``cheap`` leaves the risk-free rate near zero."""
    world = replace(market(), rate=0.001) if cheap else market()
    signals = day(Regime.RV_COLLAPSE, **FALLEN) if fallen else calm()
    return advise(book(condor(), hedge(1, 3), capital=100_000), world, signals, rules, brief=True)


def capital(key: str, rules: Ruleset, *, cheap: bool = False, fallen: bool = False) -> Answer:
    return priced(rules, cheap=cheap, fallen=fallen).trace(Procedure.CAPITAL).step(f"capital.{key}").answer


def book_rate() -> float:
    return priced(ruled()).wacc.book_rate or 0.0


def blended() -> float:
    return priced(ruled(), cheap=True).wacc.blended_rate or 0.0


def vxth(key: str, forward: float) -> Callable[[float], float]:
    return lambda limit: vxth_weight(ctx(ruled("neutral-vxth", **{key: limit})), forward)


def stress_weight(**given: float) -> float:
    return ctx(ruled(**given)).weight


GATES = (
    Edge("signals.rsi_spx_low", lambda: 35.0, lambda x: gate("stress_gate", one("signals.rsi_spx_low", x),
         rsi_spx=35.0, backwardation=0.05), YES, NO, NO, note="gate"),
    Edge("signals.backwardation_min", lambda: 0.03, lambda x: gate("stress_gate",
         one("signals.backwardation_min", x), rsi_spx=30, backwardation=20.6 / 20.0 - 1), NO, NO, YES,
         note="gate"),
    Edge("layers.window_days", lambda: 7, lambda x: gate("window", one("layers.window_days", (round(x), 10)),
         days_to_major_expiry=7), NO, YES, YES, 1, "gate, first day"),
    Edge("layers.window_days", lambda: 10, lambda x: gate("window", one("layers.window_days", (7, round(x))),
         days_to_major_expiry=10), YES, YES, NO, 1, "gate, last day"),
    Edge("layers.event_days", lambda: 5, lambda x: gate("event", one("layers.event_days", x), days_to_fomc=5,
         ad_divergence=False), YES, YES, NO, 1, "gate"),
    Edge("signals.rsi_vix_low", lambda: 35.0, lambda x: state(one("signals.rsi_vix_low", x), rsi_vix=35.0),
         "detected", "quiet", "quiet", note="collapse"),
    Edge("signals.iv_floor", lambda: 18.0, lambda x: state(one("signals.iv_floor", x), iv30=18.0),
         "quiet", "quiet", "detected", note="collapse"),
    Edge("collapse.rv_fall", lambda: 0.2, lambda x: state(one("collapse.rv_fall", x), rv_iv_change_10=-0.2),
         "quiet", "detected", "detected", note="collapse"),
    Edge("collapse.confirmations", lambda: 1, lambda x: state(one("collapse.confirmations", x)),
         "watching", "detected", "detected", 1),
    Edge("collapse.extend_dte", lambda: 134, reaches, NO, YES, YES, 1, "held"),
    Edge("collapse.extend_dte", lambda: 134, extended, True, True, False, 1, "bought"),
    Edge("expansion.time_shift_dte", lambda: 134, travels, True, False, False, 1),
    Edge("expansion.vol_raise_limit", raised, lambda x: beta_step(ctx(one("expansion.vol_raise_limit", x),
         *MANY)).answer, YES, YES, NO),
    Edge("interpolate.vix_low", lambda: 16.0, lambda x: stress_weight(interpolate__vix_low=x) > 0,
         False, False, True),
    Edge("interpolate.vix_high", lambda: 16.0, lambda x: stress_weight(interpolate__vix_high=x) < 1,
         True, False, False),
)  # fmt: skip

TENORS = tuple(
    edge
    for n in (1, 2, 3)
    for edge in (
        Edge(f"layer{n}.dte", lambda: 44, lambda x, n=n: tenor(n, x, 46), False, True, True, 1, "low end"),
        Edge(f"layer{n}.dte", lambda: 44, lambda x, n=n: tenor(n, 42, x), True, True, False, 1, "high end"),
        Edge(f"layer{n}.roll_days", lambda: 44, lambda x, n=n: due(n, x), True, True, False, 1),
        sized(f"layer{n}.budget", n, "premium budget", lambda c, u: u.cost / c.credit),
        sized(f"layer{n}.exposure", n, "exposure", lambda c, u: u.exposure / c.base),
        sized(
            f"layer{n}.ratio", n, "ratio", lambda c, _: 10 / c.condor_count, **{f"layer{n}__sizing": "ratio"}
        ),
    )
)

AMOUNTS = (
    sized("caps.premium_of_credit", 1, "premium cap", lambda c, u: u.cost / c.credit),
    sized("caps.exposure", 1, "exposure cap", lambda c, u: u.exposure / c.base),
    sized("caps.run_rate_of_equity", 1, "premium run-rate", lambda c, u: u.run_rate / c.book.capital),
    sized("layers.ceiling", 1, "ceiling", lambda c, u: u.gain / c.loss_from_entry),
    sized("layer3.risk_capital", 3, "risk capital", lambda c, u: u.cost / c.base),
    sized("layer3.risk_capital_narrow", 3, "risk capital", lambda c, u: u.cost / c.base, signals=NARROW,
          layer3__risk_capital=0.0),
    sized("vxth.weight", 1, "premium budget", lambda c, u: u.cost / c.book.capital, "neutral-vxth"),
    sized("vxth.half_weight", 1, "premium budget", lambda c, u: u.cost / c.book.capital, "neutral-vxth",
          vxth__middle=15.5),
    Edge("layers.future_margin", future_share, futures, K - 1, K, K),
    Edge("collapse.extend_budget", extension_share, extension, K, K, K - 1),
    Edge("layers.trim_band", above_ceiling, trimmed, False, False, True),
    Edge("liquidity.min_open_interest", lambda: 50_000, lambda x: bound(ctx(
         one("liquidity.min_open_interest", x)), 1, "liquidity"), 0, None, None, 1),
    Edge("vxth.low", lambda: 20.0, vxth("vxth__low", 20.0), 0.0, 0.0, 0.01),
    Edge("vxth.middle", lambda: 20.0, vxth("vxth__middle", 20.0), 0.01, 0.01, 0.005),
    Edge("vxth.high", lambda: 40.0, vxth("vxth__high", 40.0), 0.005, 0.005, 0.0),
    Edge("wacc.target", book_rate, lambda x: capital("target", one("wacc.target", x)), YES, YES, NO),
    Edge("wacc.cut", lambda: 0.02, lambda x: capital("target", one("wacc.cut", x,
         wacc__target=book_rate() + 0.02), fallen=True), NO, YES, YES),
    Edge("wacc.equity_premium", lambda: blended() - 0.001,
         lambda x: capital("equity", one("wacc.equity_premium", x), cheap=True), YES, NO, NO),
    Edge("wacc.equity_beta", lambda: (blended() - 0.001) / 0.05,
         lambda x: capital("equity", one("wacc.equity_beta", x), cheap=True), YES, NO, NO),
)  # fmt: skip

EDGES = (*GATES, *TENORS, *AMOUNTS)

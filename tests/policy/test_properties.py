"""Properties of the whole policy: deterministic, blind to order, and never less cover for more risk."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hedging.engine.book import Book, BookTrade
from hedging.engine.policy.advise import advise
from hedging.engine.policy.context import Context
from hedging.engine.policy.hedge.bounds import binding, extension_bounds
from hedging.engine.policy.hedge.ladder import plan_layers
from hedging.engine.policy.procedures.gates import layer_trace
from hedging.engine.rulesets.presets import NAMES
from hedging.engine.signals.types import Regime
from tests.examples import examples
from tests.policy.edges.layers import extension_unit
from tests.policy.test_advise import DAYS, FALLEN, STRESS
from tests.policy.worlds import SPXW, book, calm, condor, day, hedge, market, rules

#: Trades a book is drawn from; several share a layer, an expiry or strikes.
TRADES = (
    condor(5, "a"),
    condor(3, "b", SPXW[4]),
    condor(2, "c", strikes=(6450, 6500, 7250, 7300), credit=6.0),
    hedge(1, 2),
    hedge(1, 3, "VIX   260318C00024000", trade_id="h1b"),
    hedge(2, 1, "VX/2026-02-18", 19.0),
    hedge(3, 1, "VIX   260617C00040000"),
    hedge(3, 60, "VIX   260519C00030000", trade_id="h3b"),
)
#: Bounds that a ceiling over all risk sets; below them more risk never means fewer contracts.
CEILINGS = {"ceiling", "premium run-rate"}


def shuffled(draw: st.DataObject, held: Book) -> Book:
    trades = draw.draw(st.permutations(held.trades))
    return replace(
        held, trades=tuple(replace(t, legs=tuple(draw.draw(st.permutations(t.legs)))) for t in trades)
    )


@examples(40)
@given(
    data=st.data(), trades=st.lists(st.sampled_from(TRADES), unique_by=lambda t: t.trade_id, max_size=6),
    signals=st.sampled_from(sorted(DAYS)), name=st.sampled_from(NAMES), vix=st.sampled_from([16.0, 30.0]),
)  # fmt: skip
def test_advice_is_deterministic_and_blind_to_the_order_of_trades_legs_and_signals(
    data: st.DataObject, trades: list[BookTrade], signals: str, name: str, vix: float
) -> None:
    held, told = book(*trades), DAYS[signals]
    first = advise(held, market(vix), told, rules(name))
    order = data.draw(st.permutations(list(told.signals)))
    turned = replace(told, signals={key: told.signals[key] for key in order})
    parameters = data.draw(st.permutations(list(rules(name).parameters)))
    ruleset = replace(rules(name), parameters={key: rules(name).parameters[key] for key in parameters})
    again = advise(shuffled(data, held), market(vix), turned, ruleset)
    assert again == first
    assert again.hash == first.hash


def targets(trade: BookTrade, *, stressed: bool, base: str, capital: float, vix: float) -> list[Any]:
    signals = day(Regime.REGIME_SHIFT, **STRESS) if stressed else calm()
    ctx = Context(book(trade, capital=capital), market(vix), signals, rules(layers__notional_base=base))
    return [plan.row for plan in plan_layers(ctx, layer_trace(ctx))]


@examples(40)
@given(
    width=st.integers(1, 30), wider=st.integers(0, 30), contracts=st.integers(1, 40),
    capital=st.floats(2e5, 5e7), vix=st.sampled_from([12.0, 16.0, 24.0, 40.0]), stressed=st.booleans(),
    base=st.sampled_from(["max_loss", "margin"]),
)  # fmt: skip
def test_wider_wings_never_yield_fewer_hedge_contracts_below_the_ceilings(
    width: int, wider: int, contracts: int, capital: float, vix: float, stressed: bool, base: str
) -> None:
    """The same credit and shorts with more to lose: every layer may hold as many or more."""

    def rows(steps: int) -> list[Any]:
        reach = 5 * steps
        strikes = (6600 - reach, 6600, 7150, 7150 + reach)
        one = replace(condor(contracts, strikes=strikes), cash=contracts * 500.0)
        return targets(one, stressed=stressed, base=base, capital=capital, vix=vix)

    for less, more in zip(rows(width), rows(width + wider), strict=True):
        if more.binding not in CEILINGS:
            assert more.target >= less.target


@examples(40)
@given(
    small=st.integers(1, 60), more=st.integers(0, 60), capital=st.floats(2e5, 5e7),
    vix=st.sampled_from([16.0, 24.0, 40.0]), held=st.integers(0, 3),
)  # fmt: skip
def test_more_risk_never_shortens_the_extension_after_a_collapse(
    small: int, more: int, capital: float, vix: float, held: int
) -> None:
    layer = [hedge(3, held, "VIX   260617C00040000")] if held else []

    def limit(contracts: int) -> Any:
        ctx = Context(
            book(condor(contracts), *layer, capital=capital), market(vix),
            day(Regime.RV_COLLAPSE, **FALLEN), rules(),
        )  # fmt: skip
        deepest = plan_layers(ctx, layer_trace(ctx))[2]
        return binding(extension_bounds(ctx, extension_unit(ctx), deepest.others, deepest.row.actual))

    less, greater = limit(small), limit(small + more)
    if greater.name not in CEILINGS:
        assert (greater.contracts or 0) >= (less.contracts or 0)

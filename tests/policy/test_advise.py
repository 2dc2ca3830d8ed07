"""Advice: deterministic, independent of order, hashed, and never against a guardrail (GOV-3)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.engine.book import Book, BookTrade, TradeRole
from hedging.engine.policy.advise import advise
from hedging.engine.policy.after import CONDOR_ACTIONS, after_proposal, merged, order_legs
from hedging.engine.policy.guardrails import guardrails
from hedging.engine.policy.text import advice_lines
from hedging.engine.policy.types import Action, Advice, Procedure, Proposal, advice_hash
from hedging.engine.pricing.scenarios import stress_test
from hedging.engine.rulesets.catalogue import catalogue
from hedging.engine.rulesets.presets import NAMES
from hedging.engine.signals.types import Regime, SignalDay
from journal.importers.order_text import parse_order
from tests.examples import examples
from tests.policy.worlds import CALM, SPXW, book, calm, condor, day, hedge, market, rules

STRESS = {**CALM, "rsi_spx": 30, "backwardation": 0.05, "days_to_major_expiry": 9, "regime_shift": True}
FALLEN = {**CALM, "rsi_vix": 30, "iv30": 19, "rv_iv_change_10": -0.25, "macd_divergence": True}
DAYS: dict[str, SignalDay] = {
    "calm": calm(),
    "isolated": day(Regime.ISOLATED_EXPANSION, **CALM),
    "persistent": day(Regime.PERSISTENT_EXPANSION, **STRESS),
    "shift": day(Regime.REGIME_SHIFT, **STRESS),
    "collapse": day(Regime.RV_COLLAPSE, **FALLEN),
    "nothing known": day(Regime.UNKNOWN),
}


def test_the_same_inputs_give_the_same_advice_in_any_order() -> None:
    trades = (condor(5, "a"), condor(3, "b", SPXW[4]), hedge(1, 2), hedge(3, 1, "VIX   260617C00040000"))
    one = advise(book(*trades), market(), DAYS["shift"], rules())
    for mixed in (tuple(reversed(trades)), (trades[2], trades[0], trades[3], trades[1])):
        turned = tuple(replace(t, legs=tuple(reversed(t.legs))) for t in mixed)
        signals = DAYS["shift"]
        shuffled = replace(signals, signals=dict(reversed(signals.signals.items())))
        assert advise(book(*turned), market(), shuffled, rules()) == one
    assert one.hash == advice_hash(one)


def test_the_hash_covers_every_input_and_the_outputs() -> None:
    base = advise(book(condor()), market(), calm(), rules())
    others = (
        advise(book(condor(9)), market(), calm(), rules()),
        advise(book(condor()), market(16.5), calm(), rules()),
        advise(book(condor()), market(), calm(rsi_spx=54), rules()),
        advise(book(condor()), market(), calm(), rules(alerts__dte=20)),
    )
    assert len({base.hash, *(one.hash for one in others)}) == 5
    assert advice_hash(replace(base, binding="other")) != base.hash
    assert base.inputs.ruleset_hash == rules().hash


def test_advice_goes_through_json_and_back() -> None:
    one = advise(book(condor(), hedge(1, 2)), market(), DAYS["collapse"], rules())
    again = Advice.from_json(json.loads(json.dumps(one.to_json())))
    assert again == one
    assert advice_hash(again) == one.hash


@pytest.mark.parametrize("signals", sorted(DAYS))
def test_brief_advice_proposes_the_same(signals: str) -> None:
    held = book(condor(), hedge(1, 2), hedge(3, 1, "VIX   260617C00040000"))
    full, brief = (advise(held, market(), DAYS[signals], rules(), brief=one) for one in (False, True))
    told = [replace(one, effects=None, risk_reducing=None) for one in full.proposals]
    assert list(brief.proposals) == told
    assert [(r.target, r.actual, r.binding) for r in brief.ladder.rows] == [
        (r.target, r.actual, r.binding) for r in full.ladder.rows
    ]


@pytest.mark.parametrize("name", ["persistent", "shift"])
def test_lay_12_every_order_names_the_pocket_that_pays(name: str) -> None:
    found = advise(book(condor(5, "a"), hedge(1, 1)), market(), DAYS[name], rules())
    paid = [one for one in (*found.proposals, *found.refused) if one.orders and (one.cost or 0.0) > 0]
    assert all(one.funding for one in paid), [one.title for one in paid if not one.funding]
    assert paid


def test_the_binding_constraint_is_named() -> None:
    one = advise(book(condor()), market(), calm(), rules())
    assert one.proposals[0].action is Action.ADD_LAYER
    assert one.binding == "exposure" == one.proposals[0].binding


def test_without_anything_to_do_the_advice_is_to_hold_and_says_why() -> None:
    one = advise(book(condor(), hedge(1, 3)), market(), calm(), rules())
    (hold,) = one.proposals
    assert hold.action is Action.HOLD
    assert "layer 1: exposure" in hold.rationale
    assert "condor: spacing" in hold.rationale


def test_an_empty_book_on_a_calm_day_opens_a_condor_and_on_an_unknown_day_holds() -> None:
    assert [p.action for p in advise(book(), market(), calm(), rules()).proposals] == [Action.OPEN_CONDOR]
    unknown = advise(book(), market(), DAYS["nothing known"], rules())
    assert [p.action for p in unknown.proposals] == [Action.HOLD]
    assert unknown.candidates


def test_effects_are_those_of_the_book_with_the_orders_filled() -> None:
    held = book(condor())
    add = advise(held, market(), calm(), rules()).proposals[0]
    after = after_proposal(held, add)
    assert add.effects is not None
    assert add.effects.before.scenario_loss == pytest.approx(stress_test(held.trades, market()).worst.loss)
    assert add.effects.after.scenario_loss == pytest.approx(stress_test(after.trades, market()).worst.loss)
    assert add.risk_reducing is True
    assert set(add.effects.after.greeks) == {"SPX", "VX"}
    assert add.effects.after.max_loss == pytest.approx(
        (add.effects.before.max_loss or 0) + 300 * order_legs(add.orders[0])[0].entry_price
    )
    assert add.cost == pytest.approx(300 * 0.89)


def test_wac_3_the_marginal_rate_of_a_layer_is_its_decay_over_its_value() -> None:
    held = book(condor())
    found = advise(held, market(), calm(), rules())
    effects = found.proposals[0].effects
    assert effects is not None
    decay = effects.before.theta - effects.after.theta
    worth = effects.after.hedge_value - effects.before.hedge_value
    assert effects.marginal_rate == pytest.approx(decay * 365 / worth)
    row = advise(book(condor(), hedge(1, 3)), market(), calm(), rules()).ladder.rows[0]
    assert row.marginal_rate == pytest.approx(effects.marginal_rate, rel=1e-6)


def test_coverage_and_ceiling_look_at_the_condors_loss_while_the_vix_rises() -> None:
    """Calls near the money: the rally is the worst cell of all, the fall is what a hedge is held against."""
    near_calls = condor(strikes=(6350, 6400, 6950, 7000))
    held = book(near_calls, hedge(1, 3))
    stress = stress_test(held.trades, market())
    rising = [at for at, shock in enumerate(stress.shocks) if shock.vix > 0]
    at = min(rising, key=lambda cell: stress.condors[cell])
    found = advise(held, market(), calm(), rules())
    assert found.ladder.condor_loss == pytest.approx(-stress.condors[at])
    assert found.ladder.coverage == pytest.approx(stress.hedges[at] / -stress.condors[at])
    (add,) = [p for p in advise(book(near_calls), market(), calm(), rules()).proposals if p.layer == 1]
    assert add.effects is not None
    assert add.effects.after.scenario_loss > add.effects.before.scenario_loss
    assert (add.effects.after.fall_loss or 0) < (add.effects.before.fall_loss or 0)
    assert add.risk_reducing is True


@pytest.mark.parametrize(("held", "added", "quantity", "price"), [
    (2, 2, 4, 1.5), (2, -1, 1, 1.0), (2, -3, -1, 2.0), (-2, -2, -4, 1.5), (-2, 1, -1, 1.0),
])  # fmt: skip
def test_legs_merge_at_average_cost(held: int, added: int, quantity: int, price: float) -> None:
    (one,) = merged(hedge(1, held, price=1.0).legs, hedge(1, added, price=2.0).legs)
    assert (one.quantity, one.entry_price) == (quantity, price)
    assert merged(hedge(1, 2).legs, hedge(1, -2).legs) == ()


def test_roll_due_moves_the_layer_on_to_its_tenor() -> None:
    old = hedge(1, 3, "VIX   260121C00020000", 0.4)

    def rolls(days: int) -> list[Proposal]:
        found = advise(book(condor(), old), market(), calm(), rules(layer1__roll_days=days))
        return [one for one in found.proposals if one.action is Action.TIME_SHIFT]

    assert rolls(15) == []
    (roll,) = rolls(16)
    assert [order.text.split()[1] for order in roll.orders] == ["-3", "+3"]
    assert "18 FEB 26" in roll.orders[1].text


def test_trimming_waits_for_the_band_above_the_ceiling_and_goes_back_to_it() -> None:
    def trims(quantity: int) -> list[Any]:
        found = advise(
            book(condor(2), hedge(1, quantity)), market(), calm(), rules(capital := "seed-s4-credit-budget")
        )
        assert capital
        return [p for p in found.proposals if p.action is Action.TRIM_LAYER]

    (trim,) = trims(60)
    left = 60 + sum(leg.quantity for leg in trim.orders[0].legs)
    assert 0 < left < 60
    assert trims(left) == []
    assert trims(int(left * 1.25)) == []
    assert len(trims(int(left * 1.25) + 1)) == 1


def test_a_trimmed_layer_leaves_room_for_the_deeper_ones() -> None:
    """Layer 1 is far above the ceiling; once it is cut back, the small deeper layer fits and stays."""
    held = book(condor(2), hedge(1, 60), hedge(3, 2, "VIX   260617C00040000"))
    found = advise(held, market(), calm(), rules())
    assert [(p.action, p.layer) for p in found.proposals if p.layer] == [(Action.TRIM_LAYER, 1)]
    assert found.ladder.rows[2].target == 2


def test_a_future_s_settlement_is_no_modelled_price() -> None:
    held = book(condor(1), hedge(3, 9, "VX/2026-02-18", 19.0))
    (trim,) = [p for p in advise(held, market(), calm(), rules()).proposals if p.action is Action.TRIM_LAYER]
    assert not trim.orders[0].modelled
    assert trim.orders[0].text == "SELL -9 /VXG26 @16.90 LMT"
    assert trim.effects is not None


def test_the_capital_checks_stop_layers_that_cost_more_than_the_condors_bring() -> None:
    poor = replace(condor(), cash=20.0)
    found = advise(book(poor, hedge(1, 1, price=1.0)), market(), calm(), rules(layers__base_always_on=True))
    assert found.trace(Procedure.CAPITAL).step("capital.paid").answer.value == "no"
    assert found.wacc.equity_return == pytest.approx(0.04 + 0.05)
    assert found.wacc.blended_rate is not None
    assert found.wacc.book_rate is not None
    assert found.wacc.blended_rate == pytest.approx(found.wacc.book_rate * 50_000 / 1e6)


def test_every_question_names_its_inputs_answer_and_consequence() -> None:
    for signals in DAYS.values():
        found = advise(book(condor(), hedge(1, 2)), market(), signals, rules())
        for trace in found.traces:
            for step in trace.steps:
                assert step.question.endswith("?")
                assert step.consequence or step.key == "condor.regime"
                assert all(key in catalogue() for key in step.parameters)
        assert "\n".join(advice_lines(found)).count(found.hash) == 1


def test_every_parameter_is_read_somewhere() -> None:
    from pathlib import Path

    import hedging.engine as engine

    folder = Path(next(iter(engine.__path__)))
    files = [*(folder / "policy").rglob("*.py"), folder / "signals" / "from_ruleset.py"]
    source = "\n".join(path.read_text("utf-8") for path in files)
    for key in catalogue():
        group, _, name = key.partition(".")
        generic = group.startswith("layer") and group != "layers" and f'"{name}"' in source
        generic = generic or (group in {"layer1", "layer2", "layer3"} and f"}}.{name}" in source)
        assert key in source or generic, key


@examples(60)
@given(
    signals=st.sampled_from(sorted(DAYS)), name=st.sampled_from(NAMES),
    vix=st.sampled_from([12.0, 16.0, 30.0, 55.0]), contracts=st.integers(0, 40),
    calls=st.integers(0, 30), far=st.integers(0, 10), capital=st.floats(3e4, 5e6),
    modelled=st.booleans(),
)  # fmt: skip
def test_no_recommendation_ever_breaks_a_guardrail(
    signals: str, name: str, vix: float, contracts: int, calls: int, far: int, capital: float, modelled: bool
) -> None:
    trades: list[BookTrade] = []
    trades += [condor(contracts, credit=10.0)] if contracts else []
    trades += [hedge(1, calls)] if calls else []
    trades += [hedge(3, far, "VIX   260617C00040000")] if far else []
    held = book(*trades, capital=capital)
    found = advise(held, market(vix, modelled=modelled), DAYS[signals], rules(name))
    now: Book = held
    for one in found.proposals:
        base = held if one.alternative else now
        role = TradeRole.CONDOR if one.action in CONDOR_ACTIONS else TradeRole.HEDGE
        for trade_id in {order.trade_id for order in one.orders}:
            legs = [leg for o in one.orders if o.trade_id == trade_id for leg in order_legs(o)]
            broken = guardrails(base, legs, rules(name), trade_id=trade_id, role=role, layer=one.layer)
            assert not [r for r in broken if r.blocks]
        for order in one.orders:
            parsed = parse_order(order.text)
            wanted = {leg.symbol: leg.quantity for leg in order.legs}
            assert {spec.symbol: q for spec, q in parsed.legs} == wanted
            assert float(parsed.signed_price) == pytest.approx(order.limit)
        if not one.alternative:
            now = after_proposal(now, one)
    for one in found.refused:
        assert one.refusals

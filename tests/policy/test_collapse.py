"""CON-3, CON-4, WAC-1, WAC-2, CON-6: the realized-vol collapse, question by question."""

from __future__ import annotations

from typing import Any

import pytest

from hedging.engine.policy.advise import advise
from hedging.engine.policy.context import AccountFacts, Context
from hedging.engine.policy.procedures.collapse import collapse_trace, target_is_lowered
from hedging.engine.policy.types import Action, Advice, Answer, Procedure
from hedging.engine.signals.types import Regime
from tests.policy.worlds import CALM, book, condor, day, hedge, market, rules

FALLEN = {**CALM, "rsi_vix": 30, "iv30": 19, "rv_iv_change_10": -0.25, "macd_divergence": True}


def state(_rules: Any = None, **signals: Any) -> str:
    ctx = Context(
        book(condor()), market(), day(Regime.RV_COLLAPSE, **{**FALLEN, **signals}), _rules or rules()
    )
    return collapse_trace(ctx).state


@pytest.mark.parametrize(
    ("signals", "found"),
    [
        ({}, "detected"),
        ({"rsi_vix": 34.99}, "detected"),
        ({"rsi_vix": 35.0}, "quiet"),
        ({"rsi_vix": None}, "unknown"),
        ({"iv30": 18.01}, "detected"),
        ({"iv30": 18.0}, "quiet"),
        ({"iv30": None}, "unknown"),
        ({"iv30": None, "rsi_vix": 50}, "quiet"),
        ({"rv_iv_change_10": -0.20}, "detected"),
        ({"rv_iv_change_10": -0.1999}, "quiet"),
        ({"rv_iv_change_10": None}, "unknown"),
        ({"macd_divergence": False}, "watching"),
        ({"macd_divergence": None}, "watching"),
        ({"macd_divergence": False, "pcf_divergence": True}, "detected"),
        ({"macd_divergence": None, "post_fomc_narrowing": True}, "detected"),
    ],
)
def test_con_3_mandatory_conditions_and_at_least_one_confirmation(
    signals: dict[str, Any], found: str
) -> None:
    assert state(**signals) == found


@pytest.mark.parametrize(("needed", "found"), [(0, "detected"), (1, "detected"), (2, "watching")])
def test_the_number_of_confirmations_is_a_parameter(needed: int, found: str) -> None:
    assert state(rules(collapse__confirmations=needed)) == found


def test_wac_2_the_target_falls_by_75_to_150_bp_only_when_realized_fell_faster() -> None:
    loose = rules(collapse__require_rv_fall=False)
    for change, lowered in ((-0.20, True), (-0.19, False)):
        found = advice(loose, rv_iv_change_10=change)
        assert found.trace(Procedure.COLLAPSE).state == "detected"
        assert found.wacc.lowered is lowered
        assert found.wacc.target == pytest.approx(0.07 - (0.01125 if lowered else 0))
    for cut in (0.0075, 0.015):
        assert advice(rules(wacc__cut=cut)).wacc.target == pytest.approx(0.07 - cut)
    assert not advice(rsi_vix=50).wacc.lowered


def advice(_rules: Any = None, *trades: Any, facts: AccountFacts | None = None, **signals: Any) -> Advice:
    held = book(*(trades or (condor(),)))
    return advise(held, market(), day(Regime.RV_COLLAPSE, **{**FALLEN, **signals}), _rules or rules(), facts)


def test_con_3_new_short_strikes_go_to_ten_to_twelve_delta() -> None:
    usual, far = advice(rsi_vix=50).candidates[1], advice().candidates[1]
    assert [abs(d) for d in usual.deltas] == pytest.approx([0.16, 0.16], abs=0.01)
    assert all(0.10 <= abs(d) <= 0.12 for d in far.deltas)
    assert far.strikes[1] < usual.strikes[1] < usual.strikes[2] < far.strikes[2]


def test_con_3_open_shorts_further_in_are_moved_and_those_far_out_stay() -> None:
    near = advice()
    (moved,) = [one for one in (*near.proposals, *near.refused) if one.action is Action.RECENTER]
    assert "11 delta" in moved.title
    assert moved.funding == "Second Engine"
    assert moved.effects is not None
    assert moved.effects.payoff is not None
    far = condor(strikes=(6350, 6400, 7400, 7450))
    assert all(one.action is not Action.RECENTER for one in advice(None, far).proposals)


def test_con_4_the_hedge_is_extended_with_longer_vix_calls_unless_held() -> None:
    (more,) = [one for one in advice().proposals if one.action is Action.EXTEND_LAYER]
    assert more.layer == 3
    assert "VIX 100 19 MAY 26" in more.orders[0].text
    held = hedge(3, 2, "VIX   260519C00030000")
    assert all(one.action is not Action.EXTEND_LAYER for one in advice(None, condor(), held).proposals)
    assert all(one.action is not Action.EXTEND_LAYER for one in advice(macd_divergence=False).proposals)


@pytest.mark.parametrize(
    ("signals", "limit", "answer"),
    [
        ({}, None, Answer.YES),
        ({}, 0.05, Answer.NO),
        ({"rv_iv_change_10": 0.0}, None, Answer.NO),
    ],
)
def test_con_6_leverage_needs_the_lowered_target_and_room_for_stressed_margin(
    signals: dict[str, Any], limit: float | None, answer: Answer
) -> None:
    facts = AccountFacts(second_engine=50_000, margin_limit=limit)
    trace = advice(rules(collapse__require_rv_fall=False), facts=facts, **signals).trace(Procedure.COLLAPSE)
    assert trace.step("collapse.leverage").answer is answer
    assert target_is_lowered(trace) is (not signals)


def test_without_a_detection_no_consequence_is_asked() -> None:
    trace = advice(rsi_vix=50).trace(Procedure.COLLAPSE)
    assert [step.key for step in trace.steps][-1] == "collapse.detected"
    with pytest.raises(KeyError):
        trace.step("collapse.leverage")

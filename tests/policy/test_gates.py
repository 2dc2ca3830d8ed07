"""LAY-4, LAY-5, LAY-6, LAY-10: when a layer may be bought, on both sides of every threshold and at it."""

from __future__ import annotations

from typing import Any

import pytest

from hedging.engine.policy.context import Context, every, some
from hedging.engine.policy.procedures.gates import data_trace, layer_trace
from hedging.engine.policy.types import Answer
from tests.policy.worlds import book, calm, condor, market, rules

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN


def answers(_rules: Any = None, **signals: Any) -> dict[str, Answer]:
    ctx = Context(book(condor()), market(), calm(**signals), _rules or rules())
    return {step.key: step.answer for step in layer_trace(ctx).steps}


@pytest.mark.parametrize(
    ("rsi", "back", "answer"),
    [
        (34.99, 0.035, YES),
        (35.0, 0.035, NO),
        (35.01, 0.035, NO),
        (34.99, 0.03, NO),
        (34.99, 20.6 / 20.0 - 1, NO),
        (34.99, 20.7 / 20.0 - 1, YES),
        (34.99, 0.0299, NO),
        (34.99, None, UNKNOWN),
        (50.0, None, NO),
        (None, 0.035, UNKNOWN),
    ],
)
def test_lay_4_the_stress_gate_needs_both_strictly_and_unknown_does_not_open_it(
    rsi: float | None, back: float | None, answer: Answer
) -> None:
    found = answers(rsi_spx=rsi, backwardation=back, days_to_major_expiry=9, regime_shift=True)
    assert found["stress_gate"] is answer
    assert found["layer2"] is answer
    assert found["layer3"] is answer


@pytest.mark.parametrize(("days", "answer"), [(11, NO), (10, YES), (7, YES), (6, NO), (None, UNKNOWN)])
def test_lay_5_layer_2_is_bought_seven_to_ten_days_before_a_major_expiration(
    days: int | None, answer: Answer
) -> None:
    found = answers(rsi_spx=30, backwardation=0.05, days_to_major_expiry=days)
    assert found["window"] is answer
    assert found["layer2"] is answer
    assert found["layer3"] is NO


@pytest.mark.parametrize(("shift", "answer"), [(True, YES), (False, NO), (None, UNKNOWN)])
def test_lay_6_layer_3_waits_for_a_confirmed_regime_shift_besides_the_gate(
    shift: bool | None, answer: Answer
) -> None:
    found = answers(rsi_spx=30, backwardation=0.05, regime_shift=shift)
    assert found["layer3"] is answer
    assert answers(regime_shift=shift)["layer3"] is NO


def test_backwardation_in_percent_is_read_by_its_unit() -> None:
    from dataclasses import replace

    from hedging.engine.signals.types import SignalKey

    signals = calm(rsi_spx=30, backwardation=3.0)
    key = SignalKey.BACKWARDATION
    percent = {**signals.signals, key: replace(signals.signals[key], unit="%")}
    ctx = Context(book(), market(), replace(signals, signals=percent), rules())
    assert layer_trace(ctx).step("stress_gate").answer is NO


@pytest.mark.parametrize(
    ("signals", "answer"),
    [
        ({"days_to_fomc": 5, "ad_divergence": False}, YES),
        ({"days_to_fomc": 6, "ad_divergence": False}, NO),
        ({"days_to_fomc": 20, "macro_stable": False, "ad_divergence": False}, YES),
        ({"days_to_fomc": 20, "ad_divergence": True}, YES),
        ({"days_to_fomc": 20}, UNKNOWN),
    ],
)
def test_lay_10_a_selective_first_layer_waits_for_an_occasion(
    signals: dict[str, Any], answer: Answer
) -> None:
    selective = rules("seed-s1-deep-cap")
    assert answers(selective, **signals)["layer1"] is answer
    assert answers(**signals)["layer1"] is YES


def test_a_layer_the_ruleset_does_not_have_is_never_open() -> None:
    found = answers(rules("neutral-vxth"), rsi_spx=30, backwardation=0.05, days_to_major_expiry=9)
    assert found["layer1"] is YES
    assert found["layer2"] is NO


@pytest.mark.parametrize(("vix", "spx", "state"), [(34, 34, "alert"), (34, 35, "clear"), (35, 34, "clear")])
def test_calm_and_stress_on_one_day_raise_a_data_alert(vix: float, spx: float, state: str) -> None:
    ctx = Context(book(), market(), calm(rsi_vix=vix, rsi_spx=spx), rules())
    assert data_trace(ctx).state == state


def test_three_valued_logic_lets_a_no_decide_all_and_a_yes_decide_some() -> None:
    assert every([YES, UNKNOWN, NO]) is NO
    assert every([YES, UNKNOWN]) is UNKNOWN
    assert every([]) is YES
    assert some([NO, UNKNOWN, YES]) is YES
    assert some([NO, UNKNOWN]) is UNKNOWN
    assert some([]) is NO

"""Every threshold says where it comes from, and a ruleset fills the thresholds."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal

import numpy as np

from hedging.engine.rulesets.document import ruleset_document, ruleset_from
from hedging.engine.rulesets.presets import preset
from hedging.engine.signals.curve import excess
from hedging.engine.signals.from_ruleset import signal_params
from hedging.engine.signals.params import SignalParams, provenance


def test_every_parameter_has_a_provenance_and_a_note() -> None:
    for one in fields(SignalParams):
        assert provenance(one.name)
        assert one.metadata["note"]
    assert provenance("backwardation_above") == "S4"
    assert provenance("iv_above") == "S0"
    assert provenance("shift_closes") == "proposed"


def test_the_default_ruleset_gives_the_default_thresholds() -> None:
    assert signal_params(preset("seed-s4-credit-budget")) == SignalParams()


def test_backwardation_of_a_ruleset_stays_an_exact_share() -> None:
    assert signal_params(preset("seed-s4-credit-budget")).backwardation_above == Decimal("0.03")


def test_a_backwardation_of_many_decimals_is_compared_with_six() -> None:
    document = ruleset_document(preset("seed-s4-credit-budget"))
    document["parameters"]["signals.backwardation_min"] = {"base": 0.1 / 3, "source": "user"}
    params = signal_params(ruleset_from(document))
    assert params.backwardation_above == Decimal("0.033333")
    on, _, _ = excess(np.array([20.6, 20.7]), np.array([20.0, 20.0]), params.backwardation_above)
    assert on.tolist() == [False, True]

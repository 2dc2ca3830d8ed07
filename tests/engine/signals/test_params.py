"""Every threshold says where it comes from, and a ruleset fills the thresholds."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal

from hedging.engine.rulesets.presets import preset
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

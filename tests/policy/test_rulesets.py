"""Rulesets (GOV-1): validated data with provenance, equal content equal hash, errors that name the place."""

from __future__ import annotations

import json
from copy import deepcopy
from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django.core.management import CommandError, call_command

from hedging.engine.rulesets.catalogue import catalogue
from hedging.engine.rulesets.diff import ruleset_diff
from hedging.engine.rulesets.document import ruleset_document, ruleset_from, ruleset_read
from hedging.engine.rulesets.presets import DEFAULT, NAMES, preset, presets
from hedging.engine.rulesets.schema import ruleset_schema
from hedging.engine.rulesets.types import Parameter, RangePolicy, RulesetError, Status


@pytest.fixture
def document() -> dict[str, Any]:
    return deepcopy(ruleset_document(preset(DEFAULT)))


def problems_of(document: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(RulesetError) as caught:
        ruleset_from(document)
    return caught.value.problems


def test_the_eight_presets_are_valid_different_and_extend_the_default() -> None:
    assert len(NAMES) == len({one.hash for one in presets()}) == 8
    assert all(one.parent == preset(DEFAULT).hash for one in presets()[1:])
    for one in presets():
        jsonschema.validate(ruleset_document(one), ruleset_schema())


def test_every_parameter_is_explained_and_every_value_has_a_provenance() -> None:
    for definition in catalogue().values():
        assert len(definition.explanation) > 20
        assert definition.unit or definition.kind.value in {"switch", "word", "words"}
    for one in presets():
        assert set(one.parameters) == set(catalogue())
        assert all(parameter.source and parameter.requirement for parameter in one.parameters.values())


@pytest.mark.parametrize(
    ("key", "value", "source"),
    [
        ("condor.dte", 45, "S4"),
        ("condor.short_delta", 0.16, "S4"),
        ("signals.rsi_spx_low", 35, "S4"),
        ("signals.rsi_vix_low", 35, "S0"),
        ("signals.iv_floor", 18, "S0"),
        ("signals.backwardation_min", 0.03, "S4"),
        ("wacc.cut", 0.01125, "S0"),
        ("wacc.target", 0.07, "S0"),
        ("caps.premium_of_credit", 0.12, "proposed"),
        ("caps.run_rate_of_equity", 0.02, "proposed"),
        ("caps.exposure", 0.25, "proposed"),
        ("guard.warn_of_equity", 0.02, "proposed"),
        ("guard.block_of_equity", 0.10, "proposed"),
        ("alerts.straddle_factor", 0.85, "proposed"),
    ],
)
def test_the_default_holds_the_method_s_numbers(key: str, value: float, source: str) -> None:
    assert preset(DEFAULT).number(key) == pytest.approx(value)
    assert preset(DEFAULT).parameters[key].source == source


@pytest.mark.parametrize(
    ("key", "span"),
    [
        ("layer1.budget", (0.08, 0.12)),
        ("layer1.exposure", (0.15, 0.25)),
        ("layer3.risk_capital", (0.15, 0.25)),
        ("condor.collapse_short_delta", (0.10, 0.12)),
        ("condor.pop", (0.70, 0.80)),
        ("layers.window_days", (7, 10)),
        ("wacc.cut", (0.0075, 0.015)),
        ("expansion.wing_points", (5, 10)),
    ],
)
def test_the_default_holds_the_method_s_ranges(key: str, span: tuple[float, float]) -> None:
    assert preset(DEFAULT).parameters[key].span == span


def test_a_range_is_used_by_its_policy() -> None:
    def at(policy: RangePolicy, weight: float) -> float:
        return Parameter("k", 9.0, "S4", span=(8.0, 12.0), policy=policy).number(weight)

    assert [at(policy, 0.25) for policy in RangePolicy] == [9.0, 8.0, 10.0, 12.0, 9.0]
    assert at(RangePolicy.INTERPOLATE, 1.0) == 12.0
    assert at(RangePolicy.INTERPOLATE, 0.0) == 8.0


def test_the_hash_covers_content_and_provenance_but_not_the_status(document: dict[str, Any]) -> None:
    before = ruleset_from(document)
    document["status"] = Status.ACTIVE.value
    assert ruleset_from(document).hash == before.hash
    document["parameters"] = dict(reversed(document["parameters"].items()))
    assert ruleset_from(document).hash == before.hash
    document["parameters"]["condor.wing_width"]["base"] = 50
    assert ruleset_from(document).hash == before.hash
    document["parameters"]["condor.dte"]["source"] = "user"
    assert ruleset_from(document).hash != before.hash


@pytest.mark.parametrize(
    ("key", "entry", "problem"),
    [
        ("condor.dte", {"base": 500, "source": "S4"}, "parameters.condor.dte.base: 500 is outside 7 to 180"),
        ("condor.dte", {"base": 45.5, "source": "S4"}, "parameters.condor.dte.base: must be a whole number"),
        ("condor.dte", {"base": True, "source": "S4"}, "parameters.condor.dte.base: must be a number"),
        (
            "condor.dte",
            {"base": float("nan"), "source": "S4"},
            "parameters.condor.dte.base: must be a number",
        ),
        ("condor.dte", {"source": "S4"}, "parameters.condor.dte.base: missing"),
        ("condor.dte", {"base": 45, "source": "my uncle"}, "parameters.condor.dte.source: must be one of"),
        ("condor.dte", 45, "parameters.condor.dte.base: a parameter is an object"),
        (
            "caps.scope",
            {"base": "both", "source": "user"},
            "parameters.caps.scope.base: must be one of layer",
        ),
        (
            "layer2.conditions",
            {"base": ["moon"], "source": "user"},
            "parameters.layer2.conditions.base: must",
        ),
        (
            "layer1.budget",
            {"base": 0.1, "range": [0.12, 0.08], "source": "user"},
            "parameters.layer1.budget.range: 0.12 is above 0.08",
        ),
        (
            "layer1.budget",
            {"base": 0.1, "policy": "mid", "source": "user"},
            "parameters.layer1.budget.policy: mid needs a range",
        ),
        ("condor.moon", {"base": 1, "source": "user"}, "parameters.condor.moon: unknown parameter"),
    ],
)
def test_a_bad_parameter_is_refused_by_its_place(
    document: dict[str, Any], key: str, entry: object, problem: str
) -> None:
    document["parameters"][key] = entry
    assert any(found.startswith(problem) for found in problems_of(document))


def test_all_problems_are_reported_at_once(document: dict[str, Any]) -> None:
    del document["parameters"]["condor.dte"]
    document |= {"name": "No!", "parent": "abc", "effective_from": "31.1.2026", "colour": "red"}
    places = [problem.partition(":")[0] for problem in problems_of(document)]
    assert places == ["colour", "name", "parent", "effective_from", "parameters.condor.dte"]


@pytest.mark.parametrize(
    ("key", "value"),
    [("interpolate.vix_low", 30.0), ("guard.warn_of_equity", 0.11), ("layer1.roll_days", 30)],
)
def test_parameters_that_contradict_each_other_are_refused(
    document: dict[str, Any], key: str, value: float
) -> None:
    document["parameters"][key]["base"] = value
    assert problems_of(document)[0].startswith(f"parameters.{key}: {value:g} must be")


def test_broken_json_names_line_and_column() -> None:
    with pytest.raises(RulesetError, match="line 2, column 3"):
        ruleset_read("{\n  oops}")


def test_a_diff_names_what_changed_with_its_provenance(document: dict[str, Any]) -> None:
    document["parameters"]["condor.dte"] = {"base": 30, "source": "user", "requirement": "CON-1"}
    (change,) = ruleset_diff(preset(DEFAULT), ruleset_from(document))
    assert (change.key, change.before, change.after) == ("condor.dte", "45 [S4 CON-1]", "30 [user CON-1]")


def run(*words: str) -> str:
    out = StringIO()
    call_command("ruleset", *words, stdout=out)
    return out.getvalue()


def test_the_command_lists_shows_compares_and_validates(tmp_path: Path) -> None:
    assert run("list").count("\n") == 8
    assert "condor.short_delta" in run("show", "neutral-cndr", "--explain")
    assert "layer1.sizing" in run("diff", DEFAULT, "neutral-vxth")
    assert json.loads(run("schema"))["title"] == "ALVH ruleset"
    file = tmp_path / "mine.json"
    file.write_text(run("show", DEFAULT, "--json"))
    assert preset(DEFAULT).hash in run("validate", str(file))
    mine = {"format": 1, "name": "mine", "extends": DEFAULT, "title": "Mine"}
    file.write_text(json.dumps({**mine, "parameters": {"condor.dte": {"base": 1, "source": "user"}}}))
    with pytest.raises(CommandError, match=r"mine.json: parameters.condor.dte.base: 1 is outside 7 to 180"):
        run("validate", str(file))


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(CommandError, match=f"no ruleset is named 'nope'.*{DEFAULT}"):
        run("show", "nope")

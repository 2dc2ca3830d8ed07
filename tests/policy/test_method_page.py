"""``docs/method.md`` names every requirement and every parameter."""

from __future__ import annotations

import re
from pathlib import Path

from hedging.engine.rulesets.catalogue import catalogue

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "method.md").read_text("utf-8")


def test_every_requirement_of_the_engine_is_described() -> None:
    wanted = [f"CON-{n}" for n in range(1, 8)] + [f"LAY-{n}" for n in range(1, 14)]
    wanted += ["WAC-1", "WAC-2", "WAC-3", "IRR-4", "GOV-1", "GOV-2", "GOV-3"]
    assert [one for one in wanted if one not in PAGE] == []


def test_every_requirement_of_the_method_has_a_test_that_names_it() -> None:
    wanted = [f"con_{n}" for n in range(1, 8)] + [f"lay_{n}" for n in range(1, 14)]
    wanted += [f"{kind}_{n}" for kind in ("wac", "irr", "gov") for n in range(1, 5)] + ["cmp", "claims"]
    tests = Path(__file__).resolve().parents[1].rglob("test_*.py")
    named = "\n".join(path.read_text("utf-8") for path in tests)
    assert [one for one in wanted if not re.search(rf"def test_{one}_[a-z]", named)] == []


def test_every_parameter_is_named_and_none_that_does_not_exist() -> None:
    named = set(re.findall(r"`([a-z_]+[0-9]?\.[a-z_]+)`", PAGE)) - {
        "expansion.py",
        "collapse.py",
        "capital.py",
    }
    known = set(catalogue())
    assert {one for one in named if one.partition(".")[2] not in {"py", "toml", "md"}} <= known
    layers = {re.sub("layer[123]", "layer", one) for one in named}
    missing = [key for key in known if re.sub("layer[123]", "layer", key) not in layers]
    assert sorted(missing) == ["layer1.enabled", "layer2.enabled", "layer3.enabled"]

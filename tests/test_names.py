"""Names that a reader of an import can trust: one class, one name."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Django finds commands by this name; the stored row of what the engine saw bears the name of that value.
SHARED = {"Command", "MarketSnapshot"}


def test_no_two_classes_of_the_apps_share_a_name() -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for app in ("hedging", "journal"):
        for path in (ROOT / app).rglob("*.py"):
            if "migrations" in path.parts:
                continue
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef):
                    found[node.name].add(str(path.relative_to(ROOT)))
    assert len(found) > 300
    assert {name: files for name, files in found.items() if len(files) > 1 and name not in SHARED} == {}


def test_arrays_are_named_in_one_module() -> None:
    elsewhere = {
        str(path.relative_to(ROOT))
        for app in ("hedging", "journal")
        for path in (ROOT / app).rglob("*.py")
        if "\nFloats = " in path.read_text(encoding="utf-8") and path.name != "arrays.py"
    }
    assert elsewhere == set()

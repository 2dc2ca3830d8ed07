"""Documents that are held to a form: decisions, the changelog, the tour of the house."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DECISIONS = sorted((ROOT / "docs" / "adr").glob("*.md"))
REFERENCE = re.compile(r"(?:docs/adr/|\badr/|\bADR )(\d{4})(-[a-z0-9-]+\.md)?")


def test_decisions_are_numbered_without_gaps() -> None:
    assert [path.name[:5] for path in DECISIONS] == [f"{n:04d}-" for n in range(1, len(DECISIONS) + 1)]


def test_decisions_are_of_one_form() -> None:
    for path in DECISIONS:
        text = path.read_text(encoding="utf-8")
        assert re.match(rf"# {path.name[:4]} [A-Z]", text), path.name
        heads = re.findall(r"^\*\*(Decision|Why|Consequences?|Context|Price)\.\*\*", text, re.MULTILINE)
        assert sorted(heads) == ["Consequences", "Decision", "Why"], (path.name, heads)
        assert heads[-1] == "Consequences", path.name


def test_references_to_decisions_lead_somewhere() -> None:
    names = {path.name for path in DECISIONS}
    numbers = {name[:4] for name in names}
    files = [
        path
        for folder in ("hedging", "journal", "alvh_site", "bench")
        for path in (ROOT / folder).rglob("*.py")
    ]
    for path in [*files, *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")]:
        for number, rest in REFERENCE.findall(path.read_text(encoding="utf-8")):
            assert number in numbers, (path.name, number)
            assert not rest or number + rest in names, (path.name, number + rest)

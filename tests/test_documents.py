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


def test_releases_are_dated_and_the_newest_comes_first() -> None:
    text = (ROOT / "docs" / "changelog.md").read_text(encoding="utf-8")
    heads = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert heads[0] == "Unreleased"
    days = [re.fullmatch(r"\d+\.\d+\.\d+ - (\d{4}-\d{2}-\d{2})", head) for head in heads[1:]]
    assert all(days), heads
    found = [day[1] for day in days if day]
    assert found == sorted(found, reverse=True)
    assert len(found) >= 2


def test_the_tour_of_the_house_names_what_exists() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for topic in ("broker", "signal", "rule", "page", "job"):
        assert f"## How to add a {topic}" in text
    named = set(re.findall(r"`((?:hedging|journal|templates|tests|docs)/[a-z_/.0-9-]+)`", text))
    assert len(named) > 25
    assert {path for path in named if not (ROOT / path).exists()} == set()

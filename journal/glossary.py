"""The terms of the method and of the desk: one paragraph each, its formula here, and where it comes from.

One source, journal/glossary.toml, for the page ``/glossary/``, the question marks beside terms and
docs/glossary.md (``manage.py glossary`` prints it).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOURCES = {
    "S0": "S0: WACC when realized volatility collapses",
    "S1": "S1: tail-risk capital, IRR or insurance",
    "S2": "S2: volatility expansion, roll or adjust",
    "S3": "S3: permanent hedge against layers",
    "S4": "S4: drawdown cut and hedge cost",
    "desk": "Common usage",
}


@dataclass(frozen=True, slots=True)
class Term:
    """A term: ``slug`` is its anchor, ``formula`` empty where none is used, ``sources`` keys of SOURCES."""

    slug: str
    name: str
    text: str
    formula: str
    sources: tuple[str, ...]

    @property
    def source_text(self) -> str:
        """Where it comes from, in words."""
        return "; ".join(SOURCES[key] for key in self.sources)

    @property
    def first_sentence(self) -> str:
        """What fits a tooltip."""
        return f"{self.text.split('. ')[0].rstrip('.')}."


def _term(entry: dict[str, Any]) -> Term:
    text, formula = (" ".join(entry.get(key, "").split()) for key in ("text", "formula"))
    return Term(entry["slug"], entry["name"], text, formula, tuple(entry["sources"]))


_FILE = Path(__file__).with_suffix(".toml")
TERMS = tuple(_term(entry) for entry in tomllib.loads(_FILE.read_text(encoding="utf-8"))["term"])
BY_SLUG = {term.slug: term for term in TERMS}


def markdown() -> str:
    """docs/glossary.md."""
    parts = [
        "# Glossary",
        "Printed by `manage.py glossary`; the site shows the same at `/glossary/`.",
        "S0 to S4 are the five texts the method was read from.",
    ]
    for term in TERMS:
        formula = f"Formula: {term.formula}." if term.formula else ""
        parts += filter(None, (f"## {term.name}", term.text, formula, f"Source: {term.source_text}."))
    return "\n\n".join(parts) + "\n"

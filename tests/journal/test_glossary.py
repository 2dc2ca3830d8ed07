"""The glossary: one source for its page, its document and the question marks beside terms."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.template import Context, Template
from django.test import Client
from django.urls import reverse

from journal.glossary import BY_SLUG, SOURCES, TERMS, markdown

ROOT = Path(__file__).resolve().parents[2]
ASKED_FOR = (
    "alvh", "layer", "gate", "coverage", "stressed-loss", "temporal-theta", "cash-press", "second-engine",
    "steward-promoter", "loyalty-motion", "backwardation", "parity-forward", "residual", "wacc", "claim",
)  # fmt: skip


def test_every_term_of_the_method_has_a_paragraph_and_a_source() -> None:
    assert set(ASKED_FOR) <= set(BY_SLUG)
    assert len(BY_SLUG) == len(TERMS)
    assert [term.slug for term in TERMS] == sorted(term.slug for term in TERMS)
    for term in TERMS:
        assert re.fullmatch(r"[a-z-]+", term.slug), term.slug
        assert 40 <= len(term.text) <= 420, term.slug
        assert term.sources, term.slug
        assert set(term.sources) <= set(SOURCES), term.slug


def test_the_document_is_what_the_command_prints() -> None:
    assert (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8") == markdown()


@pytest.mark.django_db
def test_the_page_shows_every_term_to_everybody(client: Client) -> None:
    page = client.get(reverse("journal:glossary"))
    assert page.status_code == 200
    text = page.content.decode()
    for term in TERMS:
        assert f'id="{term.slug}"' in text
    assert client.post(reverse("journal:glossary")).status_code == 405


def test_a_question_mark_leads_to_its_term() -> None:
    shown = Template('{% load glossary %}{% term "coverage" %}').render(Context())
    assert 'href="/glossary/#coverage"' in shown
    assert 'aria-label="What is Coverage (hedge ratio)?"' in shown
    with pytest.raises(KeyError):
        Template('{% load glossary %}{% term "weather" %}').render(Context())


def test_templates_ask_for_terms_that_exist() -> None:
    asked: set[str] = set()
    for path in (ROOT / "templates").rglob("*.html"):
        asked |= set(re.findall(r'{% term "([^"]*)" %}', path.read_text(encoding="utf-8")))
    assert asked <= set(BY_SLUG)

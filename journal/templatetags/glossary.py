"""``{% term "coverage" %}``: the question mark beside a term, which leads to its place in the glossary."""

from __future__ import annotations

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from journal.glossary import BY_SLUG

register = template.Library()


@register.simple_tag
def term(slug: str) -> SafeString:
    """A link to the term; the first sentence is its tooltip. Raises KeyError for an unknown one."""
    found = BY_SLUG[slug]
    return format_html(
        '<a class="term" href="{}#{}" title="{}" aria-label="What is {}?">?</a>',
        reverse("journal:glossary"), slug, found.first_sentence, found.name,
    )  # fmt: skip

"""Parts of a page with a sentence inside: ``{% figure … %}What it shows.{% endfigure %}``.

Each renders its partial with the arguments given and the text between its tags.
"""

from __future__ import annotations

from django.template import Context, Library
from django.utils.safestring import SafeString

register = Library()


def _part(context: Context, name: str, **given: object) -> SafeString:
    """The partial ``partials/<name>.html`` in the page's context, with ``given`` on top."""
    assert context.template is not None, "a part is rendered inside of a page"
    partial = context.template.engine.get_template(f"partials/{name}.html")
    with context.push(**given):
        return partial.render(context)


def _sentence(content: str) -> SafeString:
    """The text between the tags on one line; the page has escaped what it holds."""
    return SafeString(" ".join(content.split()))


@register.simple_block_tag(takes_context=True)
def figure(context: Context, content: str, **given: object) -> SafeString:
    """A chart, its summary (the text inside) and the same as a table; see ``partials/chart.html``.

    The table is the partial ``table_template``, or a plain one of ``table`` (``head``, ``rows``).
    """
    plain = "partials/plain_table.html" if given.get("table") else ""
    template = given.pop("table_template", None) or context.get("table_template") or plain
    return _part(context, "chart", **given, table_template=template, summary=_sentence(content))


@register.simple_block_tag(takes_context=True)
def empty_state(context: Context, content: str, **given: object) -> SafeString:
    """What stands where nothing is yet, why (the text inside), and what to do first."""
    return _part(context, "empty_state", **given, text=_sentence(content))


@register.simple_block_tag(takes_context=True)
def error_state(context: Context, content: str, **given: object) -> SafeString:
    """What failed, and the reason (the text inside)."""
    return _part(context, "error_state", **given, reason=_sentence(content))

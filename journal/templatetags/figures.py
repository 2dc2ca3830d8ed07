"""How figures are written: true minus, explicit plus, units, and "unknown" for unknown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.forms import BoundField
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hedging.engine.codec import from_json
from hedging.engine.contract_words import contract_words
from hedging.engine.money import to_cents
from hedging.engine.policy.orders import tickets
from hedging.engine.policy.text import fact_text
from hedging.engine.policy.types import Fact, Order

register = template.Library()
MINUS = "\N{MINUS SIGN}"
UNKNOWN = format_html('<span class="unknown">{}</span>', "unknown")
_ET = ZoneInfo("America/New_York")


def _decimal(value: object) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def money_text(value: object, *, signed: bool = False) -> str:
    """``$1,234.56``, ``−$5.00``; with ``signed`` an explicit plus. Unknown as the word."""
    number = _decimal(value)
    if number is None:
        return "unknown"
    number = to_cents(number)
    sign = MINUS if number < 0 else "+" if signed and number > 0 else ""
    return f"{sign}${abs(number):,.2f}"


@register.filter
def money(value: object) -> SafeString:
    """A dollar amount."""
    if _decimal(value) is None:
        return UNKNOWN
    return format_html('<span class="money">{}</span>', money_text(value))


@register.filter
def signed_money(value: object) -> SafeString:
    """A gain or loss in dollars: sign, arrow and colour say the same."""
    number = _decimal(value)
    if number is None:
        return UNKNOWN
    number = to_cents(number)
    kind, arrow = ("gain", "▲") if number > 0 else ("loss", "▼") if number < 0 else ("", "")
    return format_html(
        '<span class="money {}">{} <span aria-hidden="true">{}</span></span>',
        kind,
        money_text(number, signed=True),
        arrow,
    )


@register.filter
def figure(value: object, digits: int = 2) -> SafeString:
    """A plain number with a true minus and grouping."""
    number = _decimal(value)
    if number is None:
        return UNKNOWN
    text = f"{abs(number):,.{int(digits)}f}"
    negative = number < 0 and any(c not in "0.," for c in text)
    return format_html('<span class="num">{}{}</span>', MINUS if negative else "", text)


@register.filter
def signed(value: object, digits: int = 2) -> SafeString:
    """A number with an explicit sign."""
    number = _decimal(value)
    if number is None:
        return UNKNOWN
    text = f"{abs(number):,.{int(digits)}f}"
    zero = all(c in "0.," for c in text)
    sign = "" if zero else MINUS if number < 0 else "+"
    return format_html('<span class="num">{}{}</span>', sign, text)


@register.filter
def percent(value: object, digits: int = 1) -> SafeString:
    """A fraction as a percentage: 0.712 is 71.2%."""
    number = _decimal(value)
    return UNKNOWN if number is None else format_html("{}%", figure(number * 100, digits))


@register.filter
def quantity(value: int) -> str:
    """A signed quantity: +1, −2."""
    return f"+{value:,}" if value > 0 else f"{MINUS}{abs(value):,}"


@register.filter
def et_time(value: object) -> str:
    """A moment in New York time; accepts datetimes and ISO texts."""
    if not value:
        return "unknown"
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return f"{moment.astimezone(_ET):%Y-%m-%d %H:%M} ET"


@register.filter
def item(mapping: object, key: object) -> object:
    """Look a key up in a mapping; None when absent."""
    return mapping.get(key) if isinstance(mapping, dict) else None


@register.filter
def dte(expiry: date | None, today: date) -> int | str:
    """Calendar days to expiry; nothing where nothing expires any more."""
    return "" if expiry is None else (expiry - today).days


@register.filter
def share_of(part: object, whole: object) -> SafeString:
    """A part as a percentage of a whole."""
    top, bottom = _decimal(part), _decimal(whole)
    return UNKNOWN if top is None or not bottom else percent(top / bottom, 0)


@register.filter
def bootstrap(field: BoundField) -> SafeString:
    """A form field of another package with the site's classes."""
    checkbox = getattr(field.field.widget, "input_type", "") == "checkbox"
    return field.as_widget(attrs={"class": "form-check-input d-block" if checkbox else "form-control"})


@register.filter
def short_dollars(value: object) -> SafeString:
    """A gain or loss for a narrow cell: ``−$3.2k``, ``+$85``."""
    number = _decimal(value)
    if number is None:
        return UNKNOWN
    sign = MINUS if number < 0 else "+" if number > 0 else ""
    size = abs(number)
    text = f"{size / 1000:.1f}k" if size >= 1000 else f"{size:.0f}"
    return format_html('<span class="money">{}${}</span>', sign, text)


@register.filter
def dollars(value: object) -> SafeString:
    """A modelled gain or loss in whole dollars: sign and colour."""
    number = _decimal(value)
    if number is None:
        return UNKNOWN
    whole = number.quantize(Decimal(1))
    kind, sign = ("gain", "+") if whole > 0 else ("loss", MINUS) if whole < 0 else ("", "")
    return format_html('<span class="money {}">{}${}</span>', kind, sign, f"{abs(whole):,}")


@register.filter
def signed_percent(value: object, digits: int = 1) -> SafeString:
    """A change as a percentage with an explicit sign: -0.1 is −10%."""
    number = _decimal(value)
    return UNKNOWN if number is None else format_html("{}%", signed(number * 100, digits))


@register.filter
def less(value: float | None, other: float | None) -> float | None:
    """The difference; unknown when either is."""
    return None if value is None or other is None else value - other


_ROOT_WORDS = re.compile(r"\b(spxw?|vixw?|vxx?)\b")


@register.filter
def words(value: object) -> str:
    """A name of the program as words: ``vix_call_spread`` is "VIX call spread"."""
    return _ROOT_WORDS.sub(lambda found: found[0].upper(), str(value).replace("_", " "))


@register.filter
def absolute(value: float | None) -> float | None:
    """The size of a figure."""
    return None if value is None else abs(value)


@register.filter
def signed_cash(value: object) -> SafeString:
    """Dollars that moved, or a value a day or a point: an explicit sign, neither gain nor loss."""
    if _decimal(value) is None:
        return UNKNOWN
    return format_html('<span class="money">{}</span>', money_text(value, signed=True))


@register.filter
def contract(symbol: str) -> str:
    """A contract as traders read it: ``SPXW 6900 C · Dec 18 '26 (PM)``."""
    return contract_words(symbol)


@register.filter
def days_text(count: int) -> str:
    """A number of days in words: ``1 day``, ``3 days``."""
    return f"{count:,} day{'' if count == 1 else 's'}"


@register.filter
def series_table(data: dict[str, Any]) -> dict[str, Any]:
    """About twenty-four rows of a chart of P&L in dollars over one axis: head, and (level, values) pairs.

    Takes the JSON of a ``payoff`` chart or of ``lines`` whose series share their levels.
    """
    if "prices" in data:
        levels, head = data["prices"], data["underlying"]
        named = [("At expiry, $", data["expiry"]), ("Today, $", data["today"])]
        columns = [(name, values) for name, values in named if values]
    else:
        levels, head = [level for level, _ in data["series"][0]["data"]], data["x_label"]
        columns = [(f"{one['name']}, $", [value for _, value in one["data"]]) for one in data["series"]]
    step = max(1, len(levels) // 24)
    rows = list(zip(levels, zip(*(values for _, values in columns), strict=True), strict=True))
    return {"head": [head, *(name for name, _ in columns)], "rows": rows[::step]}


@register.filter
def fact_words(fact: Fact) -> str:
    """An input of a trace's step: name and value in its unit, with a true minus."""
    return re.sub(r"(?<=: )-(?=[$\d])", MINUS, fact_text(fact))


@register.filter
def any_changed(lines: Iterable[Any]) -> bool:
    """Whether a parameter of a group differs from the version compared with."""
    return any(line.changed for line in lines)


@register.filter
def as_tickets(orders: list[dict[str, Any]]) -> tuple[Order, ...]:
    """A proposal's stored orders as a trader sends them."""
    return tickets([from_json(Order, order) for order in orders])

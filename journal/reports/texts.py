"""How figures are printed: true minus, explicit plus, unknown as a word, partial sums with a dagger."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from journal.reports.model import Sum
from journal.templatetags.figures import money_text

MINUS = "\N{MINUS SIGN}"
DAGGER = "\N{DAGGER}"
NONE = "\N{EN DASH}"
UNKNOWN = "unknown"


def amount(value: Decimal | None, *, signed: bool = True, dollar: bool = False) -> str:
    """Money to the cent; the dollar sign stands at totals only, columns name their unit."""
    text = money_text(value, signed=signed)
    return text if dollar else text.replace("$", "", 1)


def sum_text(value: Sum, *, signed: bool = True, dollar: bool = False) -> str:
    """Print a sum; with a dagger while a part of it is unknown."""
    if value.amount is None:
        return UNKNOWN
    return amount(value.amount, signed=signed, dollar=dollar) + (DAGGER if value.partial else "")


def number(value: float | Decimal | None, digits: int = 2, *, signed: bool = False) -> str:
    """Print a plain number; a rounded zero has no sign."""
    if value is None:
        return UNKNOWN
    text = f"{abs(value):,.{digits}f}"
    if not any(c not in "0.," for c in text):
        return text
    return (MINUS if value < 0 else "+" if signed else "") + text


def price(value: Decimal, *, dollar: bool = False) -> str:
    """Print a price or fee as recorded: two digits, up to six where it has them."""
    digits = max(2, min(6, -int(value.normalize().as_tuple().exponent)))
    return f"{MINUS if value < 0 else ''}{'$' if dollar else ''}{abs(value):,.{digits}f}"


def share(value: float | None, digits: int = 1) -> str:
    """Print a fraction as a percentage."""
    return UNKNOWN if value is None else number(value * 100, digits) + "%"


def quantity(value: int) -> str:
    """Print a signed quantity."""
    return number(value, 0, signed=True)


def moment(value: datetime, zone: ZoneInfo) -> str:
    """Print date and time in the account's zone."""
    return f"{value.astimezone(zone):%Y-%m-%d %H:%M}"


def zoned(value: datetime, zone: ZoneInfo) -> str:
    """Print date and time with the zone's abbreviation."""
    return f"{value.astimezone(zone):%Y-%m-%d %H:%M %Z}"

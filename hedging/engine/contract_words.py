"""Contracts and positions in the words of the field: labels of rows, and the words inside a sentence.

A label counts first and dates last: ``3 × VIX 19 C · Dec 16 '26``. A sentence says what an order buys or
sells: ``8 VIX Dec 19 calls``. SPX series say when they settle, (AM) or (PM); VIX series have one way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from math import gcd

from hedging.engine.book import ContractSpec, InstrumentKind, Leg, Right
from hedging.engine.instruments import FUTURE_MONTHS, UnknownSymbolError, parse_symbol
from hedging.engine.structure import Shape, recognise

#: A contract and a signed quantity: + long, - short.
Part = tuple[ContractSpec, int]
_MINUS = "\N{MINUS SIGN}"
_MONTHLY_ROOTS = ("VIX", "SPX")


def day_words(day: date) -> str:
    """A date the way option chains print it: ``Dec 16 '26``."""
    return f"{day:%b} {day.day} '{day:%y}"


def contract_words(symbol: str) -> str:
    """A contract by its symbol: ``SPXW 6900 C · Dec 18 '26 (PM)``; an unknown symbol stays as it is."""
    try:
        return spec_words(parse_symbol(symbol))
    except UnknownSymbolError:
        return symbol


def spec_words(spec: ContractSpec) -> str:
    """A contract without a quantity."""
    if spec.expiry is None:
        return spec.symbol
    return f"{_name(spec)} · {_dates([spec])}"


def position_words(parts: Sequence[Part]) -> str:
    """A position or one side of an order as a label, such as ``2 × SPXW iron condor 6225/6275 P – …``."""
    counts = [abs(quantity) for _, quantity in parts if quantity]
    if not counts:
        return ""
    packages = gcd(*counts)
    unit = [(spec, quantity // packages) for spec, quantity in parts]
    specs = [spec for spec, _ in parts]
    if len(parts) == 1 and specs[0].kind is InstrumentKind.SHARE:
        return f"{_signed(parts[0][1])} {specs[0].symbol} shares"
    side, name = _named(unit)
    count = f"{_signed(side * packages)} × " if side else ""
    return " · ".join(filter(None, (count + name, _dates(specs))))


def order_words(unit: Sequence[Part], packages: int) -> str:
    """What an order trades, whatever its side, inside a sentence: ``2 VIX Feb 22/35 call spreads``."""
    several = "" if packages == 1 else "s"
    (first, _), *rest = unit
    if first.kind is InstrumentKind.SHARE:
        return f"{packages} {first.symbol} share{several}"
    if first.kind is InstrumentKind.FUTURE:
        return f"{packages} {_name(first)}"
    kind = f"{_right_word(first)}{several}"
    months = f"{first.root} {_series(first)}"
    if not rest:
        return f"{packages} {months} {_strike(first)} {kind}"
    if _is_calendar(unit):
        near, far = sorted((spec for spec, _ in unit), key=_expiry)
        return (
            f"{packages} {first.root} {_series(near)}/{_series(far)} {_strike(first)} "
            f"{_right_word(first)} calendar{several}"
        )
    _, name = _named(unit)
    words = name.removeprefix(f"{first.root} ")
    for shape in ("iron condor", "iron butterfly", "call spread", "put spread", "butterfly"):
        words = words.replace(shape, shape + several)
    return f"{packages} {months} {words}"


def sum_words(orders: Iterable[tuple[Sequence[Part], int]]) -> str:
    """Several orders in one sentence: ``8 VIX Dec 19 calls and 3 VIX Dec 20 calls``."""
    *most, last = [order_words(unit, packages) for unit, packages in orders]
    return f"{', '.join(most)} and {last}" if most else last


def _named(unit: Sequence[Part]) -> tuple[int, str]:
    """(+1 or -1 as the package is held, its name without dates); 0 where a count would say nothing."""
    (first, quantity), *rest = unit
    if not rest:
        return quantity, _name(first)
    legs = [Leg(spec, held, 0.0) for spec, held in unit]
    shape, opposite = recognise(legs), recognise([Leg(spec, -held, 0.0) for spec, held in unit])
    if shape is Shape.IRON_CONDOR:
        return 1, f"{first.root} iron condor {_wings(unit)}"
    if shape is Shape.IRON_BUTTERFLY:
        return 1, f"{first.root} iron butterfly {_strikes(unit)}"
    if opposite is Shape.IRON_CONDOR:
        return -1, f"{first.root} iron condor {_wings(unit)}"
    if opposite is Shape.IRON_BUTTERFLY:
        return -1, f"{first.root} iron butterfly {_strikes(unit)}"
    if shape is Shape.VERTICAL:
        return _vertical(unit)
    if Shape.BUTTERFLY in (shape, opposite):
        side = 1 if shape is Shape.BUTTERFLY else -1
        return side, f"{first.root} {_strikes(unit)} {_right_word(first)} butterfly"
    if _is_calendar(unit):
        far = max(unit, key=lambda part: _expiry(part[0]))
        return (1 if far[1] > 0 else -1), f"{first.root} {_strike(first)} {_right_word(first)} calendar"
    return 0, _several(unit)


def _several(unit: Sequence[Part]) -> str:
    """Legs of no named shape."""
    specs = [spec for spec, _ in unit]
    roots = "/".join(sorted({spec.root for spec in specs}))
    if {spec.right for spec in specs} == {Right.PUT, Right.CALL} and len(
        {spec.expiry for spec in specs}
    ) == 1:
        condor = "unbalanced iron condor " if _is_lopsided(unit) else ""
        return f"{roots} {condor}{_wings(unit)}"
    rights = {spec.right for spec in specs}
    kind = f" {_right_word(specs[0])}s" if len(rights) == 1 and None not in rights else " position"
    return f"{roots} {_strikes(unit)}{kind}".replace("  ", " ")


def _vertical(unit: Sequence[Part]) -> tuple[int, str]:
    """The debit spread first: the dearer strike, then the one sold against it; sold spreads count below 0."""
    (spec, quantity), (other, _) = sorted(unit, key=lambda part: part[0].strike or 0.0)
    dear, cheap = (spec, other) if spec.right is Right.CALL else (other, spec)
    side = quantity if dear is spec else -quantity
    return side, f"{spec.root} {_strike(dear)}/{_strike(cheap)} {_right_word(spec)} spread"


def _is_calendar(unit: Sequence[Part]) -> bool:
    if len(unit) != 2:
        return False
    (one, bought), (other, sold) = unit
    same = (one.underlying, one.right, one.strike) == (other.underlying, other.right, other.strike)
    return same and one.right is not None and one.expiry != other.expiry and bought == -sold


def _is_lopsided(unit: Sequence[Part]) -> bool:
    """The wings and the body of an iron condor, in unequal numbers."""
    ordered = sorted(unit, key=lambda part: part[0].strike or 0.0)
    rights = [spec.right for spec, _ in ordered]
    sides = [quantity > 0 for _, quantity in ordered]
    puts_then_calls = [Right.PUT, Right.PUT, Right.CALL, Right.CALL]
    return rights == puts_then_calls and sides == [True, False, False, True]


def _wings(unit: Sequence[Part]) -> str:
    """``6225/6275 P – 7025/7075 C``."""
    sides = []
    for right, letter in ((Right.PUT, "P"), (Right.CALL, "C")):
        strikes = sorted({spec.strike for spec, _ in unit if spec.right is right and spec.strike is not None})
        sides.append(f"{'/'.join(f'{strike:g}' for strike in strikes)} {letter}")
    return " – ".join(sides)


def _strikes(unit: Sequence[Part]) -> str:
    strikes = sorted({spec.strike for spec, _ in unit if spec.strike is not None})
    return "/".join(f"{strike:g}" for strike in strikes)


def _name(spec: ContractSpec) -> str:
    """Root, strike and right of an option; a future by its month: ``VXF27``."""
    if spec.right is not None:
        return f"{spec.root} {_strike(spec)} {'C' if spec.right is Right.CALL else 'P'}"
    if spec.expiry is not None:
        return f"{spec.root}{FUTURE_MONTHS[spec.expiry.month - 1]}{spec.expiry:%y}"
    return spec.symbol


def _dates(specs: Sequence[ContractSpec]) -> str:
    days = sorted({spec.expiry for spec in specs if spec.expiry is not None})
    settles = {spec.settlement.value for spec in specs if spec.root in ("SPX", "SPXW")}
    when = f" ({settles.pop()})" if len(settles) == 1 else ""
    return " / ".join(day_words(day) for day in days) + when


def _series(spec: ContractSpec) -> str:
    """The month of a monthly series, the day of a weekly one; SPX lists years ahead, so it says the year."""
    if spec.expiry is None or spec.root not in _MONTHLY_ROOTS:
        return "" if spec.expiry is None else day_words(spec.expiry)
    return f"{spec.expiry:%b}" if spec.root == "VIX" else f"{spec.expiry:%b '%y}"


def _expiry(spec: ContractSpec) -> date:
    return spec.expiry or date.max


def _strike(spec: ContractSpec) -> str:
    return f"{spec.strike:g}" if spec.strike is not None else ""


def _right_word(spec: ContractSpec) -> str:
    return "call" if spec.right is Right.CALL else "put"


def _signed(count: int) -> str:
    return f"{_MINUS if count < 0 else ''}{abs(count)}"

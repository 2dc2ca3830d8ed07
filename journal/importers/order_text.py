"""The order strings of thinkorswim: ``SOLD -1 IRON CONDOR SPX 100 (Weeklys) 18 DEC 26 … @2.55``.

Strike order of an iron condor: short call / long call / short put / long put. A string is either
understood whole or refused at the first token that is not; nothing is guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from hedging.engine.book import ContractSpec, Right
from hedging.engine.instruments import (
    FUTURE_MONTHS,
    UnknownSymbolError,
    option_contract,
    share,
    vx_future,
)
from hedging.selectors.calendar import CalendarRangeError, vix_expiry
from hedging.selectors.listings import expiry_problem
from journal.importers.order_words import OrderTextError, Reader, Span, Word

__all__ = ["OrderTextError", "ParsedOrder", "Span", "parse_order"]

MAX_LENGTH = 2_000
#: An order that closes one spread and opens another.
VERT_ROLL = "VERT ROLL"
_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_MONTHS = {name: number for number, name in enumerate(_NAMES, start=1)}
_QUANTITY = re.compile(r"^[+-]?[0-9]{1,6}$")
_RATIO = re.compile(r"^~?(-?[0-9]{1,3}(?:/-?[0-9]{1,3})+)$")
_STRIKES = re.compile(r"^[0-9]{1,6}(?:\.[0-9]{1,3})?(?:/[0-9]{1,6}(?:\.[0-9]{1,3})?)*$")
_PRICE = re.compile(r"^@(-?(?:[0-9]{1,7}(?:\.[0-9]{1,6})?|\.[0-9]{1,6}))$")
_VENUE = re.compile(r"^[A-Z]{2,10}$")
_FUTURE = re.compile(rf"^/VX([{FUTURE_MONTHS}])([0-9]{{2}})(?::XCBF)?$")
_WITHOUT_SIGNS = (
    "CONDOR", "CALENDAR", "DIAGONAL", "STRADDLE", "BACKRATIO", "DBL", "UNBALANCED",
    "COVERED", "COMBO", "COLLAR",
)  # fmt: skip
_MAX_LEGS = 8


@dataclass(frozen=True, slots=True)
class ParsedOrder:
    """An order: legs with signed quantities (+ bought) and the net package price.

    ``net_price`` is in points for one package and never negative: a credit received or a debit
    paid according to ``is_credit``. ``spans`` say what each stretch of ``text`` was understood as.
    """

    text: str
    action: str
    strategy: str
    packages: int
    legs: tuple[tuple[ContractSpec, int], ...]
    net_price: Decimal
    is_credit: bool
    is_limit: bool
    venue: str
    spans: tuple[Span, ...]

    @property
    def signed_price(self) -> Decimal:
        """Give the points received (+) or paid (-) per package."""
        return self.net_price if self.is_credit else -self.net_price


@dataclass(frozen=True, slots=True)
class _Head:
    action: str
    packages: int
    ratio: tuple[int, ...]
    ratio_word: Word | None

    @property
    def sign(self) -> int:
        return -1 if self.action == "SELL" else 1


@dataclass(frozen=True, slots=True)
class _Expiry:
    day: date
    root: str
    word: Word


def parse_order(text: str) -> ParsedOrder:
    """Read an order string; raises OrderTextError marking the token that was not understood."""
    if len(text) > MAX_LENGTH:
        raise OrderTextError("The text is too long for an order.", MAX_LENGTH, len(text), "")
    reader = Reader(text)
    head = _head(reader)
    strategy = _strategy(reader, head)
    if strategy == "SINGLE" and (reader.peek() == "VXX" or reader.peek().startswith("/VX")):
        return _linear(text, reader, head)
    root = _root(reader)
    expiries = _expiries(reader, root)
    strikes_word = reader.take("the strikes", "strikes")
    if not _STRIKES.match(strikes_word.text):
        raise strikes_word.refuse("Strikes look like 6900/6950/6500/6450.")
    strikes = [Decimal(part) for part in strikes_word.text.split("/")]
    rights_word = reader.take("CALL, PUT or CALL/PUT", "rights")
    price, is_limit, venue = _price(reader)
    if strategy == "IRON CONDOR" and price < 0 and head.sign < 0:
        raise strikes_word.refuse("A short condor is never sold for a debit: check BUY, SELL and the price.")
    order = _Order(head, strategy, expiries, strikes, strikes_word, rights_word)
    is_credit = (head.sign < 0) == (price >= 0)
    return ParsedOrder(
        text, head.action, strategy, head.packages, order.legs(), abs(price), is_credit, is_limit,
        venue, tuple(reader.spans),
    )  # fmt: skip


def _linear(text: str, reader: Reader, head: _Head) -> ParsedOrder:
    """Read ``BUY +2 /VXG26 @19.25`` (the month's VX future) or ``BUY +100 VXX @40.00``."""
    word = reader.take("a symbol", "symbol")
    if head.ratio_word is not None:
        raise head.ratio_word.refuse("A single future or share has no ratio.")
    spec = share("VXX") if word.upper == "VXX" else _future(word)
    price, is_limit, venue = _price(reader)
    if price < 0:
        raise word.refuse("A future or share has no price below zero.")
    return ParsedOrder(
        text, head.action, "SINGLE", head.packages, ((spec, head.sign * head.packages),), price,
        head.sign < 0, is_limit, venue, tuple(reader.spans),
    )  # fmt: skip


def _future(word: Word) -> ContractSpec:
    match = _FUTURE.match(word.upper)
    if not match:
        raise word.refuse("A VX future looks like /VXG26: month letter and two digits of the year.")
    try:
        return vx_future(vix_expiry(2000 + int(match.group(2)), FUTURE_MONTHS.index(match.group(1)) + 1))
    except CalendarRangeError as error:
        raise word.refuse(f"{error}.") from None


def _head(reader: Reader) -> _Head:
    word = reader.take("SELL, SOLD, BUY or BOT", "action")
    side = word.upper
    if side not in {"SELL", "SOLD", "BUY", "BOT", "BOUGHT"}:
        raise word.refuse("An order starts with SELL, SOLD, BUY or BOT.")
    action = "SELL" if side in {"SELL", "SOLD"} else "BUY"
    quantity = reader.take("a quantity such as -1", "quantity")
    if not _QUANTITY.match(quantity.text) or int(quantity.text) == 0:
        raise quantity.refuse("The quantity is a whole number such as -1 or +2.")
    if quantity.text[0] in "+-" and (quantity.text[0] == "+") != (action == "BUY"):
        raise quantity.refuse(f"{side} and the sign of {quantity.text} contradict each other.")
    packages = abs(int(quantity.text))
    match = _RATIO.match(reader.peek())
    if not match:
        return _Head(action, packages, (), None)
    ratio_word = reader.take("a ratio", "ratio")
    ratio = tuple(int(part) for part in match.group(1).split("/"))
    if 0 in ratio:
        raise ratio_word.refuse("A ratio has no zero.")
    return _Head(action, packages, ratio, ratio_word)


def _strategy(reader: Reader, head: _Head) -> str:
    name = reader.peek().removeprefix("~")
    if name == "IRON":
        reader.take("", "strategy")
        second = reader.take("CONDOR", "strategy")
        if second.upper != "CONDOR":
            raise second.refuse("After IRON follows CONDOR.")
        strategy = "IRON CONDOR"
    elif name in {"VERTICAL", "BUTTERFLY", "STRANGLE", "CUSTOM"}:
        word = reader.take("", "strategy")
        if name == "CUSTOM" and head.ratio_word is None:
            raise word.refuse(
                "A CUSTOM order states its legs as signed ratios, such as 1/-1/1/-1; "
                "without them enter the legs in the form."
            )
        strategy = name
    elif name == "VERT":
        reader.take("", "strategy")
        second = reader.take("ROLL", "strategy")
        if second.upper != "ROLL":
            raise second.refuse("After VERT follows ROLL.")
        strategy = VERT_ROLL
    elif name in _WITHOUT_SIGNS:
        word = reader.take("", "strategy")
        raise word.refuse(f"{word.text} orders do not state which leg is bought: enter the legs in the form.")
    else:
        strategy = "SINGLE"
    if head.ratio_word is not None and strategy != "CUSTOM" and min(head.ratio) < 0:
        raise head.ratio_word.refuse(f"Signed ratios belong to CUSTOM, not to {strategy}.")
    return strategy


def _root(reader: Reader) -> str:
    """Read symbol, multiplier and class; give the root its unmarked expiries belong to."""
    word = reader.take("a symbol", "symbol")
    root = word.upper
    if root not in {"SPX", "SPXW", "VIX", "VIXW"}:
        raise word.refuse(f"{word.text} is not SPX or VIX; other underlyings are entered leg by leg.")
    multiplier = reader.take("the multiplier 100", "multiplier")
    if multiplier.text != "100":
        raise multiplier.refuse("The multiplier of index options is 100.")
    weekly = reader.accept("class", "(WEEKLYS)", "(QUARTERLYS)", "(WEEKLY)")
    return f"{root.removesuffix('W')}W" if weekly or root.endswith("W") else root


def _expiries(reader: Reader, root: str) -> list[_Expiry]:
    """Read ``18 DEC 26 [AM]``, or one such date a leg between slashes.

    ``[AM]`` marks the morning-settled monthly; it wins over (Weeklys), which a custom order states
    once for all its legs.
    """
    found: list[_Expiry] = []
    more = True
    while more:
        if len(found) == _MAX_LEGS:
            raise found[-1].word.refuse(f"An order has at most {_MAX_LEGS} legs.")
        expiry, word, more = _date(reader)
        leg_root = root
        if not more and reader.peek().partition("/")[0] in {"[AM]", "(AM)", "AM"}:
            reader.split_next()
            more = reader.take("", "settlement").joined
            leg_root = root.removesuffix("W")
        found.append(_Expiry(expiry, leg_root, word))
    for one in found:
        _check_listed(one)
    return found


def _date(reader: Reader) -> tuple[date, Word, bool]:
    """Read day, month and year; give the date, its first word, and whether a slash follows."""
    day = reader.take("an expiry such as 18 DEC 26", "expiry")
    if not re.fullmatch(r"[0-9]{1,2}", day.text):
        raise day.refuse("The expiry looks like 18 DEC 26.")
    month = reader.take("a month such as DEC", "expiry")
    if month.upper not in _MONTHS:
        raise month.refuse("Months are JAN to DEC.")
    reader.split_next()
    year = reader.take("a year such as 26", "expiry")
    if not re.fullmatch(r"[0-9]{2}", year.text):
        raise year.refuse("The year has two digits.")
    try:
        found = date(2000 + int(year.text), _MONTHS[month.upper], int(day.text))
    except ValueError:
        raise day.refuse(f"{day.text} {month.text} {year.text} is not a date.") from None
    return found, day, year.joined


def _check_listed(expiry: _Expiry) -> None:
    try:
        problem = expiry_problem(option_contract(expiry.root, expiry.day, Right.CALL, Decimal(1)))
    except CalendarRangeError as error:
        raise expiry.word.refuse(f"{error}.") from None
    if problem:
        raise expiry.word.refuse(problem)


def _price(reader: Reader) -> tuple[Decimal, bool, str]:
    word = reader.take("a price such as @2.55", "price")
    match = _PRICE.match(word.text)
    if not match:
        raise word.refuse("The price looks like @2.55, @.90 or @-.80.")
    is_limit = False
    venue = ""
    while reader.peek():
        extra = reader.take("", "condition")
        if extra.upper == "LMT":
            is_limit = True
        elif extra.upper == "[TO":
            effect = reader.take("OPEN] or CLOSE]", "condition")
            if effect.upper not in {"OPEN]", "CLOSE]"}:
                raise effect.refuse("After [TO follows OPEN] or CLOSE].")
        elif extra.upper in {"MKT", "GTC", "DAY"}:
            continue
        elif _VENUE.match(extra.text) and not venue:
            venue = extra.text
        else:
            raise extra.refuse("Nothing but LMT, MKT and a venue may follow the price.")
    return Decimal(match.group(1)), is_limit, venue


@dataclass(frozen=True, slots=True)
class _Order:
    """What was read, ready to be made into legs."""

    head: _Head
    strategy: str
    expiries: list[_Expiry]
    strikes: list[Decimal]
    strikes_word: Word
    rights_word: Word

    def legs(self) -> tuple[tuple[ContractSpec, int], ...]:
        build = {
            "IRON CONDOR": self._condor,
            "VERTICAL": self._vertical,
            "BUTTERFLY": self._butterfly,
            "STRANGLE": self._strangle,
            VERT_ROLL: self._vert_roll,
            "CUSTOM": self._custom,
            "SINGLE": self._single,
        }[self.strategy]
        if len(self.expiries) > 1 and self.strategy not in {"CUSTOM", VERT_ROLL}:
            raise self.expiries[1].word.refuse(f"{self.strategy} has one expiry for all its legs.")
        legs = build()
        if len({spec.symbol for spec, _ in legs}) < len(legs):
            raise self.strikes_word.refuse("Two legs are the same contract.")
        return legs

    def _leg(
        self, right: Right, strike: Decimal, quantity: int, expiry: _Expiry | None = None
    ) -> tuple[ContractSpec, int]:
        at = expiry or self.expiries[0]
        try:
            spec = option_contract(at.root, at.day, right, strike)
        except UnknownSymbolError as error:
            raise self.strikes_word.refuse(f"{error}.") from None
        return spec, quantity * self.head.packages

    def _right(self, text: str) -> Right:
        if text not in {"CALL", "PUT"}:
            raise self.rights_word.refuse("Here stands CALL or PUT.")
        return Right.CALL if text == "CALL" else Right.PUT

    def _count(self, wanted: int, order: str) -> None:
        if len(self.strikes) != wanted:
            noun = "strike is" if wanted == 1 else "strikes are"
            raise self.strikes_word.refuse(f"{wanted} {noun} needed: {order}.")

    def _ratio(self, default: tuple[int, ...]) -> tuple[int, ...]:
        if self.head.ratio_word is not None and len(self.head.ratio) != len(default):
            raise self.head.ratio_word.refuse(f"The ratio needs {len(default)} parts.")
        return self.head.ratio or default

    def _condor(self) -> tuple[tuple[ContractSpec, int], ...]:
        self._count(4, "short call/long call/short put/long put")
        if self.rights_word.upper != "CALL/PUT":
            raise self.rights_word.refuse("An iron condor says CALL/PUT.")
        short_call, long_call, short_put, long_put = self.strikes
        if not long_put < short_put <= short_call < long_call:
            raise self.strikes_word.refuse(
                "The strikes must run long put < short put ≤ short call < long call, "
                "written short call/long call/short put/long put."
            )
        sign = self.head.sign
        a, b, c, d = self._ratio((1, 1, 1, 1))
        return (
            self._leg(Right.CALL, short_call, sign * a),
            self._leg(Right.CALL, long_call, -sign * b),
            self._leg(Right.PUT, short_put, sign * c),
            self._leg(Right.PUT, long_put, -sign * d),
        )

    def _vertical(self) -> tuple[tuple[ContractSpec, int], ...]:
        """BUY buys the first strike and sells the second; SELL the reverse."""
        self._count(2, "first/second")
        right, sign = self._right(self.rights_word.upper), self.head.sign
        a, b = self._ratio((1, 1))
        return (
            self._leg(right, self.strikes[0], sign * a),
            self._leg(right, self.strikes[1], -sign * b),
        )

    def _strangle(self) -> tuple[tuple[ContractSpec, int], ...]:
        """Both options have the order's side."""
        self._count(2, "call/put")
        if self.rights_word.upper != "CALL/PUT":
            raise self.rights_word.refuse("A strangle says CALL/PUT.")
        a, b = self._ratio((1, 1))
        return (
            self._leg(Right.CALL, self.strikes[0], self.head.sign * a),
            self._leg(Right.PUT, self.strikes[1], self.head.sign * b),
        )

    def _vert_roll(self) -> tuple[tuple[ContractSpec, int], ...]:
        """The first expiry's vertical as the order's side says, the second's turned round: it is closed."""
        if len(self.expiries) != 2:
            raise self.expiries[0].word.refuse("A VERT ROLL names two expiries: the new one and the old one.")
        self._count(4, "two of the new spread, two of the one it replaces")
        right, sign = self._right(self.rights_word.upper), self.head.sign
        new, old = self.expiries
        a, b, c, d = self._ratio((1, 1, 1, 1))
        return (
            self._leg(right, self.strikes[0], sign * a, new),
            self._leg(right, self.strikes[1], -sign * b, new),
            self._leg(right, self.strikes[2], -sign * c, old),
            self._leg(right, self.strikes[3], sign * d, old),
        )

    def _butterfly(self) -> tuple[tuple[ContractSpec, int], ...]:
        self._count(3, "wing/body/wing")
        first, body, last = self.strikes
        if not (first < body < last or first > body > last):
            raise self.strikes_word.refuse("The body of a butterfly lies between its wings.")
        right, sign = self._right(self.rights_word.upper), self.head.sign
        a, b, c = self._ratio((1, 2, 1))
        return (
            self._leg(right, self.strikes[0], sign * a),
            self._leg(right, self.strikes[1], -sign * b),
            self._leg(right, self.strikes[2], sign * c),
        )

    def _single(self) -> tuple[tuple[ContractSpec, int], ...]:
        self._count(1, "one leg has one")
        if self.head.ratio_word is not None:
            raise self.head.ratio_word.refuse("A single option has no ratio.")
        right = self._right(self.rights_word.upper)
        return (self._leg(right, self.strikes[0], self.head.sign),)

    def _custom(self) -> tuple[tuple[ContractSpec, int], ...]:
        """Signed ratios say what one bought package holds; SELL turns every sign."""
        size = len(self.head.ratio)
        if size > _MAX_LEGS and self.head.ratio_word is not None:
            raise self.head.ratio_word.refuse(f"An order has at most {_MAX_LEGS} legs.")
        self._count(size, "one for each part of the ratio")
        rights = self.rights_word.upper.split("/")
        if len(rights) not in {1, size}:
            raise self.rights_word.refuse(f"{size} times CALL or PUT is needed, or one for all.")
        if len(self.expiries) not in {1, size}:
            raise self.expiries[-1].word.refuse(f"{size} expiries are needed, or one for all.")
        rights = rights * size if len(rights) == 1 else rights
        dates = self.expiries * size if len(self.expiries) == 1 else self.expiries
        return tuple(
            self._leg(self._right(right), strike, self.head.sign * part, expiry)
            for right, strike, part, expiry in zip(rights, self.strikes, self.head.ratio, dates, strict=True)
        )


def gaps(parsed: ParsedOrder) -> list[tuple[str, str]]:
    """Cut the text into (role, piece) for highlighting; pieces without a role are left blank."""
    spans = sorted(parsed.spans, key=lambda span: span.start)
    edges = [0, *(edge for span in spans for edge in (span.start, span.end)), len(parsed.text)]
    roles = {(span.start, span.end): span.role for span in spans}
    return [
        (roles.get((low, high), ""), parsed.text[low:high]) for low, high in pairwise(edges) if high > low
    ]

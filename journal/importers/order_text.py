"""The order strings of thinkorswim: ``SOLD -1 IRON CONDOR SPX 100 (Weeklys) 18 DEC 26 … @2.55 LMT``.

Strike order of an iron condor: short call / long call / short put / long put. A string is either
understood whole or refused at the first token that is not; nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from hedging.engine.book import ContractSpec
from hedging.engine.instruments import UnknownSymbolError, option_contract
from hedging.maths.types import Right

MAX_LENGTH = 2_000
_MONTHS = {
    name: number
    for number, name in enumerate(
        "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(), start=1
    )
}
_TOKEN = re.compile(r"\S+")
_QUANTITY = re.compile(r"^[+-]?[0-9]{1,6}$")
_RATIO = re.compile(r"^~?([0-9]{1,3}(?:/[0-9]{1,3})+)$")
_STRIKES = re.compile(r"^[0-9]{1,6}(?:\.[0-9]{1,3})?(?:/[0-9]{1,6}(?:\.[0-9]{1,3})?)*$")
_PRICE = re.compile(r"^@(-?(?:[0-9]{1,7}(?:\.[0-9]{1,6})?|\.[0-9]{1,6}))$")
_WRAPPERS = (
    re.compile(r"^\s*(?:#\d+\s+)?(?:NEW\s+)?(?:tAndroid|tIP|tIPAD|tWeb|t[A-Z][A-Za-z]+)?\s*(?:#\d+\s+)?"),
)
_ACCOUNT = re.compile(r",\s*ACCOUNT\s+\*+[0-9A-Za-z]+\s*$")


class OrderTextError(ValueError):
    """The string was not understood at ``token`` (characters ``start`` to ``end``)."""

    def __init__(self, message: str, start: int, end: int, token: str) -> None:
        self.message, self.start, self.end, self.token = message, start, end, token
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class ParsedOrder:
    """An order: legs with signed quantities (+ bought) and the net package price.

    ``net_price`` is in points for one package, positive as a credit received or a debit paid
    according to ``is_credit``.
    """

    text: str
    strategy: str
    packages: int
    legs: tuple[tuple[ContractSpec, int], ...]
    net_price: Decimal
    is_credit: bool
    is_limit: bool
    venue: str

    @property
    def signed_price(self) -> Decimal:
        """Points received (+) or paid (-) per package."""
        return self.net_price if self.is_credit else -self.net_price


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    def refuse(self, message: str) -> OrderTextError:
        return OrderTextError(message, self.start, self.end, self.text)


class _Reader:
    """The words of an order, taken one after the other."""

    def __init__(self, text: str) -> None:
        body = _ACCOUNT.sub("", text)
        wrapper = _WRAPPERS[0].match(body)
        offset = wrapper.end() if wrapper else 0
        self.text = text
        self.words = [
            _Word(m.group(), m.start()) for m in _TOKEN.finditer(body) if m.start() >= offset
        ]
        self.at = 0

    def peek(self) -> str:
        """The next word in upper case, empty at the end."""
        return self.words[self.at].text.upper() if self.at < len(self.words) else ""

    def take(self, what: str) -> _Word:
        """The next word, or an error that says what is missing."""
        if self.at >= len(self.words):
            end = len(self.text)
            raise OrderTextError(f"The order ends where {what} should follow.", end, end, "")
        self.at += 1
        return self.words[self.at - 1]

    def accept(self, *texts: str) -> bool:
        """Take the next word if it is one of the texts."""
        if self.peek() in texts:
            self.at += 1
            return True
        return False


@dataclass(frozen=True, slots=True)
class _Head:
    sign: int
    packages: int
    ratio: tuple[int, ...]
    ratio_word: _Word | None


def parse_order(text: str) -> ParsedOrder:
    """Read an order string; raises OrderTextError marking the token that was not understood."""
    if len(text) > MAX_LENGTH:
        raise OrderTextError("The text is too long for an order.", MAX_LENGTH, len(text), "")
    reader = _Reader(text.replace("\n", " ").replace("\t", " "))
    head = _head(reader)
    strategy, strategy_word = _strategy(reader)
    root_word = reader.take("a symbol")
    root = root_word.text.upper().removeprefix("/")
    if root not in ("SPX", "SPXW", "VIX", "VIXW"):
        raise root_word.refuse(f"{root_word.text} is not SPX or VIX; other underlyings are entered leg by leg.")
    multiplier = reader.take("the multiplier 100")
    if multiplier.text != "100":
        raise multiplier.refuse("The multiplier of index options is 100.")
    weekly = reader.accept("(WEEKLYS)", "(QUARTERLYS)", "(WEEKLY)")
    expiry, expiry_word = _expiry(reader)
    morning = reader.accept("[AM]", "AM", "(AM)")
    root = _root(root, weekly=weekly, morning=morning)
    strikes_word = reader.take("the strikes")
    if not _STRIKES.match(strikes_word.text):
        raise strikes_word.refuse("Strikes look like 6900/6950/6500/6450.")
    strikes = [Decimal(part) for part in strikes_word.text.split("/")]
    rights_word = reader.take("CALL, PUT or CALL/PUT")
    price, limit, venue = _price(reader)
    build = _BUILDERS[strategy]
    try:
        legs = build(_Order(head, root, expiry, strikes, strikes_word, rights_word, strategy_word))
    except UnknownSymbolError as error:
        raise expiry_word.refuse(str(error)) from None
    is_credit = (head.sign < 0) == (price >= 0)
    return ParsedOrder(
        text, strategy, head.packages, legs, abs(price), is_credit, limit, venue
    )


def _head(reader: _Reader) -> _Head:
    word = reader.take("SELL, SOLD, BUY or BOT")
    side = word.text.upper()
    if side not in ("SELL", "SOLD", "BUY", "BOT", "BOUGHT"):
        raise word.refuse("An order starts with SELL, SOLD, BUY or BOT.")
    sign = -1 if side in ("SELL", "SOLD") else 1
    quantity = reader.take("a quantity such as -1")
    if not _QUANTITY.match(quantity.text) or int(quantity.text) == 0:
        raise quantity.refuse("The quantity is a whole number such as -1 or +2.")
    if quantity.text[0] in "+-" and (int(quantity.text) > 0) != (sign > 0):
        raise quantity.refuse(f"{side} and the sign of {quantity.text} contradict each other.")
    ratio: tuple[int, ...] = ()
    ratio_word = None
    if _RATIO.match(reader.peek()):
        ratio_word = reader.take("a ratio")
        ratio = tuple(int(part) for part in ratio_word.text.lstrip("~").split("/"))
        if 0 in ratio:
            raise ratio_word.refuse("A ratio has no zero.")
    return _Head(sign, abs(int(quantity.text)), ratio, ratio_word)


def _strategy(reader: _Reader) -> tuple[str, _Word]:
    word = reader.words[reader.at] if reader.at < len(reader.words) else reader.take("a strategy")
    name = reader.peek().removeprefix("~")
    if name == "IRON":
        reader.at += 1
        second = reader.take("CONDOR")
        if second.text.upper() != "CONDOR":
            raise second.refuse("After IRON follows CONDOR.")
        return "IRON CONDOR", word
    if name in ("VERTICAL", "BUTTERFLY"):
        reader.at += 1
        return name, word
    if name == "VERT":
        raise word.refuse("A VERT ROLL closes one spread and opens another: enter the close and the new trade.")
    if name in ("CUSTOM", "~CUSTOM", "CONDOR", "CALENDAR", "DIAGONAL", "STRANGLE", "STRADDLE", "BACKRATIO",
                "DBL", "UNBALANCED"):
        raise word.refuse(f"{word.text} orders do not state which leg is bought: enter the legs in the form.")
    return "SINGLE", word


def _expiry(reader: _Reader) -> tuple[date, _Word]:
    day = reader.take("an expiry such as 18 DEC 26")
    month = reader.take("a month such as DEC")
    year = reader.take("a year such as 26")
    if not re.fullmatch(r"[0-9]{1,2}", day.text):
        raise day.refuse("The expiry looks like 18 DEC 26.")
    if month.text.upper() not in _MONTHS:
        raise month.refuse("Months are JAN to DEC.")
    if not re.fullmatch(r"[0-9]{2}", year.text):
        raise year.refuse("The year has two digits.")
    try:
        return date(2000 + int(year.text), _MONTHS[month.text.upper()], int(day.text)), day
    except ValueError:
        raise day.refuse(f"{day.text} {month.text} {year.text} is not a date.") from None


def _root(root: str, *, weekly: bool, morning: bool) -> str:
    """``[AM]`` is the monthly SPX; ``(Weeklys)`` and ``(Quarterlys)`` are the afternoon SPXW."""
    base = root.removesuffix("W")
    if base == "VIX":
        return "VIXW" if weekly or root == "VIXW" else "VIX"
    if morning:
        return "SPX"
    return "SPXW" if weekly or root == "SPXW" else "SPX"


def _price(reader: _Reader) -> tuple[Decimal, bool, str]:
    word = reader.take("a price such as @2.55")
    match = _PRICE.match(word.text)
    if not match:
        raise word.refuse("The price looks like @2.55, @.90 or @-.80.")
    limit = False
    venue = ""
    while reader.peek():
        extra = reader.take("")
        if extra.text.upper() == "LMT":
            limit = True
        elif re.fullmatch(r"[A-Z]{2,10}", extra.text) and not venue:
            venue = extra.text
        elif extra.text.upper() not in ("MKT", "GTC", "DAY"):
            raise extra.refuse("Nothing but LMT and a venue may follow the price.")
    return Decimal(match.group(1)), limit, venue


@dataclass(frozen=True, slots=True)
class _Order:
    head: _Head
    root: str
    expiry: date
    strikes: list[Decimal]
    strikes_word: _Word
    rights_word: _Word
    strategy_word: _Word

    def leg(self, right: Right, strike: Decimal, quantity: int) -> tuple[ContractSpec, int]:
        return option_contract(self.root, self.expiry, right, strike), quantity * self.head.packages

    def one_right(self) -> Right:
        name = self.rights_word.text.upper()
        if name not in ("CALL", "PUT"):
            raise self.rights_word.refuse("Here stands CALL or PUT.")
        return Right.CALL if name == "CALL" else Right.PUT

    def count(self, wanted: int, order: str) -> None:
        if len(self.strikes) != wanted:
            raise self.strikes_word.refuse(f"{wanted} strikes are needed: {order}.")

    def ratio(self, default: tuple[int, ...]) -> tuple[int, ...]:
        given = self.head.ratio or default
        if len(given) != len(default):
            assert self.head.ratio_word is not None
            raise self.head.ratio_word.refuse(f"The ratio needs {len(default)} parts.")
        return given


def _condor(order: _Order) -> tuple[tuple[ContractSpec, int], ...]:
    order.count(4, "short call/long call/short put/long put")
    if order.rights_word.text.upper() != "CALL/PUT":
        raise order.rights_word.refuse("An iron condor says CALL/PUT.")
    short_call, long_call, short_put, long_put = order.strikes
    if not long_put < short_put <= short_call < long_call:
        raise order.strikes_word.refuse(
            "The strikes must run long put < short put ≤ short call < long call, "
            "written short call/long call/short put/long put."
        )
    sell = order.head.sign
    a, b, c, d = order.ratio((1, 1, 1, 1))
    return (
        order.leg(Right.CALL, short_call, sell * a), order.leg(Right.CALL, long_call, -sell * b),
        order.leg(Right.PUT, short_put, sell * c), order.leg(Right.PUT, long_put, -sell * d),
    )


def _vertical(order: _Order) -> tuple[tuple[ContractSpec, int], ...]:
    """BUY buys the first strike and sells the second; SELL the reverse."""
    order.count(2, "first/second")
    right, buy = order.one_right(), order.head.sign
    a, b = order.ratio((1, 1))
    return order.leg(right, order.strikes[0], buy * a), order.leg(right, order.strikes[1], -buy * b)


def _butterfly(order: _Order) -> tuple[tuple[ContractSpec, int], ...]:
    order.count(3, "wing/body/wing")
    right, buy = order.one_right(), order.head.sign
    a, b, c = order.ratio((1, 2, 1))
    return (
        order.leg(right, order.strikes[0], buy * a), order.leg(right, order.strikes[1], -buy * b),
        order.leg(right, order.strikes[2], buy * c),
    )


def _single(order: _Order) -> tuple[tuple[ContractSpec, int], ...]:
    order.count(1, "one")
    if order.head.ratio_word is not None:
        raise order.head.ratio_word.refuse("A single option has no ratio.")
    return (order.leg(order.one_right(), order.strikes[0], order.head.sign),)


_BUILDERS: dict[str, Callable[[_Order], tuple[tuple[ContractSpec, int], ...]]] = {
    "IRON CONDOR": _condor, "VERTICAL": _vertical, "BUTTERFLY": _butterfly, "SINGLE": _single,
}

"""The ways brokers write a contract; all become the OCC symbol of the journal.

OCC ``SPXW  251219P05800000`` (tastytrade, IBKR), ``.SPXW251219P5800`` (thinkorswim), ``-SPXW251219P5800``
(Fidelity), ``SPXW 12/19/2025 5800.00 P`` (Schwab), ``SPXW 24MAR25 5000 P`` (IBKR text). VX futures: ``/VXZ5``
(tastytrade), ``/VXZ25:XCBF`` (thinkorswim), ``VXZ5`` (IBKR), and ``VX/2025-12-17`` in the journal.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache

from hedging.engine.book import ContractSpec, Right
from hedging.engine.instruments import ROOTS, UnknownSymbolError, option_contract, share, vx_future
from hedging.selectors.calendar import CalendarRangeError, vix_expiry
from hedging.selectors.listings import expiry_problem
from journal.importers.text import CellError

MONTHS = {
    name: number
    for number, name in enumerate(
        ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), start=1
    )
}
_OCC = re.compile(r"([A-Z0-9./$]{1,6}) *([0-9]{2})([0-9]{2})([0-9]{2})([CP])([0-9]{8})")
_SHORT = re.compile(
    r"[.-]?([A-Z/$]{1,6}[0-9]?)([0-9]{2})([0-9]{2})([0-9]{2})([CP])([0-9]{1,6}(?:\.[0-9]{1,3})?)"
)
_SLASHED = re.compile(
    r"([A-Z0-9./$]{1,6}) ([0-9]{2})/([0-9]{2})/([0-9]{4}) ([0-9]{1,6}(?:\.[0-9]{1,3})?) ([CP])"
)
_TEXT = re.compile(r"([A-Z0-9.]{1,6}) ([0-9]{1,2})([A-Z]{3})([0-9]{2}) ([0-9]{1,6}(?:\.[0-9]{1,3})?) ([CP])")
_VX = re.compile(r"/?VX([FGHJKMNQUVXZ])([0-9]{1,2})(?::[A-Z]{1,8})?")
_VX_MINI = re.compile(r"/?VXM[FGHJKMNQUVXZ][0-9]{1,2}(?::[A-Z]{1,8})?")
_VX_DAY = re.compile(r"/?VX[/ ]([0-9]{4}-[0-9]{2}-[0-9]{2})")
_MONTH_CODES = "FGHJKMNQUVXZ"
_TICKER = re.compile(r"\.?/?[A-Z][A-Z0-9./ ]{0,30}")


#: Index options of a tenth the size: listed like their index's, but neither quoted nor settled like them.
_MINI = {"XSP": "SPX"}


class OutsideError(ValueError):
    """A contract the journal does not keep; nothing is wrong with it."""


@lru_cache(maxsize=32_768)
def read_symbol(text: str) -> ContractSpec:
    """The contract a broker's symbol names.

    Raises OutsideError for what the journal does not keep, CellError for what is no symbol or names an
    expiry the exchange does not list.
    """
    symbol = text.strip().upper().removeprefix("$")
    if symbol.startswith(("VX", "/VX")) and (future := read_future(symbol)) is not None:
        return future
    found = _parts(symbol)
    if found is None:
        if symbol == "VXX":
            return share(symbol)
        if _TICKER.fullmatch(symbol) and not symbol.startswith(("SPX", "VIX")):
            raise OutsideError(f"{symbol} is not an instrument this journal keeps.")
        raise CellError(f"{text.strip()[:40]!r} is not a symbol this journal can read.", "symbol")
    root, (year, month, day), letter, strike = found
    return contract(root, _date(year, month, day, text), Right.CALL if letter == "C" else Right.PUT, strike)


def read_future(text: str, day: date | None = None) -> ContractSpec | None:
    """The VX future a symbol names; None when it names none.

    A year of one digit (``/VXZ5``) is the next such year from ``day`` on; without a day it is refused.
    Raises CellError, and OutsideError for mini futures.
    """
    symbol = text.strip().upper()
    if _VX_MINI.fullmatch(symbol):
        raise OutsideError("Mini VIX futures (VXM) are not kept in this journal, only VX.")
    if match := _VX_DAY.fullmatch(symbol):
        year, month, number = (int(part) for part in match.group(1).split("-"))
        return listed(vx_future(_date(year, month, number, text)))
    match = _VX.fullmatch(symbol)
    if match is None:
        return None
    letter, stated = match.groups()
    if len(stated) == 2:
        year = 2000 + int(stated)
    elif day is not None:
        year = day.year + (int(stated) - day.year) % 10
    else:
        raise CellError(f"{symbol} leaves the decade open: write the year with two digits.", "symbol")
    try:
        return vx_future(vix_expiry(year, _MONTH_CODES.index(letter) + 1))
    except CalendarRangeError as error:
        raise CellError(f"{error}.", "symbol") from None


def listed(spec: ContractSpec) -> ContractSpec:
    """The contract itself. Raises CellError when the exchange lists no such expiry."""
    try:
        problem = expiry_problem(spec)
    except CalendarRangeError as error:
        raise CellError(f"{error}.", "symbol") from None
    if problem:
        raise CellError(problem, "symbol")
    return spec


def contract(root: str, expiry: date, right: Right, strike: Decimal) -> ContractSpec:
    """A listed contract. Raises OutsideError for other roots, CellError for an expiry that is not listed."""
    if root in _MINI:
        raise OutsideError(f"{root} is a tenth of {_MINI[root]}: this journal has no marks for its options.")
    if root not in ROOTS:
        raise OutsideError(f"{root} options are not kept in this journal.")
    try:
        spec = option_contract(root, expiry, right, strike)
    except UnknownSymbolError as error:
        raise CellError(f"{error}.", "symbol") from None
    return listed(spec)


def _parts(symbol: str) -> tuple[str, tuple[int, int, int], str, Decimal] | None:
    if match := _OCC.fullmatch(symbol):
        root, year, month, day, letter, strike = match.groups()
        return root, (2000 + int(year), int(month), int(day)), letter, Decimal(int(strike)) / 1000
    if match := _SHORT.fullmatch(symbol):
        root, year, month, day, letter, strike = match.groups()
        return root, (2000 + int(year), int(month), int(day)), letter, Decimal(strike)
    if match := _SLASHED.fullmatch(symbol):
        root, month, day, year, strike, letter = match.groups()
        return root, (int(year), int(month), int(day)), letter, Decimal(strike)
    if (match := _TEXT.fullmatch(symbol)) and match.group(3) in MONTHS:
        root, day, name, year, strike, letter = match.groups()
        return root, (2000 + int(year), MONTHS[name], int(day)), letter, Decimal(strike)
    return None


def _date(year: int, month: int, day: int, text: str) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise CellError(f"{text.strip()[:40]!r} has no date in it.", "symbol") from None

"""The ways brokers write a contract; all become the OCC symbol of the journal.

OCC ``SPXW  251219P05800000`` (tastytrade, IBKR), ``.SPXW251219P5800`` (thinkorswim), ``-SPXW251219P5800``
(Fidelity), ``SPXW 12/19/2025 5800.00 P`` (Schwab), ``SPXW 24MAR25 5000 P`` (IBKR text).
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache

from hedging.engine.book import ContractSpec, Right
from hedging.engine.instruments import ROOTS, UnknownSymbolError, option_contract, share
from hedging.selectors.calendar import CalendarRangeError
from hedging.selectors.listings import expiry_problem
from journal.importers.text import CellError

_MONTHS = {
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
_TICKER = re.compile(r"\.?/?[A-Z][A-Z0-9./ ]{0,30}")


class OutsideError(ValueError):
    """A contract the journal does not keep; nothing is wrong with it."""


@lru_cache(maxsize=32_768)
def read_symbol(text: str) -> ContractSpec:
    """The contract a broker's symbol names.

    Raises OutsideError for what the journal does not keep, CellError for what is no symbol or names an
    expiry the exchange does not list.
    """
    symbol = text.strip().upper().removeprefix("$")
    found = _parts(symbol)
    if found is None:
        if symbol == "VXX":
            return share(symbol)
        if _TICKER.fullmatch(symbol) and not symbol.startswith(("SPX", "VIX")):
            raise OutsideError(f"{symbol} is not an instrument this journal keeps.")
        raise CellError(f"{text.strip()[:40]!r} is not a symbol this journal can read.", "symbol")
    root, (year, month, day), letter, strike = found
    return contract(root, _date(year, month, day, text), Right.CALL if letter == "C" else Right.PUT, strike)


def contract(root: str, expiry: date, right: Right, strike: Decimal) -> ContractSpec:
    """A listed contract. Raises OutsideError for other roots, CellError for an expiry that is not listed."""
    if root not in ROOTS:
        raise OutsideError(f"{root} options are not kept in this journal.")
    try:
        spec = option_contract(root, expiry, right, strike)
        problem = expiry_problem(spec)
    except (UnknownSymbolError, CalendarRangeError) as error:
        raise CellError(f"{error}.", "symbol") from None
    if problem:
        raise CellError(problem, "symbol")
    return spec


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
    if (match := _TEXT.fullmatch(symbol)) and match.group(3) in _MONTHS:
        root, day, name, year, strike, letter = match.groups()
        return root, (2000 + int(year), _MONTHS[name], int(day)), letter, Decimal(strike)
    return None


def _date(year: int, month: int, day: int, text: str) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise CellError(f"{text.strip()[:40]!r} has no date in it.", "symbol") from None

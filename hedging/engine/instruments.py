"""Exchange rules of the roots the product trades, and their symbols.

Sources: Cboe contract specifications for SPX, SPXW, VIX options and VX futures; OCC option
symbology (root padded to six, YYMMDD, C or P, strike in thousandths over eight digits).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from hedging.engine.book import ContractSpec, InstrumentKind, Settlement
from hedging.maths.types import Right


class UnknownSymbolError(ValueError):
    """The text is not a symbol of an instrument the product knows."""


@dataclass(frozen=True, slots=True)
class RootRule:
    """What the exchange fixes for a root: underlying, multiplier in dollars a point, ticks.

    ``tick_low`` applies below 3.00 points, ``tick_high`` from there on.
    """

    root: str
    underlying: str
    kind: InstrumentKind
    multiplier: int
    settlement: Settlement
    tick_low: Decimal
    tick_high: Decimal

    def tick(self, price: Decimal) -> Decimal:
        """Minimum price step at ``price``."""
        return self.tick_low if price < 3 else self.tick_high


_OPTION, _FUTURE, _SHARE = InstrumentKind.OPTION, InstrumentKind.FUTURE, InstrumentKind.SHARE
_NICKEL, _DIME, _CENT = Decimal("0.05"), Decimal("0.10"), Decimal("0.01")

ROOTS: dict[str, RootRule] = {
    rule.root: rule
    for rule in (
        RootRule("SPX", "SPX", _OPTION, 100, Settlement.AM, _NICKEL, _DIME),
        RootRule("SPXW", "SPX", _OPTION, 100, Settlement.PM, _NICKEL, _DIME),
        RootRule("VIX", "VIX", _OPTION, 100, Settlement.AM, _CENT, _NICKEL),
        RootRule("VIXW", "VIX", _OPTION, 100, Settlement.AM, _CENT, _NICKEL),
        RootRule("VX", "VX", _FUTURE, 1000, Settlement.AM, _NICKEL, _NICKEL),
        RootRule("VXX", "VXX", _SHARE, 1, Settlement.NONE, _CENT, _CENT),
    )
}

#: Letters of the months January to December in futures symbols.
FUTURE_MONTHS = "FGHJKMNQUVXZ"

_OCC = re.compile(r"^([A-Z]{1,6}) *([0-9]{6})([CP])([0-9]{8})$")
_FUTURE_SYMBOL = re.compile(r"^/?VX[/ ]([0-9]{4}-[0-9]{2}-[0-9]{2})$")


def option_contract(root: str, expiry: date, right: Right, strike: Decimal) -> ContractSpec:
    """The option contract of a known root. Raises UnknownSymbolError for other roots."""
    rule = ROOTS.get(root)
    if rule is None or rule.kind is not InstrumentKind.OPTION:
        raise UnknownSymbolError(f"{root} is not an option root this journal knows")
    if strike <= 0:
        raise UnknownSymbolError("A strike must be above zero")
    return ContractSpec(
        symbol=occ_symbol(root, expiry, right, strike),
        kind=InstrumentKind.OPTION,
        root=root,
        underlying=rule.underlying,
        multiplier=rule.multiplier,
        expiry=expiry,
        strike=float(strike),
        right=right,
        settlement=rule.settlement,
    )


def vx_future(expiry: date) -> ContractSpec:
    """The standard VX future that settles on ``expiry``."""
    rule = ROOTS["VX"]
    return ContractSpec(
        f"VX/{expiry:%Y-%m-%d}",
        InstrumentKind.FUTURE,
        "VX",
        "VX",
        rule.multiplier,
        expiry,
        settlement=Settlement.AM,
    )


def share(ticker: str) -> ContractSpec:
    """A share of a known exchange-traded product (VXX)."""
    rule = ROOTS.get(ticker)
    if rule is None or rule.kind is not InstrumentKind.SHARE:
        raise UnknownSymbolError(f"{ticker} is not a product this journal knows")
    return ContractSpec(ticker, InstrumentKind.SHARE, ticker, ticker, rule.multiplier)


def occ_symbol(root: str, expiry: date, right: Right, strike: Decimal) -> str:
    """21-character OCC symbol, for example ``SPXW  251219P05800000``."""
    thousandths = strike * 1000
    if thousandths != thousandths.to_integral_value() or thousandths >= 10**8:
        raise UnknownSymbolError(f"Strike {strike} has no OCC symbol")
    letter = "C" if right is Right.CALL else "P"
    return f"{root:<6}{expiry:%y%m%d}{letter}{int(thousandths):08d}"


def parse_symbol(text: str) -> ContractSpec:
    """Read an OCC symbol (with or without padding), ``VX/YYYY-MM-DD`` or ``VXX``.

    Raises UnknownSymbolError naming what is wrong.
    """
    symbol = text.strip().upper()
    if match := _OCC.match(symbol):
        root, day, letter, strike = match.groups()
        try:
            expiry = datetime.strptime(day, "%y%m%d").date()  # noqa: DTZ007 - a date, no time
        except ValueError:
            raise UnknownSymbolError(f"{day} in {text!r} is not a date") from None
        right = Right.CALL if letter == "C" else Right.PUT
        return option_contract(root, expiry, right, Decimal(int(strike)) / 1000)
    if match := _FUTURE_SYMBOL.match(symbol):
        try:
            return vx_future(date.fromisoformat(match.group(1)))
        except ValueError:
            raise UnknownSymbolError(f"{match.group(1)} in {text!r} is not a date") from None
    if symbol in ROOTS:
        return share(symbol)
    raise UnknownSymbolError(f"{text!r} is neither an OCC symbol, nor VX/YYYY-MM-DD, nor VXX")

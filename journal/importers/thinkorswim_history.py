"""The account trade history of a thinkorswim statement: contract, price and effect of each leg of a fill."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from hedging.engine.book import ContractSpec, Right
from journal.importers.broker_symbols import MONTHS, OutsideError, contract
from journal.importers.fields import Row, columns, local_moment, us_date
from journal.importers.rows import ZERO, RowLeg
from journal.importers.text import CellError, Cells, needed, whole

HISTORY = "Account Trade History"
_EXPIRY = re.compile(r"([0-9]{1,2}) ([A-Z]{3}) ([0-9]{2})( \[?\(?AM\)?\]?)?")
_ROOTS = {"SPX", "SPXW", "VIX", "VIXW"}
_WEEKLY = re.compile(r"\((?:WEEKLYS?|QUARTERLYS?)\)", re.IGNORECASE)
_MULTIPLIER = 100


@dataclass(frozen=True, slots=True)
class _Leg:
    """A leg as the history writes it: AM where it says so, weekly only in the order's words."""

    symbol: str
    expiry: date
    morning: bool
    right: Right
    strike: Decimal
    quantity: int
    price: Decimal
    effect: str

    @property
    def place(self) -> tuple[date, Right, float]:
        return self.expiry, self.right, float(self.strike)


@dataclass(slots=True)
class _Executed:
    """One fill; each is taken once, a damaged one never."""

    legs: list[_Leg] = field(default_factory=list)
    taken: bool = False

    @property
    def cash(self) -> Decimal:
        """Dollars of the legs before costs."""
        return sum((-leg.quantity * leg.price * _MULTIPLIER for leg in self.legs), ZERO)


class FillHistory:
    """Fills of the section by moment. What is not understood there only costs the prices of its legs."""

    def __init__(self, records: Sequence[Cells], zone: str, sections: Collection[str]) -> None:
        self._fills: dict[datetime, list[_Executed]] = {}
        names: dict[str, int] = {}
        inside, current = False, None
        for record in records:
            filled = [cell.strip() for cell in record.cells if cell.strip()]
            if len(filled) == 1 and filled[0] in sections:
                inside, names, current = filled[0] == HISTORY, {}, None
            elif inside and "Exec Time" in filled:
                names = columns(record.cells)
            elif inside and names:
                current = self._line(Row(record, names), current, zone)

    def _line(self, row: Row, current: _Executed | None, zone: str) -> _Executed | None:
        try:
            if row["Exec Time"]:
                day, _, clock = row["Exec Time"].partition(" ")
                current = _Executed()
                self._fills.setdefault(local_moment(us_date(day, ""), clock, zone, ""), []).append(current)
            if current is not None:
                current.legs.append(_leg(row))
        except CellError:
            if current is not None:
                current.taken = True
            return None
        return current

    def legs_of(
        self, wanted: Sequence[tuple[ContractSpec, int]], moment: datetime, amount: Decimal
    ) -> tuple[RowLeg, ...] | None:
        """Legs of an order with price and effect, from the fill of that moment, contracts and cash."""
        places = {(spec.expiry, spec.right, spec.strike): quantity for spec, quantity in wanted}
        for one in self._fills.get(moment, ()):
            known = {leg.place: leg for leg in one.legs}
            if one.taken or {place: leg.quantity for place, leg in known.items()} != places:
                continue
            if one.cash != amount:
                continue
            one.taken = True
            found = []
            for spec, quantity in wanted:
                assert spec.expiry is not None
                leg = known[spec.expiry, spec.right or Right.CALL, spec.strike or 0.0]
                found.append(RowLeg(spec, quantity, leg.price, leg.effect))
            return tuple(found)
        return None

    def legs_alone(self, text: str, moment: datetime, amount: Decimal) -> tuple[RowLeg, ...] | None:
        """Legs of an order whose words do not state them: the one fill of that moment and cash, or None.

        The words must name every strike. Raises CellError for a contract that is not listed.
        """
        fits = [one for one in self._fills.get(moment, ()) if not one.taken and _fits(one, text, amount)]
        if len({tuple(one.legs) for one in fits}) != 1:
            return None
        fits[0].taken = True
        weekly = _WEEKLY.search(text) is not None
        try:
            return tuple(
                RowLeg(_spec(leg, weekly=weekly), leg.quantity, leg.price, leg.effect) for leg in fits[0].legs
            )
        except OutsideError as error:
            raise CellError(str(error), "DESCRIPTION") from None


def _fits(one: _Executed, text: str, amount: Decimal) -> bool:
    stated = {Decimal(number) for number in re.findall(r"[0-9]+(?:\.[0-9]+)?", text)}
    ours = all(leg.symbol in _ROOTS and leg.strike in stated for leg in one.legs)
    return bool(one.legs) and ours and one.cash == amount


def _spec(leg: _Leg, *, weekly: bool) -> ContractSpec:
    root = leg.symbol.removesuffix("W")
    if not leg.morning and (weekly or leg.symbol.endswith("W")):
        root += "W"
    return contract(root, leg.expiry, leg.right, leg.strike)


def _leg(row: Row) -> _Leg:
    right = {"CALL": Right.CALL, "PUT": Right.PUT}.get(row["Type"].upper())
    match = _EXPIRY.fullmatch(row["Exp"].upper())
    if right is None or match is None or match.group(2) not in MONTHS:
        raise CellError("No option.")
    try:
        expiry = date(2000 + int(match.group(3)), MONTHS[match.group(2)], int(match.group(1)))
    except ValueError:
        raise CellError("No date.") from None
    return _Leg(
        row["Symbol"].upper(), expiry, bool(match.group(4)), right, needed(row["Strike"], "Strike"),
        whole(row["Qty"], "Qty"), needed(row["Price"], "Price"),
        {"TO OPEN": "open", "TO CLOSE": "close"}.get(row["Pos Effect"].upper(), ""),
    )  # fmt: skip

"""thinkorswim's account statement: sections under each other, the cash balance is the book.

``TRD`` rows name the whole order in words; the account trade history, where the file has it, gives the price
of each leg. Split fills repeat one REF #. ``RAD`` rows are expirations with the quantity that closes. The
TOTAL row must tie out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial

from hedging.engine.book import ContractSpec, Right
from hedging.selectors.calendar import CalendarRangeError
from journal.importers.broker_symbols import OutsideError, read_symbol
from journal.importers.fields import Row, columns, guarded, local_moment, plain, removal, us_date
from journal.importers.order_text import OrderTextError, parse_order
from journal.importers.rows import ZERO, Broker, BrokerRow, ParsedFile, RowKind, RowLeg, Total
from journal.importers.text import CellError, Cells, FileError, needed, number, whole

_CASH, _HISTORY = "Cash Balance", "Account Trade History"
_SECTIONS = {
    _CASH, _HISTORY, "Account Order History", "Options", "Profits and Losses", "Futures Statements",
    "Forex Statements", "Crypto Statements", "Equities", "Futures", "Futures Options", "Account Summary",
    "Forex Account Summary", "Treasuries", "Bonds", "Mutual Funds", "Order History", "Forex",
}  # fmt: skip
_HEADS = ("DATE", "TIME", "TYPE", "REF #", "DESCRIPTION", "AMOUNT", "BALANCE")
_REMOVED = re.compile(r"EXP: (-?[0-9]{1,6}(?:\.0+)?) (\.[A-Z]{1,6}[0-9]{6}[CP][0-9.]{1,9})$")
_INDEX = re.compile(r"\b(?:SPXW?|VIXW?) 100\b")
_INDEX_SYMBOL = re.compile(r"\.(?:SPXW?|VIXW?)[0-9]{6}[CP]")
_PARTS = ("Misc Fees", "Commissions & Fees", "AMOUNT")


@dataclass(slots=True)
class _Executed:
    """Legs of one fill in the trade history, by right and strike."""

    legs: dict[tuple[Right, float], tuple[int, Decimal, str]]
    cash: Decimal
    used: bool = False


def recognises(records: Sequence[Cells]) -> bool:
    """Whether the file is an account statement with a cash balance."""
    return any(_is_head(record) for record in records[:400])


def _is_head(record: Cells) -> bool:
    names = {cell.strip() for cell in record.cells}
    return all(name in names for name in _HEADS)


def parse(records: Sequence[Cells], *, zone: str) -> ParsedFile:
    """All rows of a statement; ``zone`` is the time zone the platform was set to."""
    if not recognises(records):
        raise FileError("The statement has no Cash Balance section.", line=records[0].line)
    history = _history(records, zone)
    rows: list[BrokerRow] = []
    cash_rows: list[Row] = []
    totals: list[Total] = []
    section, names = "", dict[str, int]()
    for record in records:
        first = record.cells[0].strip()
        if len([cell for cell in record.cells if cell.strip()]) == 1 and first in _SECTIONS:
            section, names = first, {}
            rows.append(plain(record, RowKind.NOTE, "Section."))
        elif section == _CASH and not names:
            names = columns(record.cells)
            rows.append(plain(record, RowKind.NOTE, "Header."))
        elif section == _CASH:
            row = Row(record, names)
            if row["DESCRIPTION"] == "TOTAL" or (not row["DATE"] and "TOTAL" in record.cells):
                rows.append(guarded(record, partial(_total, row, cash_rows, totals)))
                continue
            cash_rows.append(row)
            rows.append(guarded(record, partial(_read, row, history, zone)))
        else:
            rows.append(plain(record, *_elsewhere(section, record)))
    return ParsedFile(Broker.THINKORSWIM, "account statement", rows, totals, _breaks(cash_rows))


def _elsewhere(section: str, record: Cells) -> tuple[RowKind, str]:
    if section == "Futures Statements" and any(cell.strip() == "TRD" for cell in record.cells):
        return RowKind.OUTSIDE, "Futures statement: record VX futures by hand."
    if section == _HISTORY:
        return RowKind.NOTE, "Prices of the legs; the cash balance is the book."
    return RowKind.NOTE, section or "Title."


def _read(row: Row, history: dict[datetime, list[_Executed]], zone: str) -> BrokerRow:
    text = row["DESCRIPTION"]
    misc, commission, amount = (number(row[name], name) or ZERO for name in _PARTS)
    cash = amount + misc + commission
    kind = row["TYPE"].upper()
    if kind == "TRD":
        if not _INDEX.search(text):
            raise OutsideError("Only SPX and VIX options of this section are kept in this journal.")
        moment = local_moment(us_date(row["DATE"], "DATE"), row["TIME"], zone, "TIME")
        return _trade(row, text, moment, amount, cash, history)
    if kind == "RAD" and (match := _REMOVED.search(text)):
        spec, quantity = read_symbol(match.group(2)), whole(match.group(1), "DESCRIPTION")
        return removal(row.record, spec, quantity, amount - cash, cash, text=text)
    if _INDEX.search(text) or _INDEX_SYMBOL.search(text):
        raise CellError(
            f"{kind or 'A row without a type'} about an index option was not understood.", "DESCRIPTION"
        )
    us_date(row["DATE"], "DATE")
    return BrokerRow(row.record.line, row.record.raw, RowKind.CASH, text, cash=cash)


def _trade(
    row: Row,
    text: str,
    moment: datetime,
    amount: Decimal,
    cash: Decimal,
    history: dict[datetime, list[_Executed]],
) -> BrokerRow:
    try:
        order = parse_order(text)
    except OrderTextError as error:
        raise CellError(f"{error.message} ({error.token or 'end of the text'})", "DESCRIPTION") from None
    except CalendarRangeError as error:
        raise CellError(f"{error}.", "DESCRIPTION") from None
    own = order.signed_price * order.packages * order.legs[0][0].multiplier
    if abs(own - amount) > Decimal("0.01") * order.packages:
        raise CellError(f"AMOUNT {amount} is not quantity × price ({own}).", "AMOUNT")
    known = _match(order.legs, amount, history.get(moment, ()))
    legs = tuple(
        RowLeg(spec, quantity, *(known[_place(spec)][1:] if known else (None, "")))
        for spec, quantity in order.legs
    )
    if len(legs) == 1 and known is None:
        legs = (RowLeg(order.legs[0][0], order.legs[0][1], order.net_price),)
    reference = row["REF #"].removeprefix("=").strip('"')
    return BrokerRow(
        row.record.line, row.record.raw, RowKind.FILL, legs=legs, fees=amount - cash, cash=cash,
        moment=moment, order_id=reference, package=order.signed_price, packages=order.packages, text=text,
    )  # fmt: skip


def _place(spec: ContractSpec) -> tuple[Right, float]:
    return spec.right or Right.CALL, spec.strike or 0.0


def _match(
    legs: Sequence[tuple[ContractSpec, int]], amount: Decimal, candidates: Sequence[_Executed]
) -> dict[tuple[Right, float], tuple[int, Decimal, str]] | None:
    """The fill of the trade history with these legs and this cash; each is taken once."""
    wanted = {_place(spec): quantity for spec, quantity in legs}
    for one in candidates:
        same = {place: leg[0] for place, leg in one.legs.items()} == wanted
        if not one.used and same and abs(one.cash - amount) < 1:
            one.used = one.cash == amount
            return one.legs if one.cash == amount else None
    return None


def _history(records: Sequence[Cells], zone: str) -> dict[datetime, list[_Executed]]:
    """Fills of the account trade history by moment. What is not understood there only costs leg prices."""
    found: dict[datetime, list[_Executed]] = {}
    names: dict[str, int] = {}
    inside, current = False, None
    for record in records:
        filled = [cell.strip() for cell in record.cells if cell.strip()]
        if len(filled) == 1 and filled[0] in _SECTIONS:
            inside, names, current = filled[0] == _HISTORY, {}, None
        elif inside and "Exec Time" in filled:
            names = columns(record.cells)
        elif inside and names:
            row = Row(record, names)
            try:
                if row["Exec Time"]:
                    day, _, clock = row["Exec Time"].partition(" ")
                    current = _Executed({}, ZERO)
                    found.setdefault(local_moment(us_date(day, ""), clock, zone, ""), []).append(current)
                if current is not None:
                    _add_leg(current, row)
            except CellError:
                current = None
    return found


def _add_leg(fill: _Executed, row: Row) -> None:
    right = {"CALL": Right.CALL, "PUT": Right.PUT}.get(row["Type"].upper())
    if right is None:
        raise CellError("No option.")
    quantity, price = whole(row["Qty"], "Qty"), needed(row["Price"], "Price")
    effect = {"TO OPEN": "open", "TO CLOSE": "close"}.get(row["Pos Effect"].upper(), "")
    fill.legs[right, float(needed(row["Strike"], "Strike"))] = (quantity, price, effect)
    fill.cash -= quantity * price * 100


def _total(row: Row, seen: Sequence[Row], totals: list[Total]) -> BrokerRow:
    sums = dict.fromkeys(_PARTS, ZERO)
    for one in seen:
        for name in _PARTS:
            try:
                sums[name] += number(one[name], name) or ZERO
            except CellError:
                continue  # the row itself says so
    totals += [Total(name, number(row[name], name), sums[name]) for name in _PARTS]
    last = number(seen[-1]["BALANCE"], "BALANCE") if seen else None
    if last is not None:
        totals.append(Total("BALANCE", number(row["BALANCE"], "BALANCE"), last))
    return plain(row.record, RowKind.NOTE, "The broker's total.")


def _breaks(rows: Sequence[Row]) -> list[str]:
    """Where the running balance jumps by more than the row moved: rows are missing from the file."""
    found: list[str] = []
    before: Decimal | None = None
    for row in rows:
        try:
            moved = sum((number(row[name], name) or ZERO for name in _PARTS), ZERO)
            balance = number(row["BALANCE"], "BALANCE")
        except CellError:
            before = None
            continue
        if before is not None and balance is not None and before + moved != balance:
            found.append(
                f"Line {row.record.line}: the balance moved by {balance - before - moved:+,} more than this "
                "row says; the file leaves rows out."
            )
        before = balance
    return found[:20]

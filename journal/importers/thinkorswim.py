"""thinkorswim's account statement: sections under each other; cash balance and futures statement are books.

``TRD`` rows name the whole order in words; the account trade history, where the file has it, gives the price
of each leg, and the legs themselves where the words do not (a rolled vertical, a diagonal). Split fills
repeat one REF #. ``RAD`` rows are expirations with the quantity that closes. Futures move money by daily
marks (``ADJ``) and by the gain since the last mark; sweeps (``FSWP``) join both books. The TOTAL row and the
futures balance must tie out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial

from hedging.engine.book import ContractSpec
from hedging.selectors.calendar import CalendarRangeError
from journal.importers.broker_symbols import OutsideError, read_future, read_symbol
from journal.importers.fields import Row, columns, guarded, local_moment, plain, removal, us_date
from journal.importers.movements import INTEREST, TRANSFER, inner, movement, told_by
from journal.importers.order_text import OrderTextError, parse_order
from journal.importers.rows import ZERO, Broker, BrokerFile, BrokerRow, RowKind, RowLeg, Total
from journal.importers.text import CellError, Cells, FileError, needed, number, whole
from journal.importers.thinkorswim_history import HISTORY, FillHistory

_CASH = {"Cash Balance", "Cash & Sweep Vehicle"}
_FUTURES = "Futures Statements"
_SECTIONS = {
    *_CASH, HISTORY, _FUTURES, "Account Order History", "Options", "Profits and Losses",
    "Forex Statements", "Crypto Statements", "Equities", "Futures", "Futures Options", "Account Summary",
    "Forex Account Summary", "Treasuries", "Bonds", "Mutual Funds", "Order History", "Forex",
}  # fmt: skip
_HEADS = ("DATE", "TIME", "TYPE", "REF #", "DESCRIPTION", "AMOUNT", "BALANCE")
_FUTURES_HEADS = ("Trade Date", "Exec Date", "Exec Time", "Type", "Description", "Amount", "Balance")
_REMOVED = re.compile(r"EXP: (-?[0-9]{1,6}(?:\.0+)?) (\.[A-Z]{1,6}[0-9]{6}[CP][0-9.]{1,9})$")
#: As TD Ameritrade wrote an expiration: the signed quantity that closes, and the contract in words.
_EXPIRED = re.compile(r"REMOVAL OF OPTION DUE TO EXPIRATION (-?[0-9]{1,6}(?:\.0+)?) (.+)$")
_INDEX = re.compile(r"\b(?:SPXW?|VIXW?) 100\b")
_INDEX_SYMBOL = re.compile(r"\.(?:SPXW?|VIXW?)[0-9]{6}[CP]")
_PARTS = ("Misc Fees", "Commissions & Fees", "AMOUNT")
_FUTURES_PARTS = ("Misc Fees", "Commissions & Fees", "Amount")
_FUTURE = re.compile(
    r"(BOT|SOLD) ([+-]?[0-9,]{1,7}) (/[A-Z0-9]{2,10}(?::[A-Z]{1,8})?) @([0-9]{1,6}(?:\.[0-9]{1,6})?)$"
)
_MARK = re.compile(r"MARK TO (?:THE )?MARKET", re.IGNORECASE)
_DELIVERED = re.compile(r"\b(?:REMOVED|EXPIR|ASSIGN|EXERCIS|DELIVER)", re.IGNORECASE)
_EXPONENT = re.compile(r"[0-9]+(?:[.,][0-9]+)?E\+?[0-9]+", re.IGNORECASE)
#: Types that say that money came from outside or went there.
_TRANSFERS = {"EFN", "WIN", "WOU", "WDR", "ACH"}


def recognises(records: Sequence[Cells]) -> bool:
    """Whether the file is an account statement with a cash balance."""
    return any(_is_head(record) for record in records[:400])


def _is_head(record: Cells) -> bool:
    names = {cell.strip() for cell in record.cells}
    return all(name in names for name in _HEADS)


def parse(records: Sequence[Cells], *, zone: str) -> BrokerFile:
    """All rows of a statement; ``zone`` is the time zone the platform was set to."""
    if not recognises(records):
        raise FileError("The statement has no Cash Balance section.", line=records[0].line)
    history = FillHistory(records, zone, _SECTIONS)
    rows: list[BrokerRow] = []
    cash_rows: list[Row] = []
    futures: list[Row] = []
    totals: list[Total] = []
    section, names = "", dict[str, int]()
    for record in records:
        first = record.cells[0].strip()
        if len([cell for cell in record.cells if cell.strip()]) == 1 and first in _SECTIONS:
            section, names = first, {}
            rows.append(plain(record, RowKind.NOTE, "Section."))
        elif (section in _CASH and not names) or (
            section == _FUTURES and set(columns(record.cells)) >= set(_FUTURES_HEADS)
        ):
            names = columns(record.cells)
            rows.append(plain(record, RowKind.NOTE, "Header."))
        elif section == _FUTURES and (Row(record, names)["Type"] or "TRD" in record.cells):
            row = Row(record, names)
            futures.append(row)
            rows.append(guarded(record, partial(_future, row, zone), partial(_moved, row, _FUTURES_PARTS)))
        elif section in _CASH:
            row = Row(record, names)
            if row["DESCRIPTION"] == "TOTAL" or (not row["DATE"] and "TOTAL" in record.cells):
                rows.append(guarded(record, partial(_total, row, cash_rows, totals)))
                continue
            cash_rows.append(row)
            rows.append(guarded(record, partial(_read, row, history, zone), partial(_moved, row, _PARTS)))
        else:
            rows.append(plain(record, *_elsewhere(section, record)))
    remarks = _breaks(cash_rows, _PARTS, "BALANCE") + _breaks(futures, _FUTURES_PARTS, "Balance")
    parts = [total.stated for total in totals[: len(_PARTS)]]
    stated = sum((part or ZERO for part in parts), ZERO) if any(part is not None for part in parts) else None
    if futures and (balance := _futures_total(futures)) is not None:
        totals.append(balance[0])
        stated = None if stated is None else stated + balance[1]
    return BrokerFile(Broker.THINKORSWIM, "account statement", rows, totals, remarks, stated=stated)


def _moved(row: Row, parts: Sequence[str]) -> Decimal:
    """What a row moved, costs included."""
    return sum((number(row[name], name) or ZERO for name in parts), ZERO)


def _elsewhere(section: str, record: Cells) -> tuple[RowKind, str]:
    if section == HISTORY:
        return RowKind.NOTE, "Prices of the legs; the cash balance is the book."
    return RowKind.NOTE, section or "Title."


def _read(row: Row, history: FillHistory, zone: str) -> BrokerRow:
    text = row["DESCRIPTION"]
    amount, cash = number(row["AMOUNT"], "AMOUNT") or ZERO, _moved(row, _PARTS)
    kind = row["TYPE"].upper()
    if kind == "TRD":
        if not _INDEX.search(text):
            raise OutsideError("Only SPX and VIX options of this section are kept in this journal.")
        moment = local_moment(us_date(row["DATE"], "DATE"), row["TIME"], zone, "TIME")
        return _trade(row, text, moment, amount, cash, history)
    if kind == "RAD" and (match := _REMOVED.search(text)):
        spec, quantity = read_symbol(match.group(2)), whole(match.group(1), "DESCRIPTION")
        return removal(row.record, spec, quantity, amount - cash, cash, text=text)
    if kind == "RAD" and (match := _EXPIRED.search(text)) and _INDEX.search(text):
        quantity = whole(match.group(1), "DESCRIPTION")
        return removal(row.record, _in_words(match.group(2)), quantity, amount - cash, cash, text=text)
    if _INDEX.search(text) or _INDEX_SYMBOL.search(text):
        raise CellError(
            f"{kind or 'A row without a type'} about an index option was not understood.", "DESCRIPTION"
        )
    moment = local_moment(us_date(row["DATE"], "DATE"), row["TIME"], zone, "TIME")
    return _other(row, kind, text, cash, moment, row["REF #"])


def _other(row: Row, kind: str, text: str, cash: Decimal, moment: datetime, reference: str) -> BrokerRow:
    """A row of either book that is no trade: balances, sweeps and marks are shown, movements recorded."""
    if kind == "BAL":
        return plain(row.record, RowKind.NOTE, text or "Balance.")
    if kind == "FSWP":
        return inner(row.record, "A sweep between the cash and the futures balance.", cash)
    if _MARK.search(text):
        return inner(row.record, "Daily mark of futures; their fills carry the result.", cash)
    if kind == "RAD" and _DELIVERED.search(text):
        raise OutsideError(f"{text[:120]} is not kept in this journal.")
    sides = TRANSFER if kind in _TRANSFERS else told_by(text)
    if sides is None and kind == "INT":
        sides = INTEREST
    word = " ".join((kind, *re.sub(r"[^A-Z ]", " ", text.upper()).split()[:4]))
    return movement(row.record, word, text, cash, sides, moment=moment, reference=_reference(reference))


def _in_words(text: str) -> ContractSpec:
    """The contract of ``SPX 100 (Weeklys) 5 FEB 21 3800 PUT``."""
    try:
        return parse_order(f"BOT +1 {text} @1.00").legs[0][0]
    except (OrderTextError, CalendarRangeError):
        raise CellError(f"{text[:60]!r} is not a contract.", "DESCRIPTION") from None


def _reference(text: str) -> str:
    """The REF # as the platform wrote it; a spreadsheet's exponent form has lost its digits and is none."""
    found = text.removeprefix("=").strip('"').replace("--", "")
    return "" if _EXPONENT.fullmatch(found) else found


def _future(row: Row, zone: str) -> BrokerRow:
    """A row of the futures statement: VX fills by their price, everything else as in the cash balance."""
    kind, text, cash = row["Type"].upper(), row["Description"], _moved(row, _FUTURES_PARTS)
    moment = local_moment(us_date(row["Exec Date"], "Exec Date"), row["Exec Time"], zone, "Exec Time")
    if kind != "TRD":
        return _other(row, kind, text, cash, moment, row["Ref #"])
    match = _FUTURE.search(text)
    spec = read_future(match.group(3), moment.date()) if match else None
    if match is None or spec is None:
        if re.search(r"/VX[FGHJKMNQUVXZ]?[0-9]", text):
            raise CellError("A row about VX futures was not understood.", "Description")
        raise OutsideError("Of futures only VX is kept in this journal.")
    quantity, price = whole(match.group(2), "Description"), needed(match.group(4), "Description")
    if not quantity or (quantity > 0) != (match.group(1) == "BOT"):
        raise CellError(f"{match.group(1)} and {match.group(2)} contradict each other.", "Description")
    fees = -sum((number(row[name], name) or ZERO for name in _FUTURES_PARTS[:2]), ZERO)
    return BrokerRow(
        row.record.line, row.record.raw, RowKind.FILL, legs=(RowLeg(spec, quantity, price),), fees=fees,
        cash=cash, moment=moment, order_id=_reference(row["Ref #"]), text=text,
    )  # fmt: skip


def _futures_total(rows: Sequence[Row]) -> tuple[Total, Decimal] | None:
    """The last futures balance beside the first and what the rows moved; and the change it states."""
    try:
        moved = sum((_moved(row, _FUTURES_PARTS) for row in rows), ZERO)
        first, last = number(rows[0]["Balance"], "Balance"), number(rows[-1]["Balance"], "Balance")
        if first is None or last is None:
            return None
        opening = first - _moved(rows[0], _FUTURES_PARTS)
    except CellError:
        return None  # the row itself says so
    return Total("Futures balance", last, opening + moved), last - opening


def _trade(
    row: Row,
    text: str,
    moment: datetime,
    amount: Decimal,
    cash: Decimal,
    history: FillHistory,
) -> BrokerRow:
    try:
        order = parse_order(text)
    except OrderTextError as error:
        executed = history.legs_alone(text, moment, amount)
        if executed is None:
            raise CellError(f"{error.message} ({error.token or 'end of the text'})", "DESCRIPTION") from None
        return BrokerRow(
            row.record.line, row.record.raw, RowKind.FILL, "Legs from the account trade history.",
            legs=executed, fees=amount - cash, cash=cash, moment=moment,
            order_id=_reference(row["REF #"]), text=text,
        )  # fmt: skip
    except CalendarRangeError as error:
        raise CellError(f"{error}.", "DESCRIPTION") from None
    own = order.signed_price * order.packages * order.legs[0][0].multiplier
    if abs(own - amount) > Decimal("0.01") * order.packages:
        raise CellError(f"AMOUNT {amount} is not quantity × price ({own}).", "AMOUNT")
    known = history.legs_of(order.legs, moment, amount)
    legs = known or tuple(RowLeg(spec, quantity, None) for spec, quantity in order.legs)
    if len(legs) == 1 and known is None:
        legs = (RowLeg(order.legs[0][0], order.legs[0][1], order.net_price),)
    return BrokerRow(
        row.record.line, row.record.raw, RowKind.FILL, legs=legs, fees=amount - cash, cash=cash,
        moment=moment, order_id=_reference(row["REF #"]), package=order.signed_price,
        packages=order.packages, text=text,
    )  # fmt: skip


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


def _breaks(rows: Sequence[Row], parts: Sequence[str], column: str) -> list[str]:
    """Where the running balance jumps by more than the row moved: rows are missing from the file."""
    found: list[str] = []
    before: Decimal | None = None
    for row in rows:
        try:
            moved, balance = _moved(row, parts), number(row[column], column)
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

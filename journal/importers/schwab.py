"""Schwab's transaction history. No time and no order id: grouping is left to a review.

``04/24/2026 as of 04/23/2026``: the later date counts, it is when it happened. Expired rows carry the signed
quantity that closes. A title line may precede the header, a ``Transactions Total`` line may follow the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import partial

from journal.importers.broker_symbols import read_symbol
from journal.importers.fields import Row, columns, guarded, plain, removal, us_date
from journal.importers.rows import ZERO, Broker, BrokerRow, ParsedFile, RowKind, RowLeg, Total
from journal.importers.text import CellError, Cells, FileError, needed, number, whole

_NAMES = {"Date", "Action", "Symbol", "Description", "Quantity", "Price", "Fees & Comm", "Amount"}
_TRADES = {
    "buy to open": (1, "open"),
    "sell to open": (-1, "open"),
    "buy to close": (1, "close"),
    "sell to close": (-1, "close"),
}
_SETTLED = {"assigned", "exchange or exercise", "exercised", "cash settled"}


def recognises(header: Sequence[str]) -> bool:
    """Whether this is Schwab's header."""
    return set(columns(header)) >= _NAMES


def parse(records: Sequence[Cells]) -> ParsedFile:
    """All rows of a file; the header may be the first or the second record."""
    at = next((n for n, record in enumerate(records[:3]) if recognises(record.cells)), None)
    if at is None:
        raise FileError("The header is not Schwab's.", line=records[0].line)
    names = columns(records[at].cells)
    rows = [plain(record, RowKind.NOTE, "Title or header.") for record in records[: at + 1]]
    stated: Decimal | None = None
    computed = ZERO
    for record in records[at + 1 :]:
        row = Row(record, names)
        if row["Date"].lower().startswith("transactions total"):
            rows.append(plain(record, RowKind.NOTE, "The broker's total."))
            stated = _total(record)
            continue
        found = guarded(record, partial(_read, row))
        computed += _amount(row)
        rows.append(found)
    totals = [Total("Transactions Total", stated, computed)] if stated is not None else []
    return ParsedFile(Broker.SCHWAB, "transactions", rows, totals)


def _total(record: Cells) -> Decimal | None:
    for cell in reversed(record.cells[1:]):
        try:
            found = number(cell, "Amount")
        except CellError:
            return None
        if found is not None:
            return found
    return None


def _amount(row: Row) -> Decimal:
    try:
        return number(row["Amount"], "Amount") or ZERO
    except CellError:
        return ZERO


def _read(row: Row) -> BrokerRow:
    action = row["Action"].lower()
    stated, _, as_of = row["Date"].partition(" as of ")
    day = us_date(as_of or stated, "Date")
    amount, fees = number(row["Amount"], "Amount"), number(row["Fees & Comm"], "Fees & Comm") or ZERO
    line, raw = row.record.line, row.record.raw
    if action not in _TRADES and action != "expired" and action not in _SETTLED:
        if row["Symbol"]:
            read_symbol(row["Symbol"])  # an index option with an unknown action is an error
            raise CellError(f"Action {row['Action'][:40]!r} is not known.", "Action")
        return BrokerRow(line, raw, RowKind.CASH, row["Description"] or row["Action"], cash=amount, day=day)
    spec = read_symbol(row["Symbol"])
    count = whole(row["Quantity"], "Quantity")
    if not count:
        raise CellError("Quantity is zero.", "Quantity")
    if action == "expired":
        return removal(row.record, spec, count, fees, amount or -fees)
    cash = needed(row["Amount"], "Amount")
    if action in _SETTLED:
        return removal(row.record, spec, count, fees, cash)
    sign, effect = _TRADES[action]
    count, price = sign * abs(count), needed(row["Price"], "Price")
    gap = cash - (-count * price * spec.multiplier - fees)
    if abs(gap) > Decimal("0.01") * abs(count):
        raise CellError(f"Amount {cash} is not quantity × price − fees ({cash - gap}).", "Amount")
    # The amount is what moved; a rounded price gives its cent to the fees.
    return BrokerRow(
        line, raw, RowKind.FILL, f"Amount differs from its parts by {gap:+}; it is kept." if gap else "",
        legs=(RowLeg(spec, count, price, effect),), fees=fees - gap, cash=cash, day=day,
    )  # fmt: skip

"""Schwab's transaction history. No time and no order id: grouping is left to a review.

``04/24/2026 as of 04/23/2026``: the later date counts, it is when it happened. Expired rows carry the signed
quantity that closes. A title line may precede the header, a ``Transactions Total`` line may follow the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import partial

from journal.importers.broker_symbols import OutsideError, read_symbol
from journal.importers.fields import Row, columns, guarded, plain, removal, us_date
from journal.importers.movements import (
    DIVIDEND,
    FEE,
    INTEREST,
    INTEREST_PAID,
    OTHER,
    TRANSFER,
    known_sides,
    movement,
)
from journal.importers.rows import ZERO, Broker, BrokerFile, BrokerRow, RowKind, RowLeg, Total
from journal.importers.text import CellError, Cells, FileError, needed, number, whole

_NAMES = {"Date", "Action", "Symbol", "Description", "Quantity", "Price", "Fees & Comm", "Amount"}
_TRADES = {
    "buy to open": (1, "open"),
    "sell to open": (-1, "open"),
    "buy to close": (1, "close"),
    "sell to close": (-1, "close"),
}
_SETTLED = {"assigned", "exchange or exercise", "exercised", "cash settled"}
_MOVEMENTS = {
    **dict.fromkeys(
        ("moneylink transfer", "moneylink deposit", "moneylink adj", "wire funds", "wire funds received",
         "wire funds adj", "wire received", "wire sent", "funds received", "funds paid", "internal transfer",
         "direct deposit", "atm withdrawal", "visa purchase"),
        TRANSFER,
    ),
    **dict.fromkeys(("bank interest", "credit interest", "bond interest", "interest adj"), INTEREST),
    **dict.fromkeys(
        ("cash dividend", "qualified dividend", "qual div reinvest", "non-qualified div", "special dividend",
         "special qual div", "special non qual div", "pr yr cash div", "pr yr div reinvest",
         "pr yr special div", "reinvest dividend", "cash in lieu", "long term cap gain",
         "short term cap gain", "long term cap gain reinvest", "short term cap gain reinvest",
         "div adjustment"),
        DIVIDEND,
    ),
    **dict.fromkeys(("service fee", "adr mgmt fee", "misc fees", "margin fee", "regulatory fee"), FEE),
    **dict.fromkeys(
        ("foreign tax paid", "nra tax adj", "tax withholding", "promotional award", "misc credits"), OTHER
    ),
    "margin interest": INTEREST_PAID,
}  # fmt: skip


def recognises(header: Sequence[str]) -> bool:
    """Whether this is Schwab's header."""
    return set(columns(header)) >= _NAMES


def parse(records: Sequence[Cells]) -> BrokerFile:
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
        found = guarded(record, partial(_read, row), partial(_amount, row))
        computed += _amount(row)
        rows.append(found)
    totals = [Total("Transactions Total", stated, computed)] if stated is not None else []
    return BrokerFile(Broker.SCHWAB, "transactions", rows, totals, stated=stated)


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


def _moved(row: Row, amount: Decimal | None, day: date) -> BrokerRow:
    """Everything but trades and expirations of options."""
    sides = known_sides(_MOVEMENTS, row["Action"])
    if row["Symbol"] and sides is None:
        read_symbol(row["Symbol"])  # what it is about is not kept, or the action is not known
        raise CellError(f"Action {row['Action'][:40]!r} is not known.", "Action")
    if sides is not None and row["Quantity"] and row["Price"]:
        raise OutsideError(f"{row['Action']} of {row['Symbol'] or 'shares'} is not kept in this journal.")
    text = " ".join(filter(None, (row["Symbol"], row["Description"] or row["Action"])))
    return movement(row.record, row["Action"], text, amount, sides, day=day)


def _read(row: Row) -> BrokerRow:
    action = row["Action"].lower()
    stated, _, as_of = row["Date"].partition(" as of ")
    day = us_date(as_of or stated, "Date")
    amount, fees = number(row["Amount"], "Amount"), number(row["Fees & Comm"], "Fees & Comm") or ZERO
    line, raw = row.record.line, row.record.raw
    if action not in _TRADES and action != "expired" and action not in _SETTLED:
        return _moved(row, amount, day)
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

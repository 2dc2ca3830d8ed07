"""Fidelity's account history. No time and no order id: grouping is left to a review.

Blank lines stand before the header and a disclaimer after the rows. Symbols have a leading space and dash.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import partial

from journal.importers.broker_symbols import read_symbol
from journal.importers.fields import Row, columns, guarded, one_account, plain, removal, us_date
from journal.importers.movements import TRANSFER, inner, movement, told_by
from journal.importers.rows import ZERO, Broker, BrokerFile, BrokerRow, RowKind, RowLeg
from journal.importers.text import CellError, Cells, FileError, needed, number, whole

_NAMES = {"Run Date", "Action", "Symbol", "Quantity"}
_TRADE = re.compile(r"YOU (BOUGHT|SOLD) (OPENING|CLOSING) TRANSACTION\b")
_EXPIRED = re.compile(r"EXPIRED\b")
_SETTLED = re.compile(r"(?:CASH SETTLE(?:MENT|D)?|ASSIGNED|EXERCISED)\b")
#: Money that moves between the cash and the fund it is kept in.
_CORE = re.compile(r"(?:PURCHASE INTO|REDEMPTION FROM) CORE ACCOUNT\b")
_SHARES = re.compile(r"(?:YOU (?:BOUGHT|SOLD)|REINVESTMENT|IN LIEU OF FRX)\b")
_DAY = re.compile(r"[0-9]{2}/[0-9]{2}/[0-9]{4}")


def recognises(header: Sequence[str]) -> bool:
    """Whether this is Fidelity's header."""
    return set(columns(header)) >= _NAMES


def parse(records: Sequence[Cells]) -> BrokerFile:
    """All rows of a file; text after the last dated row is its disclaimer."""
    at = next((n for n, record in enumerate(records[:6]) if recognises(record.cells)), None)
    if at is None:
        raise FileError("The header is not Fidelity's.", line=records[0].line)
    names = columns(records[at].cells)
    rows = [plain(record, RowKind.NOTE, "Title or header.") for record in records[: at + 1]]
    one_account(Row(record, names)["Account Number"] for record in records[at + 1 :])
    for record in records[at + 1 :]:
        row = Row(record, names)
        if len(record.cells) <= 2 and not _DAY.match(row["Run Date"]):
            rows.append(plain(record, RowKind.NOTE, "Disclaimer."))
            continue
        rows.append(guarded(record, partial(_read, row), partial(_money, row, "Amount")))
    return BrokerFile(Broker.FIDELITY, "history", rows)


def _money(row: Row, name: str) -> Decimal | None:
    """A column with or without its unit in the header."""
    return number(row[f"{name} ($)"] or row[name], name)


def _moved(row: Row, action: str, amount: Decimal | None, day: date) -> BrokerRow:
    """Everything but trades and expirations of options: the words of the action say what it is."""
    if row["Symbol"].lstrip(" -").upper().startswith(("SPX", "VIX")):
        raise CellError(f"Action {row['Action'][:40]!r} is not known.", "Action")
    if _CORE.match(action):
        return inner(row.record, "Between the cash and its money market fund.", amount)
    if _SHARES.match(action):
        read_symbol(row["Symbol"] or "?")  # what it is about is not kept, or the action is not known
        raise CellError(f"Action {row['Action'][:40]!r} is not known.", "Action")
    sides = told_by(action)
    if sides is None and action.startswith(("TRANSFERRED", "TRANSFER OF")):
        sides = TRANSFER
    word = " ".join(re.sub(r"[^A-Z ]", " ", action).split()[:3])
    return movement(row.record, word, row["Action"][:200], amount, sides, day=day)


def _read(row: Row) -> BrokerRow:
    day, action = us_date(row["Run Date"], "Run Date"), row["Action"].upper()
    line, raw, amount = row.record.line, row.record.raw, _money(row, "Amount")
    trade, expired, settled = _TRADE.match(action), _EXPIRED.match(action), _SETTLED.match(action)
    if not (trade or expired or settled):
        return _moved(row, action, amount, day)
    spec = read_symbol(row["Symbol"])
    count = whole(row["Quantity"], "Quantity")
    if not count:
        raise CellError("Quantity is zero.", "Quantity")
    fees = (_money(row, "Commission") or ZERO) + (_money(row, "Fees") or ZERO)
    if expired:
        return removal(row.record, spec, count, fees, amount or -fees)
    if amount is None:
        raise CellError("Amount is missing.", "Amount")
    if settled:
        return removal(row.record, spec, count, fees, amount)
    assert trade is not None
    sign = 1 if trade.group(1) == "BOUGHT" else -1
    if count * sign < 0:
        raise CellError(f"Quantity {count:+d} contradicts {trade.group(1)}.", "Quantity")
    price = needed(row["Price ($)"] or row["Price"], "Price")
    gap = amount - (-count * price * spec.multiplier - fees)
    if abs(gap) > Decimal("0.01") * abs(count) * spec.multiplier:
        raise CellError(f"Amount {amount} is not quantity × price − costs ({amount - gap}).", "Amount")
    # The price is rounded to the cent; the amount is what moved, so it fixes the price.
    exact = round(abs(amount + fees) / (abs(count) * spec.multiplier), 6)
    effect = "open" if trade.group(2) == "OPENING" else "close"
    return BrokerRow(
        line, raw, RowKind.FILL, legs=(RowLeg(spec, count, exact, effect),), fees=fees, cash=amount, day=day
    )

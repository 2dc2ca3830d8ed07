"""tastytrade's transaction history, in its three header variants.

With ``Total``: Total = Value + Commissions + Fees, costs negative. Without ``Total``: fees carry no sign to
rely on. The legacy form (15 columns, ``Transaction Code``) names root, expiry and strike apart and has no
offset in its times. ``Expiration Date`` is never read where a symbol stands: exports shift it by a day.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial

from hedging.engine.book import ContractSpec, InstrumentKind, Right
from hedging.selectors.calendar import NEW_YORK, session_on_or_before, third_friday, vix_expiry
from journal.importers.broker_symbols import OutsideError, contract, read_future, read_symbol
from journal.importers.fields import Row, columns, guarded, local_moment, plain, settlement_of, us_date
from journal.importers.movements import (
    DEPOSIT,
    DIVIDEND,
    FEE,
    INTEREST_EARNED,
    INTEREST_PAID,
    OTHER,
    TRANSFER,
    WITHDRAWAL,
    inner,
    known_sides,
    movement,
    told_by,
)
from journal.importers.rows import ZERO, Broker, BrokerFile, BrokerRow, RowKind, RowLeg, Total
from journal.importers.text import CellError, Cells, FileError, needed, number, whole

_MODERN = {"Date", "Type", "Action", "Symbol", "Value", "Quantity", "Commissions", "Fees"}
_LEGACY = {"Date/Time", "Transaction Code", "Transaction Subcode", "Symbol", "Buy/Sell", "Quantity", "Amount"}
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:Z|[+-][0-9]{2}:?[0-9]{2})")
_REMOVALS = {"assignment": "cash settled assignment", "exercise": "cash settled exercise"}
_CASH_SETTLED = {"cash settled assignment": 1, "cash settled exercise": -1}
_TOLERANCE = Decimal("0.01")
_MOVEMENTS = {
    "deposit": DEPOSIT, "withdrawal": WITHDRAWAL, "transfer": TRANSFER, "wire": TRANSFER, "ach": TRANSFER,
    "credit interest": INTEREST_EARNED, "debit interest": INTEREST_PAID, "dividend": DIVIDEND,
    "special dividend": DIVIDEND, "fee": FEE, "fully paid stock lending income": OTHER,
}  # fmt: skip
_MARKED = "mark to market"
_FUTURE_PRICE = re.compile(r"(?:BOUGHT|SOLD|BUY|SELL)\b.* @ ([0-9][0-9,]*(?:\.[0-9]+)?)\s*$", re.IGNORECASE)
_SIDES = {"BUY": 1, "SELL": -1}


def recognises(header: Sequence[str]) -> bool:
    """Whether a header belongs to one of the variants."""
    names = set(columns(header))
    return names >= _MODERN or names >= _LEGACY


def parse(records: Sequence[Cells], *, zone: str) -> BrokerFile:
    """All rows of a file whose first record is its header; ``zone`` reads times without an offset."""
    names = columns(records[0].cells)
    if not recognises(records[0].cells):
        raise FileError("The header is not one of tastytrade's.", line=records[0].line)
    rows = [Row(record, names) for record in records[1:]]
    if "Transaction Code" in names:
        legacy = [
            guarded(row.record, partial(_legacy, row, zone), partial(_legacy_cash, row)) for row in rows
        ]
        return BrokerFile(Broker.TASTYTRADE, "legacy (15 columns)", _headed(records[0], legacy))
    with_total = "Total" in names
    paired = Counter(
        (row["Symbol"], row["Sub Type"].lower()) for row in rows if row["Sub Type"].lower() in _CASH_SETTLED
    )
    read = [
        guarded(
            row.record, partial(_modern, row, paired, with_total=with_total),
            partial(_row_cash, row, with_total=with_total),
        )
        for row in rows
    ]  # fmt: skip
    if with_total:
        totals = _totals(rows)
        return BrokerFile(
            Broker.TASTYTRADE, "with Total", _headed(records[0], read), totals=totals, stated=totals[0].stated
        )
    remark = "This export states no Total: commissions and fees are taken as costs whatever their sign."
    return BrokerFile(Broker.TASTYTRADE, "without Total", _headed(records[0], read), remarks=(remark,))


def _headed(header: Cells, rows: list[BrokerRow]) -> list[BrokerRow]:
    return [plain(header, RowKind.NOTE, "Header."), *rows]


def _modern(row: Row, paired: Counter[tuple[str, str]], *, with_total: bool) -> BrokerRow:
    kind, sub = row["Type"].lower(), (row["Sub Type"] or row["Action"].replace("_", " ")).lower()
    value, fees, cash, message = _money(row, with_total=with_total)
    if kind == "money movement":
        return _moved(row, row["Sub Type"], cash, _moment(row["Date"]))
    if kind not in {"trade", "receive deliver"}:
        raise CellError(f"Type {row['Type'][:40]!r} is not known.", "Type")
    if row["Instrument Type"].lower() == "future":
        return _future(row, kind, fees, cash)
    spec = _spec(row)
    count = abs(whole(row["Quantity"], "Quantity"))
    if not count:
        raise CellError("Quantity is zero.", "Quantity")
    if sub in _REMOVALS:
        if not paired[row["Symbol"], _REMOVALS[sub]]:
            raise CellError(f"{row['Sub Type']} without the row that states its cash.", "Value")
        return _row(row, RowKind.NOTE, "Removal; the cash settlement row closes the contracts.", cash=cash)
    if sub in _CASH_SETTLED:
        sign = _CASH_SETTLED[sub]
        if value * sign > 0:
            raise CellError(f"{row['Sub Type']} with Value {value} has the wrong sign.", "Value")
        leg = RowLeg(spec, sign * count, _price(value, count, spec), "close")
        return _row(row, RowKind.SETTLEMENT, message, leg, fees, cash, settlement_of(spec))
    action = row["Action"].upper().replace(" ", "_")
    if sub == "expiration":
        sign = {"BUY_TO_CLOSE": 1, "SELL_TO_CLOSE": -1}.get(action, 0)
        leg = RowLeg(spec, (sign or 1) * count, ZERO, "close", signed=bool(sign))
        return _row(row, RowKind.EXPIRY, message, leg, fees, cash, settlement_of(spec))
    if kind == "receive deliver" and not value:
        raise CellError(
            f"{row['Sub Type'] or 'A transfer'} brought the position in: say the price it was opened at.",
            "Value",
        )
    return _row(
        row, RowKind.FILL, message, _traded(row, spec, count, value), fees, cash, _moment(row["Date"])
    )


def _traded(row: Row, spec: ContractSpec, count: int, value: Decimal) -> RowLeg:
    """The leg that an action such as SELL_TO_OPEN traded."""
    side, _, effect = row["Action"].upper().replace(" ", "_").partition("_TO_")
    if side not in {"BUY", "SELL"} or effect not in {"OPEN", "CLOSE"}:
        raise CellError(f"Action {row['Action'][:40]!r} is not known.", "Action")
    sign = 1 if side == "BUY" else -1
    if value * sign > 0:
        raise CellError(f"{row['Action']} with Value {value} has the wrong sign.", "Value")
    return RowLeg(spec, sign * count, _price(value, count, spec), effect.lower())


def _moved(row: Row, name: str, cash: Decimal, moment: datetime) -> BrokerRow:
    """A row of money movement; daily marks of futures are not booked, their fills carry the result."""
    if name.lower() == _MARKED:
        return inner(row.record, "Daily mark of a future; its fills carry the result.", cash)
    if row["Currency"] not in {"", "USD"}:
        raise CellError(f"{row['Currency'][:8]} is not dollars: say how many dollars it was.", "Currency")
    text = " ".join(filter(None, (row["Symbol"], row["Description"] or name)))
    sides = known_sides(_MOVEMENTS, name)
    if name.lower() == "balance adjustment":
        sides = FEE if told_by(text) is FEE else OTHER
    return movement(row.record, name, text, cash, sides, moment=moment)


def _future(row: Row, kind: str, fees: Decimal, cash: Decimal) -> BrokerRow:
    """A VX fill: its price stands in the description alone, its value is zero or the gain since a mark."""
    moment = _moment(row["Date"])
    spec = read_future(row["Symbol"], moment.astimezone(NEW_YORK).date())
    if spec is None:
        raise OutsideError(f"Future {row['Symbol']} is not kept in this journal.")
    count, price = abs(whole(row["Quantity"], "Quantity")), _FUTURE_PRICE.search(row["Description"])
    sign = _SIDES.get(row["Action"].upper().replace(" ", "_").partition("_TO_")[0], 0)
    if kind != "trade" or not sign:
        raise CellError(f"{row['Sub Type'][:40]!r} of a future is not known.", "Sub Type")
    if not count:
        raise CellError("Quantity is zero.", "Quantity")
    if price is None:
        raise CellError("The description does not state the price of the future.", "Description")
    said = row["Sub Type"].lower()
    effect = "open" if said.endswith("to open") else "close" if said.endswith("to close") else ""
    leg = RowLeg(spec, sign * count, needed(price.group(1), "Description"), effect)
    return _row(row, RowKind.FILL, "", leg, fees, cash, moment)


def _row_cash(row: Row, *, with_total: bool) -> Decimal | None:
    """What a row that is not recorded moved all the same; None in another currency."""
    if row["Currency"] not in {"", "USD"}:
        return None
    if with_total:
        return number(row["Total"], "Total")
    return _money(row, with_total=False)[2]


def _legacy_cash(row: Row) -> Decimal | None:
    """As ``_row_cash``, for the legacy form, whose amounts may stand without a sign."""
    amount, fees = needed(row["Amount"], "Amount"), abs(number(row["Fees"], "Fees") or ZERO)
    side = row["Buy/Sell"].upper()
    return ({"BUY": -abs(amount), "SELL": abs(amount)}.get(side, amount)) - fees


def _row(
    row: Row,
    kind: RowKind,
    message: str,
    leg: RowLeg | None = None,
    fees: Decimal = ZERO,
    cash: Decimal | None = None,
    moment: datetime | None = None,
) -> BrokerRow:
    return BrokerRow(
        row.record.line, row.record.raw, kind, message, legs=(leg,) if leg else (), fees=fees, cash=cash,
        moment=moment, order_id=row["Order #"] if kind is RowKind.FILL else "",
    )  # fmt: skip


def _money(row: Row, *, with_total: bool) -> tuple[Decimal, Decimal, Decimal, str]:
    """Value, fees as a cost, what the row moved in all, and a remark where its parts do not add up."""
    value = number(row["Value"], "Value") or ZERO
    commissions = number(row["Commissions"], "Commissions") or ZERO
    fees = number(row["Fees"], "Fees") or ZERO
    if not with_total:
        cost = abs(commissions) + abs(fees)
        return value, round(cost, 6), value - cost, ""
    total = needed(row["Total"], "Total")
    gap = total - (value + commissions + fees)
    if abs(gap) > _TOLERANCE:
        raise CellError(f"Total {total} is not Value + Commissions + Fees ({total - gap}).", "Total")
    message = f"Total differs from its parts by {gap:+}; the Total is kept." if gap else ""
    return value, value - total, total, message


def _spec(row: Row) -> ContractSpec:
    if row["Instrument Type"] not in {"Equity Option", "Equity", ""}:
        raise OutsideError(f"{row['Instrument Type']} {row['Symbol']} is not kept in this journal.")
    return read_symbol(row["Symbol"])


def _price(value: Decimal, count: int, spec: ContractSpec) -> Decimal:
    return round(abs(value) / (count * spec.multiplier), 6)


def _moment(text: str) -> datetime:
    if not _TIME.fullmatch(text):
        raise CellError(f"Date: {text[:40]!r} is not a time with its offset.", "Date")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise CellError(f"Date: {text[:40]!r} is not a time.", "Date") from None


def _totals(rows: Sequence[Row]) -> list[Total]:
    """The file's Total column against the sum of its parts; rows without figures are left to their errors."""
    stated = parts = ZERO
    for row in rows:
        try:
            total = needed(row["Total"], "Total")
            own = [number(row[name], name) or ZERO for name in ("Value", "Commissions", "Fees")]
        except CellError:
            continue
        stated, parts = stated + total, parts + sum(own, ZERO)
    return [Total("Total column", stated, parts)]


def _legacy(row: Row, zone: str) -> BrokerRow:
    """The 15-column form: root, expiry and strike apart, fees positive, times without an offset."""
    code, sub = row["Transaction Code"].lower(), row["Transaction Subcode"].lower()
    amount = number(row["Amount"], "Amount") or ZERO
    fees = abs(number(row["Fees"], "Fees") or ZERO)
    if code == "money movement":
        return _moved(row, row["Transaction Subcode"], amount - fees, _legacy_moment(row, zone))
    if code not in {"trade", "receive deliver"}:
        raise CellError(
            f"Transaction Code {row['Transaction Code'][:40]!r} is not known.", "Transaction Code"
        )
    spec = _legacy_spec(row)
    count = abs(whole(row["Quantity"], "Quantity"))
    if not count:
        raise CellError("Quantity is zero.", "Quantity")
    sign = {"BUY": 1, "SELL": -1}.get(row["Buy/Sell"].upper(), 0)
    if sub == "expiration":
        leg = RowLeg(spec, (sign or 1) * count, ZERO, "close", signed=bool(sign))
        return _row(row, RowKind.EXPIRY, "", leg, fees, -fees, settlement_of(spec))
    effect = row["Open/Close"].lower()
    if code != "trade" or not sign or effect not in {"open", "close"}:
        raise CellError(f"{row['Transaction Subcode'][:40]!r} is not known.", "Transaction Subcode")
    signed = -sign * abs(amount)
    leg = RowLeg(spec, sign * count, _price(amount, count, spec), effect)
    return _row(row, RowKind.FILL, "", leg, fees, signed - fees, _legacy_moment(row, zone))


def _legacy_moment(row: Row, zone: str) -> datetime:
    day, _, clock = row["Date/Time"].partition(" ")
    return local_moment(us_date(day, "Date/Time"), clock, zone, "Date/Time")


def _legacy_spec(row: Row) -> ContractSpec:
    root = row["Symbol"].upper()
    letter = row["Call/Put"].upper()[:1]
    if not letter:
        spec = read_symbol(root)
        if spec.kind is InstrumentKind.SHARE:
            return spec
    if letter not in {"C", "P"}:
        raise CellError("Call/Put is neither C nor P.", "Call/Put")
    expiry = us_date(row["Expiration Date"], "Expiration Date")
    if root == "SPX" and expiry == session_on_or_before(third_friday(expiry.year, expiry.month)):
        raise CellError(
            "SPX on a third Friday may be the morning-settled SPX or the evening's SPXW; "
            "this form of export does not say. Enter the symbol.",
            "symbol",
        )
    if root == "SPX" or (root == "VIX" and expiry != vix_expiry(expiry.year, expiry.month)):
        root += "W"
    right = Right.CALL if letter == "C" else Right.PUT
    return contract(root, expiry, right, needed(row["Strike"], "Strike"))

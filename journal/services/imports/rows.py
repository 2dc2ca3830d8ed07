"""Between what a reader understood and what is stored of it: checks, JSON, and mending a row by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from hedging.engine.book import ContractSpec, InstrumentKind
from hedging.selectors.calendar import NEW_YORK, CalendarRangeError, session_date, settles_at
from journal.errors import RuleError
from journal.importers.broker_symbols import OutsideError, read_symbol
from journal.importers.fields import settlement_of
from journal.importers.grouping import Execution
from journal.importers.rows import BOOKED, ZERO, BrokerRow, RowKind, RowLeg
from journal.importers.text import CellError
from journal.models import ImportRow
from journal.selectors.times import fill_session
from journal.services.book.orders import MAX_FEES, MAX_PRICE, MAX_QUANTITY
from journal.services.book.package_price import SPLIT_NOTE, split_package
from journal.services.imports.cash_rows import cash_data, cash_facts, checked_data

Status = ImportRow.Status
#: Without a time in the file, openings stand at noon and closings a minute later; the fill says so.
_OPENS_AT, _CLOSES_AT = time(12, 0), time(12, 1)
NO_TIME = "the broker's file gives no time"
_MESSAGE = 300
NO_WORDS: Mapping[str, str] = MappingProxyType({})


def stored_row(row: BrokerRow, now: datetime, words: Mapping[str, str] = NO_WORDS) -> dict[str, Any]:
    """Fields of an ImportRow for a read row: its status, data and message. Never raises.

    ``words`` are the account's answers for cash movements whose name is not known; ``note`` leaves them out.
    """
    kind, status, message, field, data = row.kind, Status.OTHER, row.message, row.field, {}
    if kind is RowKind.ERROR:
        status = Status.ERROR
    elif kind is RowKind.OUTSIDE:
        status = Status.OUTSIDE
    elif kind is RowKind.CASH and not row.ledger and words.get(row.word.lower()) == RowKind.NOTE:
        kind, message = RowKind.NOTE, "Left out: so it was answered for this name."
    elif kind in BOOKED or kind is RowKind.CASH:
        try:
            if kind is RowKind.CASH:
                data = cash_facts(row)
                data = cash_data(row, words, session_date(now))
            else:
                data = booked_data(row, now)
            status = Status.NEW
        except (RuleError, CellError) as error:
            status, message, field = Status.ERROR, error.message, error.field
    return {
        "line": row.line, "kind": kind.value, "status": status, "data": data, "raw": row.raw,
        "message": _clean(message)[:_MESSAGE], "field": _clean(field)[:40], "word": _clean(row.word),
        "cash": None if row.cash is None else round(row.cash, 6),
    }  # fmt: skip


def is_understood(data: Mapping[str, Any]) -> bool:
    """Whether the data of a row are enough to record it: contracts, or a kind of the cash ledger."""
    return "legs" in data or "ledger" in data


def _clean(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def booked_data(row: BrokerRow, now: datetime) -> dict[str, Any]:
    """The JSON of a row that changes positions. Raises RuleError or CellError naming what is wrong."""
    legs = row.legs
    if any(leg.price is None for leg in legs):
        legs = _priced(row)
    timed = row.moment is not None
    moment = row.moment or _moment_of_day(row)
    _check(row.kind, legs, row.fees, moment, now)
    return {
        "legs": [[leg.spec.symbol, leg.quantity, str(leg.price), leg.effect, leg.signed] for leg in legs],
        "fees": str(round(row.fees, 6)),
        "moment": moment.isoformat(),
        "timed": timed,
        "order": row.order_id[:60],
        "note": "" if timed else NO_TIME,
        "split": legs is not row.legs,
        "text": row.text[:400],
    }


def _priced(row: BrokerRow) -> tuple[RowLeg, ...]:
    """Share a package price over the legs as entry by hand does, but the same way every time."""
    assert row.package is not None
    pairs = [(leg.spec, leg.quantity) for leg in row.legs]
    prices = split_package(pairs, row.packages, row.package, {})
    return tuple(
        RowLeg(leg.spec, leg.quantity, price, leg.effect, leg.signed)
        for leg, price in zip(row.legs, prices, strict=True)
    )


def _moment_of_day(row: BrokerRow) -> datetime:
    if row.day is None:
        raise CellError("The row has no date.", "Date")
    opens = all(leg.effect == "open" for leg in row.legs)
    return datetime.combine(row.day, _OPENS_AT if opens else _CLOSES_AT, NEW_YORK)


def _check(kind: RowKind, legs: Sequence[RowLeg], fees: Decimal, moment: datetime, now: datetime) -> None:
    if abs(fees) > MAX_FEES:
        raise RuleError(f"Costs of {fees} are out of bounds.", "fees")
    for leg in legs:
        if not 0 < abs(leg.quantity) <= MAX_QUANTITY:
            raise RuleError(f"{leg.spec.symbol}: {leg.quantity} contracts are out of bounds.", "quantity")
        if leg.price is None or not 0 <= leg.price <= MAX_PRICE:
            raise RuleError(f"{leg.spec.symbol}: the price is out of bounds.", "price")
    if kind is not RowKind.FILL:
        if moment > now:
            raise RuleError("The contract has not settled yet.", "moment")
        return
    fill_session(moment, now=now)
    for leg in legs:
        try:
            settles = settles_at(leg.spec)
        except CalendarRangeError as error:
            raise RuleError(f"{error}.", "symbol") from None
        if settles is not None and moment > settles:
            raise RuleError(
                f"{leg.spec.symbol} settled at {settles.astimezone(NEW_YORK):%Y-%m-%d %H:%M} ET, before this "
                "fill. Is the time zone of the file right?",
                "moment",
            )


def executions(
    row_id: str, data: Mapping[str, Any], kind: str, *, choice: str = "", trades: Mapping[str, str]
) -> list[Execution]:
    """The executions of a stored row; ``trades`` gives the trade of fills recorded already, by identity."""
    moment = datetime.fromisoformat(data["moment"])
    fees = Decimal(data["fees"])
    legs = data["legs"]
    shares = leg_fees(fees, [leg[1] for leg in legs])
    return [
        Execution(
            key=row_id, leg=number, moment=moment, timed=data["timed"], spec=known_symbol(symbol),
            quantity=quantity, price=Decimal(price), fees=share, effect=effect, signed=signed,
            order=data["order"], kind="fill" if kind == "fill" else "settled", choice=choice,
            trade=trades.get(f"{row_id}/{number}.0", ""),
        )
        for number, ((symbol, quantity, price, effect, signed), share) in enumerate(
            zip(legs, shares, strict=True)
        )
    ]  # fmt: skip


def leg_fees(fees: Decimal, quantities: Sequence[int]) -> list[Decimal]:
    """Share the costs of a row over its legs by contracts; they add up exactly."""
    if len(quantities) == 1:
        return [fees]
    weight = sum(map(abs, quantities))
    shares = [round(fees * abs(quantity) / weight, 2) for quantity in quantities[:-1]]
    return [*shares, fees - sum(shares, ZERO)]


def known_symbol(symbol: str) -> ContractSpec:
    """The contract of a stored OCC symbol."""
    return read_symbol(symbol)


def split_note(data: Mapping[str, Any]) -> str:
    """What the fill should say about itself."""
    return "; ".join(filter(None, (SPLIT_NOTE if data.get("split") else "", str(data.get("note", "")))))


def mended_data(values: Mapping[str, Any], now: datetime) -> tuple[RowKind, dict[str, Any], Decimal]:
    """What a person says a row means: kind, its JSON and its cash.

    ``values``: kind (fill, expiry, settlement), symbol, quantity (signed), price in points, fees in dollars,
    moment (aware, for fills), effect, order, and ``more``, further legs of a fill as tuples of symbol,
    quantity, price and effect; for kind cash: ledger, amount (signed, + received) and day. Raises RuleError
    naming the input.
    """
    if values["kind"] == RowKind.CASH:
        if values.get("amount") is None or values.get("day") is None:
            raise RuleError("A cash movement needs its amount and its day.", "amount")
        amount = Decimal(values["amount"])
        note = str(values.get("note", ""))
        data = checked_data(values.get("ledger", ""), amount, values["day"], note, session_date(now))
        return RowKind.CASH, data, Decimal(data["amount"])
    spec = _spec_of(values["symbol"], "symbol")
    kind = RowKind(values["kind"])
    quantity, price, fees = int(values["quantity"]), Decimal(values["price"]), Decimal(values["fees"])
    if kind is RowKind.EXPIRY and price:
        raise RuleError("An expiration has price 0; with cash it is a settlement.", "price")
    if kind is RowKind.FILL and values.get("moment") is None:
        raise RuleError("A fill needs its time.", "moment")
    try:
        moment = values["moment"] if kind is RowKind.FILL else settlement_of(spec)
    except CellError as error:
        raise RuleError(error.message, "symbol") from None
    effect = values.get("effect", "") if kind is RowKind.FILL else "close"
    legs = [RowLeg(spec, quantity, price, effect)]
    if values.get("more") and kind is not RowKind.FILL:
        raise RuleError("Only a fill has several legs.", "more")
    for symbol, count, points, other in values.get("more") or ():
        legs.append(RowLeg(_spec_of(symbol, "more"), int(count), Decimal(points), other))
    if len({leg.spec.symbol for leg in legs}) < len(legs):
        raise RuleError("A contract is named twice.", "more")
    row = BrokerRow(
        0, "", kind, legs=tuple(legs), fees=fees, moment=moment, order_id=values.get("order", ""),
    )  # fmt: skip
    data = booked_data(row, now)
    data["note"] = "mended by hand"
    moved = sum(
        (
            -leg.quantity * (leg.price or ZERO) * leg.spec.multiplier
            for leg in legs
            if leg.spec.kind is not InstrumentKind.FUTURE
        ),
        ZERO,
    )
    return kind, data, moved - fees


def _spec_of(text: str, field: str) -> ContractSpec:
    try:
        return read_symbol(text)
    except OutsideError as error:
        raise RuleError(str(error), field) from None
    except CellError as error:
        raise RuleError(error.message, field) from None


def row_day(data: Mapping[str, Any]) -> date:
    """New York day of a stored row."""
    return datetime.fromisoformat(data["moment"]).astimezone(NEW_YORK).date()

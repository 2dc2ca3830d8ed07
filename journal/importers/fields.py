"""What the CSV readers share: columns by name, dates, and turning a failed record into an ERROR row."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from hedging.engine.book import ContractSpec
from hedging.selectors.calendar import CalendarRangeError, settles_at
from journal.importers.broker_symbols import OutsideError
from journal.importers.rows import BrokerRow, RowKind, RowLeg
from journal.importers.text import CellError, Cells, FileError, check_cells

_DATE = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}|[0-9]{2})")
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?(?: ([AP])M)?")


class Row:
    """A record read by column name; missing columns and short records give empty text."""

    __slots__ = ("_names", "record")

    def __init__(self, record: Cells, names: dict[str, int]) -> None:
        self.record, self._names = record, names

    def __getitem__(self, name: str) -> str:
        at = self._names.get(name)
        return self.record.cells[at].strip() if at is not None and at < len(self.record.cells) else ""


def columns(header: Sequence[str]) -> dict[str, int]:
    """Column places by name."""
    return {name.strip(): at for at, name in enumerate(header)}


def one_account(numbers: Iterable[str]) -> None:
    """Refuse a file of several accounts: one import is of one account. Raises FileError naming them."""
    found = sorted({number for number in numbers if number})
    if len(found) > 1:
        masked = ", ".join(f"…{number[-4:]}" for number in found[:5])
        raise FileError(
            f"The file holds several accounts ({masked}). Export each by itself and import it into its own."
        )


def plain(record: Cells, kind: RowKind, message: str = "", field: str = "") -> BrokerRow:
    """A row that moves no position."""
    return BrokerRow(record.line, record.raw, kind, message, field)


def guarded(
    record: Cells, read: Callable[[], BrokerRow], cash: Callable[[], Decimal | None] | None = None
) -> BrokerRow:
    """Read a record; what is not kept becomes OUTSIDE, what is not understood ERROR. Nothing is lost.

    ``cash`` says what such a record moved all the same, so that the statement still ties out.
    """
    try:
        check_cells(record)
        return read()
    except OutsideError as error:
        found = plain(record, RowKind.OUTSIDE, str(error))
    except CellError as error:
        found = plain(record, RowKind.ERROR, error.message, error.field)
    return found if cash is None else replace(found, cash=_stated(cash))


def _stated(cash: Callable[[], Decimal | None]) -> Decimal | None:
    try:
        return cash()
    except CellError:
        return None


def us_date(text: str, field: str) -> date:
    """``4/2/26`` or ``04/02/2026``: month, day, year."""
    match = _DATE.fullmatch(text.strip())
    if match:
        month, day, year = (int(part) for part in match.groups())
        try:
            return date(year + 2000 if year < 100 else year, month, day)
        except ValueError:
            pass
    raise CellError(f"{field}: {text.strip()[:40]!r} is not a date.", field)


def local_moment(day: date, clock: str, zone: str, field: str) -> datetime:
    """A wall-clock time in a zone; times the clock skipped or showed twice are refused."""
    match = _CLOCK.fullmatch(clock.strip())
    if match is None:
        raise CellError(f"{field}: {clock.strip()[:40]!r} is not a time.", field)
    hour, minute, second = int(match.group(1)), int(match.group(2)), int(match.group(3) or 0)
    half = match.group(4)
    if half:
        if not 1 <= hour <= 12:
            raise CellError(f"{field}: {clock.strip()[:40]!r} is not a time.", field)
        hour = hour % 12 + (12 if half == "P" else 0)
    try:
        naive = datetime(day.year, day.month, day.day, hour, minute, second)  # noqa: DTZ001 - zone follows
    except ValueError:
        raise CellError(f"{field}: {clock.strip()[:40]!r} is not a time.", field) from None
    tz = ZoneInfo(zone)
    early, late = naive.replace(tzinfo=tz, fold=0), naive.replace(tzinfo=tz, fold=1)
    if early.utcoffset() != late.utcoffset():
        raise CellError(f"{field}: {naive:%Y-%m-%d %H:%M} falls into a change of the clocks.", field)
    return early


def settlement_of(spec: ContractSpec) -> datetime:
    """When the contract settled: the moment of its expiry and cash rows, whenever they were booked."""
    try:
        moment = settles_at(spec)
    except CalendarRangeError as error:
        raise CellError(f"{error}.", "symbol") from None
    if moment is None:
        raise CellError(f"{spec.symbol} does not expire.", "symbol")
    return moment


def removal(
    record: Cells, spec: ContractSpec, count: int, fees: Decimal, cash: Decimal, *, text: str = ""
) -> BrokerRow:
    """A contract that left the account at its settlement: worthless, or against the cash the row states.

    ``count`` is the signed quantity that closes, ``cash`` in dollars after ``fees``. Raises CellError when
    the cash flows the wrong way.
    """
    gross = cash + fees
    if not count:
        raise CellError("Quantity is zero.", "Quantity")
    if gross * count > 0:
        raise CellError(f"Cash of {gross} has the wrong sign for quantity {count:+d}.", "Amount")
    price = round(abs(gross) / (abs(count) * spec.multiplier), 6)
    kind = RowKind.SETTLEMENT if gross else RowKind.EXPIRY
    return BrokerRow(
        record.line, record.raw, kind, legs=(RowLeg(spec, count, price, "close"),), fees=fees, cash=cash,
        moment=settlement_of(spec), day=spec.expiry, text=text,
    )  # fmt: skip

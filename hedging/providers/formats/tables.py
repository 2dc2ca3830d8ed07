"""What a market file yields, and the strict reading that yields it."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal

from hedging.models import Quality
from hedging.providers.formats.chain import ChainTable

_NUMBER = re.compile(r"^[+-]?[0-9]{1,15}(\.[0-9]{0,20})?([eE][+-]?[0-9]{1,2})?$")
_SYMBOL = re.compile(r"^[A-Z0-9][A-Z0-9:._-]{0,31}$")
MAX_CELL = 400
MAX_EXPONENT = 20


class MarketFileError(ValueError):
    """A market file cannot be read; ``line`` (from 1) and ``column`` name the place if known."""

    def __init__(self, message: str, line: int | None = None, column: str | None = None) -> None:
        self.reason, self.line, self.column = message, line, column
        place = "" if line is None else f"line {line}" + (f", column {column}" if column else "")
        super().__init__(f"{place}: {message}" if place else message)


def a_symbol(text: str) -> str:
    """The text if it can name a series, else MarketFileError."""
    if not _SYMBOL.match(text):
        raise MarketFileError(f"{text[:40]!r} is not a symbol: at most 32 letters, digits and : . _ -")
    return text


@dataclass(frozen=True, slots=True)
class BarRow:
    """One bar or value of a series; prices in the series' own unit, None where not given."""

    symbol: str
    day: date
    close: Decimal
    open: Decimal | None = None
    high: Decimal | None = None
    low: Decimal | None = None
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EventRow:
    """One calendar event; a field of None says nothing and leaves what is known."""

    kind: str
    day: date
    period: str
    time_et: time | None = None
    detail: str = ""
    actual: Decimal | None = None
    forecast: Decimal | None = None
    previous: Decimal | None = None
    unit: str = ""
    scheduled: bool = True
    source: str = ""


@dataclass(frozen=True, slots=True)
class VXRow:
    """One day of one VX contract, in points."""

    day: date
    expiry: date
    settle: Decimal
    open: Decimal | None = None
    high: Decimal | None = None
    low: Decimal | None = None
    close: Decimal | None = None
    volume: int | None = None
    open_interest: int | None = None


@dataclass
class ParsedFile:
    """Everything a file holds, with what was left out and why (reason → count)."""

    format: str
    source: str
    quality: Quality = Quality.EOD
    rows_read: int = 0
    bars: list[BarRow] = field(default_factory=list)
    vx: list[VXRow] = field(default_factory=list)
    chains: list[ChainTable] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)


class CsvTable:
    """A CSV with a header, read row by row; every refusal names line and column."""

    def __init__(self, lines: Sequence[str], first_line: int = 1) -> None:
        """``lines`` start with the header; ``first_line`` is its number in the file."""
        self._reader = csv.reader(lines, strict=True)
        self._offset = first_line - 1
        self.header = [name.strip().lower() for name in self._next() or []]
        self.line = first_line

    def _next(self) -> list[str] | None:
        try:
            return next(self._reader, None)
        except csv.Error as error:
            raise MarketFileError(f"not valid CSV ({error})", self._reader.line_num + self._offset) from None

    def rows(self) -> Iterator[list[str]]:
        """Non-empty rows with as many cells as the header has, or an error naming the line."""
        width = len(self.header)
        while (row := self._next()) is not None:
            self.line = self._reader.line_num + self._offset
            if not row or not any(cell.strip() for cell in row):
                continue
            if len(row) != width:
                raise MarketFileError(f"{len(row)} cells where the header has {width}", self.line)
            yield row

    def position(self, *names: str) -> int | None:
        """Index of the first of the names the header has."""
        return next((self.header.index(n) for n in names if n in self.header), None)

    def need(self, *names: str) -> int:
        """Like ``position``, but a missing column is an error."""
        found = self.position(*names)
        if found is None:
            raise MarketFileError(f"no column named {' or '.join(names)}", self.line)
        return found

    def text(self, cell: str, column: int) -> str:
        """A cell's text, length-capped."""
        if len(cell) > MAX_CELL:
            raise MarketFileError("the cell is too long", self.line, self.header[column])
        return cell.strip()

    def number(self, row: Sequence[str], column: int) -> Decimal:
        """A strict decimal number: no grouping, no other scripts' digits, no NaN."""
        cell = self.text(row[column], column)
        if not _NUMBER.match(cell):
            raise MarketFileError(f"{cell!r} is not a number", self.line, self.header[column])
        value = Decimal(cell)
        if value and abs(value.adjusted()) > MAX_EXPONENT:
            raise MarketFileError(f"{cell!r} is out of range", self.line, self.header[column])
        return value

    def optional(self, row: Sequence[str], column: int | None) -> Decimal | None:
        """A number, or None where the column or the value is absent."""
        if column is None or not row[column].strip():
            return None
        return self.number(row, column)

    def real(self, row: Sequence[str], column: int | None) -> float:
        """A number as float, NaN where absent."""
        if column is None:
            return float("nan")
        cell = row[column]
        if not cell:
            return float("nan")
        if not _NUMBER.match(cell):
            return float(self.number(row, column))
        return float(cell)

    def day(self, row: Sequence[str], column: int, *formats: str) -> date:
        """A date in one of the strptime formats; ``iso`` means YYYY-MM-DD."""
        cell = self.text(row[column], column)
        for pattern in formats:
            try:
                if pattern == "iso":
                    return date.fromisoformat(cell)
                return datetime.strptime(cell, pattern).date()  # noqa: DTZ007 - a date, no time
            except ValueError:
                continue
        raise MarketFileError(f"{cell!r} is not a date", self.line, self.header[column])

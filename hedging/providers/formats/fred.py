"""FRED and ALFRED downloads: ``observation_date,DTB3`` or one column a vintage, ``GDPC1_20240125``."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal

from hedging.models import Quality
from hedging.providers.formats.tables import BarRow, CsvTable, MarketFileError, ParsedFile
from hedging.selectors.calendar import NEW_YORK

NAME = "fred"
_CODE = re.compile(r"^([A-Za-z0-9]{2,30})(?:_(\d{8}))?$")
#: Vintages carry days only; statistical agencies publish before the market opens.
_VINTAGE_TIME = time(8, 30)
#: Codes that tell a FRED file from an index history where both say DATE.
CODES = frozenset({"DTB3", "SOFR", "DFF", "DGS10", "CPIAUCSL", "CPILFESL", "PPIACO", "GDPC1", "RBUSBIS"})


def sniff(header: list[str]) -> bool:
    """Whether the header is FRED's, of today or before 2024."""
    if len(header) < 2:
        return False
    first, codes = header[0].strip(), [_CODE.match(name.strip()) for name in header[1:]]
    if first == "observation_date":
        return True
    return first == "DATE" and all(code is not None and code[1].upper() in CODES for code in codes)


def parse(lines: list[str]) -> ParsedFile:
    """Read values; a dot or an empty cell is no value. A vintage repeats only what it changed."""
    table = CsvTable(lines)
    parsed = ParsedFile(NAME, NAME, Quality.EOD)
    columns = [(at, *_column(name)) for at, name in enumerate(table.header) if at]
    columns.sort(key=lambda column: (column[1], column[2] or date.min))
    if len({column[1:] for column in columns}) < len(columns):
        raise MarketFileError("two columns of one name", 1)
    for row in table.rows():
        parsed.rows_read += 1
        day = table.day(row, 0, "iso", "%m/%d/%Y")
        before: dict[str, Decimal] = {}
        for at, symbol, vintage in columns:
            cell = row[at].strip()
            if cell in ("", "."):
                parsed.dropped["no value"] += 1
                continue
            value = table.number(row, at)
            if before.get(symbol) == value:
                continue
            before[symbol] = value
            published = None if vintage is None else datetime.combine(vintage, _VINTAGE_TIME, NEW_YORK)
            parsed.bars.append(BarRow(symbol, day, value, published_at=published))
    return parsed


def _column(name: str) -> tuple[str, date | None]:
    """(series, vintage day) of a column's title."""
    match = _CODE.match(name.strip())
    if match is None:
        raise MarketFileError(f"{name!r} is not a FRED series", 1)
    try:
        vintage = datetime.strptime(match[2], "%Y%m%d").date() if match[2] else None  # noqa: DTZ007 - a date
    except ValueError:
        raise MarketFileError(f"{name!r} names no vintage day", 1) from None
    return match[1].upper(), vintage

"""Daily series: Cboe index history, plain ISO CSV, and VX settlements of many contracts."""

from __future__ import annotations

import re
from decimal import Decimal

from hedging.models import Quality
from hedging.providers.formats.tables import BarRow, CsvTable, MarketFileError, ParsedFile, VXRow, a_symbol

INDEX_HISTORY, ISO_SERIES, VX_DAILY = "cboe-index-history", "iso-series", "vx-daily"
_WORD = re.compile(r"[A-Za-z0-9]+")
_PREFIXES = {"rate", "macro", "raw"}
#: Common file and column names of series that have a publisher's name; None is not kept.
SYMBOLS = {"REER": "RBUSBIS", "REIT": "VNQ", "PPI": "PPIACO", "GDP": "GDPC1"}
COLUMNS: dict[str, str | None] = {
    "CPI:HEADLINE": "CPIAUCSL",
    "CPI:CORE": "CPILFESL",
    "SHILLER:RATE GS10": "SHILLER:GS10",
    "CBOE:CNDR": "CNDR",
    "CBOE:PUT": "PUT",
    "CBOE:PPUT": "PPUT",
    "CBOE:VIX": None,
    "CBOE:SPY_ADJ_TIINGO": None,
}


def symbol_from_name(name: str) -> str:
    """The series' symbol from the file name: ``vix_daily.csv`` is VIX, ``rate_dtb3.csv`` is DTB3."""
    words: list[str] = _WORD.findall(name.rsplit("/", 1)[-1])
    if len(words) > 1 and words[0].lower() in _PREFIXES:
        words = words[1:]
    if not words:
        raise MarketFileError("the file name holds no symbol: give one")
    return SYMBOLS.get(words[0].upper(), words[0].upper())


def sniff_index_history(header: list[str]) -> bool:
    """``DATE,OPEN,HIGH,LOW,CLOSE`` or ``DATE,<INDEX>``, upper case with American dates."""
    return bool(header) and header[0] == "DATE" and len(header) in (2, 5)


def parse_index_history(lines: list[str], symbol: str) -> ParsedFile:
    """Cboe's index history download."""
    return _bars(INDEX_HISTORY, "cboe", lines, symbol, ("%m/%d/%Y", "iso"))


def sniff_iso(header: list[str]) -> bool:
    """A ``date`` column first, with prices or values beside it."""
    return len(header) > 1 and header[0].strip().lower() == "date"


def parse_iso(lines: list[str], symbol: str) -> ParsedFile:
    """A plain CSV with ISO dates and ``close``, OHLC, ``adj_close`` or one value column."""
    return _bars(ISO_SERIES, "file", lines, symbol, ("iso", "%Y-%m"))


def _bars(form: str, source: str, lines: list[str], symbol: str, dates: tuple[str, ...]) -> ParsedFile:
    table = CsvTable(lines)
    parsed = ParsedFile(form, source)
    day_at = table.need("date")
    if (close := table.position("close", "adj_close", "settle", "value", symbol.lower())) is not None:
        wanted = {symbol: close}
    else:
        # Several unnamed values a date are several series: breadth_daily has advances and declines.
        others = [i for i, name in enumerate(table.header) if i != day_at]
        wanted = {symbol: others[0]} if len(others) == 1 else _several(symbol, table, others)
    for name in wanted:
        a_symbol(name)
    single = len(wanted) == 1
    ohl = [table.position(n) if single else None for n in ("open", "high", "low")]
    for row in table.rows():
        parsed.rows_read += 1
        day = table.day(row, day_at, *dates)
        for name, at in wanted.items():
            value = table.optional(row, at)
            if value is None:
                parsed.dropped["no value"] += 1
                continue
            opened, high, low = (table.optional(row, at) for at in ohl)
            parsed.bars.append(BarRow(name, day, value, opened, high, low))
    return parsed


def _several(symbol: str, table: CsvTable, columns: list[int]) -> dict[str, int]:
    """Series names of the columns; those known and not kept are left out."""
    named = {at: f"{symbol}:{table.header[at]}".upper() for at in columns}
    return {kept: at for at, name in named.items() if (kept := COLUMNS.get(name, name)) is not None}


def sniff_vx_daily(header: list[str]) -> bool:
    """Many VX contracts in one file: date, expiry and settle."""
    return {"date", "expiry", "settle"} <= {name.strip().lower() for name in header}


def parse_vx_daily(lines: list[str]) -> ParsedFile:
    """Daily VX settlements of many contracts; a settlement of 0 means no price and is dropped."""
    table = CsvTable(lines)
    parsed = ParsedFile(VX_DAILY, "cfe", Quality.EOD)
    day_at, expiry_at, settle_at = table.need("date"), table.need("expiry"), table.need("settle")
    prices = {n: table.position(n) for n in ("open", "high", "low", "close")}
    volume_at, interest_at = table.position("volume"), table.position("open_interest")
    for row in table.rows():
        parsed.rows_read += 1
        settle = table.optional(row, settle_at)
        if settle is None or settle <= 0:
            parsed.dropped["settlement 0 or absent: no price"] += 1
            continue
        parsed.vx.append(
            VXRow(
                table.day(row, day_at, "iso"),
                table.day(row, expiry_at, "iso"),
                settle,
                volume=count_or_none(table.optional(row, volume_at)),
                open_interest=count_or_none(table.optional(row, interest_at)),
                **{n: price_or_none(table.optional(row, at)) for n, at in prices.items()},
            )
        )
    return parsed


def price_or_none(value: Decimal | None) -> Decimal | None:
    """Exchange files write 0 for "did not trade"; prices carry four decimals."""
    return round(value, 4) if value else None


def count_or_none(value: Decimal | None) -> int | None:
    """A volume or open interest; None where not given."""
    return None if value is None else int(value)

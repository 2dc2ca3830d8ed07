"""Which format a market file has, within hard limits on its size."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Callable

from hedging.providers.formats import (
    cfe_settlement,
    delayed_json,
    flat_chain,
    fred,
    macro,
    quotedata,
    series,
    vx_contract,
)
from hedging.providers.formats.tables import MarketFileError, ParsedFile, a_symbol
from hedging.selectors.calendar import CalendarRangeError

MAX_BYTES = 64 * 1024 * 1024
MAX_UNZIPPED = 256 * 1024 * 1024
MAX_ROWS = 2_000_000
_GZIP = b"\x1f\x8b"


def read_text(data: bytes) -> str:
    """Decode a file (gzip or plain, UTF-8 with or without BOM) or say why not."""
    if len(data) > MAX_BYTES:
        raise MarketFileError(f"the file is larger than {MAX_BYTES >> 20} MiB")
    if data.startswith(_GZIP):
        try:
            with gzip.open(io.BytesIO(data)) as stream:
                data = stream.read(MAX_UNZIPPED + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise MarketFileError(f"the gzip data is damaged ({error})") from None
        if len(data) > MAX_UNZIPPED:
            raise MarketFileError(f"the file unpacks to more than {MAX_UNZIPPED >> 20} MiB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise MarketFileError("not UTF-8 text", line) from None
    if "\x00" in text:
        raise MarketFileError("a NUL byte", text[: text.index("\x00")].count("\n") + 1)
    if not text.strip():
        raise MarketFileError("the file is empty")
    return text


def parse_market_file(name: str, data: bytes, symbol: str = "") -> ParsedFile:
    """Detect the format and read the whole file; raises MarketFileError, never half a result."""
    try:
        return _parse(name, data, symbol)
    except CalendarRangeError as error:
        raise MarketFileError(str(error)) from None


def _parse(name: str, data: bytes, symbol: str) -> ParsedFile:
    text = read_text(data)
    if delayed_json.sniff(text):
        return delayed_json.parse(text)
    lines = text.splitlines(keepends=True)
    if len(lines) > MAX_ROWS:
        raise MarketFileError(f"more than {MAX_ROWS:,} lines")
    if quotedata.sniff(lines):
        return quotedata.parse(lines)
    header = _header(lines)
    for sniff, parse in _BY_HEADER:
        if sniff(header):
            return parse(lines)
    if cfe_settlement.sniff(header):
        return cfe_settlement.parse(lines, name)
    if vx_contract.sniff(header):
        return vx_contract.parse(lines, name)
    wanted = symbol.strip().upper()
    if wanted:
        a_symbol(wanted)
    if series.sniff_index_history(header):
        return series.parse_index_history(lines, wanted or series.symbol_from_name(name))
    if series.sniff_iso(header):
        return series.parse_iso(lines, wanted or series.symbol_from_name(name))
    raise MarketFileError(
        "unknown format: expected a Cboe quotedata CSV, Cboe delayed-quotes JSON, Cboe index history, "
        "CFE VX file, FRED CSV, event calendar, chain CSV, or a CSV that starts with a date column",
        1,
    )


_BY_HEADER: tuple[tuple[Callable[[list[str]], bool], Callable[[list[str]], ParsedFile]], ...] = (
    (flat_chain.sniff, flat_chain.parse),
    (series.sniff_vx_daily, series.parse_vx_daily),
    (macro.sniff_events, macro.parse_events),
    (macro.sniff_consensus, macro.parse_consensus),
    (macro.sniff_finals, macro.parse_finals),
    (macro.sniff_finals_by_expiry, macro.parse_finals_by_expiry),
    (macro.sniff_sessions, macro.parse_sessions),
    (macro.sniff_term_structure, macro.parse_term_structure),
    (fred.sniff, fred.parse),
)


def _header(lines: list[str]) -> list[str]:
    try:
        return next(csv.reader(lines[:1], strict=True), [])
    except csv.Error as error:
        raise MarketFileError(f"not valid CSV ({error})", 1) from None

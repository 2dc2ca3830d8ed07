"""Cboe ``quotedata.csv``: preamble, then calls and puts of a strike side by side.

Two preambles are known: ``S&P 500 INDEX,Last: 4697.24,…`` with ``"Date: January 7, 2024 at 10:52 AM
EST"``, and the older ``^SPX (S&P 500 INDEX),2926.17,-7.51`` with ``Apr 26 2019 @ 14:54 ET``.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from hedging.engine.instruments import UnknownSymbolError, parse_symbol
from hedging.providers.formats.chain import ChainError, build_chain
from hedging.providers.formats.quote_time import quote_moment
from hedging.providers.formats.tables import CsvTable, MarketFileError, ParsedFile
from hedging.selectors.calendar import NEW_YORK

NAME = "cboe-quotedata"
_HEADER = re.compile(r"^\"?expiration date\"?\s*,\s*\"?calls", re.IGNORECASE)
_LAST = re.compile(r"Last:\s*([0-9][0-9,]*\.?[0-9]*)")
_OLD_LAST = re.compile(r"\)\s*\"?,\s*\"?([0-9][0-9]*\.?[0-9]*)")
_STAMPS = (
    (re.compile(r"Date:\s*([A-Z][a-z]+ \d{1,2}, \d{4} at \d{1,2}:\d{2} [AP]M)"), "%B %d, %Y at %I:%M %p"),
    (re.compile(r"([A-Z][a-z]{2} \d{1,2} \d{4} @ \d{1,2}:\d{2})"), "%b %d %Y @ %H:%M"),
)
_PREAMBLE_LINES = 8
_FIELDS = {
    "last": ("last sale",),
    "bid": ("bid",),
    "ask": ("ask",),
    "volume": ("volume", "vol"),
    "vendor_iv": ("iv",),
    "vendor_delta": ("delta",),
    "vendor_gamma": ("gamma",),
    "open_interest": ("open interest", "open int"),
}


def sniff(lines: list[str]) -> bool:
    """Whether the first lines carry the side-by-side header."""
    return any(_HEADER.match(line) for line in lines[:_PREAMBLE_LINES])


def parse(lines: list[str]) -> ParsedFile:
    """Read the file; raises MarketFileError naming the line and column."""
    start = next(i for i, line in enumerate(lines) if _HEADER.match(line))
    preamble = "\n".join(lines[:start])
    stamp = _stamp(preamble)
    as_of, quality = quote_moment(stamp)
    spot = _LAST.search(preamble) or _OLD_LAST.search(preamble)
    if spot is None:
        raise MarketFileError("the preamble has no last price of the index", 1)
    table = CsvTable(lines[start:], start + 1)
    puts = table.need("puts")
    sides = [
        (table.need("calls"), range(table.need("calls"), table.need("strike"))),
        (puts, range(puts, len(table.header))),
    ]
    columns = [{name: _column(table, span, titles) for name, titles in _FIELDS.items()} for _, span in sides]
    parsed = ParsedFile(NAME, "cboe", quality)
    rows: list[dict[str, Any]] = []
    underlying = ""
    for row in table.rows():
        parsed.rows_read += 1
        for (symbol_at, _), where in zip(sides, columns, strict=True):
            symbol = table.text(row[symbol_at], symbol_at)
            try:
                spec = parse_symbol(symbol)
            except UnknownSymbolError as error:
                raise MarketFileError(str(error), table.line, table.header[symbol_at]) from None
            if underlying and spec.underlying != underlying:
                raise MarketFileError(f"{symbol} is not on {underlying}", table.line)
            underlying = spec.underlying
            values = {name: table.real(row, at) for name, at in where.items()}
            rows.append(
                {
                    "root": spec.root,
                    "expiry": spec.expiry,
                    "strike": spec.strike,
                    "right": spec.right,
                    **values,
                }
            )
    try:
        parsed.chains.append(build_chain(underlying, as_of, float(spot.group(1).replace(",", "")), rows))
    except ChainError as error:
        raise MarketFileError(str(error)) from None
    return parsed


def _column(table: CsvTable, span: range, titles: tuple[str, ...]) -> int:
    for position in span:
        if table.header[position] in titles:
            return position
    raise MarketFileError(f"no column named {' or '.join(titles)}", table.line)


def _stamp(preamble: str) -> datetime:
    for pattern, form in _STAMPS:
        if match := pattern.search(preamble):
            try:
                return datetime.strptime(match.group(1), form).replace(tzinfo=NEW_YORK)
            except ValueError:
                break
    raise MarketFileError("the preamble has no date such as 'January 7, 2024 at 10:52 AM EST'", 1)

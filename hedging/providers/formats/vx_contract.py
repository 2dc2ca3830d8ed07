"""CFE download of one VX contract: ``Trade Date,Futures,Open,…,Settle,…``."""

from __future__ import annotations

import re
from datetime import date, datetime

from hedging.models import Quality
from hedging.providers.formats.series import count_or_none, price_or_none
from hedging.providers.formats.tables import CsvTable, MarketFileError, ParsedFile, VXRow
from hedging.selectors.calendar import vix_expiry

NAME = "cfe-vx-contract"
_CONTRACT = re.compile(r"^[FGHJKMNQUVXZ] \(([A-Z][a-z]{2}) (\d{2,4})\)$")
_IN_NAME = re.compile(r"VX[A-Z]*[_-](\d{4}-\d{2}-\d{2})")


def sniff(header: list[str]) -> bool:
    """Whether the header is CFE's."""
    names = [name.strip().lower() for name in header]
    return names[:2] == ["trade date", "futures"] and "settle" in names


def parse(lines: list[str], name: str) -> ParsedFile:
    """Read one contract; the month in the file fixes the expiry, the file name may confirm it."""
    table = CsvTable(lines)
    parsed = ParsedFile(NAME, "cfe", Quality.EOD)
    day_at, contract_at, settle_at = (table.need("trade date"), table.need("futures"), table.need("settle"))
    prices = {n: table.position(n) for n in ("open", "high", "low", "close")}
    volume_at, interest_at = table.position("total volume"), table.position("open interest")
    stated = _IN_NAME.search(name)
    for row in table.rows():
        parsed.rows_read += 1
        expiry = _expiry(table, row, contract_at)
        if stated and stated.group(1) != expiry.isoformat():
            raise MarketFileError(
                f"the file name says {stated.group(1)}, the contract expires {expiry}",
                table.line,
                table.header[contract_at],
            )
        day = table.day(row, day_at, "iso", "%m/%d/%Y")
        settle = table.optional(row, settle_at)
        if settle is None or settle <= 0:
            parsed.dropped["settlement 0 or absent: no price"] += 1
            continue
        if day > expiry:
            raise MarketFileError(f"{day} is after the expiry {expiry}", table.line)
        parsed.vx.append(
            VXRow(
                day,
                expiry,
                settle,
                **{n: price_or_none(table.optional(row, at)) for n, at in prices.items()},
                volume=count_or_none(table.optional(row, volume_at)),
                open_interest=count_or_none(table.optional(row, interest_at)),
            )
        )
    return parsed


def _expiry(table: CsvTable, row: list[str], at: int) -> date:
    cell = table.text(row[at], at)
    match = _CONTRACT.match(cell)
    if match is None:
        raise MarketFileError(
            f"{cell!r} is not a contract such as 'F (Jan 2024)'", table.line, table.header[at]
        )
    year = match.group(2) if len(match.group(2)) == 4 else f"20{match.group(2)}"
    try:
        month = datetime.strptime(f"{match.group(1)} {year}", "%b %Y")  # noqa: DTZ007 - a month
    except ValueError:
        raise MarketFileError(f"{cell!r} names no month", table.line, table.header[at]) from None
    return vix_expiry(month.year, month.month)

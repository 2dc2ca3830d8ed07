"""CFE's settlements of one day: ``Product,Symbol,Expiration Date,Price``; the day is in the file name."""

from __future__ import annotations

import re
from datetime import date

from hedging.models import Quality
from hedging.providers.formats.tables import CsvTable, MarketFileError, ParsedFile, VXRow

NAME = "cfe-settlement"
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})")


def sniff(header: list[str]) -> bool:
    """Whether the header is that of the settlement list."""
    return {"product", "symbol", "expiration date", "price"} <= {name.strip().lower() for name in header}


def parse(lines: list[str], name: str) -> ParsedFile:
    """VX settlements of the day the file name states; other products are left out and counted."""
    found = _DAY.search(name)
    try:
        day = date.fromisoformat(found[1]) if found else None
    except ValueError:
        day = None
    if day is None:
        raise MarketFileError("the file name must hold the day, such as settlement_2024-01-17.csv")
    table = CsvTable(lines)
    parsed = ParsedFile(NAME, "cfe", Quality.EOD)
    product_at, expiry_at, price_at = (
        table.need("product"),
        table.need("expiration date"),
        table.need("price"),
    )
    for row in table.rows():
        parsed.rows_read += 1
        if table.text(row[product_at], product_at) != "VX":
            parsed.dropped["another product"] += 1
            continue
        price = table.optional(row, price_at)
        if price is None or price <= 0:
            parsed.dropped["settlement 0 or absent: no price"] += 1
            continue
        expiry = table.day(row, expiry_at, "iso", "%m/%d/%Y")
        if expiry < day:
            raise MarketFileError(f"{expiry} lies before {day}", table.line, table.header[expiry_at])
        parsed.vx.append(VXRow(day, expiry, price))
    return parsed

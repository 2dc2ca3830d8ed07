"""Chains with one row an option; one file may hold many quote times."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from hedging.engine.instruments import ROOTS
from hedging.maths.types import Right
from hedging.models import Quality
from hedging.providers.formats.chain import ChainError, build_chain
from hedging.providers.formats.quote_time import quote_moment
from hedging.providers.formats.tables import CsvTable, MarketFileError, ParsedFile
from hedging.selectors.calendar import closes_at, session_on_or_before

NAME = "flat-chain"
_REQUIRED = {"root", "expiration", "type", "strike", "bid", "ask"}
_REALS = {
    "bid": ("bid",),
    "ask": ("ask",),
    "last": ("last",),
    "volume": ("volume",),
    "open_interest": ("oi", "open_interest"),
    "vendor_iv": ("iv",),
    "vendor_delta": ("delta",),
    "vendor_gamma": ("gamma",),
}


def sniff(header: list[str]) -> bool:
    """Whether the header names root, expiration, type, strike, bid and ask."""
    return {name.strip().lower() for name in header} >= _REQUIRED


def parse(lines: list[str]) -> ParsedFile:
    """Read all quote times; a file with dates only speaks for the closes of those dates."""
    table = CsvTable(lines)
    day_at, time_at = table.position("date"), table.position("commit_time_utc", "quote_time")
    if day_at is None and time_at is None:
        raise MarketFileError("no column named date or quote_time", 1)
    root_at, expiry_at, type_at, strike_at = (table.need(n) for n in ("root", "expiration", "type", "strike"))
    spot_at = table.position("spot")
    reals = {name: table.position(*titles) for name, titles in _REALS.items()}
    parsed = ParsedFile(NAME, "file")
    groups: dict[tuple[str, datetime], tuple[Decimal | None, list[dict[str, Any]]]] = {}
    moments: dict[str, datetime] = {}
    expiries: dict[str, date] = {}
    for row in table.rows():
        parsed.rows_read += 1
        root = row[root_at].strip()
        if root not in ROOTS or root in ("VX", "VXX"):
            raise MarketFileError(f"{root!r} is not an option root", table.line, "root")
        stamp = row[time_at] if time_at is not None else row[day_at or 0]
        if stamp not in moments:
            moments[stamp] = _moment(table, row, time_at, day_at)
        expiry = row[expiry_at]
        if expiry not in expiries:
            expiries[expiry] = table.day(row, expiry_at, "iso")
        right = row[type_at].strip()[:1].upper()
        if right not in ("C", "P"):
            raise MarketFileError(f"{row[type_at]!r} is neither C nor P", table.line, "type")
        key = (ROOTS[root].underlying, moments[stamp])
        if key not in groups:
            groups[key] = (table.optional(row, spot_at), [])
        values = {name: table.real(row, at) for name, at in reals.items()}
        groups[key][1].append(
            {
                "root": root,
                "expiry": expiries[expiry],
                "strike": table.real(row, strike_at),
                "right": Right.CALL if right == "C" else Right.PUT,
                **values,
            }
        )
    for (underlying, moment), (spot, rows) in groups.items():
        try:
            parsed.chains.append(build_chain(underlying, moment, None if spot is None else float(spot), rows))
        except ChainError as error:
            raise MarketFileError(str(error)) from None
    parsed.quality = Quality.EOD
    return parsed


def _moment(table: CsvTable, row: list[str], time_at: int | None, day_at: int | None) -> datetime:
    if time_at is not None:
        cell = table.text(row[time_at], time_at)
        try:
            stamp = datetime.fromisoformat(cell)
        except ValueError:
            raise MarketFileError(f"{cell!r} is not a time", table.line, table.header[time_at]) from None
        return quote_moment(stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC))[0]
    assert day_at is not None
    return closes_at(session_on_or_before(table.day(row, day_at, "iso")))

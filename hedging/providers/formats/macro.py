"""Release calendars, consensus figures, final settlements, session lists and derived VX curves."""

from __future__ import annotations

import re
from datetime import date, time
from decimal import Decimal

from hedging.engine.history.rules import VX_RESCALED_FROM
from hedging.engine.history.series import CalendarEventKind, S
from hedging.models import Quality
from hedging.providers.formats.tables import BarRow, CsvTable, EventRow, MarketFileError, ParsedFile
from hedging.selectors.calendar import is_early_close, is_session, vix_expiry

EVENTS, CONSENSUS, FINALS = "event-calendar", "consensus", "vx-final-settlement"
FINALS_BY_EXPIRY = "vix-final-by-expiry"
#: Source of settlements told from the last prints of a contract: any official list comes first.
LAST_PRINT = "vx-last-print"
SESSIONS, TERM_STRUCTURE = "sessions", "vx-term-structure"
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_FIGURE = re.compile(r"^(?P<kind>[a-z]+)(?:_(?P<how>yoy|mom|qoq))?_actual$")
_UNITS = {"yoy": "% y/y", "mom": "% m/m", "qoq": "% q/q", None: ""}
_TIME = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)$")


def _names(header: list[str]) -> set[str]:
    return {name.strip().lower() for name in header}


def sniff_events(header: list[str]) -> bool:
    """``date,event,…,ref_period,time_et``."""
    return {"date", "event", "ref_period"} <= _names(header)


def parse_events(lines: list[str]) -> ParsedFile:
    """Calendar of releases, meetings and expirations; outcomes may follow from another file."""
    table = CsvTable(lines)
    parsed = ParsedFile(EVENTS, "file", Quality.EOD)
    day_at, kind_at, period_at = table.need("date"), table.need("event"), table.need("ref_period")
    detail_at, time_at, source_at = (
        table.position("detail"),
        table.position("time_et"),
        table.position("source"),
    )
    for row in table.rows():
        parsed.rows_read += 1
        kind = table.text(row[kind_at], kind_at).lower()
        if not re.fullmatch(r"[a-z_]{2,40}", kind):
            raise MarketFileError(f"{kind!r} is not an event", table.line, "event")
        parsed.events.append(
            EventRow(
                kind=kind,
                day=table.day(row, day_at, "iso"),
                period=table.text(row[period_at], period_at)[:40],
                time_et=_time(table, row, time_at),
                detail="" if detail_at is None else table.text(row[detail_at], detail_at)[:200],
                scheduled=kind != CalendarEventKind.FOMC_UNSCHEDULED,
                source="" if source_at is None else table.text(row[source_at], source_at)[:60],
            )
        )
    return parsed


def _time(table: CsvTable, row: list[str], at: int | None) -> time | None:
    cell = "" if at is None else row[at].strip()
    if not cell:
        return None
    match = _TIME.match(cell)
    if match is None:
        raise MarketFileError(f"{cell!r} is not a time such as 08:30", table.line, table.header[at or 0])
    return time(int(match.group(1)), int(match.group(2)))


def sniff_consensus(header: list[str]) -> bool:
    """``date,ref_month,…,<figure>_actual,<figure>_forecast,<figure>_previous``."""
    return {"date", "ref_month"} <= _names(header) and any(_FIGURE.match(name) for name in _names(header))


def parse_consensus(lines: list[str]) -> ParsedFile:
    """Actual, forecast and previous by release; the file's clock times are in no stated zone, not read."""
    table = CsvTable(lines)
    parsed = ParsedFile(CONSENSUS, "file", Quality.EOD)
    day_at, month_at = table.need("date"), table.need("ref_month")
    name = next(name for name in table.header if _FIGURE.match(name))
    found = _FIGURE.match(name)
    assert found is not None
    stem = name.removesuffix("_actual")
    actual_at, forecast_at, previous_at = (
        table.position(f"{stem}_{figure}") for figure in ("actual", "forecast", "previous")
    )
    for row in table.rows():
        parsed.rows_read += 1
        day = table.day(row, day_at, "iso")
        parsed.events.append(
            EventRow(
                kind=found["kind"],
                day=day,
                period=_period(table, row, month_at, day),
                unit=_UNITS[found["how"]],
                source=f"{found['kind']} consensus",
                actual=_percent(table, row, actual_at),
                forecast=_percent(table, row, forecast_at),
                previous=_percent(table, row, previous_at),
            )
        )
    return parsed


def _period(table: CsvTable, row: list[str], at: int, released: date) -> str:
    """The full month and year of a short month name: the last such month before the release."""
    cell = table.text(row[at], at)
    months = [
        n for n, month in enumerate(_MONTHS, start=1) if len(cell) >= 3 and month.startswith(cell.title())
    ]
    if len(months) != 1:
        raise MarketFileError(f"{cell!r} is not a month", table.line, table.header[at])
    year = released.year if months[0] < released.month else released.year - 1
    return f"{_MONTHS[months[0] - 1]} {year}"


def _percent(table: CsvTable, row: list[str], at: int | None) -> Decimal | None:
    if at is None:
        return None
    row = [*row]
    row[at] = row[at].strip().removesuffix("%")
    return table.optional(row, at)


def sniff_finals(header: list[str]) -> bool:
    """Cboe's list of settlement months and prices."""
    return {"settlementmonth", "settlementyear", "settlementprice"} <= _names(header)


def parse_finals(lines: list[str]) -> ParsedFile:
    """VRO by contract month; before 26 March 2007 prices were quoted at ten times today's scale."""
    table = CsvTable(lines)
    parsed = ParsedFile(FINALS, "cfe", Quality.EOD)
    month_at, year_at, price_at = (
        table.need("settlementmonth"), table.need("settlementyear"), table.need("settlementprice")
    )  # fmt: skip
    symbol_at = table.position("symbol")
    seen: dict[date, Decimal] = {}
    for row in table.rows():
        parsed.rows_read += 1
        symbol = "VX" if symbol_at is None else table.text(row[symbol_at], symbol_at)
        if symbol not in ("VX", "VM"):
            parsed.dropped[f"not a VIX contract: {symbol[:8]}"] += 1
            continue
        month, year = table.number(row, month_at), table.number(row, year_at)
        try:
            expiry = vix_expiry(int(year), int(month))
        except (ValueError, OverflowError):
            raise MarketFileError(f"{year}-{month} is not a contract month", table.line) from None
        price = table.number(row, price_at)
        if expiry < VX_RESCALED_FROM:
            price = round(price / 10, 4)
        if price <= 0:
            raise MarketFileError("a settlement must be above zero", table.line, table.header[price_at])
        if expiry in seen:
            if seen[expiry] != price:
                raise MarketFileError(f"{expiry} settles at {seen[expiry]} and at {price}", table.line)
            parsed.dropped["the same settlement of the mini contract"] += 1
            continue
        seen[expiry] = price
        parsed.bars.append(BarRow(S.VRO, expiry, price))
    return parsed


def sniff_finals_by_expiry(header: list[str]) -> bool:
    """``expiry,vro,archive,vix_open,source``: settlements told from the last prints of each contract."""
    return {"expiry", "vro"} <= _names(header)


def parse_finals_by_expiry(lines: list[str]) -> ParsedFile:
    """VRO by expiry in today's points; one expiry with two values is refused."""
    table = CsvTable(lines)
    parsed = ParsedFile(FINALS_BY_EXPIRY, LAST_PRINT, Quality.EOD)
    day_at, price_at = table.need("expiry"), table.need("vro")
    seen: dict[date, Decimal] = {}
    for row in table.rows():
        parsed.rows_read += 1
        expiry, price = table.day(row, day_at, "iso"), table.number(row, price_at)
        if price <= 0:
            raise MarketFileError("a settlement must be above zero", table.line, table.header[price_at])
        if seen.setdefault(expiry, price) != price:
            raise MarketFileError(f"{expiry} settles at {seen[expiry]} and at {price}", table.line)
        parsed.bars.append(BarRow(S.VRO, expiry, price))
    return parsed


def sniff_sessions(header: list[str]) -> bool:
    """A list of exchange sessions."""
    return _names(header) == {"date", "early_close"}


def parse_sessions(lines: list[str]) -> ParsedFile:
    """Sessions are not stored: the calendar knows them; each row is compared with it."""
    table = CsvTable(lines)
    parsed = ParsedFile(SESSIONS, "file", Quality.EOD)
    day_at, early_at = table.need("date"), table.need("early_close")
    for row in table.rows():
        parsed.rows_read += 1
        day, early = table.day(row, day_at, "iso"), table.number(row, early_at) > 0
        agrees = is_session(day) and is_early_close(day) == early
        parsed.dropped["agrees with the calendar, not stored" if agrees else "differs from the calendar"] += 1
    return parsed


def sniff_term_structure(header: list[str]) -> bool:
    """A VX curve by rank: ``m1``, ``m2``, … with the first expiry."""
    return {"date", "m1", "m2", "m1_expiry"} <= _names(header)


def parse_term_structure(lines: list[str]) -> ParsedFile:
    """A curve by rank is derived from the contracts and is not stored."""
    table = CsvTable(lines)
    parsed = ParsedFile(TERM_STRUCTURE, "file", Quality.EOD)
    day_at = table.need("date")
    for row in table.rows():
        table.day(row, day_at, "iso")
        parsed.rows_read += 1
        parsed.dropped["derived from the contracts, not stored"] += 1
    return parsed

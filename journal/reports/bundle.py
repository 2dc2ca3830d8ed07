"""The report as tables for a spreadsheet: CSV files in one zip.

Numbers stay numbers: dot decimals, no grouping, ASCII minus, ten significant digits where the figure is not
money. Texts that a spreadsheet would compute are neutralised. Unknown figures are empty cells.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from journal.reports.model import LegLine, PeriodResult, ReportData, Sum, TradeLine
from journal.reports.results import result_sheets
from journal.safe_csv import safe_cell

_EPOCH = (1980, 1, 1, 0, 0, 0)
_DIGITS = 6
Value = object


@dataclass(frozen=True, slots=True)
class Sheet:
    """One CSV file."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]


def render_csv(data: ReportData) -> bytes:
    """Zip the sheets; the same report gives the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for sheet in sheets(data):
            entry = zipfile.ZipInfo(f"{sheet.name}.csv", _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, sheet_text(sheet).encode("utf-8-sig"))
    return buffer.getvalue()


def render_one_csv(data: ReportData) -> bytes:
    """Write the sheets below one another in one file, each under its name and before a blank line."""
    return "\r\n".join(f"{sheet.name}\r\n{sheet_text(sheet)}" for sheet in sheets(data)).encode("utf-8-sig")


def sheet_text(sheet: Sheet) -> str:
    """Write one sheet as CSV (RFC 4180)."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(sheet.columns)
    writer.writerows([_cell(value) for value in row] for row in sheet.rows)
    return buffer.getvalue()


def _cell(value: Value) -> str:
    """Print a cell; only texts are neutralised, so that negative numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, Decimal):
        digits = -int(value.as_tuple().exponent)
        return f"{round(value, _DIGITS) if digits > _DIGITS else value:f}"
    if isinstance(value, float):
        return str(without_tail(value))
    if isinstance(value, int | date):
        return str(value)
    return safe_cell(str(value))


def without_tail(value: float) -> float:
    """The number to ten significant digits: what binary arithmetic leaves behind them is no figure."""
    return float(f"{value:.10g}")


def sheets(data: ReportData) -> tuple[Sheet, ...]:
    """All tables of the report."""
    return (
        _summary(data), *(Sheet(*line) for line in result_sheets(data.results)), _positions(data),
        _legs(data), _layers(data), _greeks(data), _fills(data),
    )  # fmt: skip


def _summary(data: ReportData) -> Sheet:
    head = data.header
    texts: list[tuple[str, Value]] = [
        ("account", head.account), ("broker", head.broker), ("account_number", head.number),
        ("account_type", head.kind), ("currency", head.currency), ("base_capital", head.capital),
        ("date_from", head.date_from), ("date_to", head.date_to), ("positions_as_of", head.as_of),
        ("marks_as_of", head.marks.as_of if head.marks else None),
        ("marks_quality", " ".join(head.marks.quality) if head.marks else "no market data"),
        ("opening_marks_as_of", head.opening_marks.as_of if head.opening_marks else None),
        ("time_zone", head.time_zone), ("ruleset", head.ruleset), ("book_revision", head.book_revision),
        ("simulated", head.is_demo), ("generated_at", head.generated_at),
        ("generated_by", head.generated_by),
    ]  # fmt: skip
    rows: list[tuple[Value, ...]] = [(name, value, None) for name, value in texts]
    groups = {
        "condors": data.condors, "other": data.other, "without_hedge": data.without_hedge,
        "hedge_layers": data.hedge, "with_hedge": data.account,
    }  # fmt: skip
    for name, result in groups.items():
        rows += [(f"{name}_{label}", value, partial) for label, value, partial in _result(result)]
    rows.append(("margin", data.margin.amount, data.margin.partial))
    if data.stress is not None:
        rows += [
            ("stressed_loss", data.stress.loss.amount, data.stress.loss.partial),
            ("stress_spx_change", data.stress.spot, None), ("stress_vix_points", data.stress.vix, None),
        ]  # fmt: skip
    return Sheet("summary", ("figure", "value", "partial"), tuple(rows))


def _result(result: PeriodResult) -> list[tuple[str, Value, bool]]:
    return [
        ("realized", result.realized, False), ("fees", result.fees, False),
        ("unrealized_at_start", result.opening.amount, result.opening.partial),
        ("unrealized_at_end", result.closing.amount, result.closing.partial),
        ("pnl", result.net.amount, result.net.partial),
    ]  # fmt: skip


def _sums(*sums: Sum) -> Iterable[Value]:
    return (figure.amount for figure in sums)


def _positions(data: ReportData) -> Sheet:
    columns = (
        "trade_id", "position", "kind", "layer", "status", "opened_at", "closed_at", "expiry", "cash",
        "realized", "fees", "unrealized", "pnl", "partial", "period_realized", "period_fees",
        "period_unrealized_at_start", "period_unrealized_at_end", "period_pnl", "max_profit", "max_loss",
        "margin", "probability_of_profit",
    )  # fmt: skip

    def row(t: TradeLine) -> tuple[Value, ...]:
        return (
            t.trade_id, t.label, t.kind, t.layer, "open" if t.is_open else "closed", t.opened_at,
            t.closed_at, t.expiry, t.cash, t.realized, t.fees, t.unrealized.amount, t.net.amount,
            t.net.partial or t.result.net.partial, t.result.realized, t.result.fees,
            *_sums(t.result.opening, t.result.closing, t.result.net), t.max_profit, t.max_loss,
            t.margin, t.pop,
        )  # fmt: skip

    return Sheet("positions", columns, tuple(row(t) for t in data.trades))


def _legs(data: ReportData) -> Sheet:
    columns = (
        "trade_id", "position", "occ_symbol", "root", "expiry", "strike", "right", "settlement",
        "quantity", "multiplier", "entry_points", "mark_points", "source", "unknown_because", "iv",
        "delta", "gamma", "theta_per_day", "vega_per_vol_point", "rho_per_1pct", "pnl",
    )  # fmt: skip

    def row(trade: TradeLine, leg: LegLine) -> tuple[Value, ...]:
        spec = leg.spec
        return (
            trade.trade_id, trade.label, spec.symbol, spec.root, spec.expiry, spec.strike,
            spec.right.name.lower() if spec.right else None, spec.settlement.value, leg.quantity,
            spec.multiplier, leg.entry, leg.price, leg.source, leg.reason, leg.iv, leg.delta,
            leg.gamma, leg.theta, leg.vega, leg.rho, leg.pnl,
        )  # fmt: skip

    return Sheet("legs", columns, tuple(row(t, leg) for t in data.trades for leg in t.legs))


def _layers(data: ReportData) -> Sheet:
    columns = (
        "layer", "open_positions", "paid", "unrealized", "period_realized", "period_fees", "period_pnl",
        "partial", "vx_delta_per_point", "vx_vega_per_vol_point", "theta_per_day",
    )  # fmt: skip
    rows: list[tuple[Value, ...]] = []
    for line in data.layers:
        vx = line.greeks.get("VX")
        rows.append((
            line.layer, line.positions, line.paid, line.unrealized.amount, line.result.realized,
            line.result.fees, line.result.net.amount, line.result.net.partial,
            vx.delta if vx else None, vx.vega if vx else None,
            sum(g.theta for g in line.greeks.values()) if line.greeks else None,
        ))  # fmt: skip
    return Sheet("layers", columns, tuple(rows))


def _greeks(data: ReportData) -> Sheet:
    columns = (
        "factor", "delta_usd_per_point", "gamma_usd_per_point2", "theta_usd_per_day",
        "vega_usd_per_vol_point", "rho_usd_per_1pct", "partial",
    )  # fmt: skip
    rows = tuple(
        (name, g.delta, g.gamma, g.theta, g.vega, g.rho, data.greeks_partial)
        for name, g in data.greeks.items()
    )
    return Sheet("greeks", columns, rows)


def _fills(data: ReportData) -> Sheet:
    columns = (
        "executed_at", "session", "position", "occ_symbol", "settlement", "quantity", "multiplier",
        "price_points", "premium", "fees", "note",
    )  # fmt: skip
    rows: Sequence[tuple[Value, ...]] = [
        (
            f.executed_at, f.trade_date, f.trade, f.spec.symbol, f.spec.settlement.value, f.quantity,
            f.spec.multiplier, f.price, f.cash, f.fees, f.note,
        )
        for f in data.fills
    ]  # fmt: skip
    return Sheet("fills", columns, tuple(rows))

"""The console as rows of a file: figures as figures, unknown as an empty cell, units in the head."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from journal.models import RiskRow

_FIELDS = (
    ("account", "Account"), ("severity", "Worst breach (0 none, 1 unknown, 2 soft, 3 hard)"),
    ("breaches", "Breaches"), ("capital", "Capital $"), ("net_liq", "Net liq $"), ("open_pnl", "Open P&L $"),
    ("day_pnl", "Day P&L $"), ("month_pnl", "MTD P&L $"), ("drawdown_pct", "Drawdown %"),
    ("margin", "Margin $, at least"), ("margin_pct", "Margin % of capital"),
    ("unmargined", "Trades without a margin rule"), ("portfolio_margin", "Portfolio margin $, estimate"),
    ("fall_loss", "Stressed loss VIX up $"), ("fall_pct", "Stressed loss VIX up %"),
    ("rally_loss", "Stressed loss elsewhere $"), ("rally_pct", "Stressed loss elsewhere %"),
    ("coverage_pct", "Coverage %"), ("spx_delta", "SPX delta $/pt"), ("spx_gamma", "SPX gamma $/pt²"),
    ("spx_vega", "SPX vega $/vol pt"), ("vx_delta", "VX delta $/pt"), ("vx_vega", "VX vega $/vol pt"),
    ("theta", "Theta $/day"), ("worst_expiry", "Worst expiry"), ("expiry_share_pct", "Worst expiry %"),
    ("worst_strike", "Most sold strike"), ("strike_share_pct", "Most sold strike %"),
    ("open_trades", "Open trades"), ("unknown_legs", "Unknown legs"),
    ("mark_age_days", "Sessions since marks"),
    ("waiting", "Recommendations waiting"), ("overrides", "Overrides, 30 days"),
)  # fmt: skip


def export_head() -> list[str]:
    """Names of the columns with their units."""
    return [text for _, text in _FIELDS]


def export_row(row: RiskRow) -> list[Any]:
    """One account; None is unknown."""
    return [row.account.name if name == "account" else getattr(row, name) for name, _ in _FIELDS]


def console_xlsx(rows: Iterable[Sequence[Any]], *, as_of: datetime | None) -> bytes:
    """A workbook of one sheet, texts never as formulas."""
    import xlsxwriter

    buffer = io.BytesIO()
    options = {
        "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
        "default_date_format": "yyyy-mm-dd", "remove_timezone": True,
    }  # fmt: skip
    book = xlsxwriter.Workbook(buffer, options)
    book.set_properties({"title": "Risk of all accounts", "created": as_of and as_of.replace(tzinfo=None)})
    page = book.add_worksheet("Risk")
    page.freeze_panes(1, 1)
    page.set_column(0, 0, 28)
    page.set_column(1, len(_FIELDS) - 1, 14)
    page.write_row(0, 0, export_head(), book.add_format({"bold": True, "bottom": 1, "text_wrap": True}))
    for number, row in enumerate(rows, start=1):
        page.write_row(number, 0, row)
    book.close()
    return buffer.getvalue()

"""Report bytes in each format."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from journal.reports.chart import pnl_chart
from journal.reports.data import ReportData
from journal.services.safe_csv import safe_cell
from journal.templatetags.figures import money_text

_LEG_COLUMNS = (
    "section", "position", "contract", "quantity", "entry_price", "mark", "source", "iv", "delta", "gamma",
    "theta_per_day", "vega_per_vol_point", "rho_per_1pct", "market_value", "pnl", "fees", "time",
)


def render(data: ReportData, form: str) -> bytes:
    """The report as ``html``, ``pdf`` or ``csv`` bytes."""
    return {"html": render_html, "pdf": render_pdf, "csv": render_csv}[form](data)


def render_html(data: ReportData) -> bytes:
    """A page that stands alone under the site's content policy."""
    # The chart is our own SVG: generated above from escaped labels, without script or reference.
    context = {"data": data, "chart": mark_safe(_inline(pnl_chart(data)))}  # noqa: S308
    return render_to_string("reports/account.html", context).encode()


def _inline(svg: str) -> str:
    """Only the svg element, without the XML prologue."""
    return svg[svg.index("<svg") :] if svg else ""


def render_csv(data: ReportData) -> bytes:
    """One table: open legs, open positions, closed trades, fills and totals, told apart by ``section``."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, _LEG_COLUMNS, restval="")
    writer.writeheader()
    for trade in data.trades:
        label = safe_cell(trade.label)
        for leg in trade.legs:
            writer.writerow({
                "section": "leg", "position": label, "contract": safe_cell(leg.symbol), "quantity": leg.quantity,
                "entry_price": leg.entry, "mark": _or_unknown(leg.price), "source": leg.source,
                "iv": _or_unknown(leg.iv), "delta": _or_unknown(leg.delta), "gamma": _or_unknown(leg.gamma),
                "theta_per_day": _or_unknown(leg.theta), "vega_per_vol_point": _or_unknown(leg.vega),
                "rho_per_1pct": _or_unknown(leg.rho), "pnl": _or_unknown(leg.pnl),
            })
        writer.writerow({
            "section": "position", "position": label, "market_value": _or_unknown(trade.market_value),
            "pnl": _or_unknown(trade.pnl), "fees": trade.fees, "time": trade.opened.isoformat(),
        })
    for line in data.layers:
        writer.writerow({
            "section": "layer", "position": f"layer {line.layer}", "quantity": line.trades, "pnl": _or_unknown(line.pnl),
        })
    for closed in data.closed:
        writer.writerow({
            "section": "closed", "position": safe_cell(closed.label), "pnl": closed.realized, "fees": closed.fees,
            "time": closed.closed.isoformat(),
        })
    for fill in data.fills:
        writer.writerow({
            "section": "fill", "position": safe_cell(fill.trade), "contract": safe_cell(fill.symbol),
            "quantity": fill.quantity, "entry_price": fill.price, "fees": fill.fees, "time": fill.executed_at.isoformat(),
        })
    for name, value in (("realized", data.realized), ("open", data.open_pnl), ("total", data.total)):
        writer.writerow({"section": "total", "position": name, "pnl": _or_unknown(value)})
    return buffer.getvalue().encode()


def _or_unknown(value: object) -> object:
    return "unknown" if value is None else value


def render_pdf(data: ReportData) -> bytes:
    """Typeset by typst; the data travels as JSON and is never read as markup."""
    import typst

    folder = Path(settings.BASE_DIR) / "templates" / "reports"
    files = {
        "main.typ": (folder / "account.typ").read_bytes(),
        "data.json": json.dumps(_pdf_data(data)).encode(),
    }
    if chart := pnl_chart(data):
        files["chart.svg"] = chart.encode()
    compiled = typst.compile(files, format="pdf", sys_inputs={"chart": "yes" if chart else "no"})
    assert isinstance(compiled, bytes)
    return compiled


def _pdf_data(data: ReportData) -> dict[str, object]:
    """Texts as they are printed: money with its sign, times in the account's zone."""
    zone = ZoneInfo(data.time_zone)

    def show(value: object) -> object:
        if isinstance(value, Decimal):
            return money_text(value)
        if isinstance(value, datetime):
            return f"{value.astimezone(zone):%Y-%m-%d %H:%M}"
        if isinstance(value, dict):
            return {str(key): show(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [show(inner) for inner in value]
        return value.isoformat() if hasattr(value, "isoformat") else value

    shown = show(asdict(data))
    assert isinstance(shown, dict)
    return {**shown, "total": money_text(data.total)}

"""The report's chart as an SVG with real text and no outside reference."""

from __future__ import annotations

import io

from journal.reports.data import ReportData

GAIN, LOSS, INK = "#0b5cad", "#b3470b", "#16212b"


def pnl_chart(data: ReportData) -> str:
    """Open P&L by position as horizontal bars; empty when nothing is known."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    bars = [(trade.label, float(trade.pnl)) for trade in data.trades if trade.pnl is not None][:24]
    if not bars:
        return ""
    with rc_context({"svg.fonttype": "path", "svg.hashsalt": "report", "font.size": 8}):
        figure = Figure(figsize=(7.2, 0.6 + 0.26 * len(bars)), layout="constrained")
        axes = figure.subplots()
        values = [value for _, value in bars]
        axes.barh(range(len(bars)), values, color=[GAIN if v >= 0 else LOSS for v in values], height=0.62)
        axes.set_yticks(range(len(bars)), [_plain(label) for label, _ in bars])
        axes.invert_yaxis()
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.xaxis.set_major_formatter(lambda value, _: f"{'−' if value < 0 else ''}${abs(value):,.0f}")
        axes.grid(axis="x", color="#dbe0e6", linewidth=0.5)
        axes.set_axisbelow(True)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def _plain(label: str) -> str:
    """Matplotlib reads $…$ as mathematics: labels are shown as they are."""
    return label.replace("$", r"\$")

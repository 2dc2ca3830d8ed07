"""The report's charts: matplotlib draws, and the SVG is made fit for print and a strict page.

Matplotlib writes styles, which a content policy without inline style drops. ``plain_svg`` turns them
into attributes, which it does not; labels stay text, set in the typeface of the document around them.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from journal.reports.model import ReportData, SettlementPayoff, TradeLine

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GAIN, LOSS, INK, SOFT, GRID = "#0b5cad", "#b3470b", "#16212b", "#4a5866", "#dbe0e6"
#: The PDF's typeface first; a page falls back to its own.
FONTS = "Libertinus Serif, system-ui, sans-serif"
BARS = 24
WIDTH = 7.15
_MINUS = "\N{MINUS SIGN}"
_SVG = "http://www.w3.org/2000/svg"
_FONT = re.compile(r"(\d+(?:\.\d+)?)px")
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none", "text.parse_math": False, "font.size": 8,
    "axes.edgecolor": SOFT, "axes.linewidth": 0.6, "text.color": INK, "axes.labelcolor": SOFT,
    "xtick.color": SOFT, "ytick.color": SOFT, "xtick.labelcolor": INK, "ytick.labelcolor": INK,
    "xtick.major.width": 0.6, "ytick.major.width": 0.6,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing with its heading and the sentence that says the same in words."""

    name: str
    title: str
    summary: str
    svg: str


def report_charts(data: ReportData) -> list[Chart]:
    """Draw the charts the data allows: payoff of the SPX options, and P&L by open position."""
    charts = []
    if data.payoff is not None:
        charts.append(
            Chart("payoff", "SPX options at expiry", payoff_summary(data.payoff), _payoff(data.payoff))
        )
    bars, left_out = _bars(data)
    if bars:
        charts.append(
            Chart(
                "bars",
                "Open positions: profit and loss since opening",
                bars_summary(bars, left_out),
                _bar_chart(bars),
            )
        )
    return charts


def payoff_summary(payoff: SettlementPayoff) -> str:
    """Say what the payoff chart shows."""
    best, worst = max(payoff.pnl), min(payoff.pnl)
    zero = " and ".join(f"{price:,.2f}" for price in payoff.break_evens)
    return (
        "Profit and loss after cash and fees of all open trades of SPX options alone, when every expiry "
        f"settles at the same SPX price: {dollars_text(worst, plus=True)} to {dollars_text(best, plus=True)} "
        f"over the prices shown{f', zero at {zero}' if zero else ''}"
        f"{f', SPX now {payoff.spot:,.2f}' if payoff.spot is not None else ''}."
    )


def bars_summary(bars: Sequence[tuple[TradeLine, Decimal]], left_out: int) -> str:
    """Say what the bars show, and what they leave out."""
    won = sum(1 for _, amount in bars if amount > 0)
    rest = f" {left_out} positions with a partial mark or a smaller figure are left out." if left_out else ""
    return f"{len(bars)} open positions after fees, {won} with a gain and {len(bars) - won} without.{rest}"


def _bars(data: ReportData) -> tuple[list[tuple[TradeLine, Decimal]], int]:
    """The largest known figures, in the order of the book."""
    fully = [
        (trade, trade.net.amount)
        for trade in data.open_trades
        if trade.net.amount is not None and not trade.net.partial
    ]
    largest = sorted(fully, key=lambda bar: -abs(bar[1]))[:BARS]
    chosen = {trade.trade_id for trade, _ in largest}
    return [bar for bar in fully if bar[0].trade_id in chosen], len(data.open_trades) - len(largest)


def dollars_text(value: float | Decimal, *, plus: bool = False) -> str:
    """Whole dollars with a true minus."""
    rounded = round(value)
    sign = _MINUS if rounded < 0 else "+" if plus and rounded > 0 else ""
    return f"{sign}${abs(rounded):,}"


def _axes(height: float) -> tuple[Any, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.subplots()
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=2.5, pad=3)
    axes.set_axisbelow(True)
    return figure, axes


def _payoff(payoff: SettlementPayoff) -> str:
    from matplotlib import rc_context

    with rc_context({**SETTINGS, "svg.hashsalt": "payoff"}):
        figure, axes = _axes(2.0)
        prices, pnl = list(payoff.prices), list(payoff.pnl)
        axes.grid(axis="y", color=GRID, linewidth=0.5)
        axes.tick_params(axis="y", length=0)
        for colour, above in ((GAIN, True), (LOSS, False)):
            where = [(p >= 0) is above for p in pnl]
            axes.fill_between(
                prices, pnl, 0, where=where, interpolate=True, color=colour, alpha=0.13, linewidth=0
            )
        axes.plot(prices, pnl, color=INK, linewidth=1.2, solid_joinstyle="miter")
        axes.axhline(0, color=SOFT, linewidth=0.7)
        low, high = min(*pnl, 0.0), max(*pnl, 0.0)
        room = (high - low) or 1.0
        axes.set_ylim(low - 0.08 * room, high + 0.22 * room)
        axes.set_xlim(prices[0], prices[-1])
        if payoff.spot is not None:
            axes.axvline(payoff.spot, color=SOFT, linewidth=0.7, dashes=(3, 2))
            axes.annotate(
                f"SPX {payoff.spot:,.2f}", (payoff.spot, high + 0.15 * room), xytext=(4, 0),
                textcoords="offset points", color=SOFT, va="center",
            )  # fmt: skip
        for price in payoff.break_evens[:6]:
            axes.plot([price], [0], marker="o", markersize=3, color=INK)
            axes.annotate(
                f"{price:,.2f}", (price, 0), xytext=(0, 7), textcoords="offset points", ha="center",
                fontsize=7.5,
            )  # fmt: skip
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.yaxis.set_major_formatter(lambda value, _: dollars_text(value))
        axes.set_xlabel("SPX at settlement")
        return drawn(figure)


def _bar_chart(bars: Sequence[tuple[TradeLine, Decimal]]) -> str:
    from matplotlib import rc_context

    with rc_context({**SETTINGS, "svg.hashsalt": "bars"}):
        figure, axes = _axes(0.42 + 0.185 * len(bars))
        values = [float(amount) for _, amount in bars]
        rows = range(len(bars))
        axes.barh(rows, values, color=[GAIN if v >= 0 else LOSS for v in values], height=0.58)
        axes.set_yticks(rows, [trade.label for trade, _ in bars])
        axes.tick_params(axis="y", length=0)
        axes.invert_yaxis()
        axes.axvline(0, color=SOFT, linewidth=0.7)
        axes.grid(axis="x", color=GRID, linewidth=0.5)
        low, high = min(*values, 0.0), max(*values, 0.0)
        room = (high - low) or 1.0
        axes.set_xlim(low - (0.13 * room if low < 0 else 0), high + (0.13 * room if high > 0 else 0))
        axes.set_ylim(len(bars) - 0.5, -0.5)
        for row, value in zip(rows, values, strict=True):
            left = value < 0
            axes.annotate(
                dollars_text(value, plus=True), (value, row), xytext=(-4 if left else 4, 0),
                textcoords="offset points", ha="right" if left else "left", va="center", fontsize=7.5,
            )  # fmt: skip
        axes.xaxis.set_major_formatter(lambda value, _: dollars_text(value))
        return drawn(figure)


def drawn(figure: Any) -> str:
    """The figure as plain SVG."""
    buffer = io.StringIO()
    metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with warnings.catch_warnings():
        # Labels stay text: whatever shows the drawing brings the glyphs matplotlib lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="svg", metadata=metadata, transparent=True)
    return plain_svg(buffer.getvalue())


def plain_svg(text: str) -> str:
    """Turn styles into attributes and drop what a page has no use for; labels stay text."""
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    root = ET.fromstring(text)  # noqa: S314  # our own drawing, written a moment ago
    defs = root.findall(f"{{{_SVG}}}defs")
    for group in defs:
        for style in group.findall(f"{{{_SVG}}}style"):
            group.remove(style)
        if not len(group):
            root.remove(group)
    root.attrib.update({"stroke-linejoin": "round", "stroke-linecap": "butt", "font-family": FONTS})
    for element in root.iter():
        if element.tag == f"{{{_SVG}}}g":
            element.attrib.pop("id", None)  # two charts on one page must not share ids
        if element.get("transform", "").startswith("rotate(-0 "):
            del element.attrib["transform"]
        for declaration in element.attrib.pop("style", "").split(";"):
            name, _, value = declaration.partition(":")
            _attribute(element, name.strip(), value.strip())
    for name in ("width", "height"):
        root.attrib.pop(name, None)
    return ET.tostring(root, encoding="unicode")


def _attribute(element: ET.Element, name: str, value: str) -> None:
    if name == "font":
        if size := _FONT.search(value):
            element.set("font-size", size.group(1))
    elif name and name != "font-family":
        element.set(name, value.removesuffix("px") if name == "font-size" else value)

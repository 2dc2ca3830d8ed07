"""The equity curve of a report, with its drawdown below, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from math import isfinite
from typing import Any

from hedging.maths.arrays import Floats
from journal.reports.chart import GAIN, GRID, INK, LOSS, SETTINGS, SOFT, WIDTH, Chart, dollars_text, drawn
from journal.reports.texts import share
from journal.selectors.results.performance import AccountPerformance

#: Marks on the time axis at most; a longer period is marked by quarter or year.
_TICKS = 13
_STEPS = (1, 3, 6, 12, 24, 60)


def equity_chart(found: AccountPerformance | None) -> Chart | None:
    """Equity at each session with and without the hedge, and how far below its height it stood."""
    if found is None or len(found.days) < 2:
        return None
    return Chart("equity", "Equity and drawdown", equity_summary(found), _draw(found))


def equity_summary(found: AccountPerformance) -> str:
    """Say what the curve shows."""
    first, last = dollars_text(found.opening), dollars_text(float(found.equity[-1]))
    text = f"Equity at each session's close, from {first} to {last}"
    if found.has_hedge:
        end = dollars_text(float(_without(found)[-1]))
        text += f"; without the hedge's gains and losses it would end at {end}"
    moved = float(found.equity[-1]) - found.opening - float(sum(found.pnl))
    if abs(moved) >= 1:
        text += (
            f"; {'deposits' if moved > 0 else 'withdrawals'} of {dollars_text(abs(moved))} net are part of it"
        )
    deepest = found.hedged.drawdown
    if deepest is None:
        return f"{text}. It never stood below its height."
    end = f"made good by {deepest.recovered}" if deepest.recovered else "not made good in the period"
    return f"{text}. Its deepest fall, {share(deepest.depth)}, ended on {deepest.trough} and was {end}."


def _without(found: AccountPerformance) -> Floats:
    """Equity less what the hedge gained within the period: both curves begin at one point."""
    first = float((found.returns[0] - found.returns_unhedged[0]) * found.opening)
    before = float(found.equity[0] - found.equity_unhedged[0]) - (first if isfinite(first) else 0.0)
    return found.equity_unhedged + before


def _draw(found: AccountPerformance) -> str:
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({**SETTINGS, "svg.hashsalt": "equity"}):
        figure = Figure(figsize=(WIDTH, 2.75), layout="constrained")
        top, low = figure.subplots(2, 1, sharex=True, height_ratios=(2.4, 1))
        for axes in (top, low):
            for side in ("top", "right", "left"):
                axes.spines[side].set_visible(False)
            axes.grid(axis="y", color=GRID, linewidth=0.5)
            axes.tick_params(axis="y", length=0, pad=3)
            axes.set_axisbelow(True)
        at = range(len(found.days))
        if found.has_hedge:
            top.plot(at, _without(found), color=LOSS, linewidth=0.9, dashes=(4, 2))
        top.plot(at, found.equity, color=GAIN, linewidth=1.3)
        top.axhline(found.opening, color=SOFT, linewidth=0.6, dashes=(1, 2))
        top.spines["bottom"].set_visible(False)
        top.tick_params(axis="x", length=0)
        top.yaxis.set_major_formatter(lambda value, _: dollars_text(value))
        top.yaxis.get_major_locator().set_params(nbins=5)
        low.fill_between(at, found.below * 100, 0, color=GAIN, alpha=0.18, linewidth=0)
        low.plot(at, found.below * 100, color=GAIN, linewidth=0.8)
        if found.has_hedge:
            low.plot(at, found.below_unhedged * 100, color=LOSS, linewidth=0.8, dashes=(4, 2))
        low.set_ylim(top=0)
        low.yaxis.set_major_formatter(lambda value, _: f"{abs(value):g}%")
        low.yaxis.get_major_locator().set_params(nbins=3)
        low.set_ylabel("below peak")
        top.set_xlim(0, len(found.days) - 1)
        places, names = _ticks(found.days)
        low.set_xticks(places, names)
        low.tick_params(axis="x", length=2.5)
        _legend(top, found)
        figure.align_ylabels()
        return drawn(figure)


def _legend(axes: Any, found: AccountPerformance) -> None:
    """Name the lines in a row above the curve, in their colours."""
    handles = [axes.plot([], [], color=GAIN, linewidth=1.3)[0]]
    names = ["with hedge" if found.has_hedge else "equity"]
    if found.has_hedge:
        handles += axes.plot([], [], color=LOSS, linewidth=0.9, dashes=(4, 2))
        names.append("without hedge")
    axes.legend(
        handles, names, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, frameon=False, borderaxespad=0,
        borderpad=0.2, handlelength=2.2, columnspacing=1.6, labelcolor=INK,
    )  # fmt: skip


def _ticks(days: Sequence[date]) -> tuple[list[int], list[str]]:
    """First sessions of months, quarters or years, as many as fit; the year beside the first of its marks."""
    months = [i for i, day in enumerate(days) if i and day.month != days[i - 1].month]
    span = (days[-1].year - days[0].year) * 12 + days[-1].month - days[0].month
    step = next((s for s in _STEPS if span / s <= _TICKS), _STEPS[-1])
    places = [i for i in months if ((days[i].year * 12 + days[i].month - 1) % step) == 0]
    if not places:
        return [0, len(days) - 1], [f"{days[0]:%d %b %Y}", f"{days[-1]:%d %b %Y}"]
    names, year = [], 0
    for i in places:
        fresh, year = days[i].year != year, days[i].year
        names.append(f"{days[i]:%Y}" if step >= 12 else f"{days[i]:%b %Y}" if fresh else f"{days[i]:%b}")
    return places, names

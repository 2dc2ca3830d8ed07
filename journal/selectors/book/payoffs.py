"""Payoffs of a trade page: after an event of its chain, and on another day at another volatility."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from hedging.engine.book import BookTrade, InstrumentKind, Leg, TradeRole
from hedging.engine.pricing.analysis import curve_on
from hedging.engine.structure import describe, payoff_curve
from hedging.selectors.calendar import NEW_YORK
from hedging.services.snapshots.snapshots import snapshot_for, snapshot_load
from journal.errors import RuleError
from journal.models import Trade
from journal.selectors.book.structures import expiry_chart
from journal.selectors.book.timeline import chain_fills
from journal.selectors.book.trades import Position, book_trade, position_of, trade_position
from journal.selectors.book.valued import trade_result

_CLOSE = time(16, 0)


@dataclass(frozen=True, slots=True)
class PayoffChart:
    """A payoff chart (see docs/frontend.md), dollars after fees; without one ``reason`` says why.

    ``market`` describes the market it stands on, None where it is exact without one.
    """

    chart: dict[str, Any] | None
    market: dict[str, Any] | None = None
    reason: str = ""

    @property
    def only_expiry(self) -> bool:
        """Whether nothing but the payoff at expiry is known."""
        return self.chart is not None and self.market is None


@dataclass(frozen=True, slots=True)
class PayoffAtLevel:
    """P&L in dollars after fees at one level of the underlying: now, on the day asked for, at expiry."""

    day: date
    vol_points: float
    spot: float
    today: float | None
    then: float | None
    expiry: float


def payoff_after(trades: Sequence[Trade], moment: datetime) -> PayoffChart:
    """The position of a chain as it stood after a moment, on that day's market, with the one before it.

    P&L counts everything the chain made so far. Where the moment closed everything, it is the position
    that was closed.
    """
    fills = chain_fills(trades, moment)
    after = position_of(fills)
    before = position_of([fill for fill in fills if fill.executed_at < moment])
    changed = any(fill.executed_at == moment for fill in fills)
    shown = after if after.legs else before
    if not shown.legs:
        return PayoffChart(None, None, "Nothing was open.")
    first = trades[0]
    book = BookTrade(
        str(first.pk),
        TradeRole(first.kind),
        first.layer,
        shown.engine_legs(),
        float(shown.cash),
        float(shown.fees),
    )
    found = _on_market(book, moment, simulated=first.account.is_demo) or _exact(shown)
    if found.chart is not None and changed and after.legs and before.legs:
        found.chart["more"] = _before(before, found.chart["prices"])
    return found


def _on_market(book: BookTrade, moment: datetime, *, simulated: bool) -> PayoffChart | None:
    evening = moment.astimezone(NEW_YORK).replace(hour=23, minute=59)
    row = snapshot_for(as_of=evening, simulated=simulated)
    if row is None:
        return None
    result = trade_result(book, snapshot_load(row))
    curve = result["analysis"]["payoff"]
    if not curve:
        return None
    chart = {**curve, "break_evens": result["structure"]["break_evens"], "today_name": "At the marks of then"}
    return PayoffChart(chart, result["market"])


def _exact(position: Position) -> PayoffChart:
    """The payoff at expiry alone, which needs no market."""
    structure = describe(position.engine_legs(), float(position.cash - position.fees))
    chart = expiry_chart(position, structure)
    if chart is None:
        return PayoffChart(None, None, "These legs have no exact payoff at one expiry.")
    return PayoffChart(chart)


def _before(position: Position, prices: Sequence[float]) -> list[dict[str, Any]]:
    legs: tuple[Leg, ...] = position.engine_legs()
    options = all(leg.contract.kind is InstrumentKind.OPTION for leg in legs)
    if not options or len({(leg.contract.underlying, leg.contract.expiry) for leg in legs}) > 1:
        return []
    values = payoff_curve(legs, float(position.cash - position.fees), prices)
    return [{"name": "Before, at its expiry", "pnl": [round(value, 2) for value in values]}]


def payoff_asked(
    trade: Trade, chart: dict[str, Any], *, day: date | None, vol_points: float, spot: float | None
) -> tuple[dict[str, Any], PayoffAtLevel]:
    """Add the curve of a day and a volatility to a trade's present chart; raises RuleError naming the input.

    The day counts at its close; from the expiry on it is the payoff at expiry.
    """
    row = snapshot_for(simulated=trade.account.is_demo)
    if row is None:
        raise RuleError("No market data is loaded.", "date")
    market = snapshot_load(row)
    book = book_trade(trade, trade_position(trade))
    moment = market.as_of if day is None else datetime.combine(day, _CLOSE, NEW_YORK)
    shown_day = moment.astimezone(NEW_YORK).date()
    if shown_day < market.as_of.astimezone(NEW_YORK).date():
        raise RuleError("That day is before the market shown.", "date")
    moment = max(moment, market.as_of)
    at = chart["spot"] if spot is None else spot
    curve = curve_on(book, market, moment=moment, vol_points=vol_points, prices=chart["prices"])
    if curve is None:
        raise RuleError("A leg is unknown, so only the payoff at expiry can be shown.", "date")
    then = curve_on(book, market, moment=moment, vol_points=vol_points, prices=[at])
    today = curve_on(book, market, moment=market.as_of, vol_points=0.0, prices=[at])
    expiry = payoff_curve(book.legs, book.cash - book.fees, [at])[0]
    name = f"{shown_day:%Y-%m-%d}" + (f", volatility {vol_points:+g}" if vol_points else "")
    more = [{"name": name, "pnl": [round(value, 2) for value in curve]}]
    asked = PayoffAtLevel(
        shown_day, vol_points, at, today[0] if today else None, then[0] if then else None, expiry
    )
    return {**chart, "more": more}, asked

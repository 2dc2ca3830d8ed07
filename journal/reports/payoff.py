"""The payoff of an account's SPX options, for the report's first chart."""

from __future__ import annotations

from collections.abc import Sequence

from hedging.engine.book import Book, BookTrade, InstrumentKind
from hedging.engine.market import MarketSnapshot
from hedging.engine.structure import payoff_curve
from journal.reports.model import SettlementPayoff

_POINTS = 160


def book_payoff(book: Book, market: MarketSnapshot | None) -> SettlementPayoff | None:
    """P&L of every trade of SPX options alone, each at its own expiry; None when there is none.

    Exact at expiry: it needs the market for the place of spot only.
    """
    trades = [trade for trade in book.trades if _spx_options_only(trade)]
    legs = [leg for trade in trades for leg in trade.legs]
    if not legs:
        return None
    spot = market.spot if market is not None else None
    strikes = sorted({leg.contract.strike or 0.0 for leg in legs})
    prices = _axis(strikes, spot)
    cash = sum(trade.cash - trade.fees for trade in trades)
    pnl = payoff_curve(legs, cash, prices)
    return SettlementPayoff(tuple(prices), tuple(pnl), spot, _crossings(prices, pnl))


def _spx_options_only(trade: BookTrade) -> bool:
    return all(
        leg.contract.kind is InstrumentKind.OPTION and leg.contract.underlying == "SPX" for leg in trade.legs
    )


def _axis(strikes: Sequence[float], spot: float | None) -> list[float]:
    """Even steps around every strike and spot, with the kinks themselves."""
    inside = [*strikes, *([spot] if spot is not None else [])]
    low, high = min(inside), max(inside)
    pad = max(0.12 * (high - low), 0.01 * high)
    low, high = max(0.0, low - pad), high + pad
    step = (high - low) / _POINTS
    return sorted({*(low + step * i for i in range(_POINTS + 1)), *inside})


def _crossings(prices: Sequence[float], pnl: Sequence[float]) -> tuple[float, ...]:
    """Prices at which a piecewise linear curve crosses zero; exact, since its kinks are points."""
    found = []
    for i in range(len(prices) - 1):
        a, b = pnl[i], pnl[i + 1]
        if (a < 0 < b) or (b < 0 < a):
            found.append(prices[i] + (prices[i + 1] - prices[i]) * a / (a - b))
        elif a == 0.0 and i > 0 and pnl[i - 1] * b < 0:
            found.append(prices[i])
    return tuple(found)

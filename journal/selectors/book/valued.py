"""What a valuation says, as JSON: a trade, an account, and a trade as of a past moment."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hedging.engine.book import Book, BookTrade
from hedging.engine.codec import to_json
from hedging.engine.market import MarketSnapshot as EngineSnapshot
from hedging.engine.pricing.analysis import analyse_trade
from hedging.engine.pricing.scenarios import stress_test
from hedging.engine.pricing.valuation import BookValuation, value_trade
from hedging.engine.structure import describe
from hedging.models import MarketSnapshot
from hedging.services.snapshots.snapshots import snapshot_for, snapshot_load
from journal.errors import RuleError
from journal.models import Trade
from journal.selectors.book.trades import book_trade, trade_position


def trade_result(trade: BookTrade, market: EngineSnapshot) -> dict[str, Any]:
    """Valuation and analysis of a trade as JSON."""
    return {
        **to_json(value_trade(trade, market)),
        "analysis": to_json(analyse_trade(trade, market)),
        "structure": to_json(describe(trade.legs, trade.cash)),
        "market": market_summary(market),
    }


def market_summary(market: EngineSnapshot) -> dict[str, Any]:
    """What a result says about the market it stands on."""
    vix = market.levels.get("VIX")
    return {
        "as_of": market.as_of.isoformat(),
        "spot": market.spot,
        "vix": vix.value if vix else None,
        "flags": sorted(flag.value for flag in market.flags),
        "content_hash": market.content_hash,
        "snapshot": market.snapshot_id,
    }


def account_result(book: Book, valued: BookValuation, market: EngineSnapshot) -> dict[str, Any]:
    """Totals of the account with and without the hedge, margin and stressed loss, as JSON."""
    stress = stress_test(book.trades, market)
    loss, shock, unknown = stress.worst
    margins = [describe(trade.legs, trade.cash).margin for trade in book.trades if trade.legs]
    known = [margin for margin in margins if margin is not None]
    return {
        "condors": to_json(valued.condors),
        "hedges": to_json(valued.hedges),
        "layers": {str(layer): to_json(totals) for layer, totals in valued.layers.items()},
        "total": to_json(valued.total),
        "margin": sum(known),
        "margin_partial": len(known) < len(margins),
        "stressed_loss": loss,
        "stress": shock._asdict(),
        "stress_unknown": unknown,
        "coverage": stress.coverage,
        "open_trades": len(book.trades),
        "capital": book.capital,
        "market": market_summary(market),
    }


def valuation_as_of(*, trade: Trade, as_of: datetime | None) -> tuple[MarketSnapshot, dict[str, Any]]:
    """Value a trade as it was at ``as_of`` on the snapshot that spoke then; raises RuleError."""
    row = snapshot_for(as_of=as_of, simulated=trade.account.is_demo)
    if row is None:
        raise RuleError("No market data is loaded for that time.", "as_of")
    position = trade_position(trade, until=as_of)
    if not position.legs:
        raise RuleError("The trade had no open legs at that time.", "as_of")
    return row, trade_result(book_trade(trade, position), snapshot_load(row))

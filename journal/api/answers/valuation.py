"""A trade's valuation as the API words it."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from hedging.selectors.calendar import NEW_YORK
from journal.errors import RuleError
from journal.models import Trade
from journal.selectors.book.valued import valuation_as_of

AS_OF_HELP = "a date (its close) or a time with offset; absent: the newest snapshot"
UNITS = {
    "price": "points",
    "iv": "fraction (0.20 = 20%)",
    "delta": "per point of the forward, one unit long",
    "gamma": "per point squared",
    "theta": "per calendar day",
    "vega": "per volatility point",
    "rho": "per 1% of rate",
    "position_*": "dollars: per unit × quantity × multiplier",
    "total": "position sums in dollars; SPX and VX factors apart in total.factors",
}
_GREEKS = ("delta", "gamma", "theta", "vega", "rho")


def parse_as_of(text: str) -> datetime | None:
    """A moment; a date means the end of that day in New York. Raises RuleError."""
    if not text:
        return None
    try:
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text), time(23, 59, 59), NEW_YORK)
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise RuleError("as_of is a date such as 2024-01-05 or a time with offset.", "as_of") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=NEW_YORK)


def valuation_answer(*, trade: Trade, as_of: str) -> dict[str, Any]:
    """Legs and totals on the snapshot that spoke at ``as_of``; unknown figures are null with a reason."""
    snapshot, result = valuation_as_of(trade=trade, as_of=parse_as_of(as_of))
    legs = [_leg(leg) for leg in result["legs"]]
    totals = result["totals"]
    factors = totals["greeks"]
    total: dict[str, Any] = dict.fromkeys(("price", "iv", *_GREEKS))
    if len(factors) == 1:
        total |= next(iter(factors.values()))
    if not totals["partial"]:
        total["price"] = totals["market_value"]
    return {
        "trade": str(trade.pk),
        "as_of": snapshot.as_of.isoformat(),
        "snapshot": str(snapshot.pk),
        "flags": snapshot.flags,
        "spot": result["market"]["spot"],
        "legs": legs,
        "total": {
            **total,
            "market_value": totals["market_value"],
            "pnl": totals["pnl"],
            "partial": totals["partial"],
            "factors": factors,
        },
        "probability_of_profit": result["analysis"]["pop"],
        "short_strikes": result["analysis"]["short_strikes"],
        "units": UNITS,
    }


def _leg(leg: dict[str, Any]) -> dict[str, Any]:
    size = leg["quantity"] * leg["multiplier"]
    positions = {f"position_{n}": None if leg[n] is None else leg[n] * size for n in _GREEKS}
    kept = (
        "quantity",
        "multiplier",
        "entry_price",
        "price",
        "bid",
        "ask",
        "iv",
        *_GREEKS,
        "forward",
        "forward_source",
        "market_value",
        "pnl",
        "source",
        "reason",
    )
    return {"occ_symbol": leg["symbol"], **{name: leg[name] for name in kept}, **positions}

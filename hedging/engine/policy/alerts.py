"""Open condors that ask for attention: profit taken, expiry near, a short touched, a large move."""

from __future__ import annotations

import numpy as np

from hedging.engine.book import BookTrade
from hedging.engine.market import ExpirySlice
from hedging.engine.policy.chain import days_to, usable
from hedging.engine.policy.context import DIGITS, Context
from hedging.engine.policy.types import PolicyAlert
from hedging.maths import black76


def alerts_of(ctx: Context) -> tuple[PolicyAlert, ...]:
    """Alerts of every open condor, in the order of the book."""
    return tuple(alert for trade in ctx.condors for alert in _trade(ctx, trade))


def _trade(ctx: Context, trade: BookTrade) -> list[PolicyAlert]:
    found = []
    valued = ctx.values[trade.trade_id]
    credit, aim = trade.cash, ctx.number("alerts.profit_share")
    if credit > 0 and not valued.totals.partial:
        share = (credit + valued.totals.market_value) / credit
        if round(share, DIGITS) >= round(aim, DIGITS):
            text = f"{share:.0%} of the maximum profit is earned"
            found.append(PolicyAlert(trade.trade_id, "profit", text, share, aim))
    expiries = [leg.contract.expiry for leg in trade.legs if leg.contract.expiry]
    last = ctx.number("alerts.dte")
    days = days_to(ctx.market, min(expiries)) if expiries else None
    if days is not None and days <= last:
        found.append(PolicyAlert(trade.trade_id, "expiry", f"{days} days to expiry", float(days), last))
    spot = ctx.market.spot
    shorts = sorted(leg.contract.strike or 0.0 for leg in trade.legs if leg.quantity < 0)
    if spot is None or len(shorts) < 2:
        return found
    if not shorts[0] < spot < shorts[-1]:
        side = shorts[0] if spot <= shorts[0] else shorts[-1]
        found.append(PolicyAlert(trade.trade_id, "touched", f"SPX stands at or beyond {side:g}", spot, side))
    move = _move(ctx, trade, (shorts[0] + shorts[-1]) / 2, spot)
    limit = ctx.number("alerts.move_share")
    if move is not None and round(move, DIGITS) >= round(limit, DIGITS):
        text = f"SPX is {move:.2f} standard deviations from the middle of the shorts"
        found.append(PolicyAlert(trade.trade_id, "move", text, move, limit))
    return found


def _move(ctx: Context, trade: BookTrade, middle: float, spot: float) -> float | None:
    spec = trade.legs[0].contract
    key = (spec.root, spec.expiry)
    if spec.expiry is None or key not in ctx.market.slices:
        return None
    sd = straddle_sd(ctx.market.slices[spec.root, spec.expiry], ctx.number("alerts.straddle_factor"))
    return abs(spot - middle) / sd if sd else None


def straddle_sd(expiry: ExpirySlice, factor: float) -> float | None:
    """One standard deviation in points: the at-the-money straddle on the smile times ``factor``."""
    if not usable(expiry):
        return None
    vol = float(expiry.smile.vol(expiry.forward))
    sides = black76.price(expiry.forward, expiry.forward, expiry.t, vol, expiry.discount, np.array([1, -1]))
    return float(sides.sum()) * factor

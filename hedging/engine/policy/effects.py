"""A book's risk before and after a proposal: scenario loss, margin, Greeks, payoff, cost of capital."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hedging.engine.book import Book, BookTrade, InstrumentKind, TradeRole
from hedging.engine.policy.after import after_proposal
from hedging.engine.policy.context import RISING, Context, is_linear, risk_of
from hedging.engine.policy.types import BookRisk, Effects, PayoffPair, Proposal
from hedging.engine.pricing.scenarios import PATH_SPOT, Shock, StressTest, path_vix, shock_pnl, stress_test
from hedging.engine.pricing.valuation import BookValuation, value_book
from hedging.engine.structure import payoff_curve

_STEPS = 60
_SMALL = 0.02  # of the stressed loss: a change below it does not decide


def effects_of(ctx: Context, proposal: Proposal, now: BookRisk) -> Effects | None:
    """What the proposal changes against ``now``, the book's own figures; None when it trades nothing."""
    if not proposal.orders:
        return None
    after = after_proposal(ctx.book, proposal)
    stress = stress_test(after.trades, ctx.market)
    then = figures_of(ctx, after, value_book(after, ctx.market), stress)
    return Effects(now, then, _payoff(ctx, after, proposal), marginal_rate(now, then))


def figures_of(ctx: Context, book: Book, valued: BookValuation, stress: StressTest) -> BookRisk:
    """The figures of any book on the context's market."""
    risks = [risk_of(trade, ctx.number("layers.future_margin")) for trade in book.trades]
    losses = [loss for loss, _ in risks]
    margins = [margin for _, margin in risks]
    margin = None if None in margins else float(sum(m for m in margins if m is not None))
    return BookRisk(
        scenario_loss=stress.worst.loss,
        max_loss=None if None in losses else float(sum(x for x in losses if x is not None)),
        margin=margin,
        theta=valued.total.theta,
        greeks=valued.total.greeks,
        coverage=_coverage(stress),
        financing_rate=financing_rate(ctx, book, valued, margin),
        unknown_legs=valued.total.unknown_legs,
        hedge_value=valued.hedges.market_value,
        fall_loss=max(-min(stress.total[at] for at in RISING), 0.0),
    )


def _coverage(stress: StressTest) -> float | None:
    """Hedge gain ÷ condor loss in the condors' worst cell with rising VIX; None where they lose nothing."""
    at = min(RISING, key=lambda cell: stress.condors[cell])
    return stress.hedges[at] / -stress.condors[at] if stress.condors[at] < 0 else None


def financing_rate(ctx: Context, book: Book, valued: BookValuation, margin: float | None) -> float | None:
    """Effective financing rate embedded in condors and hedge, a fraction a year; None without margin.

    (hedge decay and carry - yield of the collateral in bills) ÷ margin, all at today's pace (WAC-1). Realized
    hedge cost belongs to the past and is not in it.
    """
    if not margin or valued.hedges.partial:
        return None
    rate = ctx.market.rate or 0.0
    decay = (_carry(ctx, book) - valued.hedges.theta) * 365
    return (decay - rate * ctx.number("wacc.collateral_yield_share") * margin) / margin


def _carry(ctx: Context, book: Book) -> float:
    """Carry of the book's VX futures and VXX shares, dollars a day; what is unknown is left out."""
    return sum(
        leg.quantity * (ctx.carry(leg.contract) or 0.0)
        for trade in book.trades
        if trade.role is TradeRole.HEDGE
        for leg in trade.legs
        if is_linear(leg.contract)
    )


def marginal_rate(before: BookRisk, after: BookRisk) -> float | None:
    """(rate after × capital after - rate before × capital before) ÷ change of capital (WAC-3).

    Capital is margin plus what the hedges are worth; the cost is the financing rate on margin.
    """
    if before.margin is None or after.margin is None:
        return None
    change = after.margin + after.hedge_value - before.margin - before.hedge_value
    if abs(change) < 1.0:
        return None
    cost = (after.financing_rate or 0.0) * after.margin - (before.financing_rate or 0.0) * before.margin
    return cost / change


def _payoff(ctx: Context, after: Book, proposal: Proposal) -> PayoffPair | None:
    """P&L at expiry of the changed trade where its legs share one expiry, else of the book on the path."""
    was = {trade.trade_id: trade for trade in ctx.book.trades}
    changed = [trade for trade in after.trades if trade != was.get(trade.trade_id)]
    if len(changed) == 1:
        found = _at_expiry(ctx, was.get(changed[0].trade_id), changed[0])
        if found is not None:
            return found
    return _on_path(ctx, after)


def _at_expiry(ctx: Context, before: BookTrade | None, after: BookTrade) -> PayoffPair | None:
    legs = (*(before.legs if before else ()), *after.legs)
    expiries = {(leg.contract.root, leg.contract.expiry) for leg in legs}
    if len(expiries) != 1 or any(leg.contract.kind is not InstrumentKind.OPTION for leg in legs):
        return None
    strikes = sorted({leg.contract.strike or 0.0 for leg in legs})
    root, expiry = expiries.pop()
    assert expiry is not None
    forward = ctx.market.slices[root, expiry].forward if (root, expiry) in ctx.market.slices else strikes[0]
    low, high = min(strikes[0], forward), max(strikes[-1], forward)
    room = 0.25 * (high - low) + 0.02 * forward
    grid = np.unique([*np.linspace(max(low - room, 0.0), high + room, _STEPS), *strikes])
    prices = tuple(float(price) for price in grid)

    def curve(trade: BookTrade | None) -> tuple[float, ...]:
        return tuple(payoff_curve(trade.legs, trade.cash, prices)) if trade else (0.0,) * len(prices)

    underlying = "SPX at expiry" if root.startswith("SPX") else f"VX at {expiry:%d %b %y}"
    return PayoffPair(underlying, prices, curve(before), curve(after))


def _on_path(ctx: Context, after: Book) -> PayoffPair | None:
    spot = ctx.market.spot
    if spot is None:
        return None
    shocks = [Shock(move, path_vix(move)) for move in PATH_SPOT]

    def curve(trades: Sequence[BookTrade]) -> tuple[float, ...]:
        return tuple(float(x) for x in shock_pnl(trades, ctx.market, shocks)[0].sum(axis=0))

    prices = tuple(spot * (1 + move) for move in PATH_SPOT)
    return PayoffPair(
        "SPX now, VIX as on the stress path", prices, curve(ctx.book.trades), curve(after.trades)
    )


def risk_change(effects: Effects) -> float:
    """Dollars by which the loss that decides grows; negative: the change lowers risk, zero: it has no effect.

    The worst stressed loss; when it hardly moves, the worst with rising VIX; then the maximum loss. A hedge
    costs its premium in the rally that may be the worst cell of all: a change of less than 2% there does
    not decide.
    """
    before, after = effects.before, effects.after
    change = after.scenario_loss - before.scenario_loss
    if abs(change) > max(_SMALL * before.scenario_loss, 0.5):
        return change
    if before.fall_loss is not None and after.fall_loss is not None:
        fall = after.fall_loss - before.fall_loss
        if abs(fall) > 0.5:
            return fall
    if before.max_loss is None or after.max_loss is None:
        return 0.0
    return after.max_loss - before.max_loss


def is_reducing(effects: Effects) -> bool:
    """Whether the change lowers the loss that decides."""
    return risk_change(effects) < 0

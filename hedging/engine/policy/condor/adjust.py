"""Adjustments of open condors: wings moved, the strangle recentred, the whole rolled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from math import gcd

from hedging.engine.book import BookTrade, ContractSpec, Leg
from hedging.engine.contract_words import order_words
from hedging.engine.instruments import option_contract, parse_symbol
from hedging.engine.market import ExpirySlice
from hedging.engine.policy.chain import Pick, picks_for, picks_of, strike_near, usable
from hedging.engine.policy.condor.candidates import condor_picks
from hedging.engine.policy.context import DIGITS, Context
from hedging.engine.policy.orders import closing, make_order
from hedging.engine.policy.types import Action, CondorCandidate, Order, Proposal
from hedging.engine.structure import Shape, recognise
from hedging.maths.types import Right

SECOND_ENGINE = "Second Engine"


def wing_shift(ctx: Context, trade: BookTrade) -> Proposal | None:
    """Both long wings nearer to their shorts by the ruleset's points: less to lose, paid by a debit."""
    found = _condor(ctx, trade)
    if found is None:
        return None
    expiry, legs, packages = found
    points = ctx.number("expansion.wing_points")
    wanted: list[tuple[ContractSpec, int]] = []
    for right in (Right.CALL, Right.PUT):
        short, long = legs[right, False], legs[right, True]
        old, anchor = long.contract.strike or 0.0, short.contract.strike or 0.0
        new = strike_near(expiry, right, old - int(right) * points, buy=True, beyond=anchor)
        if new is None or abs(new - anchor) >= abs(old - anchor):
            continue
        fresh = option_contract(expiry.root, expiry.expiry, right, Decimal(repr(new)))
        wanted += [(long.contract, -1), (fresh, 1)]
    picks = picks_for(ctx.market, wanted)
    if not picks:
        return None
    order = make_order(picks, packages, trade.trade_id)
    return _proposal(
        Action.WING_SHIFT, trade, (order,), f"Move the wings {points:g} points in",
        "An isolated spike: the position keeps its shorts and loses less at worst.", "wing points",
    )  # fmt: skip


def recenter(ctx: Context, trade: BookTrade, *, delta: float | None = None) -> Proposal | None:
    """Shorts around the forward with the wings' widths kept; with ``delta`` shorts at that delta instead.

    None when the forward is near enough to the middle, or the strikes would not change.
    """
    found = _condor(ctx, trade)
    if found is None:
        return None
    expiry, legs, packages = found
    if delta is None:
        fresh = _recentred(ctx, expiry, legs)
        why = "The forward has left the middle of the shorts."
    else:
        fresh = condor_picks(ctx, expiry, delta)
        why = f"After a realized-vol collapse short strikes stand at {delta * 100:g} delta."
    if fresh is None or {p.spec.symbol for p in fresh} == {leg.contract.symbol for leg in trade.legs}:
        return None
    orders = _replace(ctx, trade, fresh, packages)
    if orders is None:
        return None
    title = "Recentre the shorts" if delta is None else f"Move the shorts to {delta * 100:g} delta"
    binding = "recenter share" if delta is None else "collapse short delta"
    return _proposal(Action.RECENTER, trade, orders, title, why, binding)


def full_roll(ctx: Context, trade: BookTrade, candidate: CondorCandidate) -> Proposal | None:
    """Close, and open the candidate at the same size; None when it has the same expiry."""
    found = _condor(ctx, trade)
    if found is None or found[0].expiry == candidate.expiry:
        return None
    picks = picks_of(ctx.market, ctx.market.slices[_key(candidate)], _parts(candidate))
    orders = None if picks is None else _replace(ctx, trade, picks, found[2])
    if orders is None:
        return None
    return _proposal(
        Action.FULL_ROLL, trade, orders, f"Roll to {candidate.expiry:%d %b %y}",
        "A persistent expansion exceeds the first two layers.", "size on a roll",
    )  # fmt: skip


def _key(candidate: CondorCandidate) -> tuple[str, date]:
    return parse_symbol(candidate.order.legs[0].symbol).root, candidate.expiry


def _parts(candidate: CondorCandidate) -> list[tuple[Right, float | None, int]]:
    low, put, call, high = candidate.strikes
    return [(Right.CALL, call, -1), (Right.CALL, high, 1), (Right.PUT, put, -1), (Right.PUT, low, 1)]


def _recentred(
    ctx: Context, expiry: ExpirySlice, legs: dict[tuple[Right, bool], Leg]
) -> tuple[Pick, ...] | None:
    strike = {key: leg.contract.strike or 0.0 for key, leg in legs.items()}
    call, put = strike[Right.CALL, False], strike[Right.PUT, False]
    off = expiry.forward - (call + put) / 2
    near = ctx.number("expansion.recenter_share") * (call - put) / 2
    if round(abs(off), DIGITS) <= round(near, DIGITS):
        return None
    wanted: list[tuple[Right, float | None, int]] = []
    for right in (Right.CALL, Right.PUT):
        short = strike_near(expiry, right, strike[right, False] + off, buy=False)
        width = strike[right, True] - strike[right, False]
        long = None if short is None else strike_near(expiry, right, short + width, buy=True, beyond=short)
        wanted += [(right, short, -1), (right, long, 1)]
    return picks_of(ctx.market, expiry, wanted)


def _condor(ctx: Context, trade: BookTrade) -> tuple[ExpirySlice, dict[tuple[Right, bool], Leg], int] | None:
    """The expiry, the legs by (right, bought) and the contracts of a plain condor that can be priced."""
    if recognise(trade.legs) not in {Shape.IRON_CONDOR, Shape.IRON_BUTTERFLY}:
        return None
    spec = trade.legs[0].contract
    key = (spec.root, spec.expiry)
    if (
        spec.expiry is None
        or key not in ctx.market.slices
        or not usable(ctx.market.slices[key[0], spec.expiry])
    ):
        return None
    legs = {(leg.contract.right or Right.CALL, leg.quantity > 0): leg for leg in trade.legs}
    return ctx.market.slices[key[0], spec.expiry], legs, abs(trade.legs[0].quantity)


def _replace(
    ctx: Context, trade: BookTrade, fresh: Sequence[Pick], packages: int
) -> tuple[Order, ...] | None:
    close = closing(ctx.market, trade, packages)
    return None if close is None else (close, make_order(fresh, packages, trade.trade_id))


def condor_words(trade: BookTrade) -> str:
    """A condor in the field's words: ``4 SPXW Mar 31 '20 iron condors 3100/3150 P – 3475/3525 C``."""
    held = max(gcd(*(abs(leg.quantity) for leg in trade.legs)), 1)
    return order_words([(leg.contract, leg.quantity // held) for leg in trade.legs], held)


def _proposal(
    action: Action, trade: BookTrade, orders: tuple[Order, ...], title: str, why: str, binding: str
) -> Proposal:
    return Proposal(
        action=action, title=f"{title}: {condor_words(trade)}", rationale=why, binding=binding,
        trade_id=trade.trade_id, orders=orders, funding=SECOND_ENGINE,
        cost=-sum(order.cash for order in orders), requirement="CON-6",
    )  # fmt: skip

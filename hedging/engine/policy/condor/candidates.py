"""Condors the rules would open: tenor, strikes by delta, wings, credit, probability, and size by limits."""

from __future__ import annotations

from hedging.engine.book import Leg
from hedging.engine.market import ExpirySlice
from hedging.engine.policy.chain import (
    Pick,
    days_to,
    near_expiries,
    picks_of,
    strike_by_delta,
    strike_near,
    wing,
)
from hedging.engine.policy.context import DIGITS, Context
from hedging.engine.policy.hedge.bounds import binding
from hedging.engine.policy.hedge.units import fits
from hedging.engine.policy.orders import make_order
from hedging.engine.policy.types import Bound, CondorCandidate, Order
from hedging.engine.pricing.analysis import profit_probability
from hedging.engine.signals.types import SignalKey
from hedging.engine.structure import describe
from hedging.maths.types import Right


def candidates_of(ctx: Context, *, collapsed: bool, most: int = 3) -> tuple[CondorCandidate, ...]:
    """Up to ``most`` condors, the nearest tenor first; ``collapsed`` takes the far short strikes."""
    if not ctx.rules.on("condor.enabled"):
        return ()
    aim, reach = ctx.number("condor.dte"), ctx.number("condor.dte_tolerance")
    delta = short_delta(ctx, collapsed=collapsed)
    found: list[CondorCandidate] = []
    days: set[object] = set()
    window = (max(aim - reach, 1.0), aim + reach)
    monthly = ctx.rules.on("condor.monthly_only")
    for expiry in near_expiries(ctx.market, ("SPXW", "SPX"), aim, window, monthly=monthly):
        picks = None if expiry.expiry in days else condor_picks(ctx, expiry, delta)
        if picks is None:
            continue
        days.add(expiry.expiry)
        candidate = _candidate(ctx, expiry, picks, delta)
        if candidate is not None:
            found.append(candidate)
        if len(found) == most:
            break
    return tuple(found)


def short_delta(ctx: Context, *, collapsed: bool) -> float:
    """Absolute delta of the short strikes: CON-1, or CON-3 after a collapse, whichever is further out."""
    usual = ctx.number("condor.short_delta")
    return min(usual, ctx.number("condor.collapse_short_delta")) if collapsed else usual


def condor_picks(ctx: Context, expiry: ExpirySlice, delta: float) -> tuple[Pick, ...] | None:
    """Short call, long call, short put, long put of one expiry at the delta; None when a leg is missing."""
    short_call = strike_by_delta(expiry, Right.CALL, delta, buy=False)
    short_put = strike_by_delta(expiry, Right.PUT, delta, buy=False)
    if short_call is None or short_put is None or short_put >= short_call:
        return None
    return four_legs(ctx, expiry, short_call, short_put)


def four_legs(
    ctx: Context, expiry: ExpirySlice, short_call: float, short_put: float
) -> tuple[Pick, ...] | None:
    """The condor around given short strikes, with the ruleset's wings."""
    width, by_delta = ctx.number("condor.wing_width"), ctx.number("condor.long_delta")
    wanted: list[tuple[Right, float | None, int]] = []
    for right, short in ((Right.CALL, short_call), (Right.PUT, short_put)):
        long = wing(expiry, right, short, width)
        if by_delta > 0:
            aim = strike_by_delta(expiry, right, by_delta, buy=True)
            long = None if aim is None else strike_near(expiry, right, aim, buy=True, beyond=short)
        wanted += [(right, short, -1), (right, long, 1)]
    return picks_of(ctx.market, expiry, wanted)


def _candidate(
    ctx: Context, expiry: ExpirySlice, picks: tuple[Pick, ...], delta: float
) -> CondorCandidate | None:
    one = make_order(picks, 1)
    legs = tuple(Leg(p.spec, p.quantity, p.price) for p in picks)
    shape = describe(legs, one.cash)
    if one.limit <= 0 or shape.max_loss is None or shape.margin is None or shape.max_loss <= 0:
        return None
    pop, _ = profit_probability(legs, [p.value for p in picks], one.cash, expiry)
    bounds = _bounds(ctx, expiry, picks, one, shape.max_loss, shape.margin)
    limit = binding(bounds)
    contracts = limit.contracts or 0
    short_call, _, short_put, _ = picks
    deltas = (short_put.value.delta or 0.0, short_call.value.delta or 0.0)
    return CondorCandidate(
        order=make_order(picks, max(contracts, 1)),
        expiry=expiry.expiry,
        days=float(days_to(ctx.market, expiry.expiry)),
        strikes=tuple(sorted(p.spec.strike or 0.0 for p in picks)),  # type: ignore[arg-type]  # four legs
        deltas=deltas,
        put_width=shape.put_width or 0.0,
        call_width=shape.call_width or 0.0,
        credit=one.cash,
        max_loss=shape.max_loss,
        margin=shape.margin,
        return_on_risk=one.cash / shape.max_loss,
        pop=pop,
        break_evens=shape.break_evens,
        contracts=contracts,
        bounds=bounds,
        binding=limit.name,
        warnings=_warnings(ctx, pop, deltas, delta, (shape.put_width or 0.0, shape.call_width or 0.0)),
    )


def _bounds(
    ctx: Context, expiry: ExpirySlice, picks: tuple[Pick, ...], one: Order, loss: float, margin: float
) -> tuple[Bound, ...]:
    capital = ctx.book.capital
    size, block = ctx.number("condor.size_of_equity"), ctx.trade_size.block
    limit = ctx.margin_limit
    room = limit * capital - ctx.used_margin
    return (
        Bound(
            "% of equity",
            fits(min(size, block) * capital, loss),
            f"at most {min(size, block):.1%} of {capital:,.0f} equity at risk; one condor risks {loss:,.0f}",
            ("condor.size_of_equity", "guard.block_of_equity"),
        ),
        Bound(
            "margin",
            fits(room, margin),
            f"at most {limit:.0%} of equity; {ctx.used_margin:,.0f} is used, one takes {margin:,.0f}",
            ("condor.margin_of_equity",),
        ),
        _count(ctx),
        _spacing(ctx, expiry),
        _spread(ctx, picks),
        _quick_ratio(ctx),
    )


def _count(ctx: Context) -> Bound:
    most = ctx.rules.whole("condor.max_open")
    full = len(ctx.condors) >= most
    text = f"{len(ctx.condors)} condors are open, at most {most}"
    return Bound("open condors", 0 if full else None, text, ("condor.max_open",))


def _spacing(ctx: Context, expiry: ExpirySlice) -> Bound:
    least = ctx.number("condor.spacing_days")
    gaps = [
        abs((expiry.expiry - leg.contract.expiry).days)
        for trade in ctx.condors
        for leg in trade.legs
        if leg.contract.expiry
    ]
    near = bool(gaps) and min(gaps) < least
    text = f"expiries {least:g} days apart" + (f"; the nearest open one is {min(gaps)} away" if gaps else "")
    return Bound("spacing", 0 if near else None, text, ("condor.spacing_days",))


def _spread(ctx: Context, picks: tuple[Pick, ...]) -> Bound:
    """CON-7: the package's bid-ask, measured before sizing; unknown is shown and does not stop."""
    most = ctx.number("liquidity.max_spread")
    sides = [(p.value.bid, p.value.ask) for p in picks]
    if any(bid is None or ask is None for bid, ask in sides):
        return Bound("liquidity", None, "the package's bid-ask is unknown", ("liquidity.max_spread",))
    wide = sum((ask or 0.0) - (bid or 0.0) for bid, ask in sides)
    mid = abs(sum(p.quantity * p.price for p in picks))
    share = wide / mid if mid else float("inf")
    text = f"bid-ask of the package is {share:.0%} of its mid, at most {most:.0%}"
    broad = round(share, DIGITS) > round(most, DIGITS)
    return Bound("liquidity", 0 if broad else None, text, ("liquidity.max_spread",))


def _quick_ratio(ctx: Context) -> Bound:
    """CON-7: cash and T-bills over margin and short-term obligations; unknown is shown and does not stop.

    Where a trade's margin is unknown the figure is what the ratio is at most: it may stop, never allow.
    """
    name, parameters = "quick ratio", ("liquidity.min_quick_ratio",)
    least, funds = ctx.number(parameters[0]), ctx.facts.funds
    if funds is None:
        ratio, text = (
            ctx.figure(SignalKey.QUICK_RATIO),
            "unknown: the cash ledger does not say what is liquid",
        )
        if ratio is not None:
            text = f"{ratio:.2f}, minimum {least:g}"
    else:
        margin, partial = ctx.margin
        ratio = funds.ratio(margin)
        parts = f"cash {funds.cash:,.0f} and T-bills {funds.bills:,.0f}"
        if ratio is None:
            return Bound(name, None, f"nothing is owed; {parts}", parameters)
        text = (
            f"{'at most ' if partial else ''}{ratio:.2f}: {parts} over margin {margin:,.0f}"
            f"{' without futures' if partial else ''} and {funds.owed:,.0f} owed; "
            f"minimum {least:g}"
        )
    low = ratio is not None and round(ratio, DIGITS) < round(least, DIGITS)
    return Bound(name, 0 if low else None, text, parameters)


def _warnings(
    ctx: Context,
    pop: float | None,
    deltas: tuple[float, float],
    delta: float,
    widths: tuple[float, float],
) -> tuple[str, ...]:
    """CON-2: probability and delta are two rules for one thing; where they disagree both are told.

    So is what the chain did not offer: another wing width or delta than asked.
    """
    found = []
    low, high = ctx.span("condor.pop")
    if pop is None:
        found.append("the probability of profit is unknown")
    elif not round(low, DIGITS) <= round(pop, DIGITS) <= round(high, DIGITS):
        found.append(
            f"probability of profit {pop:.1%} is outside {low:.0%} to {high:.0%} "
            f"although the shorts are at {delta * 100:.0f} delta"
        )
    asked = ctx.number("condor.wing_width")
    if ctx.number("condor.long_delta") <= 0:
        found += [
            f"the {side} wing is {width:g} points wide, not {asked:g}: the nearest strike that can be bought"
            for side, width in (("put", widths[0]), ("call", widths[1]))
            if round(abs(width - asked), 6) > 0
        ]
    off = [d for d in deltas if abs(abs(d) - delta) > 0.03]
    if off:
        found.append(f"the nearest listed strike has {abs(off[0]) * 100:.0f} delta")
    return tuple(found)

"""One package of a layer: which contracts, at what cost, and what each limit allows of them."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

from hedging.engine.book import BookTrade, Leg, Role
from hedging.engine.market import ExpirySlice
from hedging.engine.policy.chain import Pick, days_to, near_expiries, picks_of, strike_by_delta
from hedging.engine.policy.context import Context, credit_of
from hedging.engine.policy.orders import make_order
from hedging.engine.policy.types import Order
from hedging.engine.scenarios import shock_pnl
from hedging.maths.types import Right

#: What the engine can propose; other allowed instruments are recognised when held.
PROPOSED = ("vix_call", "vix_call_spread", "spx_put", "spx_put_spread")


@dataclass(frozen=True)
class Unit:
    """One package, in dollars: ``cost`` paid, ``exposure``, and ``gains`` as ``Context.gains`` orders them.

    ``decay`` is dollars a calendar day (negative: it costs).
    """

    instrument: str
    picks: tuple[Pick, ...]
    order: Order
    days: int
    cost: float
    exposure: float
    gains: tuple[float, ...]
    decay: float

    @property
    def gain(self) -> float:
        """P&L in the condors' worst cell."""
        return self.gains[0]

    @property
    def run_rate(self) -> float:
        """Dollars of premium a year when the package is bought again at every expiry."""
        return self.cost * 365 / max(self.days, 1)


def layer_unit(
    ctx: Context, number: int, *, dte: float | None = None, window: tuple[float, float] | None = None
) -> Unit | None:
    """The package the ruleset wants for a layer; None when the snapshot cannot price one."""
    key = f"layer{number}."
    return find_unit(
        ctx,
        ctx.rules.words(key + "allowed"),
        aim=ctx.number(key + "dte") if dte is None else dte,
        window=ctx.span(key + "dte") if window is None else window,
        delta=ctx.number(key + "delta"),
        sold_delta=ctx.number(key + "sold_delta"),
    )


def find_unit(
    ctx: Context,
    instruments: tuple[str, ...],
    *,
    aim: float,
    window: tuple[float, float],
    delta: float,
    sold_delta: float,
) -> Unit | None:
    """The first instrument that can be priced in the window of days."""
    for instrument in instruments:
        if instrument not in PROPOSED:
            continue
        on_vix = instrument.startswith("vix")
        roots = ("VIX", "VIXW") if on_vix else ("SPXW", "SPX")
        for expiry in near_expiries(ctx.market, roots, aim, window):
            found = _picks(ctx, expiry, instrument, delta, sold_delta)
            if found is not None:
                return unit_of(ctx, instrument, found, expiry)
    return None


def _picks(
    ctx: Context, expiry: ExpirySlice, instrument: str, delta: float, sold_delta: float
) -> tuple[Pick, ...] | None:
    right = Right.CALL if instrument.startswith("vix") else Right.PUT
    bought = strike_by_delta(expiry, right, delta, buy=True)
    wanted = [(right, bought, 1)]
    if instrument.endswith("spread"):
        sold = strike_by_delta(expiry, right, sold_delta, buy=False)
        if sold is None or bought is None or (sold - bought) * int(right) <= 0:
            return None
        wanted.append((right, sold, -1))
    return picks_of(ctx.market, expiry, wanted)


def unit_of(ctx: Context, instrument: str, picks: tuple[Pick, ...], expiry: ExpirySlice) -> Unit | None:
    """Cost, exposure and stressed gains of one package; None when it costs nothing."""
    order = make_order(picks, 1)
    if order.cash >= 0:
        return None
    legs = tuple(Leg(one.spec, one.quantity, one.price) for one in picks)
    trade = BookTrade("unit", Role.HEDGE, None, legs, 0.0, 0.0)
    gains = shock_pnl([trade], ctx.market, [ctx.worst, *ctx.vix_shocks])[0][0]
    decay = sum(one.quantity * one.spec.multiplier * (one.value.theta or 0.0) for one in picks)
    return Unit(
        instrument, picks, order, days_to(ctx.market, expiry.expiry), -order.cash,
        _exposure(ctx, picks, expiry), tuple(float(x) for x in gains), decay,
    )  # fmt: skip


def _exposure(ctx: Context, picks: tuple[Pick, ...], expiry: ExpirySlice) -> float:
    """Dollars: 100 × VX for VIX calls (× net delta where so chosen), 100 × width for SPX spreads (LAY-2)."""
    multiplier = picks[0].spec.multiplier
    if picks[0].spec.underlying == "SPX" and len(picks) == 2:
        strikes = [one.spec.strike or 0.0 for one in picks]
        return multiplier * abs(strikes[0] - strikes[1])
    notional = multiplier * expiry.forward
    if ctx.rules.word("layers.exposure_measure") == "vx_notional" and picks[0].spec.underlying == "VIX":
        return notional
    return notional * abs(sum(one.quantity * (one.value.delta or 0.0) for one in picks))


def held_packages(trades: tuple[BookTrade, ...]) -> int:
    """Contracts bought in the trades: what a layer is counted by."""
    return sum(leg.quantity for trade in trades for leg in trade.legs if leg.quantity > 0)


def premium_of(trades: tuple[BookTrade, ...]) -> float:
    """Cost of the open lots in dollars."""
    return max(-sum((credit_of(trade.legs) for trade in trades), 0.0), 0.0) or 0.0  # never -0.0


def fits(amount: float, each: float) -> int:
    """How many whole packages an amount pays for; none when it is negative."""
    return max(floor(round(amount / each, 9)), 0) if each > 0 else 0

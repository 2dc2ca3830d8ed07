"""One package of a layer: which contracts, at what cost, and what each limit allows of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import floor

from hedging.engine.book import BookTrade, ContractSpec, Leg, TradeRole
from hedging.engine.instruments import share, vx_future
from hedging.engine.market import ExpirySlice
from hedging.engine.policy.chain import (
    Pick,
    days_to,
    near_expiries,
    picks_for,
    picks_of,
    strike_by_delta,
    strikes_of,
)
from hedging.engine.policy.context import Context, is_linear
from hedging.engine.policy.orders import make_order
from hedging.engine.policy.types import Order
from hedging.engine.pricing.scenarios import month_vx, shock_pnl
from hedging.maths.types import Right

VX_FUTURE, VXX, VIX_CALENDAR = "vx_future", "vxx", "vix_calendar"


@dataclass(frozen=True)
class Unit:
    """One package, in dollars: ``exposure``, and ``gains`` as ``Context.gains`` orders them.

    ``cost`` is what premium budgets count for it: the debit of options, for a calendar its stressed loss
    where that is more, the carry of a future or share while it is held. ``capital`` is what it ties up: the
    debit, a future's margin, a share's price. ``decay`` is dollars a calendar day (negative: it costs).
    """

    instrument: str
    picks: tuple[Pick, ...]
    order: Order
    days: int
    cost: float
    exposure: float
    gains: tuple[float, ...]
    decay: float
    capital: float

    @property
    def gain(self) -> float:
        """P&L in the condors' worst cell."""
        return self.gains[0]

    @property
    def run_rate(self) -> float:
        """Dollars of premium a year when the package is bought again at every expiry."""
        return self.cost * 365 / max(self.days, 1)

    @property
    def linear(self) -> bool:
        """Whether it is a future or a share."""
        return is_linear(self.picks[0].spec)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a package is looked for by: tenor in days, its window, deltas, and the layer's holding time."""

    aim: float
    window: tuple[float, float]
    delta: float
    sold_delta: float


def layer_unit(ctx: Context, number: int, *, first: str = "") -> Unit | None:
    """The package the ruleset wants for a layer; None when the snapshot cannot price one.

    ``first`` is tried before the others, where the ruleset allows it at all.
    """
    key = f"layer{number}."
    allowed = ctx.rules.words(key + "allowed")
    if first in allowed:
        allowed = (first, *(word for word in allowed if word != first))
    wanted = Wanted(
        ctx.number(key + "dte"), ctx.span(key + "dte"), ctx.number(key + "delta"),
        ctx.number(key + "sold_delta"),
    )  # fmt: skip
    return find_unit(ctx, allowed, wanted)


def find_unit(ctx: Context, instruments: tuple[str, ...], wanted: Wanted) -> Unit | None:
    """The first instrument that can be priced and costs something, at the expiry nearest to the aim."""
    for instrument in instruments:
        picks = next(_candidates(ctx, instrument, wanted), None)
        found = None if picks is None else unit_of(ctx, instrument, picks, round(wanted.aim))
        if found is not None:
            return found
    return None


def _candidates(ctx: Context, instrument: str, wanted: Wanted) -> Iterator[tuple[Pick, ...]]:
    if instrument == VXX:
        found = picks_for(ctx.market, [(share("VXX"), 1)])
        yield from () if found is None else (found,)
    elif instrument == VX_FUTURE:
        yield from _futures(ctx, wanted)
    else:
        roots = ("VIX", "VIXW") if instrument.startswith("vix") else ("SPXW", "SPX")
        for expiry in near_expiries(ctx.market, roots, wanted.aim, wanted.window):
            found = _picks(ctx, expiry, instrument, wanted)
            if found is not None:
                yield found


def _futures(ctx: Context, wanted: Wanted) -> Iterator[tuple[Pick, ...]]:
    """VX futures of the window, the nearest to the aim first; ties go to the later one."""
    low, high = wanted.window
    days = {point.expiry: days_to(ctx.market, point.expiry) for point in ctx.market.vx_curve}
    inside = [expiry for expiry, left in days.items() if low <= left <= high]
    for expiry in sorted(inside, key=lambda day: (abs(days[day] - wanted.aim), -day.toordinal())):
        found = picks_for(ctx.market, [(vx_future(expiry), 1)])
        if found is not None:
            yield found


def _picks(ctx: Context, expiry: ExpirySlice, instrument: str, wanted: Wanted) -> tuple[Pick, ...] | None:
    right = Right.CALL if instrument.startswith("vix") else Right.PUT
    bought = strike_by_delta(expiry, right, wanted.delta, buy=True)
    legs: list[tuple[Right, float | None, int]] = [(right, bought, 1)]
    if instrument.endswith("spread"):
        sold = strike_by_delta(expiry, right, wanted.sold_delta, buy=False)
        if sold is None or bought is None or (sold - bought) * int(right) <= 0:
            return None
        legs.append((right, sold, -1))
    picks = picks_of(ctx.market, expiry, legs)
    if picks is None or instrument != VIX_CALENDAR:
        return picks
    front = _front(ctx, expiry, picks[0])
    return None if front is None else (*picks, front)


def _front(ctx: Context, back: ExpirySlice, bought: Pick) -> Pick | None:
    """The sold leg of a calendar: the same strike, nearest to the gap before the bought leg's expiry.

    Each leg is priced off its own VX future. The bought leg lives longer, so it covers the sold one.
    """
    days = days_to(ctx.market, back.expiry)
    aim = days - ctx.number("layers.calendar_gap")
    strike = bought.spec.strike
    for expiry in near_expiries(ctx.market, ("VIX", "VIXW"), aim, (1.0, days - 1.0)):
        if strike not in strikes_of(expiry, Right.CALL, buy=False):
            continue
        found = picks_of(ctx.market, expiry, [(Right.CALL, strike, -1)])
        if found is not None:
            return found[0]
    return None


def unit_of(ctx: Context, instrument: str, picks: tuple[Pick, ...], held: int) -> Unit | None:
    """Cost, exposure and stressed gains of one package held ``held`` days, or to its first bought expiry.

    None when options bring cash instead of costing it, or when a future's or share's carry is unknown.
    """
    order = make_order(picks, 1)
    legs = tuple(Leg(one.spec, one.quantity, one.price) for one in picks)
    trade = BookTrade("unit", TradeRole.HEDGE, None, legs, 0.0, 0.0)
    gains = shock_pnl([trade], ctx.market, [ctx.worst, *ctx.vix_shocks])[0][0]
    first = picks[0].spec
    days = held if first.expiry is None else days_to(ctx.market, first.expiry)
    found = _linear(ctx, picks[0], days) if is_linear(first) else _option(picks, order, float(gains[0]))
    if found is None:
        return None
    cost, capital, decay = found
    return Unit(
        instrument, picks, order, days, cost, _exposure(ctx, picks), tuple(float(x) for x in gains), decay,
        capital,
    )  # fmt: skip


def _option(picks: Sequence[Pick], order: Order, gain: float) -> tuple[float, float, float] | None:
    """(cost, capital, decay) of a package of options."""
    if order.cash >= 0:
        return None
    decay = sum(one.quantity * one.spec.multiplier * (one.value.theta or 0.0) for one in picks)
    stressed = -gain if len({one.spec.expiry for one in picks}) > 1 else 0.0
    return max(-order.cash, stressed), -order.cash, decay


def _linear(ctx: Context, pick: Pick, days: int) -> tuple[float, float, float] | None:
    """(cost, capital, decay) of a future or share held ``days``; None while its carry is unknown."""
    carry = ctx.carry(pick.spec)
    if carry is None:
        return None
    notional = pick.spec.multiplier * pick.price
    share_of = ctx.number("layers.future_margin") if pick.spec.expiry else 1.0
    return max(carry, 0.0) * days, share_of * notional, -carry


def _exposure(ctx: Context, picks: Sequence[Pick]) -> float:
    """Dollars: notional of VIX calls, VX and VXX (calls × net delta where so chosen), 100 × width (LAY-2)."""
    first = picks[0]
    multiplier = first.spec.multiplier
    if first.spec.underlying == "SPX" and len(picks) == 2:
        strikes = [one.spec.strike or 0.0 for one in picks]
        return multiplier * abs(strikes[0] - strikes[1])
    notional = multiplier * (first.value.forward or 0.0)
    if ctx.rules.word("layers.exposure_measure") == "vx_notional" and first.spec.underlying != "SPX":
        return notional
    return notional * abs(sum(one.quantity * (one.value.delta or 0.0) for one in picks))


def vx_level(ctx: Context, unit: Unit) -> float | None:
    """The VX future behind a package, points: its own, or the 30-day one behind a share."""
    return unit.picks[0].value.forward if unit.picks[0].spec.expiry else month_vx(ctx.market)


def held_packages(trades: Sequence[BookTrade]) -> int:
    """Contracts bought in the trades: what a layer is counted by."""
    return sum(leg.quantity for trade in trades for leg in trade.legs if leg.quantity > 0)


def is_foreign(trade: BookTrade, spec: ContractSpec) -> bool:
    """Whether the trade holds another kind of thing (option, future, share) than the contract is."""
    return any(leg.contract.kind is not spec.kind for leg in trade.legs)


def fits(amount: float, each: float) -> int:
    """How many whole packages an amount pays for; none when it is negative."""
    return max(floor(round(amount / each, 9)), 0) if each > 0 else 0

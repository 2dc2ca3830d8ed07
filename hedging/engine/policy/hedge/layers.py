"""Proposals for the hedge layers: add, trim, roll, move out in time, extend after a collapse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hedging.engine.book import BookTrade
from hedging.engine.policy.chain import days_to
from hedging.engine.policy.context import Context
from hedging.engine.policy.hedge.bounds import binding, bounds_of, extension_bounds
from hedging.engine.policy.hedge.ladder import LayerPlan, instrument_of
from hedging.engine.policy.hedge.units import (
    VIX_CALENDAR,
    VX_FUTURE,
    Unit,
    Wanted,
    find_unit,
    fits,
    held_packages,
    is_foreign,
    layer_unit,
)
from hedging.engine.policy.orders import closing, make_order, tickets, words_of
from hedging.engine.policy.types import Action, Answer, Order, Proposal

PRIMARY, BUDGET, MARGIN = "condor credit", "hedge budget", "margin"


def layer_proposals(ctx: Context, plans: Sequence[LayerPlan], *, far: bool) -> Iterator[Proposal]:
    """What the ladder asks for; ``far`` moves layers 1 and 2 to long tenors (persistent expansion)."""
    for plan in plans:
        row = plan.row
        moved = None
        if row.actual and ((far and row.layer < 3) or (plan.roll_due and row.is_open is Answer.YES)):
            moved = _time_shift(ctx, plan, far=far and row.layer < 3)
        if moved is not None:
            yield moved
        elif row.actual > row.target and row.binding == "ceiling":
            yield from _trim(ctx, plan)
        elif row.is_open is Answer.YES and row.target > row.actual and plan.unit is not None:
            yield _add(plan, plan.unit)


def _add(plan: LayerPlan, unit: Unit) -> Proposal:
    row = plan.row
    more = row.target - row.actual
    order = make_order(unit.picks, more)
    return Proposal(
        action=Action.ADD_LAYER,
        title=f"Buy {words_of(order)} for layer {row.layer}",
        rationale=f"{row.why} {row.notes[0]}.{_ties_up(unit, more)}",
        binding=row.binding,
        layer=row.layer,
        orders=(order,),
        funding=MARGIN if unit.instrument == VX_FUTURE else PRIMARY if row.layer == 1 else BUDGET,
        cost=-order.cash,
        requirement={1: "LAY-1 LAY-2", 2: "LAY-4 LAY-5", 3: "LAY-4 LAY-6"}[row.layer],
    )


def _ties_up(unit: Unit, count: int) -> str:
    """What a reader must know of futures and shares, which have no premium."""
    if not unit.linear:
        return ""
    what = "margin (assumed)" if unit.instrument == VX_FUTURE else "cash"
    carry = -unit.decay * count
    return (
        f" {unit.capital * count:,.0f} dollars of {what} are tied up; while VIX and the curve stand still it "
        f"{'loses' if carry >= 0 else 'gains'} {abs(carry):,.0f} a day."
    )


def _trim(ctx: Context, plan: LayerPlan) -> Iterator[Proposal]:
    """Sell what lies above the hedge-ratio ceiling, lot by lot, the other lots untouched."""
    left = plan.row.actual - plan.row.target
    orders: list[Order] = []
    for trade in ctx.layer(plan.row.layer):
        order = closing(ctx.market, trade, left) if left > 0 else None
        if order is not None:
            orders.append(order)
            left -= sum(max(-leg.quantity, 0) for leg in order.legs)
    if orders:
        yield Proposal(
            action=Action.TRIM_LAYER,
            title=f"Trim layer {plan.row.layer}: sell {words_of(*tickets(orders))}",
            rationale=f"The hedge is larger than its ceiling: {plan.row.notes[0]}.",
            binding="ceiling",
            layer=plan.row.layer,
            orders=tuple(orders),
            funding="none",
            cost=-sum(order.cash for order in orders),
            requirement="LAY-11",
        )


def _time_shift(ctx: Context, plan: LayerPlan, *, far: bool) -> Proposal | None:
    """Close the layer's near lots and buy the same number or fewer further out."""
    n = plan.row.layer
    dated = [trade for trade in ctx.layer(n) if all(leg.contract.expiry for leg in trade.legs)]
    near = [trade for trade in dated if not far or _is_near(ctx, trade)]
    kinds = {instrument_of(trade) for trade in near}
    linear = next((kind for kind in kinds if kind in {VX_FUTURE, VIX_CALENDAR}), "")
    unit = _far_unit(ctx, n) if far else layer_unit(ctx, n, first=linear)
    closes = [closing(ctx.market, trade, held_packages((trade,))) for trade in near]
    if unit is None or not near or any(order is None for order in closes):
        return None
    held, staying = _counted(ctx, unit, near), _counted(ctx, unit, ctx.layer(n)) - _counted(ctx, unit, near)
    limit = binding(bounds_of(ctx, n, unit, plan.others, held=False))
    count = min(held, (limit.contracts or 0) - staying)
    if count < 1:
        return None
    orders = (*(order for order in closes if order is not None), make_order(unit.picks, count))
    return Proposal(
        action=Action.TIME_SHIFT,
        title=f"Move layer {n} to {words_of(orders[-1])}",
        rationale=(
            "A persistent expansion: the hedge travels to a longer tenor."
            if far
            else f"The roll of layer {n} is due."
        )
        + _ties_up(unit, count),
        binding="size on a roll" if count == held else limit.name,
        layer=n,
        orders=orders,
        funding=BUDGET,
        cost=-sum(order.cash for order in orders),
        requirement="LAY-13" if far else "LAY-9",
    )


def _counted(ctx: Context, unit: Unit, trades: Sequence[BookTrade]) -> int:
    """The trades as packages of the unit: contracts of its kind, others by their notional."""
    other = [trade for trade in trades if is_foreign(trade, unit.picks[0].spec)]
    same = [trade for trade in trades if trade not in other]
    return held_packages(same) + fits(ctx.exposure_of(other), unit.exposure)


def _far_unit(ctx: Context, n: int) -> Unit | None:
    """What a layer moves into in a persistent expansion (LAY-13)."""
    wanted = Wanted(
        ctx.number("expansion.time_shift_dte"), ctx.span("expansion.time_shift_dte"),
        ctx.number(f"layer{n}.delta"), ctx.number(f"layer{n}.sold_delta"),
    )  # fmt: skip
    return find_unit(ctx, ctx.rules.words("expansion.time_shift_allowed"), wanted)


def _is_near(ctx: Context, trade: BookTrade) -> bool:
    """Whether the lot's tenor lies below the far window."""
    low, _ = ctx.span("expansion.time_shift_dte")
    expiries = [leg.contract.expiry for leg in trade.legs if leg.contract.expiry]
    return all(days_to(ctx.market, expiry) < low for expiry in expiries)


def extension(ctx: Context, plans: Sequence[LayerPlan]) -> Proposal | None:
    """CON-4: longer-dated VIX calls once a realized-vol collapse is detected."""
    wanted = Wanted(
        ctx.number("collapse.extend_dte"), ctx.span("collapse.extend_dte"),
        ctx.number("collapse.extend_delta"), ctx.number("layer3.sold_delta"),
    )  # fmt: skip
    unit = find_unit(ctx, ("vix_call",), wanted)
    if unit is None:
        return None
    limit = binding(extension_bounds(ctx, unit, plans[2].others, plans[2].row.actual))
    count = (limit.contracts or 0) - plans[2].row.actual
    if count < 1:
        return None
    order = make_order(unit.picks, count)
    return Proposal(
        action=Action.EXTEND_LAYER,
        title=f"Extend the hedge with {words_of(order)}",
        rationale="After a realized-vol collapse longer-dated calls take over; the short dates decay.",
        binding=limit.name,
        layer=3,
        orders=(order,),
        funding=BUDGET,
        cost=-order.cash,
        requirement="CON-4",
    )

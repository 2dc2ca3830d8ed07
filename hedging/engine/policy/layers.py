"""Proposals for the hedge layers: add, trim, roll, move out in time, extend after a collapse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hedging.engine.book import BookTrade
from hedging.engine.policy.adjust import closing
from hedging.engine.policy.bounds import binding, bounds_of, extension_bounds
from hedging.engine.policy.context import Context
from hedging.engine.policy.ladder import LayerPlan
from hedging.engine.policy.orders import make_order
from hedging.engine.policy.types import Action, Answer, Order, Proposal
from hedging.engine.policy.units import Unit, find_unit, held_packages, layer_unit

PRIMARY, BUDGET = "condor credit", "hedge budget"


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
        title=f"Buy {more} of layer {row.layer}",
        rationale=f"{row.why} {row.notes[0]}.",
        binding=row.binding,
        layer=row.layer,
        orders=(order,),
        funding=PRIMARY if row.layer == 1 else BUDGET,
        cost=-order.cash,
        requirement={1: "LAY-1 LAY-2", 2: "LAY-4 LAY-5", 3: "LAY-4 LAY-6"}[row.layer],
    )


def _trim(ctx: Context, plan: LayerPlan) -> Iterator[Proposal]:
    """Sell what lies above the hedge-ratio ceiling, lot by lot, the other lots untouched."""
    left = plan.row.actual - plan.row.target
    orders: list[Order] = []
    for trade in ctx.layer(plan.row.layer):
        order = closing(ctx, trade, left) if left > 0 else None
        if order is not None:
            orders.append(order)
            left -= sum(max(-leg.quantity, 0) for leg in order.legs)
    if orders:
        yield Proposal(
            action=Action.TRIM_LAYER,
            title=f"Sell {plan.row.actual - plan.row.target - max(left, 0)} of layer {plan.row.layer}",
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
    near = [trade for trade in ctx.layer(n) if not far or _is_near(ctx, trade)]
    unit = _far_unit(ctx, n) if far else layer_unit(ctx, n)
    closes = [closing(ctx, trade, held_packages((trade,))) for trade in near]
    if unit is None or not near or any(order is None for order in closes):
        return None
    held = held_packages(tuple(near))
    staying = held_packages(ctx.layer(n)) - held
    limit = binding(bounds_of(ctx, n, unit, plan.others, held=False))
    count = min(held, (limit.contracts or 0) - staying)
    if count < 1:
        return None
    orders = (*(order for order in closes if order is not None), make_order(unit.picks, count))
    return Proposal(
        action=Action.TIME_SHIFT,
        title=f"Move layer {n} to {unit.days} days",
        rationale="A persistent expansion: the hedge travels to a longer tenor."
        if far
        else f"The roll of layer {n} is due.",
        binding="size on a roll" if count == held else limit.name,
        layer=n,
        orders=orders,
        funding=BUDGET,
        cost=-sum(order.cash for order in orders),
        requirement="LAY-13" if far else "LAY-9",
    )


def _far_unit(ctx: Context, n: int) -> Unit | None:
    return find_unit(
        ctx, ("vix_call",), aim=ctx.number("expansion.time_shift_dte"),
        window=ctx.span("expansion.time_shift_dte"),
        delta=ctx.number(f"layer{n}.delta"), sold_delta=ctx.number(f"layer{n}.sold_delta"),
    )  # fmt: skip


def _is_near(ctx: Context, trade: BookTrade) -> bool:
    """Whether the lot's tenor lies below the far window."""
    low, _ = ctx.span("expansion.time_shift_dte")
    return all((leg.days or 0.0) < low for leg in ctx.values[trade.trade_id].legs)


def extension(ctx: Context, plans: Sequence[LayerPlan]) -> Proposal | None:
    """CON-4: longer-dated VIX calls once a realized-vol collapse is detected."""
    unit = find_unit(
        ctx, ("vix_call",), aim=ctx.number("collapse.extend_dte"), window=ctx.span("collapse.extend_dte"),
        delta=ctx.number("collapse.extend_delta"), sold_delta=ctx.number("layer3.sold_delta"),
    )  # fmt: skip
    if unit is None:
        return None
    limit = binding(extension_bounds(ctx, unit, plans[2].others, plans[2].row.actual))
    count = (limit.contracts or 0) - plans[2].row.actual
    if count < 1:
        return None
    order = make_order(unit.picks, count)
    return Proposal(
        action=Action.EXTEND_LAYER,
        title=f"Extend the hedge with {count} VIX calls of {unit.days} days",
        rationale="After a realized-vol collapse longer-dated calls take over; the short dates decay.",
        binding=limit.name,
        layer=3,
        orders=(order,),
        funding=BUDGET,
        cost=-order.cash,
        requirement="CON-4",
    )

"""The layer ladder: for each layer what the rules want against what is held, and why no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from hedging.engine.book import BookTrade
from hedging.engine.instruments import parse_symbol
from hedging.engine.policy.chain import days_to
from hedging.engine.policy.context import DIGITS, VIX_LEVELS, Context, is_calendar
from hedging.engine.policy.hedge.bounds import Spent, binding, bounds_of
from hedging.engine.policy.hedge.units import (
    VIX_CALENDAR,
    VX_FUTURE,
    VXX,
    Unit,
    held_packages,
    is_foreign,
    layer_unit,
)
from hedging.engine.policy.types import Answer, Bound, Ladder, LadderRow, Trace, VixValue
from hedging.engine.pricing.greeks_units import Factor, FactorGreeks
from hedging.engine.pricing.valuation import LegValuation, sum_totals

PURPOSES = {
    1: "dampens the condors' delta",
    2: "positive gamma before major expirations",
    3: "tail cover in a confirmed regime shift",
}


@dataclass(frozen=True)
class LayerPlan:
    """A ladder row with the package behind it; ``others`` is what it was sized against."""

    row: LadderRow
    unit: Unit | None
    others: Spent
    roll_due: bool


def plan_layers(ctx: Context, gates: Trace, *, brief: bool = False) -> tuple[LayerPlan, ...]:
    """Plans of layers 1 to 3 in order: an earlier layer's plan counts against a later's shared limits.

    ``brief`` prices no package for a closed layer that holds nothing; targets are the same.
    """
    gains = {n: ctx.gain_from_entry(ctx.layer(n)) for n in (1, 2, 3)}
    units = {n: None if brief and _is_idle(ctx, n, gates) else layer_unit(ctx, n) for n in (1, 2, 3)}
    used = {n: _spent(ctx, n, units[n], held_packages(ctx.layer(n)), gains[n]) for n in (1, 2, 3)}
    plans: list[LayerPlan] = []
    for n in (1, 2, 3):
        others = _sum([used[m] for m in (1, 2, 3) if m != n])
        plan = _plan(ctx, n, units[n], others, gates)
        used[n] = _spent(ctx, n, units[n], _planned(plan.row), gains[n])
        plans.append(plan)
    return tuple(plans)


def _planned(row: LadderRow) -> int:
    """Contracts the layer holds after its own proposal: bought up to its target, sold at the ceiling."""
    acts = row.target > row.actual or row.binding == "ceiling"
    return row.target if acts else row.actual


def _is_idle(ctx: Context, n: int, gates: Trace) -> bool:
    return gates.step(f"layer{n}").answer is not Answer.YES and not ctx.layer(n)


def ladder_of(ctx: Context, plans: Sequence[LayerPlan]) -> Ladder:
    """The ladder that pages show."""
    hedges = [trade for n in (1, 2, 3) for trade in ctx.layer(n)]
    band = ctx.number("layers.delta_band") * ctx.book.capital / ctx.market.spot if ctx.market.spot else None
    return Ladder(
        rows=tuple(plan.row for plan in plans),
        condor_loss=ctx.condor_loss,
        coverage=float(ctx.gains(hedges)[0]) / ctx.condor_loss if ctx.condor_loss > 0 else None,
        ceiling=ctx.number("layers.ceiling"),
        net_delta=ctx.spx_delta((*ctx.condors, *ctx.layer(1))),
        delta_band=None if band is None else (-band, band),
        vx_beta=ctx.vx_beta,
        beta_source=_beta_source(ctx),
    )


def _beta_source(ctx: Context) -> str:
    if ctx.facts.vx_beta is None:
        return "the ruleset's figure, not estimated"
    return f"estimated over {ctx.rules.whole('layers.beta_window')} sessions of daily changes"


def _plan(ctx: Context, n: int, unit: Unit | None, others: Spent, gates: Trace) -> LayerPlan:
    gate = gates.step(f"layer{n}")
    trades = ctx.layer(n)
    actual = held_packages(trades)
    bounds: tuple[Bound, ...] = ()
    target, limit = actual, Bound("no price", None, "no instrument of this layer can be priced here")
    if unit is not None:
        bounds = bounds_of(ctx, n, unit, others)
        limit = binding(bounds)
        target = limit.contracts or 0
    if gate.answer is not Answer.YES:
        target, limit = actual, Bound("gate", actual, gate.consequence)
    over = next((bound for bound in bounds if bound.name == "ceiling"), None)
    if over is not None and over.contracts is not None and ctx.condors:
        most = over.contracts * (1 + ctx.number("layers.trim_band"))
        if actual > round(most, DIGITS):
            target, limit = over.contracts, over
    row = LadderRow(
        layer=n,
        purpose=PURPOSES[n],
        is_open=gate.answer,
        why=gate.consequence,
        instrument=unit.instrument if unit else ctx.rules.words(f"layer{n}.allowed")[0],
        target=target,
        actual=actual,
        bounds=bounds,
        binding=limit.name,
        premium=ctx.premium_of(trades),
        budget=_budget(ctx, n),
        notes=_notes(ctx, n, trades, limit, unit),
    )
    row = _with_unit(ctx, row, unit)
    row, due = _with_held(ctx, n, row, trades)
    return LayerPlan(_with_values(ctx, row, unit, trades), unit, others, due)


def _budget(ctx: Context, n: int) -> float | None:
    if ctx.rules.word(f"layer{n}.sizing") != "budget":
        return None
    return ctx.number(f"layer{n}.budget") * ctx.credit


def _notes(
    ctx: Context, n: int, trades: tuple[BookTrade, ...], limit: Bound, unit: Unit | None
) -> tuple[str, ...]:
    found = [limit.explanation]
    allowed = set(ctx.rules.words(f"layer{n}.allowed"))
    others = {kind for trade in trades for kind in [instrument_of(trade)] if kind not in allowed}
    if others:
        names = ", ".join(sorted(others)).replace("_", " ")
        found.append(f"not in this ruleset's allowed instruments: {names}")
    if unit is not None and unit.gain < 0:
        found.append(f"a package loses {-unit.gain:,.0f} in the condors' worst cell: it adds to that loss")
    return tuple(found)


def instrument_of(trade: BookTrade) -> str:
    """The instrument's name in rulesets, from a trade's legs."""
    roots = {leg.contract.underlying for leg in trade.legs}
    if roots & {"VX", "VXX"}:
        return VX_FUTURE if "VX" in roots else VXX
    base = "vix_call" if roots == {"VIX"} else "spx_put"
    if all(leg.quantity > 0 for leg in trade.legs):
        return base
    if base == "vix_call" and is_calendar(trade.legs):
        return VIX_CALENDAR
    return f"{base}_spread"


def _with_unit(ctx: Context, row: LadderRow, unit: Unit | None) -> LadderRow:
    if unit is None:
        return row
    first = unit.picks[0]
    value = first.value
    spread = None
    if value.bid is not None and value.ask is not None and value.ask > 0:
        spread = (value.ask - value.bid) / ((value.ask + value.bid) / 2)
    interest = next((p.open_interest for p in ctx.market.vx_curve if p.expiry == first.spec.expiry), None)
    return replace(
        row,
        symbols=tuple(one.spec.symbol for one in unit.picks),
        tenor_days=None if first.spec.expiry is None else float(unit.days),
        strike=first.spec.strike,
        delta=value.delta,
        price=-unit.order.limit,
        modelled=unit.order.modelled,
        spread=spread,
        open_interest=interest,
    )


def _with_held(ctx: Context, n: int, row: LadderRow, trades: tuple[BookTrade, ...]) -> tuple[LadderRow, bool]:
    """Decay, Greeks, extrinsic value and roll date of what is held."""
    if not trades:
        return row, False
    valued = [ctx.values[trade.trade_id] for trade in trades]
    totals = sum_totals(one.totals for one in valued)
    vx = totals.greeks.get(Factor.VX.value, FactorGreeks())
    beta = ctx.vx_per_point()
    shares = totals.greeks.get(Factor.VXX.value, FactorGreeks())
    expiries = [leg.contract.expiry for t in trades for leg in t.legs if leg.contract.expiry]
    roll = min(expiries) - timedelta(days=ctx.rules.whole(f"layer{n}.roll_days")) if expiries else None
    due = roll is not None and days_to(ctx.market, roll) <= 0
    return replace(
        row,
        held=tuple(f"{leg.quantity:+d} {leg.contract.symbol}" for trade in trades for leg in trade.legs),
        decay=ctx.decay_of(trades),
        extrinsic=_extrinsic([leg for one in valued for leg in one.legs]),
        delta_vx=vx.delta + shares.delta * ctx.vxx_per_vx,
        gamma_vx=vx.gamma,
        vega_vx=vx.vega,
        delta_spx_equivalent=ctx.spx_delta(trades),
        gamma_spx_equivalent=beta * beta * vx.gamma,
        roll_due=roll,
    ), due


def _extrinsic(legs: Sequence[LegValuation]) -> float | None:
    """Time value held (+) in dollars: marks less intrinsic value on the forward; None when one is unknown."""
    total = 0.0
    for leg in legs:
        found = extrinsic_of(leg)
        if found is None:
            return None
        total += found
    return total


def extrinsic_of(leg: LegValuation) -> float | None:
    """Time value of one leg in dollars (+ held, - sold); futures and shares have none."""
    spec = parse_symbol(leg.symbol)
    if spec.right is None or spec.strike is None:
        return 0.0
    if leg.price is None or leg.forward is None:
        return None
    return leg.size * max(leg.price - max(int(spec.right) * (leg.forward - spec.strike), 0.0), 0.0)


def _with_values(ctx: Context, row: LadderRow, unit: Unit | None, trades: tuple[BookTrade, ...]) -> LadderRow:
    """P&L at VIX 30 to 80, coverage and marginal rate: of what is held, else of the target."""
    if trades:
        pnl = ctx.gains(trades)
        worth = _tied_up(ctx, trades)
    elif unit is not None and row.target:
        pnl, worth = np.array(unit.gains) * row.target, unit.capital * row.target
        note = "decay, values and coverage are the target's"
        row = replace(row, decay=unit.decay * row.target, notes=(*row.notes, note))
    else:
        return row
    values = tuple(
        VixValue(level, shock.spot, float(gain))
        for level, shock, gain in zip(VIX_LEVELS, ctx.vix_shocks, pnl[1:], strict=False)
    )
    coverage = float(pnl[0]) / ctx.condor_loss if ctx.condor_loss > 0 else None
    rate = -row.decay * 365 / worth if row.decay is not None and worth > 0 else None
    return replace(row, vix_values=values, coverage=coverage, marginal_rate=rate)


def _tied_up(ctx: Context, trades: tuple[BookTrade, ...]) -> float:
    """Dollars the layer ties up: what options and shares are worth, and the margin of futures."""
    legs = [leg for trade in trades for leg in ctx.values[trade.trade_id].legs if leg.underlying != "VX"]
    return sum(leg.market_value or 0.0 for leg in legs) + ctx.future_margin_of(trades)


def _spent(ctx: Context, n: int, unit: Unit | None, contracts: int, gain: float) -> Spent:
    """What a layer uses when it holds ``contracts``: its share of what is held, or more at today's price."""
    trades = ctx.layer(n)
    have = held_packages(trades)
    kept = min(contracts / have, 1.0) if have else 1.0
    premium, gain = ctx.premium_of(trades) * kept, gain * kept
    if unit is None:
        return Spent(premium, premium * 365 / ctx.number(f"layer{n}.dte"), 0.0, gain)
    more = max(contracts - have, 0)
    premium += more * unit.cost
    other = [trade for trade in trades if is_foreign(trade, unit.picks[0].spec)]
    exposure = (contracts - held_packages(other)) * unit.exposure + ctx.exposure_of(other)
    return Spent(premium, premium * 365 / max(unit.days, 1), max(exposure, 0.0), gain + more * unit.gain)


def _sum(parts: Sequence[Spent]) -> Spent:
    return Spent(
        sum(p.premium for p in parts), sum(p.run_rate for p in parts),
        sum(p.exposure for p in parts), sum(p.gain for p in parts),
    )  # fmt: skip

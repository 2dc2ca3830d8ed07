"""How many contracts each limit allows a layer; the smallest is the target and names the binding constraint.

Every bound counts all contracts of the layer: those held plus those that still fit. More condor risk raises
budget, base and stressed loss alike, so no bound ever falls when risk grows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hedging.engine.book import BookTrade
from hedging.engine.policy.context import VX_FLOOR, Context, some
from hedging.engine.policy.hedge.units import Unit, fits, held_packages, is_foreign, vx_level
from hedging.engine.policy.types import Answer, Bound
from hedging.engine.signals.types import SignalKey


@dataclass(frozen=True, slots=True)
class Spent:
    """What the other layers use already, held or planned: dollars of each limited quantity."""

    premium: float = 0.0
    run_rate: float = 0.0
    exposure: float = 0.0
    gain: float = 0.0


def bounds_of(
    ctx: Context, number: int, unit: Unit, others: Spent, *, held: bool = True
) -> tuple[Bound, ...]:
    """Every bound on a layer; ``held`` False sizes it from nothing, as on a roll."""
    trades = ctx.layer(number) if held else ()
    have, spent = held_packages(trades), ctx.premium_of(trades)
    foreign = _foreign(ctx, unit, trades)
    sizing = ctx.rules.word(f"layer{number}.sizing")
    found = [_own(ctx, number, unit, have, spent, sizing)]
    if sizing != "vxth":
        if sizing == "budget":
            found.append(_exposure(ctx, number, unit, foreign))
        found += _caps(ctx, unit, others, have, spent, foreign)
        found.append(ceiling_bound(ctx, unit, others, have, ctx.gain_from_entry(trades)))
    found.append(_run_rate(ctx, unit, others, have, spent))
    if unit.linear:
        found += _linear(ctx, unit, have)
    if number == 3 and sizing == "budget":
        found.append(_risk_capital(ctx, unit, have, spent))
    found.append(_liquidity(ctx, have))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Foreign:
    """What a layer holds of another kind than the package (a future beside calls): contracts and notional."""

    contracts: int = 0
    exposure: float = 0.0


def _foreign(ctx: Context, unit: Unit, trades: Sequence[BookTrade]) -> Foreign:
    other = [trade for trade in trades if is_foreign(trade, unit.picks[0].spec)]
    return Foreign(held_packages(other), ctx.exposure_of(other))


def binding(bounds: tuple[Bound, ...]) -> Bound:
    """The smallest bound; of equals the first."""
    limiting = [bound for bound in bounds if bound.contracts is not None]
    return min(limiting, key=lambda bound: bound.contracts or 0)


def _own(ctx: Context, number: int, unit: Unit, have: int, spent: float, sizing: str) -> Bound:
    """The layer's own size: premium budget (LAY-1), ratio to the condors, or the benchmark's weights."""
    if sizing == "ratio":
        ratio = ctx.number(f"layer{number}.ratio")
        wanted = fits(ctx.condor_count * ratio, 10)
        return Bound(
            "ratio",
            wanted,
            f"{ratio:g} contracts for ten condors, {ctx.condor_count:g} open",
            (f"layer{number}.ratio",),
        )
    if sizing == "vxth":
        share = vxth_weight(ctx, vx_level(ctx, unit))
        budget = share * ctx.book.capital
        name = f"{share:.1%} of equity"
        parameters: tuple[str, ...] = ("vxth.weight", "vxth.half_weight")
    else:
        share = ctx.number(f"layer{number}.budget")
        budget = share * ctx.credit
        name, parameters = f"{share:.1%} of {ctx.credit:,.0f} credit", (f"layer{number}.budget",)
    text = f"{name} is {budget:,.0f}; {spent:,.0f} is spent, a contract {_counts(unit)}"
    return Bound("premium budget", _more(have, budget - spent, unit.cost), text, parameters)


def _counts(unit: Unit) -> str:
    """What a package counts against a premium budget, in words."""
    if unit.linear:
        if unit.cost <= 0:
            return "has no premium and the curve no carry to pay: the budget does not limit it"
        return f"has no premium and counts its carry of {unit.cost:,.0f} over {unit.days} days"
    if unit.cost > unit.capital:
        return f"costs {unit.capital:,.0f} and counts its stressed loss of {unit.cost:,.0f}"
    return f"costs {unit.cost:,.0f}"


def _more(have: int, room: float, each: float) -> int | None:
    """Contracts held plus those that still fit; None where a further one counts nothing."""
    return None if each <= 0 else have + fits(room, each)


def vxth_weight(ctx: Context, forward: float | None) -> float:
    """Share of equity the benchmark VXTH spends at a same-expiry VX: 0, 1%, 0.5% or 0 (Cboe)."""
    if forward is None or forward <= ctx.number("vxth.low") or forward > ctx.number("vxth.high"):
        return 0.0
    return ctx.number("vxth.weight" if forward <= ctx.number("vxth.middle") else "vxth.half_weight")


def _linear(ctx: Context, unit: Unit, have: int) -> list[Bound]:
    """What premiums do not bound: a future's margin, and what a trade of futures or shares may lose."""
    block, capital = ctx.trade_size.block, ctx.book.capital
    first = unit.picks[0]
    least = 0.0 if first.spec.expiry is None else VX_FLOOR
    risk = first.spec.multiplier * max(first.price - least, 0.0)
    found = [
        Bound(
            "% of equity",
            have + fits(block * capital, risk),
            f"at most {block:.0%} of {capital:,.0f} equity at risk; one contract risks {risk:,.0f}",
            ("guard.block_of_equity",),
        )
    ]
    if first.spec.expiry is not None:
        room = ctx.margin_limit * capital - ctx.used_margin
        text = (
            f"at most {ctx.margin_limit:.0%} of equity; {ctx.used_margin:,.0f} is used, "
            f"a future takes {unit.capital:,.0f}"
        )
        found.append(Bound("margin", have + fits(room, unit.capital), text, ("layers.future_margin",)))
    return found


def _exposure(ctx: Context, number: int, unit: Unit, foreign: Foreign) -> Bound:
    share = ctx.number(f"layer{number}.exposure")
    text = (
        f"{share:.1%} of {ctx.base:,.0f} ({ctx.rules.word('layers.notional_base').replace('_', ' ')}); "
        f"a contract counts {unit.exposure:,.0f}"
    )
    return Bound(
        "exposure", foreign.contracts + fits(share * ctx.base - foreign.exposure, unit.exposure), text,
        (f"layer{number}.exposure", "layers.notional_base", "layers.exposure_measure"),
    )  # fmt: skip


def _caps(ctx: Context, unit: Unit, others: Spent, have: int, spent: float, foreign: Foreign) -> list[Bound]:
    alone = ctx.rules.word("caps.scope") == "layer"
    premium, exposure = ctx.number("caps.premium_of_credit"), ctx.number("caps.exposure")
    used = spent + (0.0 if alone else others.premium)
    taken = foreign.exposure + (0.0 if alone else others.exposure)
    return [
        Bound(
            "premium cap",
            _more(have, premium * ctx.credit - used, unit.cost),
            f"at most {premium:.0%} of credit, {premium * ctx.credit:,.0f}; {used:,.0f} is used",
            ("caps.premium_of_credit", "caps.scope"),
        ),
        Bound(
            "exposure cap",
            foreign.contracts + fits(exposure * ctx.base - taken, unit.exposure),
            f"at most {exposure:.0%} of the base, {exposure * ctx.base:,.0f}",
            ("caps.exposure", "caps.scope"),
        ),
    ]


def _run_rate(ctx: Context, unit: Unit, others: Spent, have: int, spent: float) -> Bound:
    share = ctx.number("caps.run_rate_of_equity")
    limit = share * ctx.book.capital
    used = others.run_rate + spent * 365 / max(unit.days, 1)
    text = f"at most {share:.1%} of equity a year, {limit:,.0f}; {used:,.0f} is under way"
    return Bound(
        "premium run-rate", _more(have, limit - used, unit.run_rate), text, ("caps.run_rate_of_equity",)
    )


def ceiling_bound(ctx: Context, unit: Unit, others: Spent, have: int, gain: float) -> Bound:
    """Contracts up to the hedge-ratio ceiling in the condors' worst cell with rising VIX (LAY-11).

    Both sides count from entry, so that a hedge is not sold merely because the condors have lost already.
    ``have`` contracts are held and will have gained ``gain``; those beyond gain as the unit does.
    """
    ceiling = ctx.number("layers.ceiling")
    room = ceiling * ctx.loss_from_entry - others.gain
    text = (
        f"since entry hedges gain at most {ceiling:g} × the condors' stressed loss of "
        f"{ctx.loss_from_entry:,.0f}; other layers gain {others.gain:,.0f}, this one {gain:,.0f}, "
        f"a further contract {unit.gain:,.0f}"
    )
    if have and gain > max(room, 0.0):
        return Bound("ceiling", fits(room, gain / have), text, ("layers.ceiling",))
    if unit.gain <= 0:
        return Bound("ceiling", None, "the contract gains nothing in the condors' worst cell")
    return Bound("ceiling", have + fits(room - gain, unit.gain), text, ("layers.ceiling",))


def _risk_capital(ctx: Context, unit: Unit, have: int, spent: float) -> Bound:
    """LAY-3: the deepest layer's share of risk capital, more only when breadth is known to narrow."""
    diverging = some([ctx.state(SignalKey.PE_DIVERGENCE), ctx.state(SignalKey.PCF_DIVERGENCE)])
    narrow = ctx.state(SignalKey.CAP_BREADTH) is Answer.YES and diverging is Answer.YES
    key = "layer3.risk_capital_narrow" if narrow else "layer3.risk_capital"
    share = ctx.number(key)
    why = "breadth narrows" if narrow else "breadth is not known to narrow"
    text = f"at most {share:.0%} of {ctx.base:,.0f} risk capital: {why}"
    return Bound("risk capital", _more(have, share * ctx.base - spent, unit.cost), text, (key,))


def _liquidity(ctx: Context, have: int) -> Bound:
    """CON-7: a measured open interest of the front VX future below the minimum stops buying."""
    least = ctx.number("liquidity.min_open_interest")
    front = min(ctx.market.vx_curve, key=lambda point: point.expiry, default=None)
    measured = front.open_interest if front else None
    if measured is None:
        return Bound("liquidity", None, "VX open interest is unknown", ("liquidity.min_open_interest",))
    text = f"front VX open interest {measured:,}, minimum {least:,.0f}"
    return Bound("liquidity", have if measured < least else None, text, ("liquidity.min_open_interest",))


def extension_bounds(ctx: Context, unit: Unit, others: Spent, have: int) -> tuple[Bound, ...]:
    """Bounds on the longer-dated calls that extend the hedge after a collapse (CON-4)."""
    share = ctx.number("collapse.extend_budget")
    budget, held = share * ctx.credit, ctx.layer(3)
    spent = ctx.premium_of(held)
    text = f"{share:.1%} of {ctx.credit:,.0f} credit is {budget:,.0f}; a contract costs {unit.cost:,.0f}"
    return (
        Bound("extension budget", have + fits(budget, unit.cost), text, ("collapse.extend_budget",)),
        *_caps(ctx, unit, others, have, spent, _foreign(ctx, unit, held)),
        ceiling_bound(ctx, unit, others, have, ctx.gain_from_entry(held)),
        _run_rate(ctx, unit, others, have, spent),
        _liquidity(ctx, have),
    )

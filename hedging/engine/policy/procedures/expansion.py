"""The volatility expansion (S2): diagnose first, adjust wings in an isolated spike, roll only what persists.

States: ``quiet``, ``unknown`` (no regime is known), ``diagnosed`` (neither isolated nor persistent is
confirmed), ``isolated``, ``persistent`` (time-shift only), ``exceeded`` (a full roll is allowed).
"""

from __future__ import annotations

from hedging.engine.book import BookTrade
from hedging.engine.policy.condor.adjust import condor_words
from hedging.engine.policy.context import DIGITS, Context, every, risk_of, some, yes
from hedging.engine.policy.types import Answer, Fact, Procedure, Trace, TraceStep
from hedging.engine.signals.regimes import EXPANSIONS
from hedging.engine.signals.types import Regime, SignalKey
from hedging.engine.structure import describe
from hedging.maths.types import Right

QUIET, UNKNOWN, DIAGNOSED = "quiet", "unknown", "diagnosed"
ISOLATED, PERSISTENT, EXCEEDED = "isolated", "persistent", "exceeded"


def expansion_trace(ctx: Context) -> Trace:
    """Questions in order; without an expansion only the first is asked."""
    first = _expansion(ctx)
    if first.answer is not Answer.YES:
        state = UNKNOWN if first.answer is Answer.UNKNOWN else QUIET
        return Trace(Procedure.EXPANSION, state, (first,))
    persistent, exceeded, beta = _persistent(ctx), _exceeded(ctx), beta_step(ctx)
    isolated = _isolated(ctx, persistent.answer)
    state = DIAGNOSED
    if persistent.answer is Answer.YES:
        state = EXCEEDED if exceeded.answer is Answer.YES else PERSISTENT
    elif isolated.answer is Answer.YES:
        state = ISOLATED
    steps = (first, _diagnosis(ctx), isolated, persistent, exceeded, _time_shift(ctx, state), beta)
    return Trace(Procedure.EXPANSION, state, steps)


def _expansion(ctx: Context) -> TraceStep:
    regime = ctx.day.regime.regime
    known = Answer.UNKNOWN if regime is Regime.UNKNOWN else yes(regime in EXPANSIONS)
    return TraceStep(
        "expansion.on",
        "Is volatility expanding?",
        "the regime is an expansion or a shift",
        known,
        "Diagnose; do not roll by reflex." if known is Answer.YES else "Nothing to adjust.",
        (Fact("regime", word=regime.value.replace("_", " "), as_of=ctx.day.day), ctx.fact(SignalKey.VIX)),
        "CON-5",
    )


def _diagnosis(ctx: Context) -> TraceStep:
    """Break-evens of every condor, with the capital charge of its margin taken off the credit (CON-5)."""
    facts = []
    for trade in ctx.condors:
        plain, charged = break_evens(ctx, trade, charged=False), break_evens(ctx, trade, charged=True)
        facts.append(
            Fact(f"break-evens of {condor_words(trade)}", word=" / ".join(f"{x:,.2f}" for x in plain))
        )
        facts.append(Fact("with capital charge", word=" / ".join(f"{x:,.2f}" for x in charged)))
    return TraceStep(
        "expansion.diagnosis",
        "Where are the break-evens, capital charge included?",
        "financing target on margin to expiry is taken off the credit",
        Answer.UNKNOWN if not facts else Answer.YES,
        "See the inputs." if facts else "No condor is open.",
        tuple(facts),
        "CON-5",
        ("wacc.target",),
    )


def break_evens(ctx: Context, trade: BookTrade, *, charged: bool) -> tuple[float, ...]:
    """Break-evens at expiry in points; ``charged`` takes target × margin × days/365 off the cash."""
    _, margin = risk_of(trade)
    days = max((leg.days or 0.0) for leg in ctx.values[trade.trade_id].legs)
    charge = ctx.number("wacc.target") * (margin or 0.0) * days / 365 if charged else 0.0
    return describe(trade.legs, trade.cash - charge).break_evens


def _isolated(ctx: Context, persistent: Answer) -> TraceStep:
    stable = ctx.state(SignalKey.MACRO_STABLE)
    lasting = persistent is Answer.YES or ctx.day.regime.regime is Regime.REGIME_SHIFT
    answer = Answer.NO if lasting else stable
    return TraceStep(
        "expansion.isolated",
        "Is the spike isolated?",
        "CPI and PPI are stable; neither persistent nor a confirmed shift",
        answer,
        {
            Answer.YES: "Shift wings and recalibrate VIX calls; the Second Engine pays.",
            Answer.NO: "Not isolated: wings stay.",
            Answer.UNKNOWN: "Unknown does not count: wings stay.",
        }[answer],
        (
            ctx.fact(SignalKey.CPI_SURPRISE),
            ctx.fact(SignalKey.PPI_SURPRISE),
            ctx.fact(SignalKey.MACRO_STABLE),
        ),
        "CON-6",
        ("expansion.wing_points",),
    )


def _persistent(ctx: Context) -> TraceStep:
    closes = ctx.rules.whole("expansion.closes")
    regime = ctx.day.regime
    stress = some([ctx.state(SignalKey.REER_Z), ctx.state(SignalKey.CAP_BREADTH)])
    shifted = regime.regime is Regime.REGIME_SHIFT and stress is Answer.YES
    answer = yes(regime.regime is Regime.PERSISTENT_EXPANSION or shifted)
    if answer is Answer.NO and regime.regime is Regime.REGIME_SHIFT:
        answer = stress
    return TraceStep(
        "expansion.persistent",
        "Does it persist?",
        f"REER stress or a market-cap rotation, at least {closes} closes",
        answer,
        "A full roll may come into question." if answer is Answer.YES else "No full roll.",
        (
            Fact("regime", word=regime.regime.value.replace("_", " "), as_of=regime.since),
            ctx.fact(SignalKey.REER_Z),
            ctx.fact(SignalKey.CAP_BREADTH),
        ),
        "CON-5",
        ("expansion.closes",),
    )


def _exceeded(ctx: Context) -> TraceStep:
    """Section 8: condor loss above the gain of layers 1 and 2, or VIX above both layers' strikes."""
    loss = _pnl(ctx, ctx.condors)
    gain = _pnl(ctx, (*ctx.layer(1), *ctx.layer(2)))
    by_loss = Answer.UNKNOWN
    if loss is not None and gain is not None:
        by_loss = yes(loss < 0 and round(-loss - gain, DIGITS) > 0)
    strikes = [_highest_strike(ctx.layer(n)) for n in (1, 2)]
    known = [strike for strike in strikes if strike is not None]
    by_vix = Answer.NO
    if len(known) == 2:
        by_vix = Answer.UNKNOWN if ctx.vix is None else yes(ctx.vix > max(known))
    answer = some([by_loss, by_vix]) if ctx.condors else Answer.NO
    return TraceStep(
        "expansion.exceeded",
        "Does the expansion exceed the first two layers?",
        "condor loss above the gain of layers 1 and 2, or VIX above both layers' strikes",
        answer,
        "The layers no longer cover it." if answer is Answer.YES else "The layers still hold.",
        (
            Fact("condor P&L", loss, "$"),
            Fact("gain of layers 1 and 2", gain, "$"),
            Fact("highest strike of layers 1 and 2", max(known) if known else None, "VIX points"),
            Fact("VIX", ctx.vix, "VIX points"),
        ),
        "CON-5",
    )


def _time_shift(ctx: Context, state: str) -> TraceStep:
    answer = yes(state in {PERSISTENT, EXCEEDED} and any(ctx.layer(n) for n in (1, 2)))
    return TraceStep(
        "expansion.time_shift",
        "Does the hedge travel to longer tenors?",
        f"in a persistent expansion, to about {ctx.number('expansion.time_shift_dte'):g} days",
        answer,
        "Move the near layers out in time." if answer is Answer.YES else "Tenors stay.",
        requirement="LAY-13",
        parameters=("expansion.time_shift_dte",),
    )


def beta_step(ctx: Context) -> TraceStep:
    """CAPM check: |beta| × implied vol with hedges against without, beta = SPX delta × spot ÷ equity."""
    limit = ctx.number("expansion.vol_raise_limit")
    spot, implied = ctx.market.spot, ctx.figure(SignalKey.IV30) or ctx.vix
    raised = None
    if spot and implied is not None and ctx.book.capital > 0:
        unhedged = abs(ctx.spx_delta(ctx.condors))
        hedged = abs(ctx.spx_delta((*ctx.condors, *(t for n in (1, 2, 3) for t in ctx.layer(n)))))
        raised = (hedged - unhedged) * spot / ctx.book.capital * implied / 100
    answer = Answer.UNKNOWN if raised is None else yes(round(raised, DIGITS) <= round(limit, DIGITS))
    return TraceStep(
        "expansion.beta",
        "Does the hedge keep portfolio volatility within its limit?",
        f"hedges raise beta × implied vol by at most {limit:.1%} a year",
        answer,
        "Layers may be added." if answer is Answer.YES else "No layer is added in this expansion.",
        (Fact("raised by", None if raised is None else raised * 100, "vol points"),),
        "IRR-4",
        ("expansion.vol_raise_limit", "layers.vx_beta"),
    )


def _pnl(ctx: Context, trades: tuple[BookTrade, ...]) -> float | None:
    """Unrealized P&L of open legs in dollars; None when a mark is unknown."""
    total = 0.0
    for trade in trades:
        for leg in ctx.values[trade.trade_id].legs:
            if leg.pnl is None:
                return None
            total += leg.pnl
    return total


def _highest_strike(trades: tuple[BookTrade, ...]) -> float | None:
    strikes = [
        leg.contract.strike or 0.0
        for trade in trades
        for leg in trade.legs
        if leg.quantity > 0 and leg.contract.right is Right.CALL and leg.contract.underlying == "VIX"
    ]
    return max(strikes, default=None)


def may_roll(trace: Trace) -> Answer:
    """A full roll needs both: it persists and it exceeds the first two layers."""
    if trace.state in {QUIET, UNKNOWN}:
        return Answer.NO
    return every([trace.step("expansion.persistent").answer, trace.step("expansion.exceeded").answer])

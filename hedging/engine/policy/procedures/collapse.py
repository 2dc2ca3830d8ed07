"""The realized-vol collapse (S0): detected question by question, then what follows from it.

States: ``quiet`` (a mandatory condition does not hold), ``unknown`` (one cannot be answered), ``watching``
(the mandatory ones hold, confirmations are missing), ``detected``.
"""

from __future__ import annotations

from hedging.engine.book import BookTrade
from hedging.engine.policy.chain import days_to
from hedging.engine.policy.context import DIGITS, Context, every, yes
from hedging.engine.policy.types import Answer, Fact, Procedure, Trace, TraceStep
from hedging.engine.signals.types import SignalKey

QUIET, UNKNOWN, WATCHING, DETECTED = "quiet", "unknown", "watching", "detected"
_SIGNS = (SignalKey.PCF_DIVERGENCE, SignalKey.MACD_DIVERGENCE, SignalKey.POST_FOMC_NARROWING)

_WITHOUT = "No collapse is detected without it."


def collapse_trace(ctx: Context) -> Trace:
    """Questions in order; the last ones are the consequences of a detection."""
    calm, implied, fall, signs = _calm(ctx), _implied(ctx), _fall(ctx), _confirmations(ctx)
    needed = [calm.answer, implied.answer]
    if ctx.rules.on("collapse.require_rv_fall"):
        needed.append(fall.answer)
    mandatory = every(needed)
    state = {Answer.NO: QUIET, Answer.UNKNOWN: UNKNOWN}.get(
        mandatory, DETECTED if signs.answer is Answer.YES else WATCHING
    )
    steps = [calm, implied, fall, signs, _detected(state)]
    if state == DETECTED:
        steps += [_target(ctx, fall.answer), _shorts(ctx), _extend(ctx), _leverage(ctx, fall.answer)]
    return Trace(Procedure.COLLAPSE, state, tuple(steps))


def target_is_lowered(trace: Trace) -> bool:
    """Whether the financing target falls today (WAC-2)."""
    return any(step.key == "collapse.target" and step.answer is Answer.YES for step in trace.steps)


def near_shorts(ctx: Context, trade: BookTrade) -> list[str]:
    """Symbols of sold legs further in than the collapse's range of deltas (CON-3)."""
    _, high = ctx.span("condor.collapse_short_delta")
    return [
        leg.symbol
        for leg in ctx.values[trade.trade_id].legs
        if leg.quantity < 0 and leg.delta is not None and round(abs(leg.delta), DIGITS) > round(high, DIGITS)
    ]


def _calm(ctx: Context) -> TraceStep:
    limit = ctx.number("signals.rsi_vix_low")
    answer = ctx.below(SignalKey.RSI_VIX, limit)
    return TraceStep(
        "collapse.rsi_vix", "Is the VIX sold out?", f"RSI(VIX) < {limit:g}, strictly", answer,
        "First mandatory condition holds." if answer is Answer.YES else _WITHOUT,
        (ctx.fact(SignalKey.RSI_VIX),), "CON-3", ("signals.rsi_vix_low",),
    )  # fmt: skip


def _implied(ctx: Context) -> TraceStep:
    limit = ctx.number("signals.iv_floor")
    answer = ctx.above(SignalKey.IV30, limit)
    return TraceStep(
        "collapse.iv", "Does implied volatility still stand high?", f"IV30 > {limit:g}, strictly", answer,
        "Second mandatory condition holds." if answer is Answer.YES else _WITHOUT,
        (ctx.fact(SignalKey.IV30),), "CON-3", ("signals.iv_floor",),
    )  # fmt: skip


def _fall(ctx: Context) -> TraceStep:
    limit = ctx.number("collapse.rv_fall")
    change = ctx.figure(SignalKey.RV_IV_CHANGE_10)
    answer = Answer.UNKNOWN if change is None else yes(round(change, DIGITS) <= -round(limit, DIGITS))
    needed = "a third mandatory condition" if ctx.rules.on("collapse.require_rv_fall") else "not required"
    return TraceStep(
        "collapse.rv_fall",
        "Did realized volatility fall faster than implied?",
        f"RV10/IV30 down at least {limit:.0%} in 10 sessions",
        answer,
        f"It did; {needed}." if answer is Answer.YES else f"Not confirmed; {needed}.",
        (ctx.fact(SignalKey.RV_IV_CHANGE_10), ctx.fact(SignalKey.RV10), ctx.fact(SignalKey.IV30)),
        "WAC-2",
        ("collapse.rv_fall", "collapse.require_rv_fall"),
    )


def _confirmations(ctx: Context) -> TraceStep:
    needed = ctx.rules.whole("collapse.confirmations")
    on = [key for key in _SIGNS if ctx.state(key) is Answer.YES]
    unknown = [key for key in _SIGNS if ctx.state(key) is Answer.UNKNOWN]
    return TraceStep(
        "collapse.confirmations",
        "Do enough further signs confirm it?",
        f"{needed} or more of P/CF compression, MACD divergence, post-FOMC narrowing; unknown does not count",
        yes(len(on) >= needed),
        f"{len(on)} on, {len(unknown)} unknown, {needed} needed.",
        tuple(ctx.fact(key) for key in _SIGNS),
        "CON-3",
        ("collapse.confirmations",),
    )


def _detected(state: str) -> TraceStep:
    answer = {DETECTED: Answer.YES, UNKNOWN: Answer.UNKNOWN}.get(state, Answer.NO)
    follows = {
        QUIET: "Nothing changes.",
        UNKNOWN: "Unknown does not count: nothing changes.",
        WATCHING: "The mandatory conditions hold; wait for a confirmation.",
        DETECTED: "Lower the target, move shorts out, extend with longer VIX calls, let short dates decay.",
    }
    return TraceStep(
        "collapse.detected", "Is a realized-vol collapse detected?", "mandatory conditions and confirmations",
        answer, follows[state], requirement="CON-3",
    )  # fmt: skip


def _target(ctx: Context, fall: Answer) -> TraceStep:
    base, cut = ctx.number("wacc.target"), ctx.number("wacc.cut")
    return TraceStep(
        "collapse.target",
        "Does the financing target fall?",
        f"by {cut * 1e4:g} bp from {base:.2%} once realized fell faster than implied",
        fall,
        f"The target is {base - cut:.3%}." if fall is Answer.YES else f"The target stays at {base:.2%}.",
        (Fact("target", base * 100, "%"), Fact("cut", cut * 1e4, "bp")),
        "WAC-2",
        ("wacc.target", "wacc.cut"),
    )


def _shorts(ctx: Context) -> TraceStep:
    usual, far = ctx.number("condor.short_delta"), ctx.number("condor.collapse_short_delta")
    low, high = ctx.span("condor.collapse_short_delta")
    near = [symbol for trade in ctx.condors for symbol in near_shorts(ctx, trade)]
    return TraceStep(
        "collapse.shorts",
        "Do short strikes stand further in than the collapse wants?",
        f"{low * 100:g} to {high * 100:g} delta instead of {usual * 100:g}",
        yes(bool(near)),
        f"Move to {far * 100:g} delta: {', '.join(near)}."
        if near
        else f"New condors sell {far * 100:g} delta.",
        requirement="CON-3",
        parameters=("condor.collapse_short_delta",),
    )


def _extend(ctx: Context) -> TraceStep:
    low, _ = ctx.span("collapse.extend_dte")
    held = [
        leg.contract.symbol
        for n in (1, 2, 3)
        for trade in ctx.layer(n)
        for leg in trade.legs
        if leg.quantity > 0
        and leg.contract.underlying == "VIX"
        and leg.contract.expiry is not None
        and days_to(ctx.market, leg.contract.expiry) >= low
    ]
    return TraceStep(
        "collapse.extend",
        "Does the hedge reach far enough in time?",
        f"VIX calls of at least {low:g} days",
        yes(bool(held)),
        "Held already." if held else "Extend with longer-dated VIX calls; let the short dates decay.",
        requirement="CON-4",
        parameters=("collapse.extend_dte", "collapse.extend_budget"),
    )


def _leverage(ctx: Context, lowered: Answer) -> TraceStep:
    """Second Engine leverage: low realized vol, the target lowered before, and stressed margin fits."""
    room = ctx.margin_limit * ctx.book.capital - ctx.used_margin - ctx.stress.worst.loss
    allowed = every([lowered, yes(round(room, DIGITS) > 0)])
    most = min(ctx.number("second_engine.leverage") * ctx.second_engine, max(room, 0.0))
    return TraceStep(
        "collapse.leverage",
        "May the Second Engine lever?",
        "only after the target was lowered, and if margin plus stressed loss leaves room in the margin limit",
        allowed,
        f"Up to {most:,.0f} dollars of margin." if allowed is Answer.YES else "No leverage.",
        (Fact("margin", ctx.used_margin, "$"), Fact("stressed loss", ctx.stress.worst.loss, "$")),
        "CON-6",
        ("second_engine.leverage", "second_engine.share", "condor.margin_of_equity"),
    )

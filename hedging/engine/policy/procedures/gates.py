"""When a layer may be bought: the stress gate, the temporal theta window, the regime shift, events."""

from __future__ import annotations

from hedging.engine.policy.context import Context, every, some, yes
from hedging.engine.policy.types import Answer, Procedure, Trace, TraceStep
from hedging.engine.signals.types import SignalKey

#: What each condition of a layer is called in a ruleset.
STRESS_GATE, WINDOW, REGIME_SHIFT = "stress_gate", "window", "regime_shift"


def data_trace(ctx: Context) -> Trace:
    """Alerts about the inputs: the two RSI rules on one day, and what is not known."""
    calm = ctx.below(SignalKey.RSI_VIX, ctx.number("signals.rsi_vix_low"))
    stress = ctx.below(SignalKey.RSI_SPX, ctx.number("signals.rsi_spx_low"))
    both = every([calm, stress])
    unknown = [one.label for one in ctx.day.signals.values() if ctx.state(one.key) is Answer.UNKNOWN]
    stale = [one.label for one in ctx.day.signals.values() if one.stale]
    steps = (
        TraceStep(
            "data.both_rsi",
            "Do calm (RSI of VIX) and stress (RSI of SPX) fire on the same day?",
            "both below their thresholds",
            both,
            "Check the data: the two contradict each other."
            if both is Answer.YES
            else "The two do not contradict each other.",
            (ctx.fact(SignalKey.RSI_VIX), ctx.fact(SignalKey.RSI_SPX)),
            "CON-3 LAY-4",
            ("signals.rsi_vix_low", "signals.rsi_spx_low"),
        ),
        TraceStep(
            "data.complete",
            "Is every signal known and fresh?",
            "none unknown or stale",
            yes(not unknown and not stale),
            "; ".join(
                part
                for part in (
                    f"unknown: {', '.join(sorted(unknown))}" if unknown else "",
                    f"stale: {', '.join(sorted(stale))}" if stale else "",
                )
                if part
            )
            or "All signals count.",
        ),
    )
    return Trace(Procedure.DATA, "alert" if both is Answer.YES else "clear", steps)


def layer_trace(ctx: Context) -> Trace:
    """The three gates and what they mean for each layer."""
    gate, window, shift, event = _stress_gate(ctx), _window(ctx), _shift(ctx), _event(ctx)
    layers = [_layer(ctx, n, (gate, window, shift, event)) for n in (1, 2, 3)]
    names = [f"L{n}" for n, step in enumerate(layers, 1) if step.answer is Answer.YES]
    state = " ".join(names) if names else "none"
    return Trace(Procedure.LAYERS, state, (gate, window, shift, event, *layers))


def _stress_gate(ctx: Context) -> TraceStep:
    rsi_low, back_min = ctx.number("signals.rsi_spx_low"), ctx.number("signals.backwardation_min")
    answer = every([ctx.below(SignalKey.RSI_SPX, rsi_low), ctx.above(SignalKey.BACKWARDATION, back_min)])
    return TraceStep(
        STRESS_GATE,
        "Is the index sold out while the VX curve is inverted?",
        f"RSI(SPX) < {rsi_low:g} and M1/M2 - 1 > {back_min:.1%}, both strictly",
        answer,
        {
            Answer.YES: "The gate of layers 2 and 3 is open.",
            Answer.NO: "Layers 2 and 3 are not added.",
            Answer.UNKNOWN: "Unknown does not open the gate.",
        }[answer],
        (ctx.fact(SignalKey.RSI_SPX), ctx.fact(SignalKey.BACKWARDATION)),
        "LAY-4",
        ("signals.rsi_spx_low", "signals.backwardation_min"),
    )


def _window(ctx: Context) -> TraceStep:
    low, high = ctx.span("layers.window_days")
    days = ctx.figure(SignalKey.DAYS_TO_MAJOR_EXPIRY)
    answer = Answer.UNKNOWN if days is None else yes(low <= days <= high)
    return TraceStep(
        WINDOW,
        "Is a major expiration in the temporal theta window?",
        f"{low:g} to {high:g} calendar days away, both included",
        answer,
        "Positive gamma may be bought now." if answer is Answer.YES else "Outside the window.",
        (ctx.fact(SignalKey.DAYS_TO_MAJOR_EXPIRY),),
        "LAY-5",
        ("layers.window_days",),
    )


def _shift(ctx: Context) -> TraceStep:
    answer = ctx.state(SignalKey.REGIME_SHIFT)
    return TraceStep(
        REGIME_SHIFT,
        "Is a regime shift confirmed?",
        ctx.signal(SignalKey.REGIME_SHIFT).threshold,
        answer,
        "The deepest layer may be bought if the gate is open." if answer is Answer.YES else "Not confirmed.",
        (ctx.fact(SignalKey.REGIME_SHIFT), ctx.fact(SignalKey.BACKWARDATION), ctx.fact(SignalKey.VIX)),
        "LAY-6",
    )


def _event(ctx: Context) -> TraceStep:
    """What a selective first layer waits for (LAY-10)."""
    days, limit = ctx.figure(SignalKey.DAYS_TO_FOMC), ctx.number("layers.event_days")
    near = Answer.UNKNOWN if days is None else yes(0 <= days <= limit)
    surprise = {Answer.YES: Answer.NO, Answer.NO: Answer.YES, Answer.UNKNOWN: Answer.UNKNOWN}[
        ctx.state(SignalKey.MACRO_STABLE)
    ]
    answer = some([near, surprise, ctx.state(SignalKey.AD_DIVERGENCE)])
    return TraceStep(
        "event",
        "Is there an occasion for a selective layer?",
        f"FOMC within {limit:g} days, a CPI or PPI surprise, or breadth diverging",
        answer,
        "A selective first layer may be bought." if answer is Answer.YES else "No occasion is confirmed.",
        (
            ctx.fact(SignalKey.DAYS_TO_FOMC),
            ctx.fact(SignalKey.MACRO_STABLE),
            ctx.fact(SignalKey.AD_DIVERGENCE),
        ),
        "LAY-10",
        ("layers.event_days", "layers.base_always_on"),
    )


def _layer(ctx: Context, number: int, gates: tuple[TraceStep, ...]) -> TraceStep:
    by_key = {step.key: step for step in gates}
    names = list(ctx.rules.words(f"layer{number}.conditions"))
    if number == 1 and not ctx.rules.on("layers.base_always_on"):
        names.append("event")
    answer = every([by_key[name].answer for name in names])
    missing = [name.replace("_", " ") for name in names if by_key[name].answer is not Answer.YES]
    if not ctx.rules.on(f"layer{number}.enabled"):
        answer, missing = Answer.NO, ["the ruleset has no such layer"]
    return TraceStep(
        f"layer{number}",
        f"May layer {number} be bought?",
        " and ".join(name.replace("_", " ") for name in names) or "always",
        answer,
        f"Layer {number} is open." if answer is Answer.YES else f"Not confirmed: {', '.join(missing)}.",
        requirement={1: "LAY-10", 2: "LAY-4 LAY-5", 3: "LAY-4 LAY-6"}[number],
        parameters=(f"layer{number}.conditions", f"layer{number}.enabled"),
    )

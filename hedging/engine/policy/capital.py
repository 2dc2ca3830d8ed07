"""The financing target and the hard checks on the cost of capital (WAC-1 to WAC-3)."""

from __future__ import annotations

from hedging.engine.policy.context import Context, yes
from hedging.engine.policy.types import Answer, Fact, Figures, Procedure, Trace, TraceStep, WaccTarget


def wacc_target(ctx: Context, now: Figures, *, lowered: bool) -> WaccTarget:
    """The target of the day, a fraction a year, and what it is held against."""
    base, cut = ctx.number("wacc.target"), ctx.number("wacc.cut")
    rate = ctx.market.rate
    equity = None
    if rate is not None:
        equity = rate + ctx.number("wacc.equity_beta") * ctx.number("wacc.equity_premium")
    return WaccTarget(base, cut, base - cut if lowered else base, lowered, now.financing_rate, equity)


def capital_trace(ctx: Context, target: WaccTarget) -> Trace:
    """Whether financing is within the target, below the equity return, and paid for by the condors."""
    steps = (
        _below(
            "capital.target", "Does the book finance itself within the target?", "WAC-1",
            target.book_rate, target.target, "target", ("wacc.target", "wacc.collateral_yield_share"),
        ),
        _below(
            "capital.equity", "Is the blended rate below the CAPM equity return?", "WAC-3",
            target.book_rate, target.equity_return, "equity return",
            ("wacc.equity_beta", "wacc.equity_premium"), strict=True,
        ),
        _paid(ctx),
    )  # fmt: skip
    failed = [step for step in steps if step.answer is Answer.NO]
    return Trace(Procedure.CAPITAL, "too dear" if failed else "within limits", steps)


def _below(
    key: str, question: str, requirement: str, rate: float | None, limit: float | None, name: str,
    parameters: tuple[str, ...], *, strict: bool = False,
) -> TraceStep:  # fmt: skip
    answer = Answer.UNKNOWN
    if rate is not None and limit is not None:
        answer = yes(rate < limit if strict else rate <= limit)
    words = "unknown" if limit is None else f"{limit:.2%}"
    follows = {
        Answer.YES: "The hedge is affordable by this measure.",
        Answer.NO: "The hedge costs more than this measure allows: no layer is added.",
        Answer.UNKNOWN: "Without margin, marks or a rate nothing is said.",
    }
    return TraceStep(
        key, question, f"financing rate {'<' if strict else '≤'} {name} of {words}", answer, follows[answer],
        (Fact("financing rate", None if rate is None else rate * 100, "% a year"),), requirement, parameters,
    )  # fmt: skip


def _paid(ctx: Context) -> TraceStep:
    """Hedge decay a day against the condors' decay a day: the extrinsic value they capture."""
    hedges, condors = ctx.valued.hedges, ctx.valued.condors
    answer = Answer.UNKNOWN
    if ctx.condors and not hedges.partial and not condors.partial:
        answer = yes(-hedges.theta <= condors.theta)
    follows = {
        Answer.YES: "The condors' decay pays for the hedge.",
        Answer.NO: "The hedge decays faster than the condors earn: no layer is added.",
        Answer.UNKNOWN: "Not every leg is known, or no condor is open.",
    }
    return TraceStep(
        "capital.paid", "Do the condors capture more extrinsic value than the hedge loses?",
        "hedge decay ≤ condor decay, dollars a day", answer, follows[answer],
        (Fact("hedge decay", -hedges.theta, "$ a day"), Fact("condor decay", condors.theta, "$ a day")),
        "WAC-3",
    )  # fmt: skip

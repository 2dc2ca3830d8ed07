"""The financing target and the hard checks on the cost of capital (WAC-1 to WAC-3)."""

from __future__ import annotations

from hedging.engine.policy.context import DIGITS, LAYERS, Context, yes
from hedging.engine.policy.types import Answer, BookRisk, Fact, Procedure, Trace, TraceStep, WaccTarget


def wacc_target(ctx: Context, now: BookRisk, *, lowered: bool) -> WaccTarget:
    """The target of the day, a fraction a year, and what it is held against."""
    base, cut = ctx.number("wacc.target"), ctx.number("wacc.cut")
    rate = ctx.market.rate
    equity = None
    if rate is not None:
        equity = rate + ctx.number("wacc.equity_beta") * ctx.number("wacc.equity_premium")
    blended = None
    if now.financing_rate is not None and now.margin is not None and ctx.book.capital > 0:
        blended = now.financing_rate * now.margin / ctx.book.capital
    lower = base - cut if lowered else base
    return WaccTarget(base, cut, lower, lowered, now.financing_rate, equity, blended)


def capital_trace(ctx: Context, target: WaccTarget) -> Trace:
    """Whether financing is within the target, below the equity return, and paid for by the condors."""
    steps = (
        _below(
            "capital.target", "Does the book finance itself within the target?", "WAC-1",
            target.book_rate, target.target, "financing rate of margin ≤ target",
            ("wacc.target", "wacc.collateral_yield_share"), "look for a cheaper layer", strict=False,
        ),
        _below(
            "capital.equity", "Is the blended rate below the CAPM equity return?", "WAC-3",
            target.blended_rate, target.equity_return, "financing rate of the account < equity return",
            ("wacc.equity_beta", "wacc.equity_premium"), "no layer is added", strict=True,
        ),
        _paid(ctx),
    )  # fmt: skip
    failed = [step for step in steps if step.answer is Answer.NO]
    return Trace(Procedure.CAPITAL, "too expensive" if failed else "within limits", steps)


def _below(
    key: str, question: str, requirement: str, rate: float | None, limit: float | None, rule: str,
    parameters: tuple[str, ...], otherwise: str, *, strict: bool,
) -> TraceStep:  # fmt: skip
    answer = Answer.UNKNOWN
    if rate is not None and limit is not None:
        room = round(limit, DIGITS) - round(rate, DIGITS)
        answer = yes(room > 0 if strict else room >= 0)
    words = "unknown" if limit is None else f"{limit:.2%}"
    follows = {
        Answer.YES: "The hedge is affordable by this measure.",
        Answer.NO: f"The hedge costs more than this measure allows: {otherwise}.",
        Answer.UNKNOWN: "Without margin, marks or a rate nothing is said.",
    }
    return TraceStep(
        key, question, f"{rule} of {words}", answer, follows[answer],
        (Fact("rate", None if rate is None else rate * 100, "% a year"),), requirement, parameters,
    )  # fmt: skip


def _paid(ctx: Context) -> TraceStep:
    """Premium of the open hedges against the extrinsic value the open condors were paid for."""
    cost = ctx.premium_of(tuple(trade for n in LAYERS for trade in ctx.layer(n)))
    answer = yes(round(cost, DIGITS) <= round(ctx.credit, DIGITS)) if ctx.condors else Answer.UNKNOWN
    follows = {
        Answer.YES: "The condors' extrinsic value pays for the hedge.",
        Answer.NO: "The hedge costs more than the condors were paid: no layer is added.",
        Answer.UNKNOWN: "No condor is open.",
    }
    return TraceStep(
        "capital.paid", "Do the condors capture more extrinsic value than the hedge costs?",
        "premium of open hedges ≤ credit of open condors, dollars", answer, follows[answer],
        (
            Fact("hedge premium", cost, "$"), Fact("condor credit", ctx.credit, "$"),
            Fact("hedge decay", -ctx.valued.hedges.theta or 0.0, "$ a day"),
            Fact("condor decay", ctx.valued.condors.theta, "$ a day"),
        ),
        "WAC-3",
    )  # fmt: skip

"""The advice of one book at one moment: deterministic, content-hashed, and never against a guardrail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from hedging.engine.book import Book, TradeRole
from hedging.engine.canonical import content_hash
from hedging.engine.market import MarketSnapshot
from hedging.engine.policy.after import CONDOR_ACTIONS, after_proposal, order_legs
from hedging.engine.policy.alerts import alerts_of
from hedging.engine.policy.chain import market_day
from hedging.engine.policy.condor.adjust import SECOND_ENGINE, full_roll, recenter, wing_shift
from hedging.engine.policy.condor.candidates import candidates_of, short_delta
from hedging.engine.policy.context import DIGITS, AccountFacts, Context, normalised
from hedging.engine.policy.effects import effects_of, figures_of, is_reducing
from hedging.engine.policy.guardrails import guardrails
from hedging.engine.policy.hedge.ladder import LayerPlan, ladder_of, plan_layers
from hedging.engine.policy.hedge.layers import extension, layer_proposals
from hedging.engine.policy.orders import words_of
from hedging.engine.policy.procedures import collapse, expansion
from hedging.engine.policy.procedures.capital import capital_trace, wacc_target
from hedging.engine.policy.procedures.gates import data_trace, layer_trace
from hedging.engine.policy.types import (
    Action,
    Advice,
    AdviceInputs,
    Answer,
    BookRisk,
    CondorCandidate,
    Guard,
    Procedure,
    Proposal,
    Refusal,
    Trace,
    TraceStep,
    advice_hash,
)
from hedging.engine.rulesets.types import Ruleset
from hedging.engine.signals.types import SignalDay

_ROLLS = {Action.WING_SHIFT, Action.RECENTER, Action.FULL_ROLL, Action.TIME_SHIFT}


def advise(
    book: Book,
    market: MarketSnapshot,
    signal_day: SignalDay,
    ruleset: Ruleset,
    facts: AccountFacts | None = None,
    *,
    brief: bool = False,
) -> Advice:
    """What the ruleset says of the book; the order of trades, legs and signals does not matter.

    ``brief`` leaves out what only a reader needs, for long replays: figures before and after a proposal,
    further condor candidates, prices of closed layers. Proposals are the same.
    """
    ctx = Context(normalised(book), market, signal_day, ruleset, facts or AccountFacts())
    now = figures_of(ctx, ctx.book, ctx.valued, ctx.stress)
    gates = layer_trace(ctx)
    collapsing, expanding = collapse.collapse_trace(ctx), expansion.expansion_trace(ctx)
    wacc = wacc_target(ctx, now, lowered=collapse.target_is_lowered(collapsing))
    capital = capital_trace(ctx, wacc)
    plans = plan_layers(ctx, gates, brief=brief)
    candidates = candidates_of(ctx, collapsed=collapsing.state == collapse.DETECTED, most=1 if brief else 3)
    drafts = [
        *_adjustments(ctx, expanding, collapsing, candidates),
        *_hedges(ctx, plans, expanding, collapsing),
        *_opening(ctx, candidates),
    ]
    accepted, refused = _judge(ctx, drafts, expanding, capital, None if brief else now)
    if not accepted:
        accepted = [_hold(plans, candidates)]
    advice = Advice(
        inputs=AdviceInputs(
            account_id=book.account_id,
            book_revision=book.revision,
            book_hash=content_hash(ctx.book),
            market_hash=market.content_hash,
            signals_hash=content_hash(signal_day),
            ruleset=ruleset.name,
            ruleset_hash=ruleset.hash,
            as_of=market.as_of,
            signal_day=signal_day.day,
            second_engine=ctx.facts.second_engine,
            margin_limit=ctx.facts.margin_limit,
            vx_beta=ctx.facts.vx_beta,
            funds=ctx.facts.funds,
            trade_size=ctx.facts.trade_size,
        ),
        regime=signal_day.regime.regime.value,
        traces=(data_trace(ctx), gates, collapsing, expanding, capital, _condor_trace(ctx, candidates)),
        ladder=ladder_of(ctx, plans),
        proposals=tuple(accepted),
        refused=tuple(refused),
        candidates=candidates,
        alerts=alerts_of(ctx),
        wacc=wacc,
        binding=accepted[0].binding,
        flags=_flags(ctx, now),
    )
    return replace(advice, hash=advice_hash(advice))


def _adjustments(
    ctx: Context, expanding: Trace, collapsing: Trace, candidates: Sequence[CondorCandidate]
) -> Iterator[Proposal]:
    """What the two procedures do to open condors."""
    rolls = expansion.may_roll(expanding) is Answer.YES
    for trade in ctx.condors:
        found: list[Proposal | None] = []
        if rolls and candidates:
            found.append(full_roll(ctx, trade, candidates[0]))
        if expanding.state == expansion.ISOLATED and _loses(ctx, trade.trade_id):
            found += [wing_shift(ctx, trade), recenter(ctx, trade)]
        if collapsing.state == collapse.DETECTED and collapse.near_shorts(ctx, trade):
            found.append(recenter(ctx, trade, delta=short_delta(ctx, collapsed=True)))
        made = [one for one in found if one is not None]
        for at, one in enumerate(made):
            yield replace(one, alternative=at > 0)


def _loses(ctx: Context, trade_id: str) -> bool:
    pnl = [leg.pnl for leg in ctx.values[trade_id].legs]
    return all(one is not None for one in pnl) and sum(one or 0.0 for one in pnl) < 0


def _hedges(
    ctx: Context, plans: Sequence[LayerPlan], expanding: Trace, collapsing: Trace
) -> Iterator[Proposal]:
    far = expanding.state in {expansion.PERSISTENT, expansion.EXCEEDED}
    yield from layer_proposals(ctx, plans, far=far)
    if collapsing.state == collapse.DETECTED:
        held = collapsing.step("collapse.extend").answer
        more = extension(ctx, plans) if held is not Answer.YES else None
        if more is not None:
            yield more


def _opening(ctx: Context, candidates: Sequence[CondorCandidate]) -> Iterator[Proposal]:
    if not candidates or ctx.day.regime.regime.value not in ctx.rules.words("condor.regimes"):
        return
    best = candidates[0]
    if best.contracts < 1:
        return
    chance = "unknown" if best.pop is None else f"{best.pop:.0%}"
    yield Proposal(
        action=Action.OPEN_CONDOR,
        title=f"Sell {words_of(best.order)}",
        rationale=f"{best.days:g} days; shorts at {abs(best.deltas[0]) * 100:.0f} and "
        f"{best.deltas[1] * 100:.0f} delta, probability of profit {chance}.",
        binding=best.binding,
        orders=(best.order,),
        funding="margin",
        cost=-best.order.cash,
        requirement="CON-1",
        warnings=best.warnings,
    )


def _judge(
    ctx: Context, drafts: Sequence[Proposal], expanding: Trace, capital: Trace, now: BookRisk | None
) -> tuple[list[Proposal], list[Proposal]]:
    """Accepted and refused drafts. Each is judged on the book that the accepted ones before it leave."""
    accepted: list[Proposal] = []
    refused: list[Proposal] = []
    book = ctx.book
    for draft in drafts:
        base = ctx.book if draft.alternative else book
        broken = [*_checks(ctx, draft, expanding, capital), *_broken(ctx, base, draft)]
        one = replace(
            draft,
            refusals=tuple(r for r in broken if r.blocks),
            warnings=(*draft.warnings, *(r.reason for r in broken if not r.blocks)),
        )
        if now is not None:
            effects = effects_of(ctx, one, now)
            one = replace(one, effects=effects, risk_reducing=is_reducing(effects) if effects else None)
        if one.refusals:
            refused.append(one)
            continue
        accepted.append(one)
        if not one.alternative:
            book = after_proposal(book, one)
    return accepted, refused


def _broken(ctx: Context, book: Book, draft: Proposal) -> Iterator[Refusal]:
    """Guardrails over the draft's tickets; those on one trade count as one order."""
    role = TradeRole.CONDOR if draft.action in CONDOR_ACTIONS else TradeRole.HEDGE
    groups: dict[str | None, list[int]] = {}
    for at, order in enumerate(draft.orders):
        groups.setdefault(order.trade_id, []).append(at)
    for trade_id, places in groups.items():
        legs = [leg for at in places for leg in order_legs(draft.orders[at])]
        yield from guardrails(
            book, legs, ctx.rules, trade_id=trade_id, role=role, layer=draft.layer,
            roll=draft.action in _ROLLS, size=ctx.trade_size,
        )  # fmt: skip


def _checks(ctx: Context, draft: Proposal, expanding: Trace, capital: Trace) -> Iterator[Refusal]:
    """What is no guardrail of an order but a rule of the procedures."""
    if draft.funding == SECOND_ENGINE and round((draft.cost or 0.0) - ctx.second_engine, DIGITS) > 0:
        yield Refusal(
            Guard.FUNDING, "The Second Engine does not hold what the adjustment costs.", "CON-6",
            value=draft.cost, limit=ctx.second_engine, unit="$",
        )  # fmt: skip
    if draft.action not in {Action.ADD_LAYER, Action.EXTEND_LAYER}:
        return
    if expanding.state not in {expansion.QUIET, expansion.UNKNOWN}:
        beta = expanding.step("expansion.beta")
        if beta.answer is Answer.NO:
            yield Refusal(Guard.PORTFOLIO_VOLATILITY, beta.consequence, "IRR-4")
    for step in capital.steps:
        if step.key != "capital.target" and step.answer is Answer.NO:
            yield Refusal(Guard(step.key), step.consequence, step.requirement)


def _hold(plans: Sequence[LayerPlan], candidates: Sequence[CondorCandidate]) -> Proposal:
    reasons = [f"layer {plan.row.layer}: {plan.row.binding}" for plan in plans]
    if candidates:
        reasons.append(f"condor: {candidates[0].binding}")
    return Proposal(
        action=Action.HOLD,
        title="Hold",
        rationale="No rule asks for a change. What decides: " + "; ".join(reasons) + ".",
        binding=plans[0].row.binding,
        requirement="CON-5",
    )


def _condor_trace(ctx: Context, candidates: Sequence[CondorCandidate]) -> Trace:
    allowed = ctx.day.regime.regime.value in ctx.rules.words("condor.regimes")
    regimes = ", ".join(ctx.rules.words("condor.regimes")).replace("_", " ")
    fits = bool(candidates) and candidates[0].contracts > 0
    steps = (
        TraceStep(
            "condor.regime", "May a condor be opened in this regime?", regimes,
            Answer.YES if allowed else Answer.NO, "" if allowed else "Candidates are shown only.",
            requirement="CON-7", parameters=("condor.regimes",),
        ),
        TraceStep(
            "condor.size", "Do the account's limits leave room for one?",
            "; ".join(f"{b.name}: {b.explanation}" for b in candidates[0].bounds) if candidates else "",
            Answer.YES if fits else Answer.NO,
            f"{candidates[0].contracts} condors, bound by {candidates[0].binding}."
            if candidates
            else "No listed expiry and strikes fit the rules.",
            requirement="CON-7", parameters=("condor.size_of_equity", "condor.margin_of_equity"),
        ),
    )  # fmt: skip
    return Trace(Procedure.CONDOR, "open" if allowed and fits else "wait", steps)


def _flags(ctx: Context, now: BookRisk) -> tuple[str, ...]:
    found = [f"market data: {flag.value}" for flag in sorted(ctx.market.flags)]
    found += ctx.day.alerts
    if now.unknown_legs:
        found.append(f"{now.unknown_legs} legs are unknown and left out of every figure")
    if market_day(ctx.market) != ctx.day.day:
        found.append(f"signals are of {ctx.day.day}, the market of {ctx.market.as_of:%Y-%m-%d}")
    return tuple(found)

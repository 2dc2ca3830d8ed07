"""Advice as lines of text, for a terminal and for stored traces."""

from __future__ import annotations

from collections.abc import Iterator

from hedging.engine.policy.types import Advice, Fact, Ladder, LadderRow, Proposal, Trace


def advice_lines(advice: Advice) -> list[str]:
    """The whole advice: ladder, traces, proposals, what was refused, candidates, alerts."""
    given = advice.inputs
    lines = [
        f"{given.signal_day}  regime {advice.regime.replace('_', ' ')}",
        f"ruleset {given.ruleset} {given.ruleset_hash[:12]}",
        *(f"note: {flag}" for flag in advice.flags),
        "",
        "LADDER",
    ]
    for row in advice.ladder.rows:
        lines += _row(row)
    lines += _delta(advice.ladder)
    for trace in advice.traces:
        lines += ["", *trace_lines(trace)]
    lines += ["", "RECOMMENDATIONS"]
    for proposal in advice.proposals:
        lines += _proposal(proposal)
    for proposal in advice.refused:
        lines += [f"refused: {proposal.title}", *(f"    {r.rule}: {r.reason}" for r in proposal.refusals)]
    if advice.candidates:
        lines += ["", "CONDOR CANDIDATES"]
    for one in advice.candidates:
        chance = "unknown" if one.pop is None else f"{one.pop:.1%}"
        lines.append(
            f"{one.order.text}  {one.contracts} by {one.binding}; "
            f"delta {one.deltas[0]:+.3f} {one.deltas[1]:+.3f}, "
            f"probability of profit {chance}, return on risk {one.return_on_risk:.1%}"
        )
        lines += [f"    warning: {warning}" for warning in one.warnings]
    lines += [f"alert: {alert.trade_id}: {alert.message}" for alert in advice.alerts]
    return [*lines, "", advice.disclaimer, f"advice {advice.hash}"]


def _row(row: LadderRow) -> Iterator[str]:
    yield (
        f"L{row.layer} {row.instrument.replace('_', ' ')}: target {row.target}, actual {row.actual}, "
        f"open {row.is_open.value}, bound by {row.binding}"
    )
    if row.strike is not None and row.price is not None:
        kind = "modelled" if row.modelled else "quoted"
        yield f"    strike {row.strike:g}, {row.tenor_days:g} days, {row.price:.2f} {kind}"
    for bound in row.bounds:
        allows = "no limit" if bound.contracts is None else str(bound.contracts)
        yield f"    {bound.name}: {allows} ({bound.explanation})"
    if row.vix_values:
        yield "    " + ", ".join(f"VIX {v.level:g}: {v.pnl:+,.0f}" for v in row.vix_values)


def _delta(ladder: Ladder) -> Iterator[str]:
    if ladder.net_delta is None or ladder.delta_band is None or ladder.vx_beta is None:
        return
    low, high = ladder.delta_band
    yield (
        f"condors plus layer 1: SPX-equivalent delta {ladder.net_delta:+,.1f} $ per point, "
        f"band {low:+,.1f} to {high:+,.1f}"
    )
    yield f"    VX beta {ladder.vx_beta:.2f} points per 1% of SPX, {ladder.beta_source}"


def trace_lines(trace: Trace) -> Iterator[str]:
    """A procedure's questions with inputs, answers and consequences."""
    yield f"{trace.procedure.value.upper()}: {trace.state}"
    for step in trace.steps:
        yield f"  {step.question} {step.answer.value.upper()} [{step.requirement or step.key}]"
        if step.rule:
            yield f"      rule: {step.rule}"
        if step.inputs:
            yield "      " + "; ".join(_fact(fact) for fact in step.inputs)
        if step.consequence:
            yield f"      {step.consequence}"


def _fact(fact: Fact) -> str:
    if fact.value is None:
        return f"{fact.name}: {fact.word or 'unknown'}"
    return f"{fact.name}: {fact.value:.4g} {fact.unit}".rstrip()


def _proposal(proposal: Proposal) -> Iterator[str]:
    other = " (instead of the one above)" if proposal.alternative else ""
    yield f"{proposal.action.value}: {proposal.title}{other}; bound by {proposal.binding or 'nothing'}"
    yield f"    {proposal.rationale}"
    for order in proposal.orders:
        yield f"    {order.text or 'no order string'}{'  (modelled prices)' if order.modelled else ''}"
    if proposal.effects:
        before, after = proposal.effects.before, proposal.effects.after
        yield f"    stressed loss {before.scenario_loss:,.0f} to {after.scenario_loss:,.0f}"
        yield f"    margin {_money(before.margin)} to {_money(after.margin)}"
    for warning in proposal.warnings:
        yield f"    warning: {warning}"


def _money(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.0f}"

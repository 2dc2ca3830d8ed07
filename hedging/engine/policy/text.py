"""Advice as lines of text, for a terminal and for stored traces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import floor, log10

from hedging.engine.policy.orders import tickets
from hedging.engine.policy.types import Advice, Fact, Ladder, LadderRow, Proposal, Trace


def advice_lines(advice: Advice, names: Mapping[str, str] | None = None) -> list[str]:
    """The whole advice: ladder, traces, proposals, what was refused, candidates, alerts.

    ``names`` are the trades' names by id, where the caller knows them.
    """
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
    lines += _cover(advice.ladder)
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
    lines += [
        f"alert: {(names or {}).get(alert.trade_id, alert.trade_id)}: {alert.message}"
        for alert in advice.alerts
    ]
    return [*lines, "", advice.disclaimer, f"advice {advice.hash}"]


def _row(row: LadderRow) -> Iterator[str]:
    yield (
        f"L{row.layer} {row.instrument.replace('_', ' ')}: target {row.target}, actual {row.actual}, "
        f"open {row.is_open.value}, bound by {row.binding}"
    )
    if row.strike is not None and row.price is not None:
        kind = "modelled" if row.modelled else "quoted"
        spread = "unknown" if row.spread is None else f"{row.spread:.0%}"
        interest = "unknown" if row.open_interest is None else f"{row.open_interest:,}"
        yield (
            f"    package: strike {row.strike:g}, {row.tenor_days:g} days, {row.price:.2f} {kind}, "
            f"spread {spread}, open interest of its VX future {interest}"
        )
    if row.held:
        yield (
            f"    held: {', '.join(row.held)}; decay {_dollars(row.decay)} a day, "
            f"extrinsic value {_money(row.extrinsic)}, roll due {row.roll_due or 'never'}"
        )
    for bound in row.bounds:
        allows = "no limit" if bound.contracts is None else str(bound.contracts)
        yield f"    {bound.name}: {allows} ({bound.explanation})"
    if row.vix_values:
        values = ", ".join(f"VIX {v.level:g} {v.pnl:+,.0f}" for v in row.vix_values)
        share = "unknown" if row.coverage is None else f"{row.coverage:.0%}"
        what = "held" if row.held else "the target"
        yield f"    {what} gains at {values}; covers {share} of the condors' stressed loss"


def _cover(ladder: Ladder) -> Iterator[str]:
    share = "unknown" if ladder.coverage is None else f"{ladder.coverage:.0%}"
    yield (
        f"held layers cover {share} of the condors' stressed loss of {_money(ladder.condor_loss)}, "
        f"ceiling {ladder.ceiling:.0%}"
    )


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
            yield "      " + "; ".join(fact_text(fact) for fact in step.inputs)
        if step.consequence:
            yield f"      {step.consequence}"


def fact_text(fact: Fact) -> str:
    """A step's input as a reader wants it: dollars in whole dollars, anything else to four digits."""
    if fact.value is None:
        return f"{fact.name}: {fact.word or 'unknown'}"
    if fact.unit.startswith("$"):
        return f"{fact.name}: {_dollars(fact.value)}{fact.unit.removeprefix('$')}"
    # four digits, without an exponent
    digits = max(0, 3 - floor(log10(abs(fact.value)))) if fact.value else 0
    text = f"{fact.value:,.{min(digits, 6)}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{fact.name}: {text} {fact.unit}".rstrip()


def _proposal(proposal: Proposal) -> Iterator[str]:
    other = " (instead of the one above)" if proposal.alternative else ""
    yield f"{proposal.action.value}: {proposal.title}{other}; bound by {proposal.binding or 'nothing'}"
    yield f"    {proposal.rationale}"
    for order in tickets(proposal.orders):
        yield f"    {order.text or 'no order string'}{'  (modelled prices)' if order.modelled else ''}"
    if proposal.effects:
        before, after = proposal.effects.before, proposal.effects.after
        yield (
            f"    stressed loss {before.scenario_loss:,.0f} to {after.scenario_loss:,.0f}, with rising VIX "
            f"{_money(before.fall_loss)} to {_money(after.fall_loss)}: {_risk(proposal)}"
        )
        yield (
            f"    margin {_money(before.margin)} to {_money(after.margin)}, maximum loss "
            f"{_money(before.max_loss)} to {_money(after.max_loss)}, theta {_dollars(before.theta)} to "
            f"{_dollars(after.theta)} a day"
        )
    for warning in proposal.warnings:
        yield f"    warning: {warning}"


def _risk(proposal: Proposal) -> str:
    return "lowers risk" if proposal.risk_reducing else "does not lower risk"


def _dollars(value: float | None) -> str:
    """Signed dollars: ``-$1,234``; cents below ten."""
    if value is None:
        return "unknown"
    places = 2 if abs(value) < 10 and value != round(value) else 0
    return f"{'-' if value < 0 else ''}${abs(value):,.{places}f}"


def _money(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.0f}"

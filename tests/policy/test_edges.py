"""Every threshold on both sides and at equality; a number without an edge says why nothing is compared."""

from __future__ import annotations

import pytest

from hedging.engine.policy.context import Context
from hedging.engine.policy.procedures.expansion import expansion_trace
from hedging.engine.policy.types import Answer
from hedging.engine.rulesets.catalogue import catalogue
from hedging.engine.rulesets.types import Kind
from hedging.engine.signals.types import Regime
from tests.policy.edges import condors as edges_condors
from tests.policy.edges import layers as edges_layers
from tests.policy.edges import signals as edges_signals
from tests.policy.edges.condors import alerted
from tests.policy.edges.layers import gate
from tests.policy.edges.run import Edge, ruled
from tests.policy.worlds import CALM, book, calm, condor, day, hedge, market

EDGES = (*edges_condors.EDGES, *edges_layers.EDGES, *edges_signals.EDGES)

_AIM = "an aim: the nearest listed contract is taken"
NOT_COMPARED = {
    **{f"layer{n}.{name}": _AIM for n in (1, 2, 3) for name in ("delta", "sold_delta")},
    "condor.short_delta": _AIM,
    "condor.long_delta": _AIM + "; 0 leaves the wings to their width",
    "condor.wing_width": _AIM + ", and another width is told",
    "collapse.extend_delta": _AIM,
    "layers.calendar_gap": _AIM,
    "alerts.straddle_factor": "a factor of the figure that alerts.move_share is compared with",
    "layers.vx_beta": "a slope",
    "layers.beta_window": "the length of a window",
    "layers.delta_band": "a band that is shown beside the net delta; nothing follows from it",
    "wacc.collateral_yield_share": "a part of the rate that wacc.target is compared with",
    "second_engine.leverage": "an amount that is told, cut to the room there is",
    "expansion.wing_points": "a distance",
}


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: edge.name)
def test_a_threshold_answers_below_at_and_above(edge: Edge) -> None:
    assert edge.answers() == (edge.below, edge.at, edge.above)
    assert edge.below != edge.above, "both sides must differ"
    assert edge.at in (edge.below, edge.above)


def test_every_number_of_the_method_has_an_edge_or_is_known_not_to_be_a_threshold() -> None:
    numbers = {key for key, one in catalogue().items() if one.kind in {Kind.NUMBER, Kind.INTEGER}}
    edged = {edge.key for edge in EDGES}
    assert numbers - edged == set(NOT_COMPARED)
    assert not edged & set(NOT_COMPARED)


@pytest.mark.parametrize(
    ("strikes", "touched"),
    [
        ((6845, 6895, 7300, 7350), False),
        ((6850, 6900, 7300, 7350), True),
        ((6855, 6905, 7300, 7350), True),
        ((6450, 6500, 6905, 6955), False),
        ((6450, 6500, 6900, 6950), True),
        ((6450, 6500, 6895, 6945), True),
    ],
)
def test_con_5_a_short_is_touched_when_spx_stands_at_or_beyond_it(
    strikes: tuple[int, int, int, int], touched: bool
) -> None:
    assert alerted("touched", ruled(), condor(strikes=strikes)) is touched


@pytest.mark.parametrize(("days", "near"), [(0, Answer.YES), (1, Answer.YES), (6, Answer.NO)])
def test_lay_10_the_day_of_the_decision_itself_still_counts(days: int, near: Answer) -> None:
    assert gate("event", ruled(), days_to_fomc=days, ad_divergence=False) is near


@pytest.mark.parametrize(("more", "answer"), [(-1.0, Answer.YES), (0.0, Answer.NO), (1.0, Answer.NO)])
def test_section_8_the_first_layers_are_exceeded_only_by_a_loss_above_their_gain(
    more: float, answer: Answer
) -> None:
    """A future's gain is set to the condor's loss, and a dollar less and more; VIX lies below no strike."""
    loss = Context(book(condor()), market(30.0), calm(), ruled()).values["c1"].legs
    settle = market(30.0).vx_curve[1].settle
    entry = settle + (sum(leg.pnl or 0.0 for leg in loss) - more) / 1_000
    held = book(condor(), hedge(1, 1, "VX/2026-02-18", entry))
    ctx = Context(held, market(30.0), day(Regime.PERSISTENT_EXPANSION, **CALM), ruled())
    assert expansion_trace(ctx).step("expansion.exceeded").answer is answer

"""Every threshold on both sides and at equality; a number without an edge says why nothing is compared."""

from __future__ import annotations

import pytest

from hedging.engine.rulesets.catalogue import catalogue
from hedging.engine.rulesets.types import Kind
from tests.policy import edges_condors, edges_layers, edges_signals
from tests.policy.edges import Edge

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

"""Margins over arrays equal the rule for one position."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.engine.pricing.margins import strategy_margins
from hedging.maths.margin import defined_risk_margin
from hedging.maths.payoff import PayoffLegs
from tests.examples import examples

legs = st.tuples(st.integers(10, 40), st.sampled_from([-1.0, 1.0]), st.integers(-4, 4).filter(bool))
positions = st.lists(st.lists(legs, min_size=1, max_size=6), min_size=1, max_size=6)


@examples(150)
@given(positions)
def test_many_positions_at_once_are_each_by_itself(
    given_positions: list[list[tuple[int, float, int]]],
) -> None:
    rows = [(i, k, r, q) for i, position in enumerate(given_positions) for k, r, q in position]
    position, strike, right, quantity = (np.array(column) for column in zip(*rows, strict=True))
    found = strategy_margins(
        position.astype(np.int64), strike * 100.0, right, quantity * 100.0, len(given_positions)
    )
    for i, one in enumerate(given_positions):
        k, r, q = (np.array(column, np.float64) for column in zip(*one, strict=True))
        alone = defined_risk_margin(PayoffLegs(k * 100.0, r, q, np.full(len(k), 100.0)))
        assert found[i] == pytest.approx(alone)


def test_the_spec_condor() -> None:
    strikes, rights = np.array([6650.0, 6700, 7545, 7595]), np.array([-1.0, -1, 1, 1])
    sizes = np.array([2.0, -2, -2, 2]) * 100
    assert list(strategy_margins(np.zeros(4, np.int64), strikes, rights, sizes, 1)) == [10_000.0]


def test_nothing_held_ties_up_nothing() -> None:
    empty = np.zeros(0)
    assert list(strategy_margins(np.zeros(0, np.int64), empty, empty, empty, 2)) == [0.0, 0.0]

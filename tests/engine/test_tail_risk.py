"""Historical simulation: an independent count, its error, and what is too little to speak of."""

from __future__ import annotations

import numpy as np
import pytest

from hedging.engine.pricing.tail_risk import LEAST_MOVES, joint_moves, tail_risk


def test_the_loss_of_one_session_in_a_hundred_is_counted() -> None:
    pnl = np.arange(-500.0, 500.0)
    found = tail_risk(pnl[::-1], 0.99)
    assert found is not None
    assert found.value_at_risk == 491.0  # the tenth worst of a thousand
    assert found.expected_shortfall == sum(range(491, 501)) / 10
    assert 0 < found.value_at_risk_error < 20
    assert found.moves == 1000


def test_a_normal_distribution_gives_its_known_quantiles() -> None:
    pnl = np.random.default_rng(1).normal(0, 1000, 40_000)
    found = tail_risk(pnl, 0.95)
    assert found is not None
    assert found.value_at_risk == pytest.approx(1644.9, abs=4 * found.value_at_risk_error)
    assert found.expected_shortfall == pytest.approx(2062.7, abs=4 * found.expected_shortfall_error)


def test_few_or_unknown_moves_say_nothing() -> None:
    assert tail_risk(np.zeros(LEAST_MOVES - 1), 0.99) is None
    assert tail_risk(np.append(np.zeros(LEAST_MOVES), np.nan), 0.99) is None
    with pytest.raises(ValueError, match="level"):
        tail_risk(np.zeros(LEAST_MOVES), 1.0)


def test_moves_are_joint_and_leave_unknown_sessions_out() -> None:
    moves = joint_moves([100, 110, np.nan, 99, 99], [20, 15, 16, 18, 21])
    assert moves == [pytest.approx((0.1, -5)), pytest.approx((0.0, 3))]
    with pytest.raises(ValueError, match="same sessions"):
        joint_moves([1, 2], [1])

"""LAY-7: the VX beta is estimated from data, from no later day, and is unknown without enough of it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from hedging.engine.history.folder import history_from_folder
from hedging.engine.history.series import MarketHistory, S
from hedging.engine.policy.advise import advise
from hedging.engine.policy.beta import _slopes, vx_betas
from hedging.engine.policy.context import AccountFacts
from tests.policy.worlds import SPOT, book, calm, condor, hedge, market, rules


@pytest.fixture(scope="module")
def history(data_dir: Path) -> MarketHistory:
    return history_from_folder(data_dir / "market")


def test_the_slope_is_that_of_least_squares() -> None:
    rng = np.random.default_rng(7)
    x = rng.normal(size=300)
    y = -0.8 * x + 0.1 + rng.normal(scale=0.3, size=300)
    found = _slopes(x, y, 100)
    for at in (99, 150, 299):
        assert found[at] == pytest.approx(np.polyfit(x[at - 99 : at + 1], y[at - 99 : at + 1], 1)[0])
    assert np.isnan(found[78])
    assert np.isfinite(found[79])


def test_gaps_are_left_out_and_too_many_are_unknown() -> None:
    x = np.arange(100.0) % 7
    y = -2.0 * x
    y[40:55] = np.nan
    found = _slopes(x, y, 50)
    assert found[99] == pytest.approx(-2.0)
    assert np.isnan(found[60])


def test_a_fall_of_spx_goes_with_a_rise_of_vx(history: MarketHistory) -> None:
    betas = vx_betas(history, 252)
    for day in (date(2009, 3, 2), date(2017, 12, 29), date(2020, 6, 1)):
        found = betas.on(day)
        assert found is not None
        assert -2.0 < found < -0.3
    assert betas.on(date(1999, 1, 4)) is None


def test_the_estimate_uses_no_later_day_and_nothing_without_spx(history: MarketHistory) -> None:
    day = date(2018, 2, 5)
    assert vx_betas(history.known_at(day), 252).on(day) == pytest.approx(vx_betas(history, 252).on(day))
    from dataclasses import replace

    bare = replace(history, series={k: v for k, v in history.series.items() if k != S.SPX})
    assert vx_betas(bare, 252).on(day) is None


def test_the_estimate_is_used_and_named_and_the_fallback_says_that_it_is_one() -> None:
    held = book(condor(), hedge(1, 5))
    known = advise(held, market(), calm(), rules(), AccountFacts(vx_beta=-1.0)).ladder
    fallback = advise(held, market(), calm(), rules()).ladder
    assert (known.vx_beta, fallback.vx_beta) == (-1.0, -0.7)
    assert "252 sessions" in known.beta_source
    assert "not estimated" in fallback.beta_source
    row = known.rows[0]
    assert row.delta_spx_equivalent == pytest.approx((row.delta_vx or 0) * -1.0 / (0.01 * SPOT))

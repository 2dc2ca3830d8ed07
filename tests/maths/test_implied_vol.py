"""Implied volatility at machine precision."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.maths import black76
from hedging.maths.fast.implied_vol import implied_vol as fast
from hedging.maths.implied_vol import implied_vol
from tests.maths.reference import column, rights, rows


@pytest.mark.parametrize("solve", [implied_vol, fast])
def test_sixty_digit_vix_vols(data_dir: Path, solve):
    table = rows(data_dir, "OWN_mpmath60_vix_iv.csv")
    t = column(table, "t")
    got = solve(
        column(table, "price"),
        column(table, "spot_or_future"),
        column(table, "strike"),
        t,
        np.exp(-column(table, "r") * t),
        rights(table),
    )
    assert np.abs(got - column(table, "vol")).max() < 1e-13


@given(
    st.floats(-5, 5),
    st.floats(0.05, 2.0),
    st.floats(0.003, 3.0),
    st.floats(0.9, 1.0),
    st.sampled_from([1, -1]),
)
def test_round_trip(deviations: float, sigma: float, t: float, discount: float, right: int):
    strike = 5000 * np.exp(deviations * sigma * np.sqrt(t))
    price = black76.price(5000, strike, t, sigma, discount, right)
    vega = float(black76.greeks(5000, strike, t, sigma, discount, right).vega)
    # an in-the-money price holds its time value only to a unit of its last place
    reachable = 16 * float(np.spacing(max(float(price), 5000.0 if right * (5000 - strike) > 0 else 0.0)))
    got = float(implied_vol(price, 5000, strike, t, discount, right))
    if np.isnan(got):
        assert vega < 1e-6
    else:
        assert abs(got - sigma) < 1e-13 + reachable / vega


def test_quantlib_agrees():
    ql = pytest.importorskip("QuantLib")
    rng = np.random.default_rng(2)
    for _ in range(200):
        f, sigma, t = rng.uniform(10, 60), rng.uniform(0.3, 2.0), rng.uniform(0.01, 1.0)
        k = f * np.exp(rng.uniform(0, 2) * sigma * np.sqrt(t))
        price = float(black76.price(f, k, t, sigma, 0.99, 1))
        other = ql.blackFormulaImpliedStdDevLiRS(
            ql.Option.Call, k, f, price, 0.99, 0.0, sigma * np.sqrt(t), 1.0, 1e-14, 1000
        ) / np.sqrt(t)
        assert float(implied_vol(price, f, k, t, 0.99, 1)) == pytest.approx(other, abs=1e-9)

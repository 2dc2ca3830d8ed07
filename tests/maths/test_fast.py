"""The compiled kernels give the NumPy path's answers, in the caller's memory, whatever the neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from hedging.maths import black76, bsm, implied_vol
from hedging.maths.fast import black
from hedging.maths.fast import bsm as fast_bsm
from hedging.maths.fast import implied_vol as fast_iv
from hedging.maths.fast.vector import Threads

N = 10_007  # no multiple of any vector width or chunk


def _market(seed: int = 3) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    forward = np.where(rng.random(N) < 0.5, rng.uniform(1500, 7500, N), rng.uniform(10, 60, N))
    t = 10 ** rng.uniform(-4, 0.5, N)
    sigma = rng.uniform(0.05, 2.0, N)
    strike = forward * np.exp(rng.uniform(-6, 6, N) * sigma * np.sqrt(t))
    return forward, strike, t, sigma, np.exp(-rng.uniform(-0.01, 0.08, N) * t), rng.choice([-1.0, 1.0], N)


@pytest.mark.parametrize("outputs", list(black.Outputs))
@pytest.mark.parametrize("threads", list(Threads))
def test_same_as_numpy(outputs: black.Outputs, threads: Threads):
    inputs = _market()
    expected = np.array(black76.greeks(*inputs))[: int(outputs)]
    got = black.greeks(*inputs, outputs=outputs, threads=threads)
    error = np.abs(got - expected).max(axis=1) / np.abs(expected).max(axis=1)
    assert error.max() < 1e-13


@pytest.mark.parametrize("outputs", list(black.Outputs))
@pytest.mark.parametrize("threads", list(Threads))
def test_spot_greeks_same_as_numpy(outputs: black.Outputs, threads: Threads):
    forward, strike, t, sigma, _, right = _market()
    rng = np.random.default_rng(4)
    inputs = (forward, strike, t, sigma, rng.uniform(-0.01, 0.08, N), rng.uniform(0, 0.03, N), right)
    expected = np.array(bsm.greeks(*inputs))[: int(outputs)]
    got = fast_bsm.greeks(*inputs, outputs=outputs, threads=threads)
    error = np.abs(got - expected).max(axis=1) / np.abs(expected).max(axis=1)
    assert error.max() < 1e-13
    out = np.empty((int(outputs), N))
    assert np.array_equal(fast_bsm.greeks_into(*inputs, out, threads=threads), got)


def test_spot_edges_are_those_of_the_numpy_path():
    cases = [
        (100, 100, 0, 0.2, 0.05, 0.01, 1), (100, 90, 0, 0.2, 0.05, 0.01, 1), (100, 90, 1, 0, 0.05, 0.01, 1),
        (100, 90, 0, 0, 0.05, 0.01, -1), (100, 90, 1, 0.2, np.nan, 0.01, 1), (100, 90, 1, 0.2, np.inf, 0, 1),
        (np.nan, 90, 1, 0.2, 0.05, 0, 1), (100, 0, 1, 0.2, 0.05, 0, 1), (0, 90, 1, 0.2, 0.05, 0, 1),
        (100, 90, -1, 0.2, 0.05, 0, 1), (100, 90, 1, -0.2, 0.05, 0, 1), (100, 90, 1, 0.2, 0.05, 0, 0.5),
        (100, 1e-3, 1, 0.2, 0.05, 0.02, 1), (100, 1e6, 0.01, 0.2, 0.05, 0, -1), (100, 90, 1e6, 0.2, 9, 0, 1),
        (100, 90, np.inf, 0.2, 0.05, 0.0, 1), (100, 90, 1, np.inf, 0.05, 0.0, 1),
    ]  # fmt: skip
    columns = np.array(cases, dtype=float).T
    expected = np.array(bsm.greeks(*columns))
    got = fast_bsm.greeks(*columns, outputs=black.Outputs.ALL)
    assert np.array_equal(np.isnan(got), np.isnan(expected))
    assert np.allclose(got, expected, rtol=1e-12, atol=1e-12, equal_nan=True)


def test_writes_into_the_callers_buffer_and_refuses_others():
    inputs = _market()
    out = np.full((6, N), np.nan)
    assert black.greeks_into(*inputs, out) is out
    assert np.isfinite(out).all()
    with pytest.raises(ValueError, match="contiguous"):
        black.greeks_into(*(c[::2] for c in inputs), out)
    with pytest.raises(ValueError, match="out must"):
        black.greeks_into(*inputs, np.empty((6, N - 1)))
    with pytest.raises(ValueError, match="valid Outputs"):
        black.greeks_into(*inputs, np.empty((5, N)))


def test_edges_are_those_of_the_numpy_path():
    cases = [
        (100, 100, 0, 0.2, 1, 1), (100, 90, 0, 0.2, 1, 1),
        (100, 90, 0, 0.2, 0.9, -1), (100, 100, 1, 0, 0.9, 1), (100, 90, 1, 0, 0.9, 1),
        (np.nan, 90, 1, 0.2, 0.9, 1), (100, 90, 1, np.inf, 0.9, 1),
        (100, -1, 1, 0.2, 0.9, 1), (100, 90, np.inf, 0.2, 0.9, 1), (100, 1e-3, 1, 0.2, 0.9, -1),
        (100, 1e5, 0.01, 0.2, 0.9, 1), (100, 90, 1, 0.2, 0.9, 0),
        (0, 90, 1, 0.2, 0.9, 1), (100, 90, -1, 0.2, 0.9, 1),
    ]  # fmt: skip
    columns = np.array(cases, dtype=float).T
    expected = np.array(black76.greeks(*columns))
    got = black.greeks(*columns, outputs=black.Outputs.ALL)
    assert np.array_equal(np.isnan(got), np.isnan(expected))
    assert np.allclose(got, expected, rtol=1e-12, atol=1e-12, equal_nan=True)


@pytest.mark.parametrize("threads", list(Threads))
def test_implied_vol_round_trip(threads: Threads):
    forward, strike, t, sigma, discount, _ = _market(5)
    right = np.where(strike > forward, 1.0, -1.0)
    price = black76.price(forward, strike, t, sigma, discount, right)
    vega = black76.greeks(forward, strike, t, sigma, discount, right).vega
    got = fast_iv.implied_vol(price, forward, strike, t, discount, right, threads=threads)
    well = np.spacing(price) / vega < 1e-15
    assert well.mean() > 0.9
    assert np.abs(got - sigma)[well].max() < 1e-12  # includes an hour to expiry and six deviations
    usual = well & (sigma * np.sqrt(t) > 0.01)
    # the price that is inverted was itself rounded where F N(d1) and K N(d2) cancel
    noise = np.spacing(forward) / vega
    assert (np.abs(got - sigma) - noise)[usual].max() < 1e-13
    slow = implied_vol.implied_vol(price, forward, strike, t, discount, right)
    assert np.abs(got - slow)[usual].max() < 2e-13


def test_implied_vol_edges():
    price = np.array([0.0, -1.0, 101.0, 10.0, np.nan, np.inf, 5.0, 5.0, 5.0, 1e-200])
    t = np.array([1, 1, 1, 1, 1, 1, 0, np.nan, 1, 1.0])
    strike = np.array([100, 100, 100, 90, 100, 100, 100, 100, -5, 300.0])
    for solve in (fast_iv.implied_vol, implied_vol.implied_vol):
        got = solve(price, 100.0, strike, t, 1.0, 1)
        assert np.isnan(got[:9]).all()
        assert float(black76.price(100, 300, 1, got[9], 1, 1)) == pytest.approx(1e-200, rel=1e-9)

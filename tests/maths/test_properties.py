"""What must hold for every option, whatever its numbers, by both paths."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hedging.maths.black76 import Greeks
from tests.examples import examples
from tests.maths import paths

FORWARD = st.floats(5.0, 8000.0)
MONEYNESS = st.floats(-0.6, 0.6)
SIGMA = st.floats(0.03, 2.5)
YEARS = st.floats(1e-5, 3.0)
DISCOUNT = st.floats(0.8, 1.01)
RATE = st.floats(-0.02, 0.1)
RIGHT = st.sampled_from([1, -1])


@paths.on_forward
@examples(100)
@given(f=FORWARD, k=MONEYNESS, t=YEARS, sigma=SIGMA, d=DISCOUNT)
def test_parity_bounds_monotonicity_convexity(greeks, f, k, t, sigma, d) -> None:
    strikes = f * np.exp(k) * np.array([0.98, 1.0, 1.02])
    call, put = greeks(f, strikes, t, sigma, d, 1), greeks(f, strikes, t, sigma, d, -1)
    slack = 1e-12 * f
    assert np.allclose(call.price - put.price, d * (f - strikes), rtol=0, atol=slack)
    assert np.allclose(call.delta - put.delta, d, rtol=0, atol=1e-13)
    for name in ("gamma", "vega", "vanna", "volga"):
        assert np.array_equal(getattr(call, name), getattr(put, name))
    assert np.all(call.price >= d * np.maximum(f - strikes, 0) - slack)
    assert np.all(put.price >= d * np.maximum(strikes - f, 0) - slack)
    assert np.all(call.price <= d * f + slack)
    assert np.all(put.price <= d * strikes + slack)
    assert np.all(np.diff(call.price) <= slack)
    assert np.all(np.diff(put.price) >= -slack)
    assert call.price[0] - 2 * call.price[1] + call.price[2] >= -slack
    assert np.all(greeks(f, strikes, t, sigma * 1.01, d, 1).price >= call.price - slack)
    assert np.all((call.delta >= 0) & (call.delta <= d * (1 + 1e-15)) & (call.gamma >= 0) & (call.vega >= 0))


@paths.on_forward
@examples(100)
@given(
    f=FORWARD, k=st.floats(-2.5, 2.5), t=st.floats(0.005, 2.0), sigma=st.floats(0.08, 1.5),
    d=DISCOUNT, phi=RIGHT,
)  # fmt: skip
def test_greeks_are_the_slopes_of_the_price(greeks, f, k, t, sigma, d, phi) -> None:
    strike, rate = f * np.exp(k * sigma * np.sqrt(t)), -np.log(d) / t

    def at(**shift: float) -> Greeks:
        years, r = t + shift.get("t", 0.0), rate + shift.get("r", 0.0)
        return greeks(
            f + shift.get("f", 0.0), strike, years, sigma + shift.get("s", 0.0), np.exp(-r * years), phi
        )

    width = sigma * np.sqrt(t)
    _slopes_hold(at, f, {"f": 1e-4 * f * width, "s": 1e-4 * sigma, "t": 1e-4 * t, "r": 1e-5}, t, sigma, width)


@paths.on_spot
@examples(100)
@given(
    s=FORWARD, k=st.floats(-2.5, 2.5), t=st.floats(0.005, 2.0), sigma=st.floats(0.08, 1.5),
    r=RATE, q=RATE, phi=RIGHT,
)  # fmt: skip
def test_spot_greeks_are_the_slopes_of_the_price(greeks, s, k, t, sigma, r, q, phi) -> None:
    strike, width = s * np.exp(k * sigma * np.sqrt(t)), sigma * np.sqrt(t)

    def at(**shift: float) -> Greeks:
        return greeks(
            s + shift.get("f", 0.0), strike, t + shift.get("t", 0.0), sigma + shift.get("s", 0.0),
            r + shift.get("r", 0.0), q, phi,
        )  # fmt: skip

    _slopes_hold(at, s, {"f": 1e-4 * s * width, "s": 1e-4 * sigma, "t": 1e-4 * t, "r": 1e-5}, t, sigma, width)


def _slopes_hold(at, f: float, steps: dict[str, float], t: float, sigma: float, width: float) -> None:
    """Central differences; errors are measured in each Greek's natural size."""
    g = at()

    def slope(name: str, output: str) -> float:
        h = steps[name]
        return float(getattr(at(**{name: h}), output) - getattr(at(**{name: -h}), output)) / (2 * h)

    root = np.sqrt(t)
    wanted = (
        ("delta", slope("f", "price"), 1.0),
        ("gamma", slope("f", "delta"), 1 / (f * width)),
        ("vega", slope("s", "price"), f * root),
        ("theta", -slope("t", "price"), f * (sigma / root + 0.1)),
        ("rho", slope("r", "price"), f * t),
        ("vanna", slope("s", "delta"), 1 / sigma),
        ("volga", slope("s", "vega"), f * root / sigma),
        ("charm", -slope("t", "delta"), 1 / t),
    )
    for name, found, size in wanted:
        assert abs(float(getattr(g, name)) - found) < 2e-6 * size, name


@paths.solvers
@examples(100)
@given(
    deviations=st.floats(-6, 6), sigma=st.floats(0.05, 2.0), t=st.floats(1e-4, 3.0), d=st.floats(0.9, 1.0),
    right=RIGHT,
)  # fmt: skip
def test_volatility_of_a_price_is_the_one_it_was_made_with(solve, deviations, sigma, t, d, right) -> None:
    strike = 5000 * np.exp(deviations * sigma * np.sqrt(t))
    made = paths.compiled_black(5000, strike, t, sigma, d, right)
    got = float(solve(made.price, 5000, strike, t, d, right))
    # the price holds its time value to a few units of the last place of forward and strike
    reachable = 8 * float(np.spacing(max(5000.0, strike))) / max(float(made.vega), 1e-300)
    if np.isnan(got):
        assert reachable > 1e-3 * sigma
    elif reachable < 1e-3 * sigma:
        assert abs(got - sigma) < 1e-13 + reachable


@paths.solvers
@examples(100)
@given(f=FORWARD, k=MONEYNESS, t=YEARS, d=DISCOUNT, phi=RIGHT, share=st.floats(-0.5, 1.5))
def test_no_volatility_outside_the_bounds_and_one_inside(solve, f, k, t, d, phi, share) -> None:
    strike = f * np.exp(k)
    low, high = d * max(phi * (f - strike), 0.0), d * (f if phi > 0 else strike)
    got = float(solve(low + share * (high - low), f, strike, t, d, phi))
    if share <= 0 or share >= 1:
        assert np.isnan(got)
    elif 1e-6 < share < 1 - 1e-6:
        assert got > 0

"""Black-76 against published vectors, 50-digit references, finite differences and parity."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.maths import black76
from hedging.maths.implied_vol import implied_vol
from hedging.maths.normal import cdf, erfc


def shown(f: float, k: float, t: float, sigma: float, r: float, right: int) -> black76.Greeks:
    return black76.display_units(black76.greeks(f, k, t, sigma, math.exp(-r * t), right))


@pytest.mark.parametrize(
    ("f", "k", "sigma", "days", "right", "price", "delta", "vega", "theta"),
    [
        (18.8, 19.5, 0.95, 30, 1, 1.737141, 0.499135, 0.021432, -0.033743),
        (7164.7, 6700, 0.20, 45, -1, 43.904622, -0.160288, 6.117698, -1.354677),
        (7164.7, 7545, 0.145, 45, 1, 30.103625, 0.160204, None, None),
    ],
)
def test_contract_vectors(f, k, sigma, days, right, price, delta, vega, theta) -> None:
    greeks = shown(f, k, days / 365, sigma, 0.04, right)
    assert float(greeks.price) == pytest.approx(price, abs=6e-7)
    assert float(greeks.delta) == pytest.approx(delta, abs=6e-7)
    if vega is not None:
        assert float(greeks.vega) == pytest.approx(vega, abs=6e-7)
        assert float(greeks.theta) == pytest.approx(theta, abs=6e-7)


def test_spx_greeks_to_fifty_digits(data_dir: Path) -> None:
    """The reference is spot-based with yield q: delta, gamma and vanna carry the forward's e^{(r-q)T}."""
    with (data_dir / "reference" / "OWN_mpmath50_spx_greeks.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) > 100
    for row in rows:
        s, k, t, r, q, vol = (float(row[n]) for n in ("spot_or_future", "strike", "t", "r", "q", "vol"))
        carry = math.exp((r - q) * t)
        got = black76.greeks(s * carry, k, t, vol, math.exp(-r * t), 1 if row["type"] == "call" else -1)
        scale = max(1.0, float(row["price"]))
        assert float(got.price) == pytest.approx(float(row["price"]), abs=1e-12 * s)
        assert float(got.delta) * carry == pytest.approx(float(row["delta"]), abs=1e-12)
        assert float(got.gamma) * carry**2 == pytest.approx(float(row["gamma"]), rel=1e-9, abs=1e-15)
        assert float(got.vega) == pytest.approx(float(row["vega"]), rel=1e-10, abs=1e-9 * scale)
        assert float(got.vanna) * carry == pytest.approx(float(row["vanna"]), rel=1e-9, abs=1e-10)
        assert float(got.volga) == pytest.approx(float(row["volga"]), rel=1e-9, abs=1e-7)


def test_vix_implied_vols_to_sixty_digits(data_dir: Path) -> None:
    with (data_dir / "reference" / "OWN_mpmath60_vix_iv.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    price, f, k, t, r, vol, vega = (
        np.array([float(row[n]) for row in rows])
        for n in ("price", "spot_or_future", "strike", "t", "r", "vol", "vega")
    )
    right = np.array([1 if row["type"] == "call" else -1 for row in rows])
    error = np.abs(implied_vol(price, f, k, t, np.exp(-r * t), right) - vol)
    # Where a change of one unit in the last place of the price moves σ by less than 1e-13.
    well = np.spacing(np.maximum(price, np.abs(f - k))) / vega < 1e-14
    assert well.sum() > 300
    assert error[well].max() <= 1e-13


def test_erfc_against_the_c_library() -> None:
    x = np.linspace(-8, 26, 20_001)
    exact = np.array([math.erfc(v) for v in x])
    assert np.max(np.abs(erfc(x) / exact - 1)) < 2e-15


FORWARD = st.floats(500, 9000)
MONEYNESS = st.floats(-0.4, 0.4)
YEARS = st.floats(1 / 365, 2)
VOL = st.floats(0.05, 2.0)


@given(f=FORWARD, m=MONEYNESS, t=YEARS, vol=VOL, r=st.floats(0, 0.08))
def test_put_call_parity(f: float, m: float, t: float, vol: float, r: float) -> None:
    k, d = f * math.exp(m), math.exp(-r * t)
    call, put = black76.price(f, k, t, vol, d, 1), black76.price(f, k, t, vol, d, -1)
    assert float(call - put) == pytest.approx(d * (f - k), abs=1e-9 * f)


@given(f=FORWARD, m=MONEYNESS, t=YEARS, vol=VOL)
def test_an_implied_vol_reprices_its_price(f: float, m: float, t: float, vol: float) -> None:
    k = f * math.exp(m)
    right = 1 if m >= 0 else -1
    price = float(black76.price(f, k, t, vol, 1.0, right))
    if price < 1e-8:
        return
    found = implied_vol(price, f, k, t, 1.0, right)
    assert float(black76.price(f, k, t, float(found), 1.0, right)) == pytest.approx(price, rel=1e-11)


@given(
    f=FORWARD,
    m=st.floats(-0.2, 0.2),
    t=st.floats(0.02, 1),
    vol=st.floats(0.1, 0.8),
    right=st.sampled_from([1, -1]),
)
def test_greeks_are_the_slopes_of_the_price(f: float, m: float, t: float, vol: float, right: int) -> None:
    k, r = f * math.exp(m), 0.04

    def value(f_: float = f, t_: float = t, vol_: float = vol) -> float:
        return float(black76.price(f_, k, t_, vol_, math.exp(-r * t_), right))

    greeks = black76.greeks(f, k, t, vol, math.exp(-r * t), right)
    h = f * 1e-4
    assert float(greeks.delta) == pytest.approx((value(f + h) - value(f - h)) / (2 * h), abs=1e-5)
    assert float(greeks.vega) == pytest.approx(
        (value(vol_=vol + 1e-4) - value(vol_=vol - 1e-4)) / 2e-4, rel=1e-4, abs=1e-3
    )
    dt = t * 1e-4
    assert float(greeks.theta) == pytest.approx(
        -(value(t_=t + dt) - value(t_=t - dt)) / (2 * dt), rel=1e-3, abs=1e-2
    )


def test_expiry_gives_intrinsic_and_bad_input_stays_in_its_element() -> None:
    greeks = black76.greeks(100.0, [90, 100, 110, np.nan, -5, 95], [0, 0, 0, 1, 1, 1], 0.2, 1.0, 1)
    assert greeks.price[:3].tolist() == [10, 0, 0]
    assert greeks.delta[:3].tolist() == [1, 0.5, 0]
    assert np.isnan(greeks.price[3:5]).all()
    assert np.isfinite(greeks.price[5])


@pytest.mark.parametrize("price", [0.0, -1.0, 10.0, 100.0, math.nan, math.inf])
def test_no_vol_exists_outside_the_bounds(price: float) -> None:
    assert np.isnan(implied_vol(price, 100.0, 90.0, 0.5, 1.0, 1))


def test_normal_distribution_is_symmetric() -> None:
    x = np.linspace(0, 6, 100)
    assert np.allclose(cdf(x) + cdf(-x), 1.0, atol=1e-15)

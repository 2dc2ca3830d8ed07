"""Black-76 and Black-Scholes-Merton against published cases, 50-digit references and QuantLib."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.maths import black76, bsm
from hedging.maths.types import Right
from tests.maths.reference import column, rights, rows

T45 = 45 / 365


def test_vix_call_of_the_contract_notes():
    discount = np.exp(-0.04 * 30 / 365)
    shown = black76.display_units(black76.greeks(18.8, 19.5, 30 / 365, 0.95, discount, Right.CALL))
    assert shown.price == pytest.approx(1.737141, abs=5e-7)
    assert shown.delta == pytest.approx(0.499135, abs=5e-7)
    assert shown.gamma == pytest.approx(0.077658, abs=5e-7)
    assert shown.vega == pytest.approx(0.021432, abs=5e-7)
    assert shown.theta == pytest.approx(-0.033743, abs=5e-7)


def test_spx_wings_of_the_contract_notes():
    discount = np.exp(-0.04 * T45)
    put = black76.display_units(black76.greeks(7164.7, 6700, T45, 0.20, discount, Right.PUT))
    assert put.price == pytest.approx(43.904622, abs=5e-7)
    assert put.delta == pytest.approx(-0.160288, abs=5e-7)
    assert put.vega == pytest.approx(6.117698, abs=5e-7)
    assert put.theta == pytest.approx(-1.354677, abs=5e-7)
    call = black76.greeks(7164.7, 7545, T45, 0.145, discount, Right.CALL)
    assert call.price == pytest.approx(30.103625, abs=5e-7)
    assert call.delta == pytest.approx(0.160204, abs=5e-7)


def _bsm_of(table: list[dict[str, str]], spot: str = "spot") -> black76.Greeks:
    return bsm.greeks(
        column(table, spot),
        column(table, "strike"),
        column(table, "t"),
        column(table, "vol"),
        column(table, "r"),
        column(table, "q"),
        rights(table),
    )


def test_fifty_digit_spx_greeks(data_dir: Path):
    table = rows(data_dir, "OWN_mpmath50_spx_greeks.csv")
    ours = _bsm_of(table, "spot_or_future")
    for name in black76.Greeks._fields:
        expected = column(table, name)
        error = np.abs(getattr(ours, name) - expected).max() / np.abs(expected).max()
        assert error < 1e-13, name


def test_haug_prices(data_dir: Path):
    table = rows(data_dir, "haug_bsm_prices.csv")
    assert len(table) > 30
    assert np.all(np.abs(_bsm_of(table).price - column(table, "price")) <= column(table, "tol"))


def test_haug_greeks(data_dir: Path):
    table = rows(data_dir, "haug_greeks.csv")
    ours = _bsm_of(table)
    shown = ours._asdict() | {
        "theta_per_day": ours.theta / 365,
        "elasticity": ours.delta * column(table, "spot") / ours.price,
        # dividend rho at a fixed spot: -T S e^{-qT} N(±d1) with the sign of the right
        "dividend_rho": -column(table, "t") * column(table, "spot") * ours.delta,
    }
    compared = 0
    for i, row in enumerate(table):
        if row["greek"] in ("speed", "zomma"):  # third order: not part of this kernel
            continue
        assert shown[row["greek"]][i] == pytest.approx(float(row["value"]), abs=float(row["tol"])), row
        compared += 1
    assert compared == 20


def test_hull_examples(data_dir: Path):
    table = rows(data_dir, "hull_examples.csv")
    ours = _bsm_of(table, "spot_or_future")
    for i, row in enumerate(table):
        got = getattr(ours, row["quantity"])[i]
        assert got == pytest.approx(float(row["value"]), abs=float(row["tol"])), row


def _random(n: int, vix: bool) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(7 + vix)
    forward = rng.uniform(10, 60, n) if vix else rng.uniform(1500, 7500, n)
    sigma = rng.uniform(0.4, 2.0, n) if vix else rng.uniform(0.05, 2.0, n)
    days = rng.integers(1, 900, n)
    t = days / 365
    strike = forward * np.exp(rng.uniform(-4, 4, n) * sigma * np.sqrt(t))
    return forward, strike, t, sigma, np.exp(-rng.uniform(-0.01, 0.08, n) * t), rng.choice([-1.0, 1.0], n)


@pytest.mark.parametrize("vix", [False, True])
def test_quantlib_agrees(vix: bool):
    ql = pytest.importorskip("QuantLib")
    inputs = _random(400, vix)
    ours = black76.greeks(*inputs)
    for i, (f, k, t, sigma, d, phi) in enumerate(zip(*inputs, strict=True)):
        payoff = ql.PlainVanillaPayoff(ql.Option.Call if phi > 0 else ql.Option.Put, k)
        other = ql.BlackCalculator(payoff, f, sigma * np.sqrt(t), d)
        assert ours.price[i] == pytest.approx(other.value(), abs=1e-12 * (f + k))
        assert ours.delta[i] == pytest.approx(other.deltaForward(), abs=1e-12)
        assert ours.gamma[i] == pytest.approx(other.gammaForward(), rel=1e-9, abs=1e-13)
        assert ours.vega[i] == pytest.approx(other.vega(t), abs=1e-11 * f)


def test_vollib_agrees():
    black = pytest.importorskip("vollib.black")
    for f, k, t, sigma, d, phi in zip(*_random(200, vix=True), strict=True):
        other = black.black("c" if phi > 0 else "p", f, k, t, -np.log(d) / t, sigma)
        assert float(black76.price(f, k, t, sigma, d, phi)) == pytest.approx(other, abs=1e-13 * (f + k))


def test_zero_time_to_the_second_and_same_day():
    # an expiry seconds away keeps finite Greeks; at T = 0 price is intrinsic and only delta lives
    soon = black76.greeks(5000, [4999, 5000, 5001], 1 / 31_536_000, 0.2, 1.0, 1)
    assert np.all(np.isfinite(soon))
    dead = black76.greeks(5000, [4990, 5000, 5010], 0.0, 0.2, 1.0, [1, 1, -1])
    assert dead.price.tolist() == [10, 0, 10]
    assert dead.delta.tolist() == [1.0, 0.5, -1.0]
    assert not np.any(np.array(dead[2:]))


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize("poison", [np.nan, np.inf, -1.0])
def test_a_bad_element_spoils_nothing_else(place: int, poison: float):
    columns = [np.full(3, v) for v in (5000.0, 4900.0, 0.1, 0.2, 0.99, 1.0)]
    clean = np.array(black76.greeks(*columns))
    columns[place][1] = poison
    if place == 5 and poison == -1.0:
        columns[place][1] = 2.0  # -1 is a put; anything but ±1 is no option
    spoilt = np.array(black76.greeks(*columns))
    assert np.all(np.isnan(spoilt[:, 1]))
    assert np.array_equal(spoilt[:, [0, 2]], clean[:, [0, 2]])


FORWARD = st.floats(5.0, 8000.0)
MONEYNESS = st.floats(-0.6, 0.6)
SIGMA = st.floats(0.03, 2.5)
YEARS = st.floats(0.002, 3.0)
DISCOUNT = st.floats(0.8, 1.01)


@given(FORWARD, MONEYNESS, YEARS, SIGMA, DISCOUNT)
def test_parity_bounds_monotonicity_convexity(f: float, k: float, t: float, sigma: float, d: float):
    strike = f * np.exp(k)
    strikes = strike * np.array([0.98, 1.0, 1.02])
    call = black76.price(f, strikes, t, sigma, d, 1)
    put = black76.price(f, strikes, t, sigma, d, -1)
    slack = 1e-13 * f
    assert np.allclose(call - put, d * (f - strikes), rtol=0, atol=10 * slack)
    assert np.all(call >= d * np.maximum(f - strikes, 0) - 10 * slack)
    assert np.all(call <= d * f + slack)
    assert np.all(np.diff(call) <= 10 * slack)
    assert np.all(np.diff(put) >= -10 * slack)
    assert call[0] - 2 * call[1] + call[2] >= -10 * slack
    assert black76.price(f, strike, t, sigma * 1.01, d, 1) >= call[1] - 10 * slack


@given(
    FORWARD,
    st.floats(-0.25, 0.25),
    st.floats(0.02, 2.0),
    st.floats(0.08, 1.5),
    DISCOUNT,
    st.sampled_from([1, -1]),
)
def test_greeks_against_differences(f: float, k: float, t: float, sigma: float, d: float, phi: int):
    strike = f * np.exp(k)
    rate = -np.log(d) / t

    def at(**shift: float) -> black76.Greeks:
        years = t + shift.get("t", 0.0)
        r = rate + shift.get("r", 0.0)
        return black76.greeks(
            f + shift.get("f", 0.0), strike, years, sigma + shift.get("s", 0.0), np.exp(-r * years), phi
        )

    def slope(name: str, output: str, h: float) -> float:
        return float(getattr(at(**{name: h}), output) - getattr(at(**{name: -h}), output)) / (2 * h)

    g = at()
    hf, hs, ht = 1e-4 * f * sigma * np.sqrt(t), 1e-5, 1e-4 * t
    scale = d * f
    assert float(g.delta) == pytest.approx(slope("f", "price", hf), abs=1e-6)
    assert float(g.gamma) * f == pytest.approx(
        slope("f", "delta", hf) * f, abs=1e-5 * (1 + float(g.gamma) * f)
    )
    assert float(g.vega) == pytest.approx(slope("s", "price", hs), abs=1e-6 * scale)
    assert float(g.theta) == pytest.approx(-slope("t", "price", ht), abs=1e-5 * scale)
    assert float(g.rho) == pytest.approx(slope("r", "price", 1e-5), abs=1e-6 * scale)
    assert float(g.vanna) == pytest.approx(slope("s", "delta", hs), abs=1e-5 * (1 + abs(float(g.vanna))))
    assert float(g.volga) == pytest.approx(slope("s", "vega", hs), abs=1e-5 * scale)
    assert float(g.charm) == pytest.approx(-slope("t", "delta", ht), abs=1e-4 * (1 + abs(float(g.charm))))


def test_the_numpy_path_imports_no_numba():
    code = (
        "import sys; from hedging.maths import black76, bsm, implied_vol, parity, smile, payoff, margin, "
        "probability; assert 'numba' not in sys.modules and 'django' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).resolve().parents[2])


def test_year_fraction():
    from hedging.maths.yearfrac import year_fraction

    at = dt.datetime(2026, 11, 20, 21, 0, tzinfo=dt.UTC)
    assert year_fraction(at, at + dt.timedelta(days=365)) == 1.0
    assert year_fraction(at, at + dt.timedelta(minutes=1)) == pytest.approx(1 / 525_600)
    assert year_fraction(at, at - dt.timedelta(days=1)) == 0.0
    with pytest.raises(ValueError, match="time zone"):
        year_fraction(at.replace(tzinfo=None), at)

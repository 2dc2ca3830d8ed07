"""Random SPX and VIX options, minutes to years, deep wings, 200% volatility: 40 digits, QuantLib, vollib."""

from __future__ import annotations

import numpy as np
import pytest

from bench import accuracy, market
from bench.market import Market
from hedging.maths.black76 import Greeks
from tests.maths import paths

kinds = pytest.mark.parametrize("kind", list(accuracy.KINDS))


def _market(kind: str) -> Market:
    return accuracy.KINDS[kind](150)


def _of(greeks: paths.Path, m: Market) -> Greeks:
    return greeks(m.spot, m.strike, m.t, m.sigma, m.rate, m.dividend, m.right)


@kinds
@paths.on_spot
def test_forty_digits_in_the_spot(kind: str, greeks: paths.Path) -> None:
    pytest.importorskip("mpmath")
    ours = _of(greeks, _market(kind))
    for name, expected in accuracy.reference(_market(kind)).items():
        assert np.abs(getattr(ours, name) - expected).max() <= 1e-13 * np.abs(expected).max(), name


@kinds
@paths.on_forward
def test_forty_digits_on_the_forward(kind: str, greeks: paths.Path) -> None:
    """With q = r spot and forward coincide, all but rho."""
    pytest.importorskip("mpmath")
    m = _market(kind)._replace(dividend=_market(kind).rate)
    ours, exact = greeks(m.spot, m.strike, m.t, m.sigma, m.discount, m.right), accuracy.reference(m)
    exact["rho"] = -m.t * exact["price"]
    for name, expected in exact.items():
        # D is given rounded, and the rate is taken back from it: at most 1e-16 / T of the price is lost
        lost = 2.3e-16 / m.t * np.abs(exact["delta" if name == "charm" else "price"])
        slack = lost if name in ("theta", "charm") else 0.0
        assert np.all(np.abs(getattr(ours, name) - expected) <= 1e-13 * np.abs(expected).max() + slack), name


@kinds
@paths.solvers
def test_volatility_of_forty_digit_prices(kind: str, solve) -> None:
    pytest.importorskip("mpmath")
    m = _market(kind).out_of_the_money()
    m = m._replace(spot=m.forward, dividend=m.rate)
    exact = accuracy.reference(m)
    got = solve(exact["price"], m.spot, m.strike, m.t, m.discount, m.right)
    well = np.spacing(exact["price"]) / np.maximum(exact["vega"], 1e-300) < 1e-15
    assert well.mean() > 0.6
    assert np.abs(got - m.sigma)[well].max() < 1e-13


@kinds
@paths.on_spot
def test_quantlib_agrees(kind: str, greeks: paths.Path) -> None:
    ql = pytest.importorskip("QuantLib")
    m = _market(kind)
    ours = _of(greeks, m)
    other: dict[str, list[float]] = {name: [] for name in accuracy.NAMES}
    for s, k, t, sigma, r, q, right in zip(*(c.tolist() for c in m), strict=True):
        payoff = ql.PlainVanillaPayoff(ql.Option.Call if right > 0 else ql.Option.Put, k)
        option = ql.BlackCalculator(payoff, s * np.exp((r - q) * t), sigma * np.sqrt(t), np.exp(-r * t))
        first = (option.value(), option.delta(s), option.gamma(s))
        values = (*first, option.vega(t), option.theta(s, t), option.rho(t))
        for name, value in zip(accuracy.NAMES, values, strict=True):
            other[name].append(value)
    for name, values in other.items():
        # QuantLib takes the logarithm of a rounded forward: 1e-13 is lost minutes before expiry
        assert np.abs(getattr(ours, name) - values).max() < 2e-12 * np.abs(values).max(), name


@pytest.mark.parametrize("kind", ["SPX", "VIX"])
@paths.on_forward
def test_vollib_agrees(kind: str, greeks: paths.Path) -> None:
    black = pytest.importorskip("vollib.black").black
    analytical = pytest.importorskip("vollib.ref_python.black.greeks.analytical")
    m = _market(kind)
    ours = greeks(*m.black)
    units = {"delta": 1.0, "gamma": 1.0, "vega": 100.0, "theta": 365.0}
    for i, row in enumerate(zip(m.letters, m.forward, m.strike, m.t, m.rate, m.sigma, strict=True)):
        assert ours.price[i] == pytest.approx(black(*row), abs=1e-12 * m.spot[i])
        for name, unit in units.items():
            other = getattr(analytical, name)(*row) * unit
            assert getattr(ours, name)[i] == pytest.approx(other, rel=1e-9, abs=1e-9), name


@pytest.mark.parametrize("kind", ["SPX", "VIX"])
@paths.solvers
def test_vollib_volatilities_agree(kind: str, solve) -> None:
    module = pytest.importorskip("vollib.black.implied_volatility")
    m = _market(kind).out_of_the_money()
    price = market.prices(m)
    got = solve(price, m.forward, m.strike, m.t, m.discount, m.right)
    for i, row in enumerate(zip(price, m.forward, m.strike, m.rate, m.t, m.letters, strict=True)):
        assert got[i] == pytest.approx(module.implied_volatility(*row), abs=1e-9)

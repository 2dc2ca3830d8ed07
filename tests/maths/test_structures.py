"""Payoff, margin, parity and smile."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hedging.maths import black76, margin
from hedging.maths.parity import box_rate, fit_parity
from hedging.maths.payoff import PayoffLegs, profile
from hedging.maths.probability import probability_below, probability_below_lognormal
from hedging.maths.smile import SmileModel, fit_smile


def legs(*rows: tuple[float, int, int]) -> PayoffLegs:
    strike, right, quantity = (np.array(c, dtype=float) for c in zip(*rows, strict=True))
    return PayoffLegs(strike, right, quantity, np.full(len(rows), 100.0))


def test_the_condor_of_the_contract_page() -> None:
    condor = legs((6650, -1, 2), (6700, -1, -2), (7545, 1, -2), (7595, 1, 2))
    found = profile(condor, 13.75 * 100 * 2)
    assert (found.max_profit, found.max_loss) == (2750.0, 7250.0)
    assert found.break_evens == (6686.25, 7558.75)
    assert margin.defined_risk_margin(condor) == 10_000.0


def test_unequal_widths_count_once_at_cboe_and_twice_at_interactive_brokers() -> None:
    assert margin.condor_margin(50, 25, 100, 1) == 5_000
    assert margin.condor_margin_ibkr(50, 25, 100, 1) == 7_500


def test_unbounded_sides_are_infinite() -> None:
    assert profile(legs((100, 1, 1)), -500.0).max_profit == math.inf
    assert profile(legs((100, 1, -1)), 500.0).max_loss == math.inf
    assert margin.defined_risk_margin(legs((100, 1, -1))) == math.inf


def test_box_rate_vector() -> None:
    assert box_rate(6000, 7000, 981.00, 0.5) == pytest.approx(0.038366, abs=5e-7)


def test_parity_finds_forward_and_rate_despite_a_bad_quote() -> None:
    f, r, t = 5100.0, 0.045, 0.25
    k = np.arange(4700.0, 5500.0, 10)
    d = math.exp(-r * t)
    call, put = black76.price(f, k, t, 0.15, d, 1), black76.price(f, k, t, 0.15, d, -1)
    call[20] += 40  # one stale quote
    spread = np.full(len(k), 0.4)
    fit = fit_parity(k, call, put, spread, spread, t, 5000.0)
    assert fit is not None
    assert fit.forward == pytest.approx(f, abs=0.01)
    assert fit.rate == pytest.approx(r, abs=2e-4)


def test_parity_is_unknown_without_pairs() -> None:
    nan = np.full(5, np.nan)
    assert fit_parity(np.arange(5.0), nan, nan, nan, nan, 0.1, 2.0) is None


def test_a_thin_smile_falls_back_and_says_so() -> None:
    strikes = np.array([95.0, 100.0, 105.0])
    vol = np.array([0.22, 0.20, 0.19])
    models = []
    for use in ([False] * 3, [True, False, False], [True] * 3):
        mid = np.where(use, vol, np.nan)
        models.append(fit_smile(strikes, mid - 0.01, mid + 0.01, mid, np.ones(3), 100.0, 0.1).model)
    assert models == [SmileModel.UNKNOWN, SmileModel.FLAT, SmileModel.SSVI]


def test_a_flat_smile_gives_lognormal_probabilities() -> None:
    strikes = np.linspace(60, 160, 60)
    vol = np.full(60, 0.25)
    smile = fit_smile(strikes, vol - 0.002, vol + 0.002, vol, np.ones(60), 100.0, 0.5)
    levels = np.array([80.0, 95.0, 100.0, 120.0])
    exact = probability_below_lognormal(levels, 100.0, 0.25, 0.5)
    assert probability_below(levels, smile) == pytest.approx(exact, abs=2e-4)

"""Margin, probability of profit, expected move and box rate: the printed vectors and a second method."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, stats

from hedging.maths import black76, margin
from hedging.maths.parity import box_rate
from hedging.maths.payoff import PayoffLegs, expiry_value, profile
from hedging.maths.probability import expected_move, probability_below, probability_below_lognormal
from hedging.maths.smile import Smile, SmileModel, smile_from_variance


def legs(*rows: tuple[float, int, int]) -> PayoffLegs:
    strike, right, quantity = (np.array(c, dtype=float) for c in zip(*rows, strict=True))
    return PayoffLegs(strike, right, quantity, np.full(len(rows), 100.0))


CONDOR = legs((6650, -1, 2), (6700, -1, -2), (7545, 1, -2), (7595, 1, 2))
CREDIT = 13.75 * 100 * 2


def skewed(forward: float = 7164.7, t: float = 45 / 365) -> Smile:
    k = np.linspace(-0.4, 0.3, 200)
    return smile_from_variance(forward, t, SmileModel.MIXTURE, k, (0.17 - 0.35 * k + 0.6 * k * k) ** 2 * t)


def test_the_condors_margin_gross_and_net_of_its_credit() -> None:
    gross = margin.condor_margin(50, 50, 100, 2)
    assert gross == margin.defined_risk_margin(CONDOR) == 10_000
    assert gross - CREDIT == 7_250 == profile(CONDOR, CREDIT).max_loss


def test_interactive_brokers_counts_unequal_widths_as_two_spreads() -> None:
    assert margin.condor_margin(50, 25, 100, 1) == 5_000
    assert margin.condor_margin_ibkr(50, 25, 100, 1) == 7_500
    assert margin.condor_margin_ibkr(50, 50, 100, 2) == margin.condor_margin(50, 50, 100, 2)


def test_a_long_call_needs_no_margin_beyond_its_premium() -> None:
    assert margin.defined_risk_margin(legs((18, 1, 10))) == 0.0


def test_portfolio_margin_is_the_worst_of_ten_moves_from_minus_8_to_plus_6_percent() -> None:
    assert pytest.approx([-0.08 + 0.14 * i / 9 for i in range(10)]) == margin.PORTFOLIO_MOVES
    spot = 7130.0
    at_moves = expiry_value(spot * (1 + margin.PORTFOLIO_MOVES), CONDOR)
    assert margin.portfolio_margin_estimate(at_moves, 8) == 10_000  # -8% lies below both puts


def test_portfolio_margin_has_a_minimum_a_contract() -> None:
    assert margin.portfolio_margin_estimate(np.array([5.0, 20.0]), 4) == 4 * 37.5
    assert margin.portfolio_margin_estimate(np.array([-149.0, 20.0]), 4) == 150.0


def test_probability_below_is_the_integral_of_the_smiles_density() -> None:
    smile = skewed()

    def density(strike: float) -> float:
        h = 2.0
        put = [
            float(black76.price(smile.forward, x, smile.t, smile.vol(x), 1.0, -1))
            for x in (strike - h, strike, strike + h)
        ]
        return (put[0] - 2 * put[1] + put[2]) / h**2

    between = integrate.quad(density, 6686.25, 7558.75, limit=400)[0]
    found = np.diff(probability_below([6686.25, 7558.75], smile))[0]
    assert found == pytest.approx(between, abs=2e-5)


def test_a_skew_moves_probability_to_the_left_of_the_lognormal() -> None:
    smile = skewed()
    flat = float(smile.vol(smile.forward))
    levels = np.array([6000.0, 6400.0])
    assert np.all(
        probability_below(levels, smile) > probability_below_lognormal(levels, smile.forward, flat, smile.t)
    )


def test_lognormal_probability_agrees_with_an_independent_distribution() -> None:
    sigma, t, forward = 0.145, 45 / 365, 7164.7
    law = stats.lognorm(s=sigma * math.sqrt(t), scale=forward * math.exp(-0.5 * sigma**2 * t))
    levels = np.array([6000.0, 6686.25, 7164.7, 7558.75])
    found = probability_below_lognormal(levels, forward, sigma, t)
    assert found == pytest.approx(law.cdf(levels), abs=1e-12)


def test_expected_move_by_hand() -> None:
    assert expected_move(5000.0, 0.20, 0.25) == pytest.approx(500.0)


def test_box_rate_vector() -> None:
    assert 100 * box_rate(6000, 7000, 981.00, 0.5) == pytest.approx(3.8366, abs=5e-5)

"""Smiles from few, one-sided and noisy quotes: which model, and never an arbitrage."""

from __future__ import annotations

import numpy as np
import pytest

from hedging.maths import black76
from hedging.maths.smile import Smile, SmileModel, fit_smile

FORWARD, T = 5000.0, 30 / 365


def skew(strikes: np.ndarray) -> np.ndarray:
    k = np.log(strikes / FORWARD)
    return 0.15 - 0.45 * k + 1.2 * k * k


def fitted(strikes: np.ndarray, vol: np.ndarray, half: float = 0.004) -> Smile:
    right = np.where(strikes >= FORWARD, 1, -1)
    vega = black76.greeks(FORWARD, strikes, T, vol, 1.0, right).vega
    return fit_smile(strikes, vol - half, vol + half, vol, vega, FORWARD, T)


def negative_density(smile: Smile) -> float:
    """Most negative change of the slope of calls over strikes (a probability; zero without arbitrage)."""
    strikes = FORWARD * np.linspace(0.6, 1.4, 500)
    call = black76.price(FORWARD, strikes, T, smile.vol(strikes), 1.0, 1)
    slope = np.diff(call) / np.diff(strikes)
    return float(min(np.diff(slope).min(), 0.0, (slope + 1).min(), (-slope).min()))


@pytest.mark.parametrize(
    ("count", "model"),
    [(1, SmileModel.FLAT), (2, SmileModel.FLAT), (3, SmileModel.SSVI), (7, SmileModel.SSVI),
     (8, SmileModel.MIXTURE), (60, SmileModel.MIXTURE)],
)  # fmt: skip
def test_fewer_quotes_carry_a_simpler_model(count: int, model: SmileModel) -> None:
    strikes = np.linspace(4700, 5200, count)
    smile = fitted(strikes, skew(strikes))
    assert smile.model is model
    assert smile.n_quotes == count
    assert negative_density(smile) > -1e-7


@pytest.mark.parametrize("count", [3, 5, 8, 20, 60])
def test_three_quotes_and_more_follow_the_skew(count: int) -> None:
    strikes = np.linspace(4700, 5200, count)
    smile = fitted(strikes, skew(strikes))
    assert 100 * np.abs(smile.vol(strikes) - skew(strikes)).max() < (1.0 if count < 8 else 0.4)
    assert smile.inside_share >= (0.6 if count < 8 else 1.0)


def test_noise_bends_the_fit_but_never_into_arbitrage() -> None:
    rng = np.random.default_rng(7)
    for count in (4, 9, 30, 120):
        strikes = np.linspace(4400, 5400, count)
        noisy = skew(strikes) + 0.01 * rng.standard_normal(count)
        smile = fitted(strikes, noisy, half=0.01)
        assert negative_density(smile) > -1e-7


def test_one_absurd_quote_does_not_carry_the_smile_with_it() -> None:
    strikes = np.linspace(4500, 5300, 80)
    vol = skew(strikes)
    vol[30] += 0.25
    smile = fitted(strikes, vol)
    others = np.arange(80) != 30
    assert 100 * np.median(np.abs(smile.vol(strikes) - skew(strikes))[others]) < 0.1


def test_quotes_on_one_side_only_still_make_a_smile() -> None:
    strikes = np.linspace(4300, 4900, 30)
    smile = fitted(strikes, skew(strikes))
    assert smile.model is SmileModel.MIXTURE
    assert 100 * np.abs(smile.vol(strikes) - skew(strikes)).max() < 0.4
    assert negative_density(smile) > -1e-7


def test_without_a_usable_quote_the_smile_is_unknown_not_zero() -> None:
    nan = np.full(5, np.nan)
    smile = fit_smile(np.linspace(4800, 5200, 5), nan, nan, nan, np.ones(5), FORWARD, T)
    assert smile.model is SmileModel.UNKNOWN
    assert np.isnan(smile.vol(5000.0))


def test_a_call_skew_as_of_vix_options_is_followed_too() -> None:
    strikes = np.array([13.0, 14, 15, 16, 17, 18, 20, 22, 25, 30, 35, 40])
    vol = 0.8 + 0.5 * np.log(strikes / 16)
    right = np.where(strikes >= 16, 1, -1)
    vega = black76.greeks(16.0, strikes, T, vol, 1.0, right).vega
    smile = fit_smile(strikes, vol - 0.03, vol + 0.03, vol, vega, 16.0, T)
    assert smile.inside_share >= 0.9

"""Surfaces from index levels: they repeat their indices, hold no arbitrage, and their errors are bounded."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate

from hedging.maths import black76, modelled
from hedging.maths.modelled import DAY, LevelSurface, coefficients, spx_surface, vix_surface
from hedging.maths.smile import Smile, SmileModel
from hedging.maths.ssvi import SmileShape, log_contract, theta_from_log_contract

CALM = {"VIX9D": 11.7, "VIX": 13.35, "VIX3M": 15.5}
CRASH = {"VIX9D": 93.0, "VIX": 82.69, "VIX3M": 69.9}
CURVE_CALM = [(m * 30 * DAY, 13.9 + 0.5 * m) for m in range(1, 9)]
CURVE_CRASH = [(m * 30 * DAY, 70.0 * 0.88**m) for m in range(1, 9)]


def made(levels: dict[str, float], curve: list[tuple[float, float]]) -> LevelSurface:
    surface = spx_surface(levels, curve)
    assert surface is not None
    return surface


def smile_of(surface: LevelSurface, days: float) -> Smile:
    found = surface.smile_at(days * DAY, 1.0)
    assert found is not None
    assert found.model is SmileModel.LEVELS
    return found


@pytest.mark.parametrize(("levels", "curve"), [(CALM, CURVE_CALM), (CRASH, CURVE_CRASH)])
def test_the_surface_repeats_the_indices_it_is_made_from(
    levels: dict[str, float], curve: list[tuple[float, float]]
) -> None:
    surface = made(levels, curve)
    for (name, days), ratio in zip(modelled.INDEX_DAYS.items(), coefficients()[0].ratio, strict=True):
        smile = smile_of(surface, days)

        def contribution(k: float, smile: Smile = smile) -> float:
            vol = np.sqrt(smile.total_variance(k) / smile.t)
            return float(black76.price(1.0, np.exp(k), smile.t, vol, 1.0, 1 if k >= 0 else -1)) * np.exp(-k)

        deviation = float(np.sqrt(smile.total_variance(0.0)))
        parts = [(-20, -5), (-5, 0), (0, 5), (5, 12)]
        total = sum(2 * integrate.quad(contribution, a * deviation, b * deviation)[0] for a, b in parts)
        assert 100 * ratio * np.sqrt(total / smile.t) == pytest.approx(levels[name], rel=2e-3)


@pytest.mark.parametrize(("levels", "curve"), [(CALM, CURVE_CALM), (CRASH, CURVE_CRASH), (CALM, [])])
def test_no_butterfly_and_no_calendar_arbitrage_at_any_level(
    levels: dict[str, float], curve: list[tuple[float, float]]
) -> None:
    surface = made(levels, curve)
    last = np.zeros(500)
    k = np.linspace(-1.5, 0.9, 500)
    strikes = np.exp(k)
    for days in (1, 3, 9, 20, 30, 31, 60, 93, 120, 200, 300, 399):
        smile = smile_of(surface, days)
        w = smile.total_variance(k)
        assert np.all(w >= last - 1e-9)
        call = black76.price(1.0, strikes, 1.0, np.sqrt(w), 1.0, 1)
        assert np.diff(np.diff(call) / np.diff(strikes)).min() > -1e-7
        last = w


def test_a_falling_term_structure_never_lets_total_variance_fall() -> None:
    surface = made({"VIX9D": 80.0, "VIX": 40.0, "VIX3M": 20.0}, [])
    assert np.all(np.diff(surface.variances) > 0)


def test_vix_alone_is_enough_and_without_it_nothing_is_said() -> None:
    flat = made({"VIX": 20.0}, [])
    assert float(flat.theta_at(60 * DAY)) > float(flat.theta_at(30 * DAY)) * 1.8
    assert spx_surface({"VIX9D": 20.0}, []) is None
    assert vix_surface(None) is None
    assert flat.smile_at(401 * DAY, 1.0) is None


def test_the_log_contract_is_the_integral_of_its_options() -> None:
    for shape in (SmileShape(-0.65, 2.3, 0.36), SmileShape(0.48, 1.2, 0.5)):
        for theta in (1e-5, 1e-3, 0.04, 0.3):
            k = np.sinh(np.linspace(-6.5, 6.5, 20_001)) * np.sqrt(theta)
            side = np.where(k >= 0, 1.0, -1.0)
            price = black76.price(1.0, np.exp(k), 1.0, np.sqrt(shape.variance(k, theta)), 1.0, side)
            strip = 2.0 * np.trapezoid(price * np.exp(-k), k)
            assert log_contract(shape, np.array([theta]))[0] == pytest.approx(strip, rel=5e-7)


def test_the_log_contract_is_inverted() -> None:
    for shape in (SmileShape(-0.65, 2.3, 0.36), SmileShape(0.48, 1.2, 0.5)):
        theta = np.geomspace(1e-5, 2.0, 30)
        assert theta_from_log_contract(shape, log_contract(shape, theta)) == pytest.approx(theta, rel=2e-3)


def test_vix_smiles_rise_with_the_strike_and_flatten_with_time() -> None:
    surface = vix_surface(90.0)
    assert surface is not None
    near, far = smile_of(surface, 20), smile_of(surface, 150)
    strikes = np.array([0.85, 1.0, 1.3, 2.0])
    assert np.all(np.diff(near.vol(strikes)[1:]) > 0)
    assert near.vol(1.0) > far.vol(1.0) > 0.3


def test_coefficients_carry_their_dates_and_errors() -> None:
    stored = json.loads(Path(modelled.__file__).with_name("surface_coefficients.json").read_text())
    for name in ("spx", "vix"):
        assert stored[name]["first_day"] < stored[name]["last_day"]
        assert stored[name]["quote_times"] >= 10
        assert "closing_levels" in stored[name]["left_out_errors_rmse_mean_count"]


def test_errors_out_of_sample_stay_within_bounds(data_dir: Path) -> None:
    """Shape from four days of April 2019 alone, judged on the closes of 2023 and 2024."""
    from bench import fit_surface

    if not (data_dir / "chains" / "spx_chain_cboe_2019_04.csv.gz").is_file():
        pytest.skip("the chains of 2019 are absent")
    early = list(fit_surface.read_days(data_dir, fit_surface.SPX_FILES[:1], 2.0, 20))
    late = list(fit_surface.read_days(data_dir, fit_surface.SPX_FILES[2:], 2.0, 20))
    fit = fit_surface.fit_spx(early)
    figures = fit_surface.table(
        late, [fit_surface.errors(d, fit_surface.printed_surface(d, fit)) for d in late]
    )
    month = figures["21-60 days"]
    assert {name: month[name][0] < 2.5 for name in month} == dict.fromkeys(month, True)
    assert month["ATM"][0] < 1.6

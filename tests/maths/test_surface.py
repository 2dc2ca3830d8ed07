"""Smiles across expiries: crossings are lifted, gaps are blended, nothing is arbitraged."""

from __future__ import annotations

import numpy as np
import pytest

from hedging.maths import black76
from hedging.maths.smile import Smile, SmileModel, smile_from_variance, unknown_smile
from hedging.maths.ssvi import SmileShape
from hedging.maths.surface import build_surface

FLAT = SmileShape(-0.5, 1.2, 0.4)
STEEP = SmileShape(-0.8, 1.6, 0.4)
GRID = np.linspace(-1.5, 1.0, 400)


def smile(days: float, vol: float, shape: SmileShape = FLAT, quotes: int = 50) -> Smile:
    t = days / 365
    k = np.linspace(-6, 5, 200) * vol * np.sqrt(t)
    return smile_from_variance(
        100.0, t, SmileModel.MIXTURE, k, shape.variance(k, vol**2 * t), n_quotes=quotes
    )


def slope_steps(found: Smile) -> float:
    strikes = np.exp(GRID)
    call = black76.price(1.0, strikes, found.t, np.sqrt(found.total_variance(GRID) / found.t), 1.0, 1)
    return float(np.diff(np.diff(call) / np.diff(strikes)).min())


def test_a_later_smile_below_an_earlier_one_is_lifted_to_it() -> None:
    early, late = smile(30, 0.20, STEEP), smile(37, 0.19)
    surface = build_surface([late, early])
    assert [s.t for s in surface.smiles] == [early.t, late.t]
    lifted = surface.smiles[1].total_variance(GRID)
    assert np.all(lifted >= early.total_variance(GRID))
    assert lifted == pytest.approx(np.maximum(early.total_variance(GRID), late.total_variance(GRID)))
    assert surface.lifted[0] == 0.0
    assert surface.lifted[1] > 0.0


def test_lifting_brings_no_butterfly_arbitrage() -> None:
    surface = build_surface(
        [smile(30, 0.20, STEEP), smile(37, 0.19), smile(44, 0.17, STEEP), smile(60, 0.18)]
    )
    assert min(slope_steps(found) for found in surface.smiles) > -1e-7


def test_order_is_kept_through_several_expiries() -> None:
    vols = (0.30, 0.22, 0.21, 0.16, 0.19, 0.18)
    shapes = (STEEP, FLAT) * 3
    surface = build_surface(
        smile(20 + 7 * i, v, s) for i, (v, s) in enumerate(zip(vols, shapes, strict=True))
    )
    w = np.array([found.total_variance(GRID) for found in surface.smiles])
    assert np.diff(w, axis=0).min() >= 0.0


def test_smiles_that_do_not_cross_stay_as_fitted() -> None:
    early, late = smile(30, 0.20), smile(60, 0.20)
    surface = build_surface([early, late])
    assert surface.lifted == (0.0, 0.0)
    assert surface.smiles == (early, late)


def test_vix_smiles_are_left_as_they_are() -> None:
    early, late = smile(30, 1.2), smile(60, 0.6)
    assert build_surface([early, late], lift=False).smiles == (early, late)


def test_between_expiries_nothing_is_arbitraged_and_the_money_is_linear_in_variance() -> None:
    early, late = smile(30, 0.22, STEEP), smile(60, 0.19)
    surface = build_surface([early, late])
    last = surface.smiles[0].total_variance(GRID)
    for days in (31, 40, 50, 59):
        found = surface.smile_at(days / 365, 100.0)
        assert found is not None
        assert found.model is SmileModel.INTERPOLATED
        assert slope_steps(found) > -1e-7
        inner = np.abs(GRID) < 0.35
        # the spline through a crossing is off by less than 0.001 vol points
        assert np.all(found.total_variance(GRID)[inner] >= last[inner] - 1e-6)
        share = (days - 30) / 30
        ends = [float(s.total_variance(0.0)) for s in surface.smiles]
        assert float(found.total_variance(0.0)) == pytest.approx(
            ends[0] + share * (ends[1] - ends[0]), rel=1e-5
        )
        last = found.total_variance(GRID)


def test_before_the_first_and_after_the_last_expiry_the_money_keeps_its_volatility() -> None:
    surface = build_surface([smile(30, 0.22), smile(60, 0.20)])
    assert surface.at_the_money(3 / 365) == pytest.approx(0.22, abs=1e-6)
    assert surface.at_the_money(90 / 365) == pytest.approx(0.20, abs=1e-6)
    near, first = surface.smile_at(3 / 365, 100.0), surface.smiles[0]
    assert near is not None
    assert np.all(near.total_variance(GRID) <= first.total_variance(GRID) + 1e-12)
    assert slope_steps(near) > -1e-7


def test_at_a_fitted_time_the_fitted_smile_answers_on_the_asked_forward() -> None:
    surface = build_surface([smile(30, 0.22), smile(60, 0.20)])
    found = surface.smile_at(30 / 365, 120.0)
    assert found is not None
    assert found.vol(120.0) == pytest.approx(surface.smiles[0].vol(100.0))


def test_unknown_smiles_make_no_surface() -> None:
    surface = build_surface([unknown_smile(100.0, 0.1)])
    assert surface.smiles == ()
    assert surface.smile_at(0.1, 100.0) is None
    assert np.isnan(surface.at_the_money(0.1))


def test_of_two_smiles_of_one_moment_the_better_quoted_stays() -> None:
    poor, good = smile(30, 0.25, quotes=9), smile(30, 0.20, quotes=90)
    assert build_surface([poor, good]).smiles == (good,)

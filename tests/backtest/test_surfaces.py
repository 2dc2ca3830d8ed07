"""The arrays of all sessions against the single-day model they repeat."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from hedging.maths.modelled import spx_surface, vix_surface
from tests.backtest.worlds import history, surfaces

FALL = date(2015, 3, 30)


@pytest.mark.parametrize("day", [date(2015, 1, 9), date(2015, 4, 2)])
def test_smiles_are_those_of_the_single_day_model(day: date) -> None:
    world, stored = surfaces(fall_from=FALL), history(fall_from=FALL)
    row = np.array([int(np.searchsorted(world.days, np.datetime64(day)))])
    curve = [
        (((p.expiry - day).days - 6.5 / 24) / 365, p.settle) for p in stored.vx.curve(day) if p.settle > 0
    ]
    vix = float(world.vix[row[0]])
    model = spx_surface({"VIX9D": vix - 1, "VIX": vix, "VIX3M": vix + 1}, curve)
    assert model is not None
    for days in (10.0, 45.0, 150.0):
        forward = float(world.spx_slice(row, np.array([days]), np.array([2000.0]))[0][0, 0])
        strikes = forward * np.array([0.85, 0.95, 1.0, 1.06])
        smile = model.smile_at(days / 365, forward)
        assert smile is not None
        vol = world.spx_slice(row, np.array([days]), strikes)[3][0]
        np.testing.assert_allclose(vol * 100, smile.vol(strikes) * 100, atol=0.15)


def test_vix_smiles_stand_on_the_future_of_their_own_expiry() -> None:
    world = surfaces()
    row = np.array([20])
    model = vix_surface(float(world.vvix[20]))
    assert model is not None
    column = int(np.flatnonzero(np.isfinite(world.vx[20]))[1])
    future = float(world.vx[20, column])
    strikes = future * np.array([0.9, 1.0, 1.4])
    forward, years, _, vol = world.vix_slice(row, column, strikes)
    assert forward[0, 0] == future
    smile = model.smile_at(float(years[0, 0]), future)
    assert smile is not None
    np.testing.assert_allclose(vol[0] * 100, smile.vol(strikes) * 100, atol=0.5)


def test_nothing_settles_on_a_holiday_and_fridays_wait_for_2012() -> None:
    world = surfaces()
    assert set(world.spx_expiries[world.spx_expiries <= world.days[-1]]) <= set(world.days)
    assert world.monthly.sum() < len(world.monthly) / 3

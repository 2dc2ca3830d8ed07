"""The NumPy path: the contract notes' cases, its edges, and what it does not import."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hedging.maths import black76
from hedging.maths.types import Right

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

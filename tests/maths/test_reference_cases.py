"""Every published reference case, and the 50- and 60-digit ones, by both paths."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hedging.maths.black76 import Greeks
from tests.maths import paths
from tests.maths.reference import column, rights, rows

Table = list[dict[str, str]]


def _of(greeks: paths.Path, table: Table, spot: str = "spot", *, ds: float = 0.0, dv: float = 0.0) -> Greeks:
    s, k, t, v, r, q = (column(table, name) for name in (spot, "strike", "t", "vol", "r", "q"))
    return greeks(s + ds, k, t, v + dv, r, q, rights(table))


@paths.on_spot
def test_haug_prices(data_dir: Path, greeks: paths.Path) -> None:
    table = rows(data_dir, "haug_bsm_prices.csv")
    assert len(table) > 30
    assert np.all(np.abs(_of(greeks, table).price - column(table, "price")) <= column(table, "tol"))


@paths.on_spot
def test_haug_greeks(data_dir: Path, greeks: paths.Path) -> None:
    table = rows(data_dir, "haug_greeks.csv")
    ours = _of(greeks, table)
    spot, t = column(table, "spot"), column(table, "t")
    # speed and zomma are slopes of gamma, which the kernel gives
    speed = (_of(greeks, table, ds=1e-3).gamma - _of(greeks, table, ds=-1e-3).gamma) / 2e-3
    zomma = (_of(greeks, table, dv=1e-5).gamma - _of(greeks, table, dv=-1e-5).gamma) / 2e-5
    shown = ours._asdict() | {
        "speed": speed,
        "zomma": zomma,
        "theta_per_day": ours.theta / 365,
        "elasticity": ours.delta * spot / ours.price,
        # dividend rho at a fixed spot: -T S e^{-qT} N(±d1) with the sign of the right
        "dividend_rho": -t * spot * ours.delta,
    }
    assert len(table) == 22
    for i, row in enumerate(table):
        assert shown[row["greek"]][i] == pytest.approx(float(row["value"]), abs=float(row["tol"])), row


@paths.on_spot
def test_hull_examples(data_dir: Path, greeks: paths.Path) -> None:
    table = rows(data_dir, "hull_examples.csv")
    ours = _of(greeks, table, "spot_or_future")
    for i, row in enumerate(table):
        got = getattr(ours, row["quantity"])[i]
        assert got == pytest.approx(float(row["value"]), abs=float(row["tol"])), row


@paths.on_spot
def test_fifty_digit_spx_greeks(data_dir: Path, greeks: paths.Path) -> None:
    table = rows(data_dir, "OWN_mpmath50_spx_greeks.csv")
    assert len(table) == 500
    ours = _of(greeks, table, "spot_or_future")
    for name in Greeks._fields:
        expected = column(table, name)
        assert np.abs(getattr(ours, name) - expected).max() < 1e-13 * np.abs(expected).max(), name


@paths.solvers
def test_sixty_digit_vix_vols(data_dir: Path, solve) -> None:
    table = rows(data_dir, "OWN_mpmath60_vix_iv.csv")
    assert len(table) == 500
    t = column(table, "t")
    discount = np.exp(-column(table, "r") * t)
    got = solve(
        column(table, "price"),
        column(table, "spot_or_future"),
        column(table, "strike"),
        t,
        discount,
        rights(table),
    )
    assert np.abs(got - column(table, "vol")).max() < 1e-13

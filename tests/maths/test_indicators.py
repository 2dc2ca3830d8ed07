"""Indicators against TA-Lib, a published table and second implementations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import talib
from hypothesis import given
from hypothesis import strategies as st

from hedging.maths import indicators
from tests.examples import examples
from tests.maths.reference import column, rows

TOLERANCE = 1e-9


def walk(size: int = 3000, seed: int = 7) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 100 * np.exp(np.cumsum(0.01 * rng.standard_normal(size)))


def same(ours: np.ndarray, theirs: np.ndarray, first: int) -> None:
    assert np.isnan(theirs[:first]).all()
    assert not np.isnan(theirs[first:]).any()
    assert np.abs(ours[first:] - theirs[first:]).max() < TOLERANCE


@pytest.mark.parametrize("period", [2, 5, 14, 30])
def test_rsi_equals_ta_lib(period: int) -> None:
    close = walk()
    ours = indicators.rsi(close, period)
    same(ours, talib.RSI(close, period), period)
    assert np.isnan(ours[:period]).all()


@pytest.mark.parametrize("period", [2, 10, 21, 200])
def test_ema_equals_ta_lib(period: int) -> None:
    close = walk()
    same(indicators.ema(close, period), talib.EMA(close, period), period - 1)


@pytest.mark.parametrize("periods", [(12, 26, 9), (5, 35, 5), (3, 10, 16)])
def test_macd_equals_ta_lib(periods: tuple[int, int, int]) -> None:
    close = walk()
    for ours, theirs in zip(indicators.macd(close, *periods), talib.MACD(close, *periods), strict=True):
        same(ours, theirs, periods[1] + periods[2] - 2)


def test_rsi_of_the_stockcharts_table(data_dir: Path) -> None:
    table = rows(data_dir, "rsi14_stockcharts.csv")
    ours = indicators.rsi(column(table, "close"), 14)
    printed = [row["rsi14"] for row in table]
    assert printed[:14] == [""] * 14
    # Closes are printed to four decimals, RSI to two.
    assert np.abs(ours[14:] - np.array(printed[14:], dtype=float)).max() < 0.02


def test_rsi_of_real_closes_equals_ta_lib(data_dir: Path) -> None:
    closes = np.loadtxt(data_dir / "market" / "vix_daily.csv", delimiter=",", skiprows=1, usecols=4)
    same(indicators.rsi(closes), talib.RSI(closes, 14), 14)


def test_rsi_of_a_series_that_never_moves_is_unknown_and_one_that_only_rises_is_100() -> None:
    assert np.isnan(indicators.rsi(np.full(40, 20.0))).all()
    assert indicators.rsi(np.arange(1.0, 41.0))[14:] == pytest.approx(100)
    assert indicators.rsi(np.arange(40.0, 0.0, -1.0))[14:] == pytest.approx(0)


def test_realized_vol_equals_the_sum_written_out() -> None:
    close = walk(60)
    for period in (5, 10, 20):
        ours = indicators.realized_vol(close, period)
        for i in range(period, 60):
            squares = [np.log(close[j] / close[j - 1]) ** 2 for j in range(i - period + 1, i + 1)]
            assert ours[i] == pytest.approx(100 * np.sqrt(252 / period * sum(squares)), rel=1e-12)
        assert np.isnan(ours[:period]).all()


def bars(size: int = 2000, steps: int = 800, sigma: float = 0.2, seed: int = 3) -> tuple[np.ndarray, ...]:
    """Days of a walk watched ``steps`` times a day, a quarter of the variance overnight."""
    rng = np.random.default_rng(seed)
    night = sigma * np.sqrt(0.25 / 252) * rng.standard_normal(size)
    moves = sigma * np.sqrt(0.75 / 252 / steps) * rng.standard_normal((size, steps))
    inside = np.cumsum(moves, axis=1)
    start = np.concatenate([[0.0], np.cumsum(night + inside[:, -1])[:-1]]) + night
    path = np.concatenate([start[:, None], start[:, None] + inside], axis=1)
    return tuple(np.exp(x) for x in (path[:, 0], path.max(axis=1), path.min(axis=1), path[:, -1]))


def test_yang_zhang_equals_the_paper_written_out_for_one_window() -> None:
    o, h, low, c = (np.log(x) for x in bars(30))
    n, i = 20, 25
    window = range(i - n + 1, i + 1)
    nights = [o[j] - c[j - 1] for j in window]
    days = [c[j] - o[j] for j in window]
    satchell = sum((h[j] - c[j]) * (h[j] - o[j]) + (low[j] - c[j]) * (low[j] - o[j]) for j in window) / n
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    variance = np.var(nights, ddof=1) + k * np.var(days, ddof=1) + (1 - k) * satchell
    ours = indicators.yang_zhang(*bars(30), n)
    assert ours[i] == pytest.approx(100 * np.sqrt(252 * variance), rel=1e-12)


def test_yang_zhang_finds_the_volatility_of_a_simulated_walk() -> None:
    found = indicators.yang_zhang(*bars(), 20)
    # A path watched at intervals misses the extremes, so it reads a little low.
    assert np.sqrt(np.nanmean(found**2)) == pytest.approx(20, rel=0.05)
    assert np.nanstd(found) < np.nanstd(indicators.realized_vol(bars()[3], 20))


def test_a_bar_whose_open_repeats_the_close_before_makes_its_windows_unknown() -> None:
    o, h, low, c = bars(80)
    o[40], h[40] = c[39], max(h[40], c[39])
    low[40] = min(low[40], c[39])
    found = indicators.yang_zhang(o, h, low, c, 10)
    assert np.isfinite(found[39])
    assert np.isnan(found[40:50]).all()
    assert np.isfinite(found[50])


def test_z_score_percentile_quantile_drawdown_and_highs_on_small_series() -> None:
    x = np.array([1.0, 2.0, 3.0, 4.0, 2.0])
    assert indicators.z_score(x, 3)[2:] == pytest.approx([1, 1, -1])
    assert np.isnan(indicators.z_score(np.full(5, 2.0), 3)).all()
    assert indicators.percentile_rank(x, 3)[2:] == pytest.approx([1, 1, 1 / 3])
    assert indicators.rolling_quantile(x, 3, 0.5)[2:] == pytest.approx([2, 3, 3])
    assert indicators.drawdown(x) == pytest.approx([0, 0, 0, 0, -0.5])
    assert indicators.sessions_since_high(x, 3)[2:] == pytest.approx([0, 0, 1])
    assert indicators.change(x, 2)[2:] == pytest.approx([2, 1, -1 / 3])


def test_rolling_quantile_equals_numpy() -> None:
    x = walk(400)
    ours = indicators.rolling_quantile(x, 252, 0.9)
    for i in (251, 300, 399):
        assert ours[i] == pytest.approx(np.quantile(x[i - 251 : i + 1], 0.9), rel=1e-12)


@pytest.mark.parametrize("bad", [np.array([1.0, np.nan, 2.0]), np.array([1.0, np.inf]), np.ones((3, 3))])
def test_gaps_and_tables_are_refused(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="an indicator reads"):
        indicators.rsi(bad)


def test_short_series_are_all_unknown() -> None:
    for formula in (
        indicators.rsi,
        lambda x: indicators.ema(x, 14),
        lambda x: indicators.macd(x)[2],
        lambda x: indicators.realized_vol(x, 5),
        lambda x: indicators.z_score(x, 9),
        lambda x: indicators.change(x, 9),
    ):
        for size in (0, 1, 3):
            assert np.isnan(formula(np.arange(1.0, size + 1))).all()


FORMULAS = {
    "rsi": indicators.rsi,
    "ema": lambda x: indicators.ema(x, 10),
    "macd": lambda x: indicators.macd(x)[2],
    "rv": lambda x: indicators.realized_vol(x, 10),
    "z": lambda x: indicators.z_score(x, 20),
    "rank": lambda x: indicators.percentile_rank(x, 20),
    "quantile": lambda x: indicators.rolling_quantile(x, 20, 0.9),
    "high": lambda x: indicators.sessions_since_high(x, 20),
    "drawdown": indicators.drawdown,
}


@pytest.mark.parametrize("name", FORMULAS)
@given(cut=st.integers(1, 119), seed=st.integers(0, 50), factor=st.floats(0.2, 5))
@examples(25)
def test_no_indicator_sees_the_future(name: str, cut: int, seed: int, factor: float) -> None:
    x = walk(120, seed)
    changed = x.copy()
    changed[cut:] *= factor
    before, after = FORMULAS[name](x)[:cut], FORMULAS[name](changed)[:cut]
    np.testing.assert_array_equal(before, after)

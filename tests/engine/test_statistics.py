"""Statistics of trades and returns: tables by hand, and the same numbers by another route."""

from __future__ import annotations

import statistics as stdlib
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.engine.results.performance import (
    market_fit,
    months,
    performance,
    session_returns,
    underwater,
    worst_fall,
)
from hedging.engine.results.statistics import (
    TradeOutcome,
    breakdown,
    dte_bucket,
    excursions,
    figures,
    streaks,
    vix_bucket,
    wilson,
)

START = date(2026, 1, 5)


def outcome(at: int, pnl: float, **values) -> TradeOutcome:
    day = START + timedelta(days=at)
    given_ = {"strategy": "Iron condor", "opened": day, "closed": day + timedelta(days=20), **values}
    return TradeOutcome(key=f"{at:04}", label=f"trade {at}", pnl=pnl, **given_)


TABLE = [outcome(at, pnl) for at, pnl in enumerate([200, 300, -400, 100, -100, -250, 0, 50])]


def test_a_group_by_hand() -> None:
    got = figures("all", TABLE)
    assert (got.count, got.wins, got.losses, got.total) == (8, 4, 3, -100)
    assert got.win_rate == 0.5
    assert got.expectancy == -12.5
    assert got.average_win == 162.5
    assert got.average_loss == -250
    assert got.profit_factor == pytest.approx(650 / 750)
    assert (got.win_streak, got.loss_streak, got.current_streak) == (2, 2, 1)
    assert got.days_held == 20
    assert not got.enough
    assert got.expectancy_interval is None


def test_order_of_closing_decides_streaks_not_the_order_given() -> None:
    assert figures("all", TABLE[::-1]) == figures("all", TABLE)


def test_an_empty_group_is_unknown_not_zero() -> None:
    got = figures("none", [])
    assert got.count == 0
    assert (got.win_rate, got.expectancy, got.profit_factor, got.capture, got.mae) == (None,) * 5


def test_without_losses_there_is_no_profit_factor() -> None:
    assert figures("won", [outcome(0, 5.0)]).profit_factor is None


def test_capture_is_weighted_by_dollars_and_says_on_how_many() -> None:
    rows = [outcome(0, 500, max_profit=1000), outcome(1, -100, max_profit=100), outcome(2, 900)]
    got = figures("all", rows)
    assert got.capture == pytest.approx(400 / 1100)
    assert got.capture_count == 2


def test_wilson_agrees_with_the_published_interval() -> None:
    """15 of 50 at 90%: (0.2059, 0.4143) in tables of the score interval."""
    got = wilson(15, 50)
    assert got is not None
    share, z, n = 0.3, 1.6448536269514722, 50
    roots = np.roots([1 + z * z / n, -(2 * share + z * z / n), share * share])
    assert (got.low, got.high) == pytest.approx(tuple(sorted(roots)), abs=1e-12)
    assert wilson(0, 0) is None


@given(st.lists(st.integers(-3, 3), max_size=40))
def test_streaks_equal_runs_counted_by_signs(pnls: list[int]) -> None:
    signs = "".join("+" if p > 0 else "-" if p < 0 else "0" for p in pnls)
    best = max((len(run) for run in signs.replace("-", " ").replace("0", " ").split()), default=0)
    worst = max((len(run) for run in signs.replace("+", " ").replace("0", " ").split()), default=0)
    assert streaks(pnls)[:2] == (best, worst)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30))
def test_groups_add_up_to_the_whole(pnls: list[float]) -> None:
    rows = [outcome(at, pnl) for at, pnl in enumerate(pnls)]
    parts = breakdown(rows, "weekday")
    assert sum(part.count for part in parts) == len(rows)
    assert sum(part.wins for part in parts) == figures("all", rows).wins


def test_buckets_and_their_order() -> None:
    assert [dte_bucket(d) for d in (0, 7, 8, 45, 90, 91, None)] == [
        "0-7 days", "0-7 days", "8-21 days", "36-50 days", "51-90 days", "over 90 days", "unknown",
    ]  # fmt: skip
    assert [vix_bucket(v) for v in (12.99, 13.0, 29.9, 30.0, None)] == [
        "VIX below 13", "VIX 13-16", "VIX 25-30", "VIX 30 and above", "unknown",
    ]  # fmt: skip
    rows = [outcome(0, 1, vix=31.0), outcome(1, 1), outcome(2, 1, vix=12.0)]
    assert [g.name for g in breakdown(rows, "vix")] == ["VIX below 13", "VIX 30 and above", "unknown"]


def test_a_trade_with_two_tags_stands_in_both() -> None:
    rows = [outcome(0, 10, tags=("a", "b")), outcome(1, -5)]
    assert {g.name: g.total for g in breakdown(rows, "tag")} == {"a": 10, "b": 10, "no tag": -5}


def test_excursions_never_pass_the_entry() -> None:
    assert excursions([50.0, 20.0]) == (0.0, 50.0)
    assert excursions([-5.0, -1.0]) == (-5.0, 0.0)
    assert excursions([]) is None


# -- returns


def sessions(count: int) -> list[date]:
    return [d.date() for d in pd.bdate_range(START, periods=count)]


def test_flows_are_no_return() -> None:
    """100 grows to 110, 100 come in, then 210 grow to 231: 10% twice."""
    got = session_returns([10.0, 0.0, 21.0], [110.0, 210.0, 231.0])
    assert got == pytest.approx([0.10, 0.0, 0.10])
    assert np.isnan(session_returns([5.0], [5.0])).all()


def test_returns_agree_with_the_capital_engines_time_weighting() -> None:
    from hedging.engine.results.capital import time_weighted

    rng = np.random.default_rng(3)
    gain, flow = rng.normal(0, 50, 80), np.where(rng.random(80) < 0.1, 500.0, 0.0)
    equity = 10_000 + np.cumsum(gain + flow)
    whole = float(np.prod(1 + session_returns(gain, equity))) - 1
    assert whole == pytest.approx(time_weighted([10_000, *equity], [0, *flow]), abs=1e-12)


def test_drawdown_by_hand() -> None:
    days = sessions(6)
    returns = [0.10, -0.20, 0.05, 0.30, -0.01, 0.0]
    assert underwater(returns) == pytest.approx([0, -0.2, -0.16, 0, -0.01, -0.01])
    got = worst_fall(days, returns)
    assert got is not None
    assert got.depth == pytest.approx(0.2)
    assert (got.peak, got.trough, got.recovered, got.longest) == (days[0], days[1], days[3], 2)


def test_a_fall_from_the_first_session_has_no_peak_and_an_open_one_no_recovery() -> None:
    got = worst_fall(sessions(2), [-0.1, 0.01])
    assert got is not None
    assert (got.peak, got.recovered, got.longest) == (None, None, 2)
    assert worst_fall(sessions(2), [0.1, 0.0]) is None


def test_ratios_agree_with_a_plain_computation() -> None:
    rng = np.random.default_rng(8)
    returns, bills = rng.normal(0.0006, 0.008, 300), 0.04
    got = performance(sessions(300), returns, bills)
    excess = [float(r) - bills / 252 for r in returns]
    down = (sum(min(e, 0.0) ** 2 for e in excess) / 300) ** 0.5
    assert got.sharpe == pytest.approx(stdlib.mean(excess) / stdlib.stdev(excess) * 252**0.5)
    assert got.sortino == pytest.approx(stdlib.mean(excess) / down * 252**0.5)
    assert got.annual == pytest.approx((1 + got.total) ** (252 / 300) - 1)
    assert got.sharpe_interval is not None
    assert got.sharpe_interval.low < got.sharpe < got.sharpe_interval.high


def test_a_young_account_has_no_ratios() -> None:
    got = performance(sessions(59), [0.001] * 59)
    assert not got.enough
    assert (got.sharpe, got.sortino, got.annual, got.volatility) == (None,) * 4
    assert got.total == pytest.approx(1.001**59 - 1)
    assert performance([], []).sessions == 0


def test_months_compound_and_agree_with_pandas() -> None:
    days, returns = sessions(90), np.random.default_rng(1).normal(0, 0.01, 90)
    wanted = (1 + pd.Series(returns, index=pd.DatetimeIndex(days))).resample("ME").prod() - 1
    got = months(days, returns)
    assert [m.value for m in got] == pytest.approx(list(wanted))
    assert sum(m.sessions for m in got) == 90


def test_market_fit_agrees_with_least_squares() -> None:
    rng = np.random.default_rng(2)
    market, free = rng.normal(0.0004, 0.01, 252), np.full(252, 0.03)
    own = 0.0002 + 0.4 * market + rng.normal(0, 0.004, 252)
    got = market_fit(sessions(252), own, market, free)
    assert got is not None
    design = np.column_stack([np.ones(252), market - 0.03 / 252])
    (alpha, beta), rest, *_ = np.linalg.lstsq(design, own - 0.03 / 252, rcond=None)
    errors = np.sqrt(np.diag(np.linalg.inv(design.T @ design)) * rest[0] / 250)
    assert (got.alpha / 252, got.beta) == pytest.approx((alpha, beta))
    assert (got.alpha_error / 252, got.beta_error) == pytest.approx(tuple(errors))
    assert market_fit(sessions(59), own[:59], market[:59], free[:59]) is None
    assert market_fit(sessions(100), own[:100], np.zeros(100) + 0.03 / 252, free[:100]) is None

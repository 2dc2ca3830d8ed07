"""What holds on every day of every run."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from hedging.engine.backtest.figures import claims_of, report_of
from hedging.engine.backtest.run import run
from hedging.engine.backtest.surfaces import surfaces_of
from hedging.engine.backtest.types import BacktestError, Costs, Exits, Hedge, Settings
from tests.backtest.worlds import FIRST, LAST, history, layer, plan, ran, settings, surfaces

FALL = date(2015, 3, 30)


def rolling() -> object:
    return plan(layer(roll_days=7), layer(3, dte=120, window=(80, 170), delta=0.25), max_open=3)


@pytest.mark.parametrize("hedge", list(Hedge))
@pytest.mark.parametrize("exits", list(Exits))
def test_equity_is_cash_and_marks_and_changes_by_the_days_parts(hedge: Hedge, exits: Exits) -> None:
    world = surfaces(fall_from=FALL, rate=0.03)
    result = ran(world, rolling(), hedge=hedge, exits=exits, costs=Costs())  # type: ignore[arg-type]  # a plan
    np.testing.assert_allclose(result.equity, result.cash + result.core + result.marks, atol=1e-6)
    change = np.diff(result.equity, prepend=result.settings.capital)
    np.testing.assert_allclose(change, result.pnl.sum(axis=1), atol=1e-6)
    booked = sum(trade.pnl for trade in result.trades)
    assert booked + result.pnl[:, 6].sum() == pytest.approx(result.equity[-1] - 1_000_000, abs=1e-6)


def test_no_day_before_a_cut_depends_on_what_came_after_it() -> None:
    whole = history(fall_from=FALL)
    cut = date(2015, 4, 10)
    rules = rolling()
    full = run(surfaces_of(whole), rules, settings(costs=Costs()))  # type: ignore[arg-type]  # a plan
    part = surfaces_of(whole.known_at(cut))
    n = len(part)
    shorter = replace(
        rules, may_open=rules.may_open[:n], collapsed=rules.collapsed[:n],  # type: ignore[type-var, attr-defined]  # a plan
        layers=tuple(replace(one, gate=one.gate[:n]) for one in rules.layers),  # type: ignore[attr-defined]  # a plan
    )  # fmt: skip
    early = run(part, shorter, settings(last=cut, costs=Costs()))  # type: ignore[arg-type]  # a plan
    # The cut run opens nothing on its last close, which has no next one.
    np.testing.assert_allclose(early.equity[:-1], full.equity[: n - 1], rtol=1e-12)


def test_without_a_hedge_the_condors_stand_alone() -> None:
    world = surfaces(fall_from=FALL)
    off = ran(world, plan(layer(), max_open=3), hedge=Hedge.OFF)
    alone = ran(world, plan(max_open=3))
    np.testing.assert_array_equal(off.equity, alone.equity)
    assert off.trades == alone.trades
    np.testing.assert_allclose(off.equity, off.bare_equity)


def test_the_same_run_gives_the_same_report() -> None:
    first, second = (report_of(ran(surfaces(fall_from=FALL)), draws=200) for _ in range(2))
    assert first == second


def test_cmp_a_permanent_hedge_is_never_sold_before_expiry_and_locks_money() -> None:
    rules = plan(layer(roll_days=7), max_open=3)
    free = ran(rules=rules)
    held = ran(rules=rules, hedge=Hedge.PERMANENT)
    assert any(trade.why == "roll" for trade in free.trades)
    assert {trade.why for trade in held.trades if trade.part} <= {"expiry", "open"}
    assert held.locked[-1] > 0 == free.locked[-1]
    assert held.unwind_days > 1 >= free.unwind_days


def test_a_margin_beyond_equity_closes_everything() -> None:
    world = surfaces(fall_from=date(2015, 2, 9))
    result = ran(world, plan(size=3.0, margin=1.0))
    assert result.forced
    assert any(trade.why == "forced" for trade in result.trades)


def test_half_a_year_is_not_enough_for_the_claims_on_years() -> None:
    verdicts = {one.claim.key: one.verdict.value for one in claims_of(ran(), draws=200)}
    assert verdicts["drawdown_cut"] == verdicts["net_credit_months"] == "not enough data"


@pytest.mark.parametrize(
    ("changes", "told"),
    [({"last": date(2014, 1, 1)}, "before it begins"), ({"capital": 5.0}, "capital"), ({"delay": 2}, "delay"),
     ({"costs": Costs(fee=-1)}, "costs")],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused(changes: dict[str, object], told: str) -> None:
    with pytest.raises(BacktestError, match=told):
        replace(Settings(FIRST, LAST), **changes)  # type: ignore[arg-type]  # named fields


def test_a_range_without_sessions_is_told() -> None:
    with pytest.raises(BacktestError, match="fewer than two sessions"):
        ran(first=date(2020, 1, 1), last=date(2020, 2, 1))

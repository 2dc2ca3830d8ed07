"""What is absent, old or not yet public is unknown and says why; nothing sees the future."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.engine.history.folder import history_from_folder
from hedging.engine.history.series import MarketHistory, S
from hedging.engine.signals.compute import compute_signals
from hedging.engine.signals.frame import SignalFrame
from hedging.engine.signals.types import Regime, SignalKey, SignalState
from tests.engine.signals.cases import calm_market, closes, history, no_curve, series, weekdays
from tests.examples import examples


@pytest.fixture(scope="module")
def real(data_dir: Path) -> MarketHistory:
    return history_from_folder(data_dir / "market")


@pytest.fixture(scope="module")
def frame(real: MarketHistory) -> SignalFrame:
    return compute_signals(real)


def test_every_key_is_there_even_without_any_data() -> None:
    seen = compute_signals(history()).day(date(2020, 1, 2))
    assert set(seen.signals) == set(SignalKey)
    assert all(s.state is SignalState.UNKNOWN and s.value is None for s in seen.signals.values())
    assert all(s.reason for s in seen.signals.values())
    assert seen.regime.regime is Regime.UNKNOWN
    assert seen.regime.reasons


def test_series_nobody_supplied_are_unknown_and_not_off() -> None:
    seen = compute_signals(calm_market()).day(date(2020, 3, 2))
    for key in (
        SignalKey.PCF_DIVERGENCE,
        SignalKey.CAP_BREADTH,
        SignalKey.PE_DIVERGENCE,
        SignalKey.REIT_STRESS,
        SignalKey.SPX_SPREAD,
        SignalKey.FOREIGN_DIFFERENTIAL,
        SignalKey.QUICK_RATIO,
        SignalKey.BACKWARDATION,
    ):
        assert seen.on(key) is None, key
        assert seen.signals[key].reason


@pytest.mark.parametrize("symbol", [S.PCF, S.CAP_BREADTH])
def test_a_supplied_series_is_read(symbol: str) -> None:
    days = weekdays(200)
    market = history(
        series(S.SPX, days, closes(200)),
        series(S.VIX, days, [15.0] * 200),
        series(symbol, days, np.linspace(20, 10, 200)),
    )
    key = SignalKey.PCF_DIVERGENCE if symbol == S.PCF else SignalKey.CAP_BREADTH
    seen = compute_signals(market).day(days[-1].item())
    assert seen.on(key) is True
    assert seen.signals[key].value == pytest.approx(100 * (10 / np.linspace(20, 10, 200)[136] - 1))


def test_a_value_is_carried_for_days_marked_stale_and_then_unknown() -> None:
    days = weekdays(40)
    vix = np.delete(np.arange(40), range(30, 38))
    market = history(series(S.SPX, days, closes(40)), series(S.VIX, days[vix], np.full(32, 25.0)))
    frame = compute_signals(market)
    carried = frame.day(days[31].item()).signals[SignalKey.VIX]
    assert carried.value == 25
    assert carried.stale
    assert carried.as_of == days[29].item()
    assert "days old" in carried.reason
    lost = frame.day(days[37].item()).signals[SignalKey.VIX]
    assert lost.state is SignalState.UNKNOWN
    assert lost.value is None
    assert lost.as_of == days[29].item()
    again = frame.day(days[39].item()).signals[SignalKey.VIX]
    assert again.state is SignalState.ON
    assert again.since == days[38].item(), "an unknown stretch ends a run"


def test_since_is_the_first_day_of_the_run() -> None:
    days = weekdays(40)
    vix = np.r_[np.full(25, 15.0), np.full(15, 25.0)]
    frame = compute_signals(history(series(S.SPX, days, closes(40)), series(S.VIX, days, vix)))
    assert frame.day(days[24].item()).signals[SignalKey.VIX].since == days[0].item()
    assert frame.day(days[39].item()).signals[SignalKey.VIX].since == days[25].item()


def test_after_the_last_close_values_age_and_then_become_unknown() -> None:
    days = weekdays(300)
    last = days[-1].item()
    frame = compute_signals(calm_market(300))
    near = frame.day(last + timedelta(days=3))
    assert near.signals[SignalKey.VIX].age_days == 3
    assert near.signals[SignalKey.VIX].state is SignalState.OFF
    far = frame.day(last + timedelta(days=30))
    assert far.signals[SignalKey.VIX].state is SignalState.UNKNOWN
    assert "30 days old" in far.signals[SignalKey.VIX].reason
    assert far.regime.regime is Regime.UNKNOWN


def test_a_curve_is_not_carried_over_a_day_without_settlements(real: MarketHistory) -> None:
    gone = np.datetime64("2019-06-12")
    keep = real.vx.days != gone
    vx = replace(
        real.vx,
        days=real.vx.days[keep],
        settle=real.vx.settle[keep],
        volume=real.vx.volume[keep],
        open_interest=real.vx.open_interest[keep],
    )
    seen = compute_signals(replace(real, vx=vx)).day(date(2019, 6, 12))
    assert seen.on(SignalKey.BACKWARDATION) is None
    assert seen.on(SignalKey.VIX) is False


def _same(a: SignalFrame, b: SignalFrame, day: date) -> None:
    at, other = a.index(day), b.index(day)
    assert at == other
    assert a.day(day) == b.day(day)


@pytest.mark.parametrize(
    "day",
    ["1996-03-08", "2008-10-10", "2011-08-08", "2018-02-05", "2020-03-16", "2022-06-13", "2023-11-15"],
)
def test_a_history_cut_at_a_day_gives_the_same_day(real: MarketHistory, frame: SignalFrame, day: str) -> None:
    cut = real.known_at(date.fromisoformat(day))
    _same(compute_signals(cut), frame, date.fromisoformat(day))


@given(at=st.integers(150, 248), factor=st.floats(0.3, 3), seed=st.integers(0, 20))
@examples(30)
def test_changing_or_shifting_the_future_changes_no_day_before_it(at: int, factor: float, seed: int) -> None:
    days = weekdays(250)
    spx, vix = closes(250, seed=seed), closes(250, seed=seed + 100, level=18, sigma=0.06)
    then = compute_signals(history(series(S.SPX, days, spx), series(S.VIX, days, vix)))
    other_spx, other_vix = spx.copy(), vix.copy()
    other_spx[at + 1 :] *= factor
    other_vix[at + 1 :] = np.roll(other_vix[at + 1 :], 3) / factor
    now = compute_signals(history(series(S.SPX, days, other_spx), series(S.VIX, days, other_vix)))
    for back in (0, 1, 20):
        day = days[at - back].item()
        assert then.day(day) == now.day(day)


def test_macro_figures_count_only_once_published(real: MarketHistory, frame: SignalFrame) -> None:
    # The CPI of February 2020 came out on 11 March 2020, the REER of a month about three weeks after it.
    before = frame.day(date(2020, 3, 10)).signals[SignalKey.CPI_SURPRISE]
    after = frame.day(date(2020, 3, 11)).signals[SignalKey.CPI_SURPRISE]
    assert before.as_of is not None
    assert before.as_of < date(2020, 3, 10)
    assert after.as_of == date(2020, 3, 11)
    reer = frame.columns[SignalKey.REER]
    age = (frame.days - reer.as_of) / np.timedelta64(1, "D")
    assert np.nanmin(age[np.isfinite(reer.values)]) >= 45


def test_without_futures_nothing_of_the_curve_is_known() -> None:
    market = calm_market()
    assert market.vx.days.size == no_curve().days.size == 0
    frame = compute_signals(market)
    for key in (SignalKey.CONTANGO, SignalKey.VX_SLOPE, SignalKey.VX_SHAPE, SignalKey.ROLL_YIELD):
        assert (frame.state(key) == -1).all()

"""The regime machine: what starts, holds and ends each state, and the great expansions of the past."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.engine.history.folder import history_from_folder
from hedging.engine.history.series import S
from hedging.engine.signals.compute import compute_signals
from hedging.engine.signals.frame import SignalFrame
from hedging.engine.signals.params import SignalParams
from hedging.engine.signals.regimes import EXPANSIONS, RegimeInputs, regimes
from hedging.engine.signals.types import Regime, SignalKey
from tests.engine.signals.cases import calm_market, closes, curve, history, series, weekdays
from tests.examples import examples

P = SignalParams()
CALM, TIGHT, COLLAPSE = Regime.CALM, Regime.COMPRESSED, Regime.RV_COLLAPSE
ISOLATED, PERSISTENT, SHIFT = EXPANSION_ORDER = (
    Regime.ISOLATED_EXPANSION,
    Regime.PERSISTENT_EXPANSION,
    Regime.REGIME_SHIFT,
)


@pytest.fixture(scope="module")
def frame(data_dir: Path) -> SignalFrame:
    return compute_signals(history_from_folder(data_dir / "market"))


Changes = dict[int | range, float]


def walk(size: int, params: SignalParams = P, **changes: Changes) -> list[Regime]:
    """Regimes of ``size`` closes, quiet but for what is given by position."""
    values: dict[str, np.ndarray] = {
        "vix": np.full(size, 15.0),
        "jump": np.ones(size),
        "settled": np.ones(size),
        "percentile": np.full(size, 0.5),
        "rv_iv": np.full(size, 0.8),
    }
    for name in ("backwardated", "shift", "collapse", "stress", "macro_stable"):
        values[name] = np.zeros(size, dtype=np.int8)
    for name, changed in changes.items():
        for where, value in changed.items():
            places = where if isinstance(where, range) else [where]
            values[name][[at for at in places if at < size]] = value
    walked = regimes(RegimeInputs(days=weekdays(size), **values), params)
    return [walked.regime(at) for at in range(size)]


HIGH: dict[str, Changes] = {"vix": {range(5, 60): 28.0}, "settled": {range(5, 60): 1.5}, "jump": {5: 1.6}}


def test_quiet_closes_are_calm() -> None:
    assert set(walk(20)) == {CALM}


def test_a_jump_above_20_starts_an_expansion_and_one_below_does_not() -> None:
    assert walk(10, vix={range(5, 10): 21.0}, jump={5: 1.25})[4:6] == [CALM, ISOLATED]
    assert walk(10, vix={range(5, 10): 20.0}, jump={5: 2.0})[5] is CALM
    assert walk(10, vix={range(5, 10): 21.0}, jump={5: 1.2499})[5] is CALM


def test_an_expansion_ends_after_five_quiet_closes_not_after_four() -> None:
    found = walk(40, vix={range(5, 10): 28.0, 14: 28.0}, settled={range(5, 10): 1.5, 14: 1.5}, jump={5: 1.6})
    assert set(found[5:19]) == {ISOLATED}, "four quiet closes, a loud one, then five"
    assert found[18:20] == [ISOLATED, CALM]


def test_no_expansion_ends_while_vix_stands_at_30() -> None:
    found = walk(20, vix={range(5, 20): 30.0}, settled={range(5, 20): 0.5}, jump={5: 1.6})
    assert set(found[5:]) == {ISOLATED}


def test_reer_or_breadth_stress_makes_it_persist_from_the_third_close() -> None:
    found = walk(12, **HIGH, stress={range(8): 1})
    assert found[5:8] == [ISOLATED, ISOLATED, PERSISTENT]
    assert found[11] is PERSISTENT, "it does not turn isolated again"


def test_a_long_expansion_persists_without_it() -> None:
    found = walk(40, **HIGH)
    assert found[24:26] == [ISOLATED, PERSISTENT]


def test_a_confirmed_shift_holds_for_five_closes_out_of_backwardation_and_then_persists() -> None:
    found = walk(30, **HIGH, shift={range(8, 12): 1}, backwardated={range(6, 12): 1})
    assert found[7:9] == [ISOLATED, SHIFT]
    assert set(found[8:16]) == {SHIFT}
    assert found[16] is PERSISTENT


def test_backwardation_keeps_an_expansion_from_ending() -> None:
    found = walk(30, vix={5: 28.0}, settled={5: 1.5}, jump={5: 1.6}, backwardated={range(5, 25): 1})
    assert set(found[5:25]) <= EXPANSIONS


def test_a_collapse_ends_an_expansion_but_not_a_shift() -> None:
    assert walk(20, **HIGH, collapse={12: 1})[12:15] == [COLLAPSE] * 3
    assert walk(20, **HIGH, shift={12: 1}, collapse={12: 1})[12] is SHIFT


def test_a_collapse_is_held_for_three_closes() -> None:
    assert walk(20, collapse={8: 1})[7:12] == [CALM, COLLAPSE, COLLAPSE, COLLAPSE, CALM]


def test_compression_needs_three_closes_to_begin_and_three_to_end() -> None:
    found = walk(30, percentile={range(5, 7): 0.1, range(10, 20): 0.1, 15: 0.9})
    assert set(found[:12]) == {CALM}
    assert set(found[12:22]) == {TIGHT}
    found = walk(30, percentile={range(5, 15): 0.1, range(15, 30): 0.41})
    assert found[7:18] == [TIGHT] * 10 + [CALM]
    between = walk(30, percentile={range(5, 15): 0.1, range(15, 30): 0.35})
    assert between[29] is TIGHT, "between the two levels nothing changes"


def test_unknown_vix_is_unknown_and_forgets_what_was() -> None:
    found = walk(
        20, vix={range(5, 10): 28.0, 10: np.nan, 11: 28.0}, settled={range(5, 12): 1.5}, jump={5: 1.6}
    )
    assert found[9:12] == [ISOLATED, Regime.UNKNOWN, CALM]


def test_an_unknown_curve_neither_confirms_a_shift_nor_blocks_the_rest() -> None:
    found = walk(30, **HIGH, backwardated={range(30): -1}, shift={range(30): -1})
    assert SHIFT not in found
    assert found[5] is ISOLATED
    assert walk(30, percentile={range(30): 0.1}, backwardated={range(30): -1})[29] is TIGHT


def test_three_closes_in_backwardation_with_vix_above_20_make_the_shift_signal() -> None:
    days = weekdays(80)
    m1 = np.r_[np.full(60, 14.0), np.full(20, 25.0)]
    months = {
        date(2019, 12, 18): m1,
        date(2020, 1, 22): np.full(80, 20.0),
        date(2020, 2, 19): np.full(80, 21.0),
    }
    vix = np.r_[np.full(60, 14.0), np.full(20, 26.0)]
    market = history(series(S.SPX, days, closes(80)), series(S.VIX, days, vix), vx=curve(days, months))
    frame = compute_signals(market)
    state = frame.state(SignalKey.REGIME_SHIFT)
    assert state[61:63].tolist() == [0, 1]
    assert frame.day(days[61].item()).regime.regime is ISOLATED
    seen = frame.day(days[62].item()).regime
    assert seen.regime is SHIFT
    assert seen.since == days[62].item()
    assert any("confirm a shift" in reason for reason in seen.reasons)


@given(seed=st.integers(0, 60))
@examples(20)
def test_quiet_regimes_do_not_flap(seed: int) -> None:
    vix = 16 * np.exp(np.cumsum(0.05 * np.random.default_rng(seed).standard_normal(700)) * 0.6)
    runs = compute_signals(calm_market(700, vix=np.clip(vix, 9, 90), seed=seed)).regimes.runs()
    expanded = 0
    for run, after in pairwise(runs[1:]):
        expanded = expanded + run.sessions if run.regime in EXPANSIONS else 0
        if run.regime is TIGHT and after.regime is CALM:
            assert run.sessions >= P.calm_closes
        if expanded and after.regime in {CALM, TIGHT}:
            assert expanded >= P.exit_closes


FIRST_DAYS = {
    # day within the expansion: (its first close, the first close of the confirmed shift)
    date(2008, 10, 10): (date(2008, 9, 15), date(2008, 9, 16)),
    date(2011, 8, 8): (date(2011, 7, 29), date(2011, 8, 3)),
    date(2018, 2, 8): (date(2018, 2, 5), date(2018, 2, 6)),
    date(2020, 3, 16): (date(2020, 2, 24), date(2020, 2, 26)),
}


@pytest.mark.parametrize("day", FIRST_DAYS)
def test_the_great_expansions_are_found_with_their_first_days(frame: SignalFrame, day: date) -> None:
    began, shifted = FIRST_DAYS[day]
    walked = frame.regimes
    at = frame.index(day)
    assert at is not None
    assert walked.regime(at) is SHIFT
    assert frame.day(day).regime.since == shifted
    first = int(walked.expansion_began[at])
    assert frame.days[first].item() == began
    assert walked.regime(first) is ISOLATED
    assert walked.regime(first - 1) not in EXPANSIONS


def test_quiet_years_stay_quiet_and_the_whole_history_is_told(frame: SignalFrame) -> None:
    walked = frame.regimes
    year = frame.days.astype("datetime64[Y]").astype(int) + 1970
    expanded = walked.mask(*EXPANSION_ORDER)
    assert not expanded[year == 2017].any()
    assert not expanded[year == 1995].any()
    assert expanded[year == 2008].mean() > 0.6
    runs = walked.runs()
    assert sum(run.sessions for run in runs) == len(frame)
    assert len(runs) / 34 < 12, "about one change a month"
    assert walked.mask(Regime.UNKNOWN).sum() == P.expansion_median


def test_a_collapse_of_realized_vol_is_rare_and_dated(frame: SignalFrame) -> None:
    on = frame.days[frame.state(SignalKey.RV_COLLAPSE) == 1]
    assert [str(day) for day in on] == ["2008-12-31", "2009-01-02", "2009-01-05", "2009-01-06", "2012-01-25"]

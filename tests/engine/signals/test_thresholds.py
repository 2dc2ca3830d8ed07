"""Where signals fire, to the last digit."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

from hedging.engine.history.series import CalendarEvent, CalendarEventKind, S
from hedging.engine.signals.compute import compute_signals
from hedging.engine.signals.curve import excess
from hedging.engine.signals.inputs import above, below
from hedging.engine.signals.params import SignalParams
from hedging.engine.signals.types import SignalKey, SignalState
from tests.engine.signals.cases import calm_market, closes, curve, history, series, weekdays

THREE = Decimal("0.03")


def arrays(*values: float) -> np.ndarray:
    return np.array(values)


@pytest.mark.parametrize(
    ("near", "far", "fires"),
    [
        (20.6, 20.0, False),
        (20.7, 20.0, True),
        (20.6001, 20.0, True),
        (20.65, 20.05, False),
        (20.55, 20.0, False),
    ],
)
def test_backwardation_fires_above_exactly_three_percent(near: float, far: float, fires: bool) -> None:
    on, value, distance = excess(arrays(near), arrays(far), THREE)
    exact = (Decimal(str(near)) / Decimal(str(far)) - 1) * 100
    assert bool(on[0]) is fires is (exact > 3)
    assert value[0] == pytest.approx(float(exact), abs=1e-12)
    assert distance[0] == pytest.approx(float(3 - exact), abs=1e-12)


def test_backwardation_agrees_with_decimals_on_every_tick_of_a_grid() -> None:
    near, far = np.meshgrid(np.arange(15, 25, 0.05), np.arange(15, 25, 0.05))
    on, _, _ = excess(near.ravel(), far.ravel(), THREE)
    exact = [
        Decimal(str(round(a, 2))) / Decimal(str(round(b, 2))) - 1 > THREE
        for a, b in zip(near.ravel(), far.ravel(), strict=True)
    ]
    assert on.tolist() == exact


def test_rsi_of_35_does_not_fire_and_34_99_does() -> None:
    on, distance = below(arrays(35.0, 34.99, 34.999999999999996), 35.0)
    assert on.tolist() == [False, True, False]
    assert distance == pytest.approx([0, -0.01, 0])
    on, _ = above(arrays(18.0, 18.01), 18.0)
    assert on.tolist() == [False, True]


def test_a_contract_is_left_out_on_its_settlement_day() -> None:
    days = weekdays(60)
    settling = days[55].item()
    later, last = settling + timedelta(days=28), settling + timedelta(days=56)
    months = {settling: [22.0] * 60, later: [20.0] * 60, last: [21.0] * 60}
    market = history(
        series(S.SPX, days, closes(60)), series(S.VIX, days, [20.0] * 60), vx=curve(days, months)
    )
    values = compute_signals(market).values(SignalKey.BACKWARDATION)
    assert values[54] == pytest.approx(10)
    assert values[55] == pytest.approx(100 * (20 / 21 - 1))


@pytest.mark.parametrize(
    ("day", "days", "on"),
    [
        (date(2019, 7, 8), 11, False),  # a third Friday, 19 July 2019
        (date(2019, 7, 9), 10, True),
        (date(2019, 7, 12), 7, True),
        (date(2019, 7, 15), 4, False),
        (date(2019, 6, 13), 8, True),
        (date(2019, 6, 15), 7, True),  # a Saturday speaks with Friday's figure
        (date(2019, 9, 18), 2, False),
        (date(2019, 9, 20), 10, True),  # the quarter's end, 30 September
        (date(2019, 9, 23), 7, True),
        (date(2019, 9, 24), 6, False),
        (date(2018, 9, 18), 10, True),  # a third Friday is nearer, the quarter's end is in the window
    ],
)
def test_the_window_is_7_to_10_days_before_an_expiry(day: date, days: int, on: bool) -> None:
    frame = compute_signals(calm_market(740, first=date(2017, 1, 3)))
    found = frame.day(day).signals[SignalKey.DAYS_TO_MAJOR_EXPIRY]
    assert (found.value, found.state is SignalState.ON) == (days, on)


def test_both_rsi_below_35_on_one_day_raises_an_alert_about_the_data() -> None:
    days = weekdays(60)
    falling = np.linspace(100, 50, 60)
    frame = compute_signals(history(series(S.SPX, days, falling), series(S.VIX, days, falling)))
    seen = frame.day(days[-1].item())
    assert seen.on(SignalKey.RSI_VIX)
    assert seen.on(SignalKey.RSI_SPX)
    assert "RSI of VIX and of SPX" in seen.alerts[0]
    rising = compute_signals(history(series(S.SPX, days, falling), series(S.VIX, days, falling[::-1])))
    assert rising.day(days[-1].item()).alerts == ()


def release(day: date, actual: float, forecast: float | None, previous: float | None) -> CalendarEvent:
    return CalendarEvent(
        CalendarEventKind.CPI, day, day, actual=actual, forecast=forecast, previous=previous, unit="%"
    )


@pytest.mark.parametrize(
    ("actual", "forecast", "previous", "value", "on"),
    [
        (2.4, 2.3, 2.0, 0.1, False),
        (2.5, 2.3, 2.5, 0.2, True),
        (2.2, 2.3, 2.9, -0.1, False),
        (2.4, None, 2.3, 0.1, False),
        (2.5, None, 2.3, 0.2, True),
    ],
)
def test_a_surprise_is_against_consensus_and_without_one_against_the_print_before(
    actual: float, forecast: float | None, previous: float, value: float, on: bool
) -> None:
    days = weekdays(80)
    market = replace(
        calm_market(80), events=history(events=[release(days[60].item(), actual, forecast, previous)]).events
    )
    frame = compute_signals(market)
    assert frame.state(SignalKey.CPI_SURPRISE)[59] == -1
    found = frame.day(days[60].item()).signals[SignalKey.CPI_SURPRISE]
    assert found.value == pytest.approx(value)
    assert (found.state is SignalState.ON) is on


def test_thresholds_follow_the_parameters() -> None:
    params = SignalParams(rsi_vix_below=101.0, backwardation_above=Decimal("0.5"))
    frame = compute_signals(calm_market(), params)
    known = frame.state(SignalKey.RSI_VIX)[20:]
    assert (known == 1).all()
    assert frame.columns[SignalKey.RSI_VIX].threshold == "< 101"
    assert frame.columns[SignalKey.BACKWARDATION].threshold == "> 50"


def test_impossible_parameters_are_refused() -> None:
    for bad in (
        {"macd_fast": 30},
        {"exit_closes": 0},
        {"expiry_window_first": 11},
        {"compressed_enter": 0.9},
    ):
        with pytest.raises(ValueError, match="must"):
            SignalParams(**bad)

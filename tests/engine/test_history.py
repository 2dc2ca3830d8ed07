"""Market history: what was known when, curves by rank, and the real files as a whole."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from hedging.engine.history.build import RawSeries, RawVX, build_history, known_day
from hedging.engine.history.folder import history_from_folder
from hedging.engine.history.series import CalendarEvent, CalendarEventKind, MarketHistory, S
from hedging.selectors.calendar import closes_at

SESSIONS = np.array(
    ["2024-03-11", "2024-03-12", "2024-03-13", "2024-03-14", "2024-03-15", "2024-03-18", "2024-03-19"],
    dtype="datetime64[D]",
)
NO_VX = RawVX(SESSIONS[:0], SESSIONS[:0], np.empty(0), np.empty(0), np.empty(0), {})


def days(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="datetime64[D]")


def history(vx: RawVX = NO_VX, events: tuple[CalendarEvent, ...] = (), **raw: RawSeries) -> MarketHistory:
    return build_history(sessions=SESSIONS, early=[False] * len(SESSIONS), raw=raw, vx=vx, events=events)


def test_a_close_is_known_on_its_day_and_a_bill_rate_on_the_next_session() -> None:
    found = history(
        SPX=RawSeries(days("2024-03-14", "2024-03-15"), np.array([5150.0, 5117.0])),
        DTB3=RawSeries(days("2024-03-14", "2024-03-15"), np.array([5.24, 5.25])),
    )
    assert found.series["SPX"].last(date(2024, 3, 15)).value == 5117.0  # type: ignore[union-attr]
    friday = found.series["DTB3"].last(date(2024, 3, 15))
    assert friday is not None
    assert (friday.value, friday.day) == (5.24, date(2024, 3, 14))
    monday = found.series["DTB3"].last(date(2024, 3, 18))
    assert monday is not None
    assert (monday.value, monday.known) == (5.25, date(2024, 3, 18))


def test_cpi_is_known_on_its_release_and_not_a_day_before() -> None:
    release = CalendarEvent(
        CalendarEventKind.CPI, date(2024, 3, 12), date(2024, 3, 12), period="February 2024"
    )
    found = history(events=(release,), CPIAUCSL=RawSeries(days("2024-02-01"), np.array([311.054])))
    assert found.series[S.CPI].last(date(2024, 3, 11)) is None
    assert found.series[S.CPI].last(date(2024, 3, 12)).value == 311.054  # type: ignore[union-attr]


def test_a_revision_counts_from_its_own_publication() -> None:
    series = history(
        RBUSBIS=RawSeries(
            days("2024-01-01", "2024-02-01", "2024-01-01"),
            np.array([107.5, 107.9, 107.7]),
            known=days("2024-03-11", "2024-03-13", "2024-03-14"),
        )
    ).series[S.REER]
    assert series.revised
    assert series.on(date(2024, 1, 1)) == 107.5
    assert series.upto(date(2024, 3, 13))[1].tolist() == [107.5, 107.9]
    assert series.upto(date(2024, 3, 14))[1].tolist() == [107.7, 107.9]
    values, observed = series.aligned(SESSIONS[:5])
    # The revision of January must not hide February's newer observation.
    assert values.tolist() == [107.5, 107.5, 107.9, 107.9, 107.9]
    assert str(observed[-1]) == "2024-02-01"


def test_before_anything_is_known_all_is_unknown() -> None:
    series = history(SPX=RawSeries(days("2024-03-14"), np.array([1.0]))).series["SPX"]
    values, observed = series.aligned(SESSIONS[:2])
    assert np.isnan(values).all()
    assert np.isnat(observed).all()
    assert series.on(date(2024, 3, 13)) is None
    assert len(series.known_at(date(2024, 3, 13))) == 0


def vx_rows(*rows: tuple[str, str, float]) -> RawVX:
    settle = np.array([row[2] for row in rows])
    return RawVX(
        days(*(r[0] for r in rows)), days(*(r[1] for r in rows)), settle, settle * 10, settle * 20, {}
    )


def test_a_contract_leaves_the_curve_on_its_settlement_day() -> None:
    vx = history(
        vx_rows(
            ("2024-03-19", "2024-03-20", 14.0), ("2024-03-19", "2024-04-17", 15.0),
            ("2024-03-20", "2024-03-20", 13.9), ("2024-03-20", "2024-04-17", 15.1),
        )
    ).vx  # fmt: skip
    assert [p.settle for p in vx.curve(date(2024, 3, 19))] == [14.0, 15.0]
    assert [p.settle for p in vx.curve(date(2024, 3, 20))] == [15.1]
    assert vx.final_settlement(date(2024, 3, 20)) == 13.9
    assert vx.final_settlement(date(2024, 4, 17)) is None
    assert vx.curve(date(2024, 3, 18)) == []


def test_a_missing_price_does_not_move_the_next_contract_into_its_place() -> None:
    vx = history(
        vx_rows(
            ("2024-03-14", "2024-03-20", 14.0), ("2024-03-14", "2024-04-17", 15.0),
            ("2024-03-15", "2024-04-17", 15.2),
        )
    ).vx  # fmt: skip
    front, second = vx.curve(date(2024, 3, 15))
    assert np.isnan(front.settle)
    assert second.settle == 15.2
    # The same day seen from itself, without later rows.
    assert np.isnan(vx.known_at(date(2024, 3, 15)).curve(date(2024, 3, 15))[0].settle)


def test_an_event_ahead_shows_no_outcome_and_a_surprise_meeting_is_not_announced() -> None:
    events = (
        CalendarEvent(CalendarEventKind.FOMC, date(2024, 3, 13), date(2024, 3, 13), actual=5.5),
        CalendarEvent(CalendarEventKind.FOMC, date(2024, 3, 19), date(2024, 3, 19), actual=5.25),
        CalendarEvent(
            CalendarEventKind.FOMC_UNSCHEDULED, date(2024, 3, 18), date(2024, 3, 18), scheduled=False
        ),
    )
    found = history(events=events).events
    assert found.last_known(CalendarEventKind.FOMC, date(2024, 3, 15)).actual == 5.5  # type: ignore[union-attr]
    ahead = found.next_after(CalendarEventKind.FOMC, date(2024, 3, 15))
    assert ahead is not None
    assert (ahead.day, ahead.actual) == (date(2024, 3, 19), None)
    assert found.next_after(CalendarEventKind.FOMC_UNSCHEDULED, date(2024, 3, 15)) is None
    then = found.known_at(date(2024, 3, 15))
    assert [e.actual for e in then.of(CalendarEventKind.FOMC)] == [5.5, None]
    assert then.of(CalendarEventKind.FOMC_UNSCHEDULED) == ()


def test_a_moment_after_the_close_is_known_at_the_next_session() -> None:
    close = closes_at(date(2024, 3, 15))
    assert str(known_day(close, SESSIONS)) == "2024-03-15"
    assert str(known_day(close.replace(minute=1), SESSIONS)) == "2024-03-18"


@pytest.fixture(scope="module")
def real(data_dir: Path) -> MarketHistory:
    return history_from_folder(data_dir / "market")


def test_the_real_history_is_whole(real: MarketHistory) -> None:
    assert len(real.series[S.SPX]) == 8586
    assert real.last_day == date(2024, 1, 31)


def test_the_curve_agrees_with_an_independent_table(real: MarketHistory, data_dir: Path) -> None:
    months = real.vx.months()
    different = 0
    with (data_dir / "market" / "vx_term_structure.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [str(day) for day in months.days] == [row["date"] for row in rows]
    for at, row in enumerate(rows):
        for month in range(8):
            given, ours = row[f"m{month + 1}"], months.settle[at, month]
            if np.isnan(ours):  # the table closes the gap of an unpriced contract, we leave it open
                different += bool(given)
            elif given and abs(float(given) - ours) > 1e-3:
                different += 1
    assert different <= 60


def test_known_figures_of_march_2020(real: MarketHistory) -> None:
    day = date(2020, 3, 16)
    assert real.series[S.SPX].on(day) == 2386.13
    assert real.series[S.VIX].on(day) == 82.69
    front, second = real.vx.curve(day, 2)
    assert (front.settle, second.settle) == (72.625, 59.15)
    assert real.vx.final_settlement(date(2020, 3, 18)) == 69.76
    cpi = real.events.last_known(CalendarEventKind.CPI, day)
    assert cpi is not None
    assert (cpi.day, cpi.actual, cpi.forecast) == (date(2020, 3, 11), 2.3, 2.2)
    assert real.series[S.CPI].last(day).day == date(2020, 2, 1)  # type: ignore[union-attr]


def test_final_settlements_before_2007_are_in_todays_points(real: MarketHistory) -> None:
    assert real.vx.final_settlement(date(2006, 2, 15)) == 12.034
    priced = real.vx.final[np.isfinite(real.vx.final)]
    assert 8 < priced.min() < priced.max() < 70


def test_spx_opens_before_2008_are_unusable(real: MarketHistory) -> None:
    bars = real.bars[S.SPX]
    old = bars.days < np.datetime64("2008-01-01", "D")
    assert np.isnan(bars.open[old]).all()
    assert np.isfinite(bars.open[~old]).mean() > 0.99


def test_nothing_later_is_in_the_history_of_a_day(real: MarketHistory) -> None:
    day = np.datetime64("2020-03-16", "D")
    then = real.known_at(day)
    for series in then.series.values():
        assert len(series) == 0 or series.known.max() <= day
    for bars in then.bars.values():
        assert len(bars) == 0 or bars.days[-1] <= day
    assert then.vx.days[-1] == day
    assert then.vx.final_settlement(date(2020, 3, 18)) is None
    assert then.series[S.CPI].upto(day)[1].tolist() == real.series[S.CPI].upto(day)[1].tolist()

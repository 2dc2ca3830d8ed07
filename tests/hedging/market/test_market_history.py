"""The bootstrap of the whole history and what the engine then reads from the database."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from hedging.engine.history.folder import history_from_folder
from hedging.engine.history.series import CalendarEventKind, S
from hedging.models import DailyBar, IngestRun, MacroEvent
from hedging.selectors.history import history_revision, market_history
from hedging.services.market.load import MarketFileError, market_file_load

pytestmark = pytest.mark.django_db


def load(*paths: Path) -> str:
    out = io.StringIO()
    call_command("market_load", *map(str, paths), stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_the_whole_folder_is_one_command_and_equals_the_files_read_directly(data_dir: Path) -> None:
    told = load(data_dir / "market")
    assert "36 files" in told
    direct = history_from_folder(data_dir / "market")
    stored = market_history()
    assert market_history() is stored
    assert set(direct.series) <= set(stored.series)
    for name, series in direct.series.items():
        mine = stored.series[name]
        assert mine.days.tolist() == series.days.tolist(), name
        assert mine.known.tolist() == series.known.tolist(), name
        np.testing.assert_allclose(mine.values, series.values, atol=6e-7, err_msg=name)
    for name, bars in direct.bars.items():
        np.testing.assert_allclose(stored.bars[name].open, bars.open, atol=6e-7)
        np.testing.assert_allclose(stored.bars[name].high, bars.high, atol=6e-7)
    assert stored.vx.days.tolist() == direct.vx.days.tolist()
    assert stored.vx.expiries.tolist() == direct.vx.expiries.tolist()
    for name in ("settle", "volume", "open_interest", "final"):
        np.testing.assert_allclose(
            getattr(stored.vx, name), getattr(direct.vx, name), atol=6e-5, err_msg=name
        )
    assert stored.events.by_kind == direct.events.by_kind
    assert stored.sessions_until("2024-01-31").tolist() == direct.sessions_until("2024-01-31").tolist()
    again = load(data_dir / "market")
    assert " 0 new rows" in again


def test_a_folder_without_market_files_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(CommandError, match="no market file"):
        load(tmp_path)


def test_one_bad_file_in_a_folder_leaves_the_others(tmp_path: Path) -> None:
    (tmp_path / "spx_daily.csv").write_text("date,close\n2026-01-05,6900\n")
    (tmp_path / "vix_daily.csv").write_text("date,close\n2026-01-05,abc\n")
    with pytest.raises(CommandError, match="1 of 2 files"):
        load(tmp_path)
    assert list(DailyBar.objects.values_list("symbol", flat=True)) == ["SPX"]


CALENDAR = b"""date,event,detail,ref_period,time_et,source,fixed
2024-03-12,cpi,CPI release,February 2024,08:30,bls,0
2024-03-29,cpi,moved to a holiday,March 2024,08:30,bls,0
2024-03-20,fomc_decision,"March 19-20, 2024",,14:00,fed,0
2024-03-18,fomc_intermeeting,surprise,,,manual,0
"""
CONSENSUS = b"""date,ref_month,time_et,cpi_yoy_actual,cpi_yoy_forecast,cpi_yoy_previous
2024-03-12,Feb,09:30,3.2%,3.1%,3.1%
"""


def test_figures_join_the_event_they_belong_to() -> None:
    market_file_load(name="macro_events.csv", data=CALENDAR)
    run = market_file_load(name="cpi_consensus.csv", data=CONSENSUS)
    assert (run.rows_new, run.rows_unchanged) == (1, 0)
    event = MacroEvent.objects.get(day=date(2024, 3, 12), superseded_at=None)
    assert (event.actual, event.forecast, event.unit) == (Decimal("3.2"), Decimal("3.1"), "% y/y")
    assert event.detail == "CPI release"
    assert event.published_at == datetime(2024, 3, 12, 12, 30, tzinfo=UTC)
    assert market_file_load(name="cpi_consensus.csv", data=CONSENSUS).rows_new == 0
    assert market_file_load(name="macro_events.csv", data=CALENDAR).rows_new == 0
    events = market_history().events
    assert [e.scheduled for e in events.of(CalendarEventKind.FOMC_UNSCHEDULED)] == [False]
    # A release on Good Friday is known on Monday.
    assert events.of(CalendarEventKind.CPI)[1].known == date(2024, 4, 1)


def test_a_macro_value_is_dated_by_the_release_calendar() -> None:
    market_file_load(name="macro_events.csv", data=CALENDAR)
    market_file_load(
        name="CPIAUCSL.csv", data=b"observation_date,CPIAUCSL\n2024-02-01,311.054\n2024-03-01,.\n"
    )
    row = DailyBar.objects.get()
    assert (row.published_at, row.published_estimated) == (datetime(2024, 3, 12, 12, 30, tzinfo=UTC), True)
    series = market_history().series[S.CPI]
    assert series.last(date(2024, 3, 11)) is None
    assert series.last(date(2024, 3, 12)) is not None
    assert not series.first_print


VINTAGES = b"""observation_date,GDPC1_20240125,GDPC1_20240228,GDPC1_20240328
2023-07-01,22490.692,22490.692,22490.692
2023-10-01,22672.859,22668.986,22679.255
"""


def test_every_vintage_counts_from_its_own_day() -> None:
    market_file_load(name="GDPC1.csv", data=b"observation_date,GDPC1\n2023-10-01,22679.255\n")
    run = market_file_load(name="vintages.csv", data=VINTAGES)
    assert (run.rows_read, run.rows_new) == (2, 4)
    assert market_file_load(name="vintages.csv", data=VINTAGES).rows_new == 0
    current = DailyBar.objects.get(date=date(2023, 10, 1), superseded_at=None)
    assert float(current.close) == 22679.255
    series = market_history().series[S.GDP]
    known = {day: series.last(date.fromisoformat(day)) for day in ("2024-01-24", "2024-02-27", "2024-02-28")}
    assert {day: reading and reading.value for day, reading in known.items()} == {
        "2024-01-24": None, "2024-02-27": 22672.859, "2024-02-28": 22668.986,
    }  # fmt: skip


def test_an_older_vintage_that_comes_later_does_not_become_current() -> None:
    new = b"observation_date,GDPC1_20240328\n2023-10-01,22679.255\n"
    old = b"observation_date,GDPC1_20240125\n2023-10-01,22672.859\n"
    market_file_load(name="new.csv", data=new)
    market_file_load(name="old.csv", data=old)
    assert float(DailyBar.objects.get(superseded_at=None).close) == 22679.255
    assert market_history().series[S.GDP].last(date(2024, 2, 1)).value == 22672.859  # type: ignore[union-attr]


def test_a_revised_download_is_known_from_when_it_was_seen() -> None:
    market_file_load(name="REER.csv", data=b"observation_date,RBUSBIS\n2023-10-01,108.0\n")
    market_file_load(name="REER.csv", data=b"observation_date,RBUSBIS\n2023-10-01,109.0\n")
    series = market_history().series[S.REER]
    assert series.last(date(2023, 12, 1)).value == 108.0  # type: ignore[union-attr]
    assert series.revised
    new = DailyBar.objects.get(superseded_at=None)
    assert not new.published_estimated
    assert new.published_at is not None


def test_final_settlements_are_rescaled_and_the_mini_contract_adds_nothing() -> None:
    data = (
        b"Symbol,SettlementMonth,SettlementYear,SettlementPrice\n"
        b"VX,2,2006,120.34\nVX,4,2013,15.46\nVM,4,2013,15.46\n"
    )
    run = market_file_load(name="final.csv", data=data)
    assert (run.rows_new, run.rows_dropped) == (2, 1)
    found = {row.date: float(row.close) for row in DailyBar.objects.filter(symbol="VRO")}
    assert found == {date(2006, 2, 15): 12.034, date(2013, 4, 17): 15.46}


def test_settlements_of_last_prints_give_way_to_the_official_list() -> None:
    prints = (
        b"expiry,vro,archive,vix_open,source\n2006-02-15,12.043,12.034,12.43,x\n2024-01-17,15.13,,14.59,x\n"
    )
    official = b"Symbol,SettlementMonth,SettlementYear,SettlementPrice\nVX,2,2006,120.34\n"
    for order in ((prints, official), (official, prints)):
        DailyBar.objects.all().delete()
        for number, data in enumerate(order):
            market_file_load(name=f"{number}.csv", data=data)
        series = market_history().series[S.VRO]
        assert series.on(date(2006, 2, 15)) == 12.034
        assert series.on(date(2024, 1, 17)) == 15.13
    with pytest.raises(MarketFileError, match="settles at"):
        market_file_load(name="x.csv", data=b"expiry,vro\n2024-01-17,15.13\n2024-01-17,15.20\n")


def test_the_settlement_of_the_expiry_day_is_final_unless_a_list_says_otherwise() -> None:
    vx = b"date,expiry,settle\n2006-02-15,2006-02-15,12.043\n2013-04-17,2013-04-17,15.46\n"
    final = b"Symbol,SettlementMonth,SettlementYear,SettlementPrice\nVX,2,2006,120.34\n"
    market_file_load(name="vx.csv", data=vx)
    market_file_load(name="final.csv", data=final)
    assert market_file_load(name="vx.csv", data=vx).rows_new == 0
    history = market_history()
    assert history.vx.final_settlement(date(2006, 2, 15)) == 12.034
    assert history.vx.final_settlement(date(2013, 4, 17)) == 15.46
    assert history.series[S.VRO].last(date(2013, 4, 17)).value == 15.46  # type: ignore[union-attr]


def test_vx_files_of_the_old_scale_are_divided_and_counted() -> None:
    data = b"date,expiry,settle\n2005-03-14,2005-03-16,136.3\n2010-03-15,2010-03-17,18.1\n"
    run = market_file_load(name="vx.csv", data=data)
    assert run.rows_dropped == 1
    assert market_history().vx.settlement(date(2005, 3, 14), date(2005, 3, 16)) == 13.63
    assert market_history().vx.settlement(date(2010, 3, 15), date(2010, 3, 17)) == 18.1


def test_the_publishers_value_wins_over_a_plain_file() -> None:
    market_file_load(name="vix.csv", data=b"date,close\n2024-01-02,13.3\n2024-01-03,14.0\n")
    market_file_load(name="VIX_History.csv", data=b"DATE,OPEN,HIGH,LOW,CLOSE\n01/02/2024,13,14,13,13.2\n")
    assert market_history().series[S.VIX].values.tolist() == [13.2, 14.0]


def test_simulated_and_real_values_never_mix() -> None:
    market_file_load(name="vix.csv", data=b"date,close\n2024-01-02,13.3\n")
    before = history_revision()
    DailyBar.objects.create(
        source="simulated", symbol="VIX", date=date(2024, 1, 3), close=20, quality="simulated"
    )
    assert history_revision() != before
    assert market_history().series[S.VIX].values.tolist() == [13.3]
    assert market_history(simulated=True).series[S.VIX].values.tolist() == [20.0]


@pytest.mark.parametrize(
    "data",
    [
        b"date,close\n2024-01-02,13.3\n2024-01-03,12345678901234\n",
        b"observation_date,GDPC1_20240125\n2023-10-01,12345678901234\n",
        b"date,ref_month,cpi_actual\n2024-02-13,Jan,12345678901234\n",
        b"date,expiry,settle\n2024-01-02,2024-01-17,1234567890\n",
    ],
)
def test_a_value_too_large_for_its_column_is_refused_whole(data: bytes) -> None:
    with pytest.raises(MarketFileError, match="out of range"):
        market_file_load(name="vix.csv", data=data)
    assert not DailyBar.objects.exists()
    assert not IngestRun.objects.exists()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"date,event,ref_period\n2024-01-02,CPI!,x\n", "not an event"),
        (b"date,event,ref_period,time_et\n2024-01-02,cpi,x,25:00\n", "not a time"),
        (b"date,ref_month,cpi_actual\n2024-01-02,Ju,1\n", "not a month"),
        (b"Symbol,SettlementMonth,SettlementYear,SettlementPrice\nVX,13,2006,1\n", "not a contract month"),
        (b"Symbol,SettlementMonth,SettlementYear,SettlementPrice\nVX,2,2009,1\nVX,2,2009,2\n", "settles at"),
        (b"observation_date,GDPC1_20241340\n2024-01-01,1\n", "no vintage day"),
        (b"observation_date,GDPC1,gdpc1\n2024-01-01,1,1\n", "two columns"),
    ],
)
def test_damaged_calendars_and_vintages_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(MarketFileError, match=reason):
        market_file_load(name="x.csv", data=data)
    assert not IngestRun.objects.exists()

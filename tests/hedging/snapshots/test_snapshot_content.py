"""What a market snapshot holds, and from whom."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from hedging.engine.market import Flag
from hedging.selectors.calendar import NEW_YORK
from hedging.services.market.load import market_file_load, market_path_load
from hedging.services.snapshots.snapshots import snapshot_for, snapshot_load

pytestmark = pytest.mark.django_db
EVENING = datetime(2024, 1, 5, 20, tzinfo=NEW_YORK)


def test_the_snapshot_of_a_full_chain_holds_everything(data_dir: Path) -> None:
    market = data_dir / "market"
    for name in (
        "spx_daily.csv", "vix_daily.csv", "vix9d_daily.csv", "vix3m_daily.csv", "vvix_daily.csv",
        "skew_daily.csv", "rate_dtb3.csv", "rate_sofr.csv", "rate_dgs10.csv", "rate_dff.csv",
        "vx_contracts_daily.csv.gz",
    ):  # fmt: skip
        market_path_load(path=market / name)
    market_path_load(path=data_dir / "chains" / "spx_chain_cboe_20240105.csv.gz")
    row = snapshot_for(as_of=EVENING)
    assert row is not None
    view = snapshot_load(row)
    slices = list(view.slices.values())
    assert len(slices) >= 60
    assert row.spx_chain is not None
    assert row.spx_chain.row_count == 21038
    assert {"SPX", "VIX", "VIX9D", "VIX3M", "VVIX", "SKEW", "DTB3", "SOFR", "DGS10", "DFF"} <= set(
        view.levels
    )
    assert [point.expiry for point in view.vx_curve[:2]] == [date(2024, 1, 17), date(2024, 2, 14)]
    assert len(view.vx_curve) >= 8
    assert all(point.volume is not None and point.open_interest is not None for point in view.vx_curve)
    assert Flag.EOD in view.flags
    again = snapshot_for(as_of=EVENING)
    assert again is not None
    assert again.content_hash == row.content_hash


def test_a_rate_counts_from_its_publication() -> None:
    market_file_load(name="spx.csv", data=b"date,close\n2024-01-04,4688\n2024-01-05,4697\n")
    market_file_load(
        name="x.csv", data=b"observation_date,DTB3\n2024-01-03,5.22\n2024-01-04,5.23\n2024-01-05,5.24\n"
    )
    row = snapshot_for(as_of=EVENING)
    assert row is not None
    assert tuple(row.summary["levels"]["DTB3"]) == ("2024-01-04", "5.230000")


def test_the_publisher_wins_over_a_plain_file_whatever_came_last() -> None:
    market_file_load(name="VIX_History.csv", data=b"DATE,OPEN,HIGH,LOW,CLOSE\n01/05/2024,13,14,13,13.35\n")
    market_file_load(name="vix.csv", data=b"date,close\n2024-01-05,99\n")
    row = snapshot_for(as_of=EVENING)
    assert row is not None
    assert snapshot_load(row).levels["VIX"].value == 13.35


def test_another_settlement_is_another_content_hash() -> None:
    market_file_load(name="vix.csv", data=b"date,close\n2024-01-05,13.35\n")
    market_file_load(name="vx.csv", data=b"date,expiry,settle\n2024-01-05,2024-01-17,14.2\n")
    first = snapshot_for(as_of=EVENING)
    market_file_load(name="vx.csv", data=b"date,expiry,settle\n2024-01-05,2024-01-17,14.3\n")
    second = snapshot_for(as_of=EVENING)
    assert first is not None
    assert second is not None
    assert first.content_hash != second.content_hash
    assert snapshot_load(first).vx_curve[0].settle == 14.2
    assert snapshot_load(second).vx_curve[0].settle == 14.3

"""Market files: every known format, twice, and damaged."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest

from hedging.models import ChainSnapshot, DailyBar, IngestRun, VXSettlement
from hedging.services.market.load import MarketFileError, market_file_load, market_path_load

pytestmark = pytest.mark.django_db

OLD_QUOTEDATA = """^SPX (S&P 500 INDEX),2926.17,-7.51,
Apr 26 2019 @ 14:54 ET,Bid,2925.8,Ask,2926.5,Size,1x1,Vol,0,
Expiration Date,Calls,Last Sale,Net,Bid,Ask,Vol,IV,Delta,Gamma,Open Int,Strike,Puts,Last Sale,Net,Bid,Ask,Vol,IV,Delta,Gamma,Open Int
05/17/2019,SPX190517C02900000,50.1,0,49.8,50.4,10,0.11,0.62,0.004,100,2900.00,SPX190517P02900000,20.5,0,20.3,20.8,12,0.12,-0.38,0.004,90
"""  # noqa: E501 - as downloaded

DELAYED = {
    "timestamp": "2026-11-20 21:30:12",
    "data": {
        "current_price": 6700.5,
        "options": [
            {"option": "SPXW261218C06900000", "bid": 20.1, "ask": 20.5, "iv": 0.12, "open_interest": 5,
             "volume": 1, "delta": 0.2, "gamma": 0.001, "theta": -1.0, "vega": 5.0, "rho": 1.0},
            {"option": "SPXW261218P06900000", "bid": 190.0, "ask": 192.0, "iv": 0.12, "open_interest": 5,
             "volume": 1, "delta": -0.8, "gamma": 0.001, "theta": -1.0, "vega": 5.0, "rho": -1.0},
        ],
    },
}  # fmt: skip


def test_quotedata_of_a_sunday_speaks_for_fridays_close(data_dir: Path) -> None:
    run = market_path_load(path=data_dir / "chains" / "raw" / "spx_quotedata_20240105.csv.gz")
    chain = ChainSnapshot.objects.get()
    assert run.format == "cboe-quotedata"
    assert run.rows_new == chain.row_count == 21038
    assert chain.as_of.isoformat() == "2024-01-05T21:00:00+00:00"
    assert chain.quality == "eod"
    assert chain.spot == Decimal("4697.2402")


def test_the_same_quotes_in_another_format_add_nothing(data_dir: Path) -> None:
    market_path_load(path=data_dir / "chains" / "raw" / "spx_quotedata_20240105.csv.gz")
    run = market_path_load(path=data_dir / "chains" / "spx_chain_cboe_20240105.csv.gz")
    assert (run.rows_new, run.rows_unchanged) == (0, 21038)
    assert ChainSnapshot.objects.count() == 1


def test_the_older_quotedata_preamble() -> None:
    run = market_file_load(name="quotedata.dat", data=OLD_QUOTEDATA.encode())
    chain = ChainSnapshot.objects.get()
    assert run.format == "cboe-quotedata"
    assert chain.as_of.isoformat() == "2019-04-26T18:54:00+00:00"
    assert chain.quality == "delayed"
    assert chain.spot == Decimal("2926.17")


def test_delayed_quotes_json_plain_and_gzipped_are_one_chain() -> None:
    data = json.dumps(DELAYED).encode()
    first = market_file_load(name="_SPX.json", data=data)
    second = market_file_load(name="_SPX.json.gz", data=gzip.compress(data))
    assert (first.rows_new, second.rows_new) == (2, 0)
    assert ChainSnapshot.objects.get().as_of.isoformat() == "2026-11-20T21:00:00+00:00"


def test_index_history_drops_rows_outside_sessions(data_dir: Path) -> None:
    run = market_path_load(path=data_dir / "market" / "raw" / "VIX_History.csv")
    assert run.format == "cboe-index-history"
    assert DailyBar.objects.filter(symbol="VIX").count() == run.rows_new > 8_500
    assert any(note.startswith("not an exchange session") for note in run.notes)
    again = market_path_load(path=data_dir / "market" / "vix_daily.csv")
    assert again.format == "iso-series"


def test_a_vx_contract_file_and_the_daily_file_agree(data_dir: Path) -> None:
    market_path_load(path=data_dir / "market" / "vx_contracts_daily.csv.gz")
    before = VXSettlement.objects.count()
    run = market_path_load(path=data_dir / "market" / "raw" / "VX_2024-01-17.csv")
    assert before == 41334  # two of the rows are placeholders
    assert (run.rows_new, run.rows_unchanged) == (0, 185)


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("vix_daily.csv", "VIX"),
        ("rate_dtb3.csv", "DTB3"),
        ("skew_daily.csv", "SKEW"),
        ("macro_gdpc1.csv", "GDPC1"),
    ],
)
def test_the_symbol_comes_from_the_file_name(data_dir: Path, name: str, symbol: str) -> None:
    market_path_load(path=data_dir / "market" / name)
    assert set(DailyBar.objects.values_list("symbol", flat=True)) == {symbol}


def test_a_revised_value_supersedes_and_keeps_the_old_one() -> None:
    market_file_load(name="cpi.csv", data=b"date,close\n2026-01-02,100\n")
    run = market_file_load(name="cpi.csv", data=b"date,close\n2026-01-02,101\n")
    assert run.rows_new == 1
    rows = DailyBar.objects.order_by("close")
    assert [row.superseded_at is None for row in rows] == [False, True]


def test_the_same_series_twice_adds_nothing() -> None:
    data = b"date,open,high,low,close\n2026-01-02,1,3,1,2\n2026-01-05,2,3,1,2\n"
    assert market_file_load(name="spx.csv", data=data).rows_new == 2
    assert market_file_load(name="spx.csv", data=data).rows_new == 0


@pytest.mark.parametrize(
    ("name", "data", "line", "column"),
    [
        ("vix.csv", b"date,close\n2026-01-02,15\n2026-01-05,fifteen\n", 3, "close"),
        ("vix.csv", b"date,close\n2026-13-02,15\n", 2, "date"),
        ("vix.csv", b"date,close\n2026-01-02,1_000\n", 2, "close"),
        ("vix.csv", b"date,close\n2026-01-02,NaN\n", 2, "close"),
        ("vix.csv", "date,close\n2026-01-02,\u0661\u0662\n".encode(), 2, "close"),
        ("vix.csv", b"date,close\n2026-01-02,15,16\n", 2, None),
        ("vix.csv", b'date,close\n2026-01-02,"15\n', 2, None),
        ("vix.csv", b"date,close\n2026-01-02,\x00\n", 2, None),
        ("vix.csv", b"date,close\n\xff\xfe,1\n", 2, None),
        ("chain.json", b'{"data": {"options": [}', 1, "23"),
        ("chain.json", b'{"data": {}}', 1, None),
        ("VX_2024-02-14.csv", b"Trade Date,Futures,Settle\n2024-01-02,F (Jan 2024),13.1\n", 2, "futures"),
        ("b.csv", b"date,advances," + b"x" * 40 + b"\n2026-01-02,1,2\n", None, None),
        ("b.csv", b"date,advances,=1+1\n2026-01-02,1,2\n", None, None),
        ("x" * 40 + ".csv", b"date,close\n2026-01-02,1\n", None, None),
        ("q.csv", b"nothing,known\n1,2\n", 1, None),
        ("q.csv", b"   \n", None, None),
    ],
)
def test_a_damaged_file_names_its_place_and_leaves_nothing(
    name: str, data: bytes, line: int | None, column: str | None
) -> None:
    with pytest.raises(MarketFileError) as refusal:
        market_file_load(name=name, data=data)
    assert (refusal.value.line, refusal.value.column) == (line, column)
    assert not IngestRun.objects.exists()
    assert not DailyBar.objects.exists()
    assert not ChainSnapshot.objects.exists()


def test_a_damaged_row_at_the_end_keeps_nothing_of_the_rows_before() -> None:
    rows = "".join(f"2026-01-{day:02d},15\n" for day in range(5, 10))
    with pytest.raises(MarketFileError):
        market_file_load(name="vix.csv", data=f"date,close\n{rows}2026-01-12,oops\n".encode())
    assert not DailyBar.objects.exists()


def test_a_truncated_gzip_is_refused() -> None:
    data = gzip.compress(b"date,close\n2026-01-02,15\n" * 50)[:-12]
    with pytest.raises(MarketFileError, match="gzip"):
        market_file_load(name="vix.csv.gz", data=data)

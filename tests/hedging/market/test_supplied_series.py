"""Series of the users' own, and the width of stored chains: loaded every way they light up their signals."""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from hedging.engine.history.series import S
from hedging.engine.signals.supplied import SUPPLIED
from hedging.engine.signals.types import SignalKey as K
from hedging.engine.signals.types import SignalState
from hedging.models import ChainSnapshot, Quality
from hedging.selectors.calendar import NEW_YORK, sessions_between
from hedging.selectors.history import market_history
from hedging.selectors.market import supplied_series
from hedging.services.market.load import market_file_load, market_path_load
from hedging.services.signals import signals_refresh
from tests.journal.people import People, people_with_operator

pytestmark = pytest.mark.django_db
DAYS = sessions_between(date(2023, 1, 3), date(2023, 12, 29))
#: How each example goes, and what its signals then say on the last day.
ON = {K.PCF_DIVERGENCE, K.PE_DIVERGENCE, K.CAP_BREADTH, K.REIT_STRESS, K.FOREIGN_DIFFERENTIAL, K.SPX_SPREAD}


def csv_of(values: Any, days: Any = DAYS, head: str = "date,value") -> bytes:
    rows = "".join(f"{day},{value:.4f}\n" for day, value in zip(days, values, strict=True))
    return f"{head}\n{rows}".encode()


def falling(first: float, last: float) -> bytes:
    return csv_of(np.linspace(first, last, len(DAYS)))


FILES: dict[str, bytes] = {
    S.PCF: falling(18, 14), S.PE: falling(26, 20), S.CAP_BREADTH: falling(70, 40), S.REIT: falling(100, 70),
    S.FOREIGN_10Y: falling(1, 3), S.SPREAD: falling(7, 8),
}  # fmt: skip


@pytest.fixture
def market() -> None:
    market_file_load(name="spx.csv", data=csv_of(np.linspace(3800, 4700, len(DAYS)), head="date,close"))
    market_file_load(name="vix.csv", data=csv_of(np.full(len(DAYS), 15.0), head="date,close"))
    market_file_load(name="rate_dgs10.csv", data=csv_of(np.full(len(DAYS), 4.0), head="date,close"))


@pytest.fixture
def people() -> People:
    return people_with_operator()


def by_command(symbol: str, data: bytes, people: People, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(data)
    call_command("market_load", str(path), symbol=symbol, stdout=io.StringIO())


def by_page(symbol: str, data: bytes, people: People, tmp_path: Path) -> None:
    client = Client()
    client.force_login(people.owner)
    sent = {"file": SimpleUploadedFile("mine.csv", data), "symbol": symbol.lower()}
    assert client.post(reverse("journal:data_upload"), sent).status_code == 302


def by_api(symbol: str, data: bytes, people: People, tmp_path: Path) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {Token.objects.get_or_create(user=people.owner)[0].key}")
    answer = client.post(
        "/api/v1/market-data/", {"file": SimpleUploadedFile("mine.csv", data), "symbol": symbol}, "multipart"
    )
    assert answer.status_code == 201, answer.content
    assert answer.json()["rows_new"] == len(DAYS)


@pytest.mark.usefixtures("market")
@pytest.mark.parametrize("load", [by_command, by_page, by_api])
def test_supplied_series_switch_their_signals_on(load: Any, people: People, tmp_path: Path) -> None:
    before = signals_refresh().day(DAYS[-1])
    assert {key for key in ON if before.signals[key].state is SignalState.UNKNOWN} == ON
    for symbol, data in FILES.items():
        load(symbol, data, people, tmp_path)
    after = signals_refresh().day(DAYS[-1])
    assert {key for key in ON if after.on(key)} == ON
    assert after.value(K.FOREIGN_DIFFERENTIAL) == pytest.approx(1.0)
    assert S.FOREIGN_10Y in after.signals[K.FOREIGN_DIFFERENTIAL].source
    # Before the look-back is filled they stay unknown, and say why.
    early = signals_refresh().day(DAYS[20])
    assert early.on(K.PCF_DIVERGENCE) is None
    assert "supplied by the user" in early.signals[K.PCF_DIVERGENCE].reason


@pytest.mark.usefixtures("market")
def test_monthly_rates_abroad_are_carried_for_their_month_and_no_longer() -> None:
    days = [day for day in DAYS if day.day <= 7 and day.weekday() == 2 and day < date(2023, 10, 1)]
    market_file_load(name="m.csv", data=csv_of(np.linspace(1, 2, len(days)), days), symbol=S.FOREIGN_10Y)
    frame = signals_refresh()
    seen = frame.day(date(2023, 9, 29)).signals[K.FOREIGN_DIFFERENTIAL]
    assert seen.state is SignalState.ON
    assert seen.as_of == days[-1]
    assert not seen.stale
    assert frame.day(date(2023, 11, 1)).signals[K.FOREIGN_DIFFERENTIAL].stale
    assert frame.day(date(2023, 12, 29)).on(K.FOREIGN_DIFFERENTIAL) is None


def test_page_command_and_api_name_the_same_symbols(people: People) -> None:
    client = Client()
    client.force_login(people.owner)
    text = client.get(reverse("journal:data")).content.decode()
    out = io.StringIO()
    call_command("market_load", symbols=True, stdout=out)
    api = APIClient()
    api.force_authenticate(people.owner)
    told = {row["symbol"]: row for row in api.get("/api/v1/market-data/supplied/").json()}
    for one in SUPPLIED:
        assert f"<code>{one.symbol}</code>" in text
        assert one.symbol in out.getvalue()
        assert told[one.symbol]["last"] is None
    market_file_load(name="mine.csv", data=falling(18, 14), symbol=S.PCF)
    told = {row["symbol"]: row for row in api.get("/api/v1/market-data/supplied/").json()}
    assert told[S.PCF]["last"] == str(DAYS[-1])
    with pytest.raises(CommandError, match="name a file"):
        call_command("market_load")


def test_breadth_is_one_file_of_two_columns() -> None:
    rows = "".join(f"{day},1600,1400\n" for day in DAYS)
    market_file_load(name="breadth_mine.csv", data=f"date,advances,declines\n{rows}".encode())
    assert {S.ADVANCES, S.DECLINES} <= set(market_history().series)


@pytest.fixture
def chain(data_dir: Path) -> ChainSnapshot:
    for name in ("spx_daily.csv", "vix_daily.csv"):
        market_path_load(path=data_dir / "market" / name)
    market_path_load(path=data_dir / "chains" / "spx_chain_cboe_20240105.csv.gz")
    return ChainSnapshot.objects.get()


def test_the_width_of_a_stored_chain_is_a_signal_until_the_chain_is_old(chain: ChainSnapshot) -> None:
    assert chain.near_spread is not None
    assert 0.2 < chain.near_spread < 3
    listed = {one.series.symbol: one.last for one in supplied_series(now=timezone.now())}
    assert listed[S.SPREAD] == date(2024, 1, 5), "measured, nobody has to supply it"
    assert listed[S.PCF] is None
    frame = signals_refresh()
    seen = frame.day(date(2024, 1, 5)).signals[K.SPX_SPREAD]
    assert seen.value == pytest.approx(chain.near_spread)
    assert seen.state is SignalState.OFF
    assert seen.source == "SPX:SPREAD (SPX chains)"
    assert frame.day(date(2024, 1, 4)).on(K.SPX_SPREAD) is None, "nothing is known before its chain"
    assert frame.day(date(2024, 1, 8)).signals[K.SPX_SPREAD].stale
    old = frame.day(date(2024, 1, 31)).signals[K.SPX_SPREAD]
    assert old.state is SignalState.UNKNOWN
    assert "26 days old" in old.reason


def test_the_last_chain_of_a_day_counts_before_a_supplied_value_and_simulated_ones_never(
    chain: ChainSnapshot,
) -> None:
    market_file_load(name="w.csv", data=b"date,value\n2024-01-04,9\n2024-01-05,8\n", symbol=S.SPREAD)

    def another(spread: float, at: datetime, quality: Quality = Quality.EOD) -> None:
        ChainSnapshot.objects.create(
            source="test", underlying="SPX", as_of=at, row_count=0, payload=b"", quality=quality,
            content_hash=f"{spread}".ljust(64, "0"), near_spread=spread,
        )  # fmt: skip

    another(3.5, chain.as_of - timedelta(hours=2))
    another(4.5, chain.as_of + timedelta(minutes=5), Quality.SIMULATED)
    another(2.5, datetime(2024, 1, 8, 16, tzinfo=NEW_YORK))
    market_file_load(name="w.csv", data=b"date,value\n2024-01-03,7\n", symbol=S.SPREAD)  # a new revision
    series = market_history().series[S.SPREAD]
    assert dict(zip(series.days.astype(str), series.values, strict=True)) == {
        "2024-01-03": 7, "2024-01-04": 9, "2024-01-05": pytest.approx(chain.near_spread), "2024-01-08": 2.5,
    }  # fmt: skip


def test_chains_stored_before_are_measured_by_the_migration(chain: ChainSnapshot) -> None:
    from importlib import import_module

    ChainSnapshot.objects.update(near_spread=None)
    import_module("hedging.migrations.0007_chain_spread").measure(apps, None)
    assert ChainSnapshot.objects.get().near_spread == chain.near_spread

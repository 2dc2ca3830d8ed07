"""Days without an option chain: what index levels and the VX curve can say, and that it is flagged."""

from __future__ import annotations

import gzip
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from hedging.engine.book import BookTrade, Leg, TradeRole
from hedging.engine.instruments import option_contract, parse_symbol
from hedging.engine.market import Flag, ForwardSource, MarketSnapshot
from hedging.engine.pricing.valuation import LegFlag, PriceSource, value_trade
from hedging.maths import black76
from hedging.maths.smile import SmileModel
from hedging.maths.types import Right
from hedging.models import DailyBar
from hedging.selectors.calendar import closes_at
from hedging.services.market.load import market_path_load
from hedging.services.snapshots.snapshots import snapshot_for, snapshot_load

pytestmark = pytest.mark.django_db

CRASH = date(2020, 3, 16)
SERIES = ("spx_daily", "vix_daily", "vix9d_daily", "vix3m_daily", "vvix_daily", "rate_dtb3")


def load_around(data_dir: Path, folder: Path, day: date, names: tuple[str, ...] = SERIES) -> None:
    """Load the ten days up to ``day`` of each series, and of the VX contracts."""
    days = {(day - timedelta(days=back)).isoformat() for back in range(10)}
    for name in (*names, "vx_contracts_daily"):
        source = data_dir / "market" / f"{name}.csv"
        if name == "vx_contracts_daily":
            text = gzip.decompress(source.with_suffix(".csv.gz").read_bytes()).decode()
        else:
            text = source.read_text(encoding="utf-8")
        header, *lines = text.splitlines(keepends=True)
        (folder / source.name).write_text(header + "".join(x for x in lines if x[:10] in days))
        market_path_load(path=folder / source.name)


@pytest.fixture
def crash(data_dir: Path, tmp_path: Path) -> MarketSnapshot:
    load_around(data_dir, tmp_path, CRASH)
    row = snapshot_for(as_of=closes_at(CRASH))
    assert row is not None
    assert Flag.MODELLED in row.flags
    return snapshot_load(row)


def option(root: str, expiry: date, right: Right, strike: int) -> Leg:
    return Leg(option_contract(root, expiry, right, Decimal(strike)), 1, 1.0)


def test_a_day_with_history_only_values_condor_and_hedge_as_modelled(crash: MarketSnapshot) -> None:
    assert crash.as_of == closes_at(CRASH)
    april, vix = date(2020, 4, 17), date(2020, 4, 15)
    legs = (
        option("SPXW", april, Right.PUT, 1800), option("SPXW", april, Right.PUT, 1850),
        option("SPXW", april, Right.CALL, 2800), option("VIX", vix, Right.CALL, 60),
    )  # fmt: skip
    valued = value_trade(BookTrade("t", TradeRole.CONDOR, None, legs, 0.0, 0.0), crash)
    assert not valued.totals.partial
    for leg in valued.legs:
        assert leg.source is PriceSource.SURFACE
        assert leg.quality is Flag.MODELLED
        assert LegFlag.MODELLED in leg.flags
        assert leg.bid is None
        assert leg.iv is not None
    at_the_money = crash.slices[("SPXW", april)]
    assert 0.6 < float(at_the_money.smile.vol(at_the_money.forward)) < 0.8  # VIX closed at 82.69
    assert valued.legs[0].price < valued.legs[1].price  # type: ignore[operator]  # known above


def test_vix_options_stand_on_the_future_of_their_expiry(crash: MarketSnapshot) -> None:
    found = crash.slices[("VIX", date(2020, 4, 15))]
    assert found.forward_source is ForwardSource.VX_FUTURE
    assert found.forward == crash.vx_settle(date(2020, 4, 15))
    weekly = crash.slices[("VIXW", date(2020, 4, 8))]
    assert weekly.forward_source is ForwardSource.VX_CURVE
    around = [point.settle for point in crash.vx_curve[:2]]
    assert min(around) < weekly.forward < max(around)


def test_parity_holds_and_prices_have_no_arbitrage(crash: MarketSnapshot) -> None:
    last = np.zeros(400)
    for day in (date(2020, 3, 20), date(2020, 4, 17), date(2020, 6, 30), date(2020, 12, 18)):
        one = crash.slices[("SPXW", day)]
        strikes = one.forward * np.linspace(0.4, 1.8, 400)
        vols = one.smile.vol(strikes)
        call = black76.price(one.forward, strikes, one.t, vols, one.discount, 1)
        put = black76.price(one.forward, strikes, one.t, vols, one.discount, -1)
        assert call - put == pytest.approx(one.discount * (one.forward - strikes), abs=1e-8)
        assert np.all(np.diff(call, 2) > -1e-9)
        assert np.all(np.diff(call) < 1e-9)
        normalised = call / one.discount / one.forward
        assert np.all(normalised >= last - 1e-12)
        last = normalised


def test_an_expiry_the_exchange_does_not_list_stays_unknown(crash: MarketSnapshot) -> None:
    assert ("SPX", date(2020, 4, 16)) not in crash.slices
    assert ("VIX", date(2020, 4, 22)) not in crash.slices
    assert ("SPXW", date(2020, 4, 18)) not in crash.slices
    assert ("SPXW", date(2022, 4, 14)) not in crash.slices
    assert ("SPXW", CRASH) not in crash.slices


def test_the_standard_expiries_are_named(crash: MarketSnapshot) -> None:
    named = list(crash.slices)
    assert ("SPX", date(2020, 4, 17)) in named
    assert ("VIX", date(2020, 4, 15)) in named
    assert all(crash.slices[key].smile.model is SmileModel.LEVELS for key in named)


def test_without_volatility_indices_options_stay_unknown(data_dir: Path, tmp_path: Path) -> None:
    load_around(data_dir, tmp_path, CRASH, ("spx_daily",))
    row = snapshot_for(as_of=closes_at(CRASH))
    assert row is not None
    market = snapshot_load(row)
    assert Flag.MODELLED not in market.flags
    legs = (Leg(parse_symbol("SPXW  200417P01850000"), 1, 1.0),)
    leg = value_trade(BookTrade("t", TradeRole.CONDOR, None, legs, 0.0, 0.0), market).legs[0]
    assert leg.price is None
    assert "nor the index levels" in leg.reason


def test_an_old_chain_no_longer_speaks_for_a_later_close(data_dir: Path) -> None:
    market_path_load(path=data_dir / "chains" / "raw" / "spx_quotedata_20240105.csv.gz")

    def close(day: date) -> None:
        for symbol, value in (("SPX", 4750), ("VIX", 13)):
            DailyBar.objects.create(source="t", symbol=symbol, date=day, close=Decimal(value))

    close(date(2024, 1, 9))
    near = snapshot_for(as_of=datetime.fromisoformat("2024-01-09T18:00-05:00"))
    assert near is not None
    assert near.spx_chain is not None
    close(date(2024, 1, 12))
    later = snapshot_for(as_of=datetime.fromisoformat("2024-01-12T18:00-05:00"))
    assert later is not None
    assert later.spx_chain is None
    assert later.as_of == closes_at(date(2024, 1, 12))
    assert snapshot_load(later).slices[("SPXW", date(2024, 2, 16))].flag is Flag.MODELLED


def test_levels_older_than_the_snapshot_are_called_stale(data_dir: Path, tmp_path: Path) -> None:
    load_around(data_dir, tmp_path, CRASH)
    DailyBar.objects.filter(symbol="VVIX", date__gt=date(2020, 3, 12)).delete()
    row = snapshot_for(as_of=closes_at(CRASH))
    assert row is not None
    legs = (
        option("VIX", date(2020, 4, 15), Right.CALL, 60),
        option("SPXW", date(2020, 4, 17), Right.PUT, 1850),
    )
    vix, spx = value_trade(BookTrade("t", TradeRole.HEDGE, 1, legs, 0.0, 0.0), snapshot_load(row)).legs
    assert vix.quoted_at == closes_at(date(2020, 3, 12))
    assert LegFlag.STALE in vix.flags
    assert LegFlag.STALE not in spx.flags

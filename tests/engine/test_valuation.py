"""Valuing books on real chains: against the vendor, against itself, and where nothing is known."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hedging.engine.book import Book, BookTrade, Leg, TradeRole
from hedging.engine.instruments import parse_symbol
from hedging.engine.market import Flag, MarketSnapshot
from hedging.engine.pricing.analysis import analyse_trade, curve_on
from hedging.engine.pricing.scenarios import scenario_grid, stressed_loss
from hedging.engine.pricing.valuation import LegFlag, PriceSource, value_book, value_trade
from hedging.models import ChainSnapshot
from hedging.providers.formats.chain import unpack
from hedging.services.market.load import market_path_load
from hedging.services.snapshots.snapshots import snapshot_for, snapshot_load

pytestmark = pytest.mark.django_db

CONDOR = (
    ("SPXW  240216P04415000", 1), ("SPXW  240216P04465000", -1),
    ("SPXW  240216C04890000", -1), ("SPXW  240216C04940000", 1),
)  # fmt: skip


@pytest.fixture
def market(data_dir: Path) -> MarketSnapshot:
    market_path_load(path=data_dir / "chains" / "raw" / "spx_quotedata_20240105.csv.gz")
    market_path_load(path=data_dir / "market" / "raw" / "VX_2024-02-14.csv")
    row = snapshot_for()
    assert row is not None
    return snapshot_load(row)


def trade(
    legs: tuple[tuple[str, int], ...], role: TradeRole = TradeRole.CONDOR, cash: float = 1080.0
) -> BookTrade:
    return BookTrade("t", role, None, tuple(Leg(parse_symbol(s), q, 1.0) for s, q in legs), cash, 5.2)


def test_condor_deltas_agree_with_the_vendor_on_all_four_legs(market: MarketSnapshot) -> None:
    row = ChainSnapshot.objects.get()
    chain = unpack("SPX", row.as_of, float(row.spot or 0), bytes(row.payload)).columns
    for leg in value_trade(trade(CONDOR), market).legs:
        spec = parse_symbol(leg.symbol)
        at = (chain.root == spec.root) & (chain.expiry == np.datetime64(spec.expiry))
        at &= (chain.strike == spec.strike) & (chain.right == int(spec.right or 0))
        assert leg.source is PriceSource.QUOTE
        assert leg.delta == pytest.approx(float(chain.vendor_delta[at][0]), abs=0.005)


def test_totals_are_the_sums_of_the_legs(market: MarketSnapshot) -> None:
    valued = value_trade(trade(CONDOR), market)
    by_hand = sum(leg.quantity * 100 * (leg.price or 0) for leg in valued.legs)
    assert valued.totals.market_value == pytest.approx(by_hand)
    assert valued.totals.pnl == pytest.approx(1080.0 - 5.2 + by_hand)
    assert valued.totals.greeks["SPX"].delta == pytest.approx(
        sum(leg.quantity * 100 * (leg.delta or 0) for leg in valued.legs)
    )


def test_near_the_condor_pop_is_about_seventy_percent(market: MarketSnapshot) -> None:
    analysis = analyse_trade(trade(CONDOR), market)
    assert analysis.pop == pytest.approx(0.73, abs=0.04)
    assert [s.strike for s in analysis.short_strikes] == [4465, 4890]
    assert analysis.payoff is not None
    assert analysis.payoff.today is not None
    assert max(analysis.payoff.expiry) == pytest.approx(1080.0 - 5.2)


def test_the_curve_of_another_day_runs_from_todays_to_the_one_at_expiry(market: MarketSnapshot) -> None:
    condor = trade(CONDOR)
    payoff = analyse_trade(condor, market).payoff
    assert payoff is not None
    settles = market.slices["SPXW", date(2024, 2, 16)].settles_at
    given: dict[str, Any] = {"market": market, "prices": payoff.prices}
    now = curve_on(condor, moment=market.as_of, vol_points=0.0, **given)
    assert now == pytest.approx(payoff.today, abs=0.01)
    assert curve_on(condor, moment=settles, vol_points=5.0, **given) == pytest.approx(payoff.expiry)
    # A condor earns with time near the money and loses with volatility; both more so together.
    later = curve_on(condor, moment=market.as_of + timedelta(days=20), vol_points=0.0, **given)
    wilder = curve_on(condor, moment=market.as_of, vol_points=5.0, **given)
    assert now is not None
    assert later is not None
    assert wilder is not None
    spot = int(np.argmin(np.abs(np.array(payoff.prices) - payoff.spot)))
    assert wilder[spot] < now[spot] < later[spot] < payoff.expiry[spot]
    # The first day's step is the position's theta, and some carry: here spot stays, there the forward.
    day = curve_on(condor, moment=market.as_of + timedelta(days=1), vol_points=0.0, **given)
    assert day is not None
    theta = value_trade(condor, market).totals.theta
    assert day[spot] - now[spot] == pytest.approx(theta, rel=0.15)
    vega = value_trade(condor, market).totals.greeks["SPX"].vega
    little = curve_on(condor, moment=market.as_of, vol_points=0.1, **given)
    assert little is not None
    assert (little[spot] - now[spot]) / 0.1 == pytest.approx(vega, rel=0.05)


def test_a_curve_with_an_unknown_leg_is_unknown(market: MarketSnapshot) -> None:
    far = trade((("SPXW  300118C05000000", 1),))
    assert curve_on(far, market, moment=market.as_of, vol_points=0.0, prices=[5000.0]) is None
    mixed = trade((*CONDOR[:2], ("SPXW  240119C04890000", 1)))
    assert curve_on(mixed, market, moment=market.as_of, vol_points=0.0, prices=[5000.0]) is None


def test_an_unlisted_expiry_and_a_missing_chain_are_unknown_with_a_reason(market: MarketSnapshot) -> None:
    valued = value_trade(trade((("SPXW  301220P04415000", 1), ("VIX   240214C00018000", 1))), market)
    assert [leg.price for leg in valued.legs] == [None, None]
    assert "does not list" in valued.legs[0].reason
    assert "no VIX option chain" in valued.legs[1].reason
    assert valued.totals.partial
    assert valued.totals.pnl is None


def test_an_expiry_between_quoted_ones_is_modelled_and_says_so(market: MarketSnapshot) -> None:
    legs = (("SPXW  240517P04415000", 1), ("SPXW  240503P04415000", 1), ("SPXW  240430P04415000", 1))
    later, between, earlier = value_trade(trade(legs), market).legs
    assert (later.quality, between.quality, earlier.quality) == (Flag.EOD, Flag.MODELLED, Flag.EOD)
    assert LegFlag.MODELLED in between.flags
    assert between.source is PriceSource.SURFACE
    assert earlier.price is not None
    assert between.price is not None
    assert later.price is not None
    assert earlier.price < between.price < later.price


def test_vx_futures_gain_a_thousand_dollars_a_point(market: MarketSnapshot) -> None:
    future = BookTrade("f", TradeRole.HEDGE, 3, (Leg(parse_symbol("VX/2024-02-14"), 2, 14.0),), 0.0, 0.0)
    valued = value_trade(future, market)
    settle = market.vx_settle(parse_symbol("VX/2024-02-14").expiry)  # type: ignore[arg-type]
    assert settle is not None
    assert valued.totals.pnl == pytest.approx(2 * 1000 * (settle - 14.0))
    assert valued.totals.greeks["VX"].delta == 2000


def test_spx_and_vx_risks_are_never_added(market: MarketSnapshot) -> None:
    future = BookTrade("f", TradeRole.HEDGE, 3, (Leg(parse_symbol("VX/2024-02-14"), 1, 14.0),), 0.0, 0.0)
    book = Book("a", 1, 100_000.0, (trade(CONDOR), future))
    valued = value_book(book, market)
    assert set(valued.total.greeks) == {"SPX", "VX"}
    assert valued.condors.greeks.keys() == {"SPX"}
    assert set(valued.layers) == {3}


def test_small_shocks_follow_the_greeks(market: MarketSnapshot) -> None:
    one = trade(CONDOR)
    spx = value_trade(one, market).totals.greeks["SPX"]
    grid = scenario_grid((one,), market, (-0.001, 0.0, 0.001), (0.0,))
    step = 0.001 * 4722.67
    slope = (grid.pnl[2, 0] - grid.pnl[0, 0]) / (2 * step)
    assert grid.pnl[1, 0] == pytest.approx(0.0, abs=1e-9)
    assert slope == pytest.approx(spx.delta, abs=0.15)


def test_the_stressed_loss_stays_within_the_maximum_loss(market: MarketSnapshot) -> None:
    book = Book("a", 1, 100_000.0, (trade(CONDOR),))
    loss, _, unknown = stressed_loss(book, market)
    assert unknown == 0
    assert 0 < loss < 5000


def test_portfolio_margin_of_a_condor_lies_below_its_strategy_margin(market: MarketSnapshot) -> None:
    found = analyse_trade(trade(CONDOR), market).portfolio_margin
    assert found is not None
    by_hand = [
        float(scenario_grid((trade(CONDOR),), market, (-0.08 + 0.14 * i / 9,), (0.0,)).pnl[0, 0])
        for i in range(10)
    ]
    assert found == pytest.approx(-min(by_hand))
    assert 4 * 37.5 <= found <= 5000
    assert analyse_trade(trade((("VIX   240214C00018000", 1),)), market).portfolio_margin is None


def test_probability_of_profit_agrees_with_the_price_of_quoted_spreads(market: MarketSnapshot) -> None:
    """A second method without any smile: a narrow vertical over its width is a digital."""
    analysis = analyse_trade(trade(CONDOR), market)
    low, high = analysis.payoff.break_evens  # type: ignore[union-attr]  # a condor has a curve
    one = market.slices[("SPXW", date(2024, 2, 16))]
    put, call = (one.put_bid + one.put_ask) / 2, (one.call_bid + one.call_ask) / 2

    def digital(level: float, mids: np.ndarray) -> float:
        above, below = (int(np.searchsorted(one.strikes, level + step)) for step in (20, -20))
        return (
            abs(float(mids[above] - mids[below])) / (one.strikes[above] - one.strikes[below]) / one.discount
        )

    assert analysis.pop == pytest.approx(1 - digital(low, put) - digital(high, call), abs=0.01)

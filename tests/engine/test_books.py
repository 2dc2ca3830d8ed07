"""Books of many accounts as arrays: the figures of ``valuation`` and ``scenarios``, contract by contract."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from hedging.engine.book import BookTrade, ContractSpec, Leg, TradeRole
from hedging.engine.instruments import option_contract, share, vx_future
from hedging.engine.market import Flag, IndexLevel, MarketSnapshot, VXPoint
from hedging.engine.pricing import many as books
from hedging.engine.pricing.scenarios import ShockRules, scenario_grid
from hedging.engine.pricing.valuation import PriceSource, sum_totals, value_leg, value_trade
from hedging.maths.types import Right
from hedging.maths.yearfrac import year_fraction
from hedging.providers.simulated import simulate_days, simulated_spx_chain, simulated_vix_chain, simulated_vx
from hedging.selectors.calendar import opens_at
from hedging.services.snapshots.slices import ChainSlices

OWNERS = 40


@pytest.fixture(scope="module")
def market() -> MarketSnapshot:
    """The simulated market of one close, without a database."""
    day = simulate_days(date(2026, 11, 20), 60)[-1]
    spx, vix = simulated_spx_chain(day), simulated_vix_chain(day)
    curve = tuple(
        VXPoint(row.expiry, float(row.settle), year_fraction(spx.as_of, opens_at(row.expiry)))
        for row in simulated_vx(day)
    )
    of_spx = ChainSlices(spx, (), 0.04, Flag.SIMULATED)
    of_vix = ChainSlices(vix, curve, of_spx.rate, Flag.SIMULATED)
    vxx = IndexLevel("VXX", 42.5, spx.as_of, "daily close", Flag.SIMULATED)
    return MarketSnapshot(
        "1", spx.as_of, spx.spot, {"VXX": vxx}, curve, {**of_spx, **of_vix}, of_spx.rate,
        frozenset({Flag.SIMULATED}), "hash",
    )  # fmt: skip


@pytest.fixture(scope="module")
def contracts(market: MarketSnapshot) -> list[ContractSpec]:
    """Options of every expiry, some off the grid of quotes, and what cannot be known."""
    rng = np.random.default_rng(3)
    found = []
    for (root, expiry), part in market.slices.items():
        for strike in rng.choice(part.strikes, min(8, len(part.strikes)), replace=False):
            found += [option_contract(root, expiry, right, Decimal(str(strike))) for right in Right]
        found.append(option_contract(root, expiry, Right.PUT, Decimal(str(part.strikes[0] * 0.9 // 1 + 0.5))))
    found += [vx_future(point.expiry) for point in market.vx_curve]
    found += [
        share("VXX"),
        option_contract("SPXW", date(2031, 12, 19), Right.PUT, Decimal(4000)),  # not listed
        option_contract("SPXW", date(2026, 1, 2), Right.PUT, Decimal(4000)),  # expired, never settled
        vx_future(date(2029, 1, 17)),  # off the curve
    ]
    return found


def positions(contracts: list[ContractSpec], legs: int) -> books.Positions:
    rng = np.random.default_rng(4)
    quantity = rng.choice([-3.0, -1.0, 1.0, 2.0, 10.0], legs)
    owner, contract = rng.integers(0, OWNERS - 1, legs), rng.integers(0, len(contracts), legs)
    return books.Positions(owner, contract, quantity, rng.uniform(1, 30, legs))


def trades(contracts: list[ContractSpec], held: books.Positions) -> list[BookTrade]:
    legs: list[list[Leg]] = [[] for _ in range(OWNERS)]
    for who, what, quantity, entry in zip(*held, strict=True):
        legs[who].append(Leg(contracts[what], int(quantity), float(entry)))
    return [BookTrade(str(i), TradeRole.OTHER, None, tuple(mine), 0.0, 0.0) for i, mine in enumerate(legs)]


def test_contracts_are_valued_as_single_legs_are(
    market: MarketSnapshot, contracts: list[ContractSpec]
) -> None:
    table = books.contract_table(contracts, market)
    sources = set()
    for i, spec in enumerate(contracts):
        leg = value_leg(Leg(spec, 1, 0.0), market)
        sources.add(leg.source)
        assert books.SOURCES[table.source[i]] is leg.source, spec
        assert table.known[i] == (leg.price is not None)
        if leg.price is None:
            continue
        assert table.price[i] == pytest.approx(leg.price, rel=1e-12)
        for name, value in zip(books.GREEKS, table.greeks[:, i], strict=True):
            assert value == pytest.approx(getattr(leg, name), rel=1e-9, abs=1e-12), (spec, name)
    assert {PriceSource.QUOTE, PriceSource.SURFACE, PriceSource.SETTLEMENT, PriceSource.LEVEL} < sources
    assert (~table.known).sum() == 3


@pytest.mark.parametrize("legs", [300, 4_000])  # NumPy, then compiled
def test_owners_get_the_totals_of_their_legs(
    market: MarketSnapshot, contracts: list[ContractSpec], legs: int
) -> None:
    held = positions(contracts, legs)
    found = books.value_positions(books.contract_table(contracts, market), held, OWNERS)
    valued = {spec.symbol: value_leg(Leg(spec, 1, 0.0), market) for spec in contracts}
    for i, trade in enumerate(trades(contracts, held)):
        assert found.unknown[i] == sum(valued[leg.contract.symbol].price is None for leg in trade.legs)
    for i, trade in enumerate(trades(contracts, held)[:6] if legs > 1000 else trades(contracts, held)):
        total = value_trade(trade, market).totals
        assert found.market_value[i] == pytest.approx(total.market_value, rel=1e-11, abs=1e-6)
        assert found.theta[i] == pytest.approx(total.theta, rel=1e-9, abs=1e-6)
        for at, factor in enumerate(books.FACTORS):
            for column, name in enumerate(books.GREEKS):
                expected = getattr(total.greeks[factor.value], name) if factor.value in total.greeks else 0.0
                assert found.greeks[i, at, column] == pytest.approx(expected, rel=1e-9, abs=1e-6)
    assert found.market_value[-1] == 0


def test_trades_roll_up_into_accounts(market: MarketSnapshot, contracts: list[ContractSpec]) -> None:
    held = positions(contracts, 300)
    by_trade = books.value_positions(books.contract_table(contracts, market), held, OWNERS)
    accounts = by_trade.rolled_up(np.arange(OWNERS) % 3, 3)
    one = sum_totals(value_trade(t, market).totals for t in trades(contracts, held)[1::3])
    assert accounts.market_value[1] == pytest.approx(one.market_value)
    assert accounts.unknown[1] == one.unknown_legs
    assert accounts.greeks[1, 0, 0] == pytest.approx(one.greeks["SPX"].delta)


@pytest.mark.parametrize("days", [0.0, 5.0])
@pytest.mark.parametrize("legs", [30, 2_500])  # NumPy, then compiled
@pytest.mark.parametrize(
    "rules", [ShockRules(), ShockRules(kappa=6.0, spx_cap=1.0, floor_vol=0.1, floor_vx=12.0)]
)
def test_grids_are_those_of_the_scenarios(
    market: MarketSnapshot, contracts: list[ContractSpec], legs: int, days: float, rules: ShockRules
) -> None:
    held = positions(contracts, legs)
    spot, vix = (-0.2, -0.03, 0.0, 0.06), (-12.0, 0.0, 25.0)
    table = books.contract_table(contracts, market)
    found = books.scenario_positions(table, held, OWNERS, market, spot, vix, rules, days)
    some = slice(0, 3 if legs > 1000 else OWNERS)
    expected = scenario_grid(trades(contracts, held)[some], market, spot, vix, rules, days)
    for i, grid in enumerate(expected.by_trade.values()):
        assert np.allclose(found.pnl[i], grid, rtol=1e-9, atol=1e-5)
    assert found.unknown[some].sum() == expected.unknown


def test_without_a_vx_curve_shares_do_not_move_and_say_so(market: MarketSnapshot) -> None:
    bare = replace(market, vx_curve=())
    table = books.contract_table([share("VXX")], bare)
    held = books.Positions(np.array([0]), np.array([0]), np.array([5.0]), np.array([40.0]))
    found = books.scenario_positions(table, held, 1, bare, (0.0,), (10.0,))
    assert found.pnl[0, 0, 0] == 0
    assert found.unknown[0] == 1
    assert books.value_positions(table, held, 1).market_value[0] == pytest.approx(5 * 42.5)


def test_positions_that_do_not_fit_are_refused(market: MarketSnapshot) -> None:
    table = books.contract_table([share("VXX")], market)
    one = np.array([0])
    for owner, contract, message in (
        (np.array([2]), one, "owner index"),
        (one, np.array([1]), "contract index"),
    ):
        with pytest.raises(ValueError, match=message):
            books.value_positions(table, books.Positions(owner, contract, one * 1.0, one * 1.0), 1)
    with pytest.raises(ValueError, match="one length"):
        books.value_positions(table, books.Positions(one, one, np.ones(2), one * 1.0), 1)


def test_importing_the_door_imports_no_numba() -> None:
    code = "import sys; from hedging.engine.pricing import many, scenarios; assert 'numba' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)

"""Accounts of a firm at once: the figures of each are those of its own pages; unknown is never less risk."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from hedging.engine.book import Book, BookTrade, ContractSpec, Leg, TradeRole
from hedging.engine.instruments import option_contract, vx_future
from hedging.engine.market import MarketSnapshot
from hedging.engine.pricing import firm
from hedging.engine.pricing.scenarios import STRESS, scenario_grid, stress_test
from hedging.engine.pricing.valuation import value_book
from hedging.engine.structure import describe
from hedging.maths.types import Right
from tests.engine.test_books import market as market  # noqa: PLC0414 - the fixture

ROLES = {TradeRole.CONDOR: firm.CONDOR, TradeRole.HEDGE: firm.HEDGE, TradeRole.OTHER: firm.OTHER}
NEVER = option_contract("SPXW", date(2031, 12, 19), Right.PUT, Decimal(4000))


def condor(market: MarketSnapshot, *, expiry: int = 0, at: float = 0.0, quantity: int = 1) -> BookTrade:
    """Sold near 4% out of the money, wings of 50 points, for 5 points."""
    root, day = [key for key in market.slices if key[0] == "SPXW"][expiry]
    assert market.spot is not None
    low, high = (round(market.spot * (1 + at + side) / 25) * 25 for side in (-0.04, 0.04))
    legs = [
        (Right.PUT, low - 50, 1),
        (Right.PUT, low, -1),
        (Right.CALL, high, -1),
        (Right.CALL, high + 50, 1),
    ]
    specs = [(option_contract(root, day, right, Decimal(strike)), sign) for right, strike, sign in legs]
    found = tuple(Leg(spec, sign * quantity, 2.5) for spec, sign in specs)
    return BookTrade(f"c{expiry}{at}", TradeRole.CONDOR, None, found, 500.0 * quantity, 5.2 * quantity)


def hedge(market: MarketSnapshot, quantity: int = 5) -> BookTrade:
    root, day = next(key for key in market.slices if key[0] == "VIX")
    spec = option_contract(root, day, Right.CALL, Decimal(22))
    return BookTrade("h", TradeRole.HEDGE, 1, (Leg(spec, quantity, 1.2),), -120.0 * quantity, 1.3 * quantity)


def future(market: MarketSnapshot) -> BookTrade:
    spec = vx_future(market.vx_curve[1].expiry)
    return BookTrade("f", TradeRole.HEDGE, 3, (Leg(spec, 1, 17.5),), 0.0, 2.4)


def unpriced() -> BookTrade:
    return BookTrade("u", TradeRole.OTHER, None, (Leg(NEVER, -1, 3.0),), 300.0, 0.0)


def together(books: list[tuple[BookTrade, ...]]) -> firm.FirmBook:
    """The books of several accounts as arrays."""
    specs: dict[ContractSpec, int] = {}
    trades, legs = [], []
    for number, book in enumerate(books):
        for trade in book:
            trades.append((number, ROLES[trade.role], trade.cash - trade.fees))
            for leg in trade.legs:
                row = specs.setdefault(leg.contract, len(specs))
                legs.append((len(trades) - 1, row, leg.quantity, leg.entry_price))
    account, role, paid = (np.array(column) for column in zip(*trades, strict=True))
    of_trade, contract, quantity, entry = (np.array(column) for column in zip(*legs, strict=True))
    return firm.FirmBook(
        tuple(specs), len(books), account, role, paid.astype(float), of_trade, contract,
        quantity.astype(float), entry.astype(float),
    )  # fmt: skip


@pytest.fixture
def books(market: MarketSnapshot) -> list[tuple[BookTrade, ...]]:
    first, second = condor(market), condor(market, expiry=3, at=0.01, quantity=2)
    return [
        (first, hedge(market)),
        (first, second, hedge(market, 2), future(market)),
        (hedge(market),),
        (second, unpriced()),
        (condor(market, expiry=1, at=-0.03, quantity=3),),
    ]


def test_every_figure_is_the_one_of_the_account_alone(
    market: MarketSnapshot, books: list[tuple[BookTrade, ...]]
) -> None:
    found = firm.firm_risk(together(books), market)
    for i, trades in enumerate(books):
        valued = value_book(Book(str(i), 1, 1e5, trades), market)
        stress = stress_test(trades, market)
        assert found.values.unknown[i] == valued.total.unknown_legs
        assert found.unmoved[i] == stress.unknown
        assert list(found.stress[i]) == pytest.approx(stress.total, abs=1e-6)
        assert list(found.grid[i].ravel()) == pytest.approx(
            list(scenario_grid(trades, market, firm.FIRM_SPOT, firm.FIRM_VIX).pnl.ravel()), abs=1e-6
        )
        if stress.unknown:
            continue
        margins = [describe(trade.legs, trade.cash).margin for trade in trades]
        assert found.open_pnl[i] == pytest.approx(valued.total.pnl, abs=1e-6)
        assert found.margin[i] == pytest.approx(sum(m for m in margins if m is not None))
        assert found.unmargined[i] == margins.count(None)
        assert max(found.fall_loss[i], found.rally_loss[i]) == pytest.approx(stress.worst.loss, abs=1e-6)
        expected = np.inf if stress.coverage is None else stress.coverage
        assert found.coverage[i] == pytest.approx(expected)


def test_each_tail_is_its_own_worst_cell(market: MarketSnapshot) -> None:
    trades = (condor(market, at=0.02, quantity=4),)
    found = firm.firm_risk(together([trades]), market)
    total = stress_test(trades, market).total
    falls = [pnl for pnl, shock in zip(total, STRESS, strict=True) if shock.vix > 0]
    others = [pnl for pnl, shock in zip(total, STRESS, strict=True) if shock.vix <= 0]
    assert found.fall_loss[0] == pytest.approx(-min(falls))
    assert found.rally_loss[0] == pytest.approx(-min(others))


def test_an_unknown_leg_makes_what_needs_it_unknown(
    market: MarketSnapshot, books: list[tuple[BookTrade, ...]]
) -> None:
    found = firm.firm_risk(together(books), market)
    for figure in (
        found.open_pnl, found.fall_loss, found.rally_loss, found.coverage, found.trade_loss,
        found.expiry_loss, found.expiry_share, found.portfolio_margin,
    ):  # fmt: skip
        assert np.isnan(figure[3])
        assert not np.isnan(figure[0])
    assert found.worst_expiry[3] == 0


def test_trades_without_a_margin_rule_are_counted(
    market: MarketSnapshot, books: list[tuple[BookTrade, ...]]
) -> None:
    found = firm.firm_risk(together(books), market)
    assert list(found.unmargined) == [0, 1, 0, 0, 0]  # a future


def test_concentration_names_the_expiry_and_the_strike(market: MarketSnapshot) -> None:
    small, large = condor(market), condor(market, expiry=3, quantity=5)
    found = firm.firm_risk(together([(small, large), (large,)]), market)
    assert date.fromordinal(int(found.worst_expiry[0])) == large.legs[0].contract.expiry
    assert 0.6 < found.expiry_share[0] < 1
    assert found.expiry_share[1] == 1
    assert found.worst_strike[1] in {leg.contract.strike for leg in large.legs if leg.quantity < 0}
    assert found.strike_share[1] == 0.5
    assert found.trade_loss[0] == pytest.approx(found.expiry_loss[1])


def test_an_account_that_holds_nothing_risks_nothing(market: MarketSnapshot) -> None:
    found = firm.firm_risk(together([(condor(market),), (hedge(market),)]), market)
    assert found.strike_share[1] != found.strike_share[1]  # nothing sold
    assert found.coverage[1] == np.inf
    empty = np.zeros(0, np.int64)
    none = firm.FirmBook((), 2, empty, empty, np.zeros(0), empty, empty, np.zeros(0), np.zeros(0))
    nothing = firm.firm_risk(none, market)
    assert list(nothing.fall_loss) == [0, 0]
    assert list(nothing.margin) == [0, 0]


def test_portfolio_margin_has_a_minimum_a_sold_contract(market: MarketSnapshot) -> None:
    found = firm.firm_risk(together([(condor(market, quantity=2),)]), market)
    assert found.portfolio_margin[0] >= 37.5 * 4

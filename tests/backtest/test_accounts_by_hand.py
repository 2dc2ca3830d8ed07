"""Trades whose money can be worked out on paper."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from hedging.engine.backtest.types import Costs, Exits
from hedging.maths.black76 import price
from hedging.maths.modelled import coefficients, spx_surface
from tests.backtest.worlds import FINALS, history, layer, plan, ran, surfaces


def test_a_condor_held_to_expiry_earns_its_credit_less_what_the_close_takes() -> None:
    fall = surfaces(fall_from=date(2015, 2, 9))
    result = ran(fall, plan())
    one = result.trades[0]
    assert one.why == "expiry"
    # Found by the single-day model, not by the arrays: credit of the four strikes on the opening day.
    row = int(np.searchsorted(fall.days, np.datetime64(one.opened)))
    curve = [
        ((point.expiry - one.opened).days / 365 - 6.5 / 24 / 365, point.settle)
        for point in history(fall_from=date(2015, 2, 9)).vx.curve(one.opened)
    ]
    surface = spx_surface({"VIX9D": 17.0, "VIX": 18.0, "VIX3M": 19.0}, curve)
    assert surface is not None
    years = (one.expiry - one.opened).days / 365
    forward = float(fall.spx[row] * np.exp(-coefficients()[0].dividend * years))
    smile = surface.smile_at(years, forward)
    assert smile is not None
    credit = -sum(
        leg.ratio
        * float(
            price(forward, leg.strike, years, float(smile.vol(np.array([leg.strike]))[0]), 1.0, leg.right)
        )
        for leg in one.legs
    )
    assert one.cash_in == pytest.approx(credit * 100 * one.contracts, abs=5 * one.contracts)
    # SPX fell through both put strikes: the whole 50 points of the put side are lost, to the cent.
    assert one.cash_out == -50 * 100 * one.contracts
    assert one.pnl == pytest.approx(one.cash_in - 5_000 * one.contracts, abs=0.005)


def test_a_condor_that_stays_between_its_strikes_keeps_the_whole_credit() -> None:
    one = ran(rules=plan()).trades[0]
    assert (one.why, one.cash_out) == ("expiry", 0.0)
    assert one.pnl == one.cash_in > 0


def test_a_vix_call_settles_on_the_official_value_not_on_the_last_future() -> None:
    result = ran()
    calls = [trade for trade in result.trades if trade.part == 1 and trade.why == "expiry"]
    assert calls
    for call in calls:
        payoff = max(FINALS[call.expiry] - call.legs[0].strike, 0.0)
        assert call.cash_out == pytest.approx(payoff * 100 * call.contracts, abs=0.005)
        assert call.cash_out > 0  # the futures before it stood at about 19, below the strike


def test_fees_and_half_spreads_are_charged_by_leg_and_side() -> None:
    costs = Costs(fee=1.25, share=0.0, spx_floor=0.10, vix_floor=0.0)
    one = next(
        trade for trade in ran(rules=plan(), costs=costs, exits=Exits.RULES).trades if trade.why != "open"
    )
    # VIX 18: no widening. Four legs, 0.10 points and $1.25 each, opened and bought back.
    assert one.costs == pytest.approx(2 * 4 * (0.10 * 100 + 1.25) * one.contracts, rel=1e-9)


def test_size_is_the_share_of_equity_at_the_largest_loss() -> None:
    one = ran(rules=plan()).trades[0]
    loss = 5_000 - one.cash_in / one.contracts
    assert one.contracts == int(20_000 // loss)


def test_a_gate_that_is_shut_buys_nothing() -> None:
    shut = layer(gate=np.zeros(len(surfaces()), dtype=bool))
    assert not ran(rules=plan(shut)).premium.any()

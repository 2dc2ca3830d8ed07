"""The volatility expansion (S2): diagnose, isolated or persistent, exceeded, time-shift, CAPM check."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hedging.engine.book import BookTrade
from hedging.engine.instruments import parse_symbol
from hedging.engine.policy.advise import advise
from hedging.engine.policy.context import AccountFacts, Context
from hedging.engine.policy.procedures.expansion import break_evens, expansion_trace, may_roll
from hedging.engine.policy.types import Action, Advice, Answer, Procedure, Trace
from hedging.engine.signals.types import Regime
from tests.policy.worlds import CALM, SPXW, book, condor, day, hedge, market, rules

ISOLATED, PERSISTENT, SHIFT = Regime.ISOLATED_EXPANSION, Regime.PERSISTENT_EXPANSION, Regime.REGIME_SHIFT
#: Below the market of VIX 16: at VIX 30 the condor loses.
COVER = hedge(1, 60, price=0.9)
SMALL = hedge(1, 1, price=0.9)


def trace(regime: Regime, *trades: BookTrade, vix: float = 30.0, **signals: Any) -> Trace:
    held = book(*(trades or (condor(),)))
    return expansion_trace(Context(held, market(vix), day(regime, **{**CALM, **signals}), rules()))


def advice(
    regime: Regime, *trades: BookTrade, vix: float = 30.0, facts: Any = None, _rules: Any = None
) -> Advice:
    held = book(*(trades or (condor(),)))
    return advise(held, market(vix), day(regime, **CALM), _rules or rules(), facts)


@pytest.mark.parametrize(
    ("regime", "state"),
    [
        (Regime.CALM, "quiet"),
        (Regime.COMPRESSED, "quiet"),
        (Regime.RV_COLLAPSE, "quiet"),
        (Regime.UNKNOWN, "unknown"),
    ],
)
def test_without_an_expansion_only_one_question_is_asked(regime: Regime, state: str) -> None:
    found = trace(regime)
    assert found.state == state
    assert [step.key for step in found.steps] == ["expansion.on"]
    assert may_roll(found) is Answer.NO


@pytest.mark.parametrize(
    ("regime", "signals", "state"),
    [
        (ISOLATED, {"macro_stable": True}, "isolated"),
        (ISOLATED, {"macro_stable": False}, "diagnosed"),
        (ISOLATED, {"macro_stable": None}, "diagnosed"),
        (PERSISTENT, {"macro_stable": True}, "exceeded"),
        (SHIFT, {"macro_stable": True}, "diagnosed"),
        (SHIFT, {"reer_z": False, "cap_breadth": False}, "diagnosed"),
        (SHIFT, {"reer_z": True}, "exceeded"),
        (SHIFT, {"cap_breadth": True}, "exceeded"),
    ],
)
def test_isolated_needs_stable_prices_and_persistent_needs_stress(
    regime: Regime, signals: dict[str, Any], state: str
) -> None:
    assert trace(regime, **signals).state == state


def test_a_full_roll_waits_until_the_first_two_layers_are_exceeded() -> None:
    covered, bare = trace(PERSISTENT, condor(), COVER), trace(PERSISTENT, condor(), SMALL)
    assert (covered.state, bare.state) == ("persistent", "exceeded")
    assert may_roll(covered) is Answer.NO
    assert may_roll(bare) is Answer.YES
    assert may_roll(trace(ISOLATED, condor(), SMALL)) is Answer.NO


def test_the_layers_are_also_exceeded_when_vix_stands_above_both_their_strikes() -> None:
    layers = (hedge(1, 60, price=0.9), hedge(2, 60, "VIX   260218C00028000", price=0.5))
    for vix, answer in ((27.0, Answer.NO), (28.0, Answer.NO), (28.01, Answer.YES)):
        assert trace(PERSISTENT, condor(), *layers, vix=vix).step("expansion.exceeded").answer is answer


def test_an_unknown_leg_makes_exceeded_unknown_and_stops_the_roll() -> None:
    odd = replace(
        condor(),
        legs=(*condor().legs, replace(condor().legs[0], contract=parse_symbol("SPXW  261218P05000000"))),
    )
    found = trace(PERSISTENT, odd)
    assert found.step("expansion.exceeded").answer is Answer.UNKNOWN
    assert (found.state, may_roll(found)) == ("persistent", Answer.UNKNOWN)


def test_con_5_the_capital_charge_narrows_the_break_evens() -> None:
    ctx = Context(book(condor()), market(), day(ISOLATED, **CALM), rules())
    one = ctx.condors[0]
    low, high = break_evens(ctx, one, charged=False)
    charged_low, charged_high = break_evens(ctx, one, charged=True)
    charge = 0.07 * 50_000 * (46 - 0.3) / 365 / 1000
    assert charged_low - low == pytest.approx(charge, rel=1e-6)
    assert high - charged_high == pytest.approx(charge, rel=1e-6)


def test_an_isolated_spike_shifts_the_wings_of_a_losing_condor_by_five_to_ten_points() -> None:
    for vix, points in ((15.0, 5), (22.5, 5), (30.0, 10)):
        found = advice(ISOLATED, condor(credit=2.0), vix=vix)
        shifts = [one for one in (*found.proposals, *found.refused) if one.action is Action.WING_SHIFT]
        legs = {leg.symbol[12:18]: leg.quantity for leg in shifts[0].orders[0].legs}
        assert legs == {"C07200": -10, f"C07{200 - points}": 10, "P06550": -10, f"P06{550 + points}": 10}
        assert shifts[0].funding == "Second Engine"


def test_a_winning_condor_keeps_its_wings() -> None:
    found = advice(ISOLATED, condor(credit=60.0))
    assert all(one.action is not Action.WING_SHIFT for one in (*found.proposals, *found.refused))


def test_con_6_an_adjustment_beyond_the_second_engine_is_refused() -> None:
    rich, poor = (AccountFacts(second_engine=x) for x in (1e6, 10.0))
    taken = advice(ISOLATED, condor(2, credit=2.0), facts=rich)
    assert any(one.action is Action.WING_SHIFT for one in taken.proposals)
    broke = advice(ISOLATED, condor(2, credit=2.0), facts=poor)
    assert any(
        one.action is Action.WING_SHIFT and [r.rule for r in one.refusals] == ["funding"]
        for one in broke.refused
    )


def test_recentring_is_an_action_of_its_own_and_an_alternative_to_the_shift() -> None:
    off = condor(2, credit=2.0, strikes=(6250, 6300, 7000, 7050))
    found = advice(ISOLATED, off, facts=AccountFacts(second_engine=1e6))
    shift, recentred = [one for one in (*found.proposals, *found.refused) if one.trade_id == "c1"]
    assert (shift.action, recentred.action) == (Action.WING_SHIFT, Action.RECENTER)
    assert (shift.alternative, recentred.alternative) == (False, True)
    close, fresh = recentred.orders
    assert close.text.startswith("BUY +2 IRON CONDOR")
    strikes = sorted(int(leg.symbol[13:18]) for leg in fresh.legs)
    assert strikes[1] - strikes[0] == strikes[3] - strikes[2] == 50
    assert (strikes[1] + strikes[2]) / 2 == pytest.approx(6900 * 1.0034, abs=6)
    for one in (shift, recentred):
        assert one.effects is not None
        assert one.effects.payoff is not None
        assert one.effects.payoff.before != one.effects.payoff.after
        assert one.effects.after.margin is not None


def test_a_persistent_expansion_moves_the_near_layers_out_in_time_and_rolls_the_condor() -> None:
    own = condor(10, expiry=SPXW[1])
    found = advice(PERSISTENT, own, hedge(1, 1, price=0.9), _rules=rules(guard__block_of_equity=1.0))
    actions = [one.action for one in found.proposals]
    assert Action.FULL_ROLL in actions
    assert Action.TIME_SHIFT in actions
    roll = next(one for one in found.proposals if one.action is Action.FULL_ROLL)
    assert [abs(leg.quantity) for leg in roll.orders[1].legs] == [10, 10, 10, 10]
    same = advice(PERSISTENT, condor(10), _rules=rules(guard__block_of_equity=1.0))
    assert all(one.action is not Action.FULL_ROLL for one in same.proposals)
    shift = next(one for one in found.proposals if one.action is Action.TIME_SHIFT)
    assert shift.orders[0].text.startswith("SELL -1 VIX 100 18 FEB 26 22 CALL")
    assert "19 MAY 26" in shift.orders[1].text


def test_irr_4_a_hedge_that_raises_portfolio_volatility_beyond_the_limit_is_not_enlarged() -> None:
    from hedging.engine.policy.procedures.expansion import beta_step

    def raised(limit: float) -> Answer:
        many = hedge(1, 400, "VIX   260218C00018000", 3.0)
        held = Context(
            book(condor(), many), market(), day(ISOLATED, **CALM), rules(expansion__vol_raise_limit=limit)
        )
        return beta_step(held).answer

    assert raised(0.0) is Answer.NO
    assert raised(0.5) is Answer.YES
    found = advice(ISOLATED, condor(40), hedge(1, 1), _rules=rules(expansion__vol_raise_limit=0.0))
    answer = found.trace(Procedure.EXPANSION).step("expansion.beta").answer
    refused = {r.rule for one in found.refused for r in one.refusals}
    assert ("portfolio volatility" in refused) is (answer is Answer.NO)

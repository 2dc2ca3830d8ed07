"""LAY-8: every instrument a layer may hold is proposed, sized, priced and rolled within the guardrails."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.engine.book import Book, BookTrade, Leg, TradeRole
from hedging.engine.instruments import parse_symbol
from hedging.engine.market import Flag, IndexLevel, MarketSnapshot
from hedging.engine.policy.advise import advise
from hedging.engine.policy.after import CONDOR_ACTIONS, after_proposal, order_legs
from hedging.engine.policy.context import Context, risk_of
from hedging.engine.policy.guardrails import guardrails, uncovered
from hedging.engine.policy.hedge.ladder import LayerPlan, ladder_of, plan_layers
from hedging.engine.policy.procedures.gates import layer_trace
from hedging.engine.policy.types import Action, Advice, Answer, Bound, Proposal
from hedging.engine.rulesets.catalogue import catalogue
from hedging.engine.rulesets.presets import NAMES, preset
from hedging.engine.rulesets.types import Ruleset
from hedging.engine.signals.types import Regime
from journal.importers.order_text import parse_order
from tests.examples import examples
from tests.policy.test_advise import DAYS, STRESS
from tests.policy.worlds import NOW, SPOT, VIX, book, calm, condor, day, hedge, market, rules

INSTRUMENTS = catalogue()["layer1.allowed"].choices
LINEAR = ("vx_future", "vxx")


def with_vxx(one: MarketSnapshot, price: float | None = 40.0) -> MarketSnapshot:
    if price is None:
        return one
    level = IndexLevel("VXX", price, NOW, "daily close", Flag.EOD)
    return replace(one, levels={**one.levels, "VXX": level}, content_hash=one.content_hash + "vxx")


def only(instrument: str, layer: int = 1, **changes: Any) -> Ruleset:
    return rules(**{f"layer{layer}__allowed": [instrument], **changes})


def roomy(instrument: str, **changes: Any) -> Ruleset:
    """One instrument in layer 1, with limits wide enough that it is bought in a book of 100 condors."""
    given = {"caps__run_rate_of_equity": 0.5, "layers__notional_base": "index_notional", **changes}
    return only(instrument, **given)


def plan(
    ruleset: Ruleset, *trades: BookTrade, vix: float = 16.0, capital: float = 1e7, price: float | None = 40.0,
    signals: Any = None,
) -> tuple[Context, LayerPlan]:  # fmt: skip
    held = trades or (condor(100, credit=13.75),)
    ctx = Context(book(*held, capital=capital), with_vxx(market(vix), price), signals or calm(), ruleset)
    return ctx, plan_layers(ctx, layer_trace(ctx))[0]


def bound(found: LayerPlan, name: str) -> Bound:
    return next(one for one in found.row.bounds if one.name == name)


def add_of(advice: Advice, layer: int = 1) -> Proposal:
    (one,) = [p for p in advice.proposals if p.action is Action.ADD_LAYER and p.layer == layer]
    return one


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_lay_8_every_allowed_instrument_is_proposed_with_order_values_and_greeks(instrument: str) -> None:
    vix = 30.0 if instrument == "vix_calendar" else 16.0
    ruleset = roomy(instrument, layer1__delta=0.45 if instrument == "vix_calendar" else 0.275)
    held = book(condor(100, credit=13.75), capital=1e7)
    found = advise(held, with_vxx(market(vix)), calm(), ruleset)
    row = found.ladder.rows[0]
    assert (row.instrument, row.target > 0) == (instrument, True)
    assert [value.level for value in row.vix_values] == [30, 40, 60, 80]
    assert row.decay is not None
    assert row.marginal_rate is not None
    add = add_of(found)
    (order,) = add.orders
    assert order.packages == row.target
    assert parse_order(order.text).legs == tuple(
        (parse_symbol(leg.symbol), leg.quantity) for leg in order.legs
    )
    assert add.effects is not None
    assert add.effects.after.greeks != add.effects.before.greeks
    assert {bound.name for bound in row.bounds} >= {
        "premium budget",
        "exposure",
        "ceiling",
        "premium run-rate",
    }


def test_lay_8_presets_do_not_list_the_new_instruments_and_keep_their_hash() -> None:
    for name in NAMES:
        one = preset(name)
        words = {word for n in (1, 2, 3) for word in one.words(f"layer{n}.allowed")}
        assert not words & {"vix_calendar", "vx_future", "vxx"}
        assert one.words("expansion.time_shift_allowed") == ("vix_call",)
        assert one.implied == {
            "layers.calendar_gap", "layers.future_margin", "expansion.time_shift_allowed",
        }  # fmt: skip
        assert {one.parameters[key].source for key in one.implied} == {"proposed"}


def test_lay_8_the_first_instrument_that_can_be_priced_is_taken() -> None:
    both = rules(layer1__allowed=["vxx", "vx_future", "vix_call"])
    assert plan(both)[1].row.instrument == "vxx"
    assert plan(both, price=None)[1].row.instrument == "vx_future"
    _, nothing = plan(only("vxx"), price=None)
    assert (nothing.row.binding, nothing.row.target) == ("no price", 0)


def test_lay_2_a_future_counts_its_carry_in_the_budget_and_its_notional_in_the_exposure() -> None:
    ctx, found = plan(only("vx_future"))
    settle = ctx.market.vx_settle(VIX[1])
    assert settle is not None
    assert found.unit is not None
    carry = (settle - 16.0) * 1000
    assert found.unit.cost == pytest.approx(carry)
    assert found.unit.capital == pytest.approx(0.5 * 1000 * settle)
    assert found.unit.exposure == pytest.approx(1000 * settle)
    assert bound(found, "premium budget").contracts == int(0.10 * ctx.credit // carry)
    assert "no premium and counts its carry" in bound(found, "premium budget").explanation
    assert bound(found, "exposure").contracts == int(0.20 * ctx.base // (1000 * settle))
    assert found.row.symbols == ("VX/2026-02-18",)
    assert found.row.open_interest == 50_000
    assert found.row.delta == 1.0
    assert found.row.target == min(b.contracts for b in found.row.bounds if b.contracts is not None)


def test_lay_2_an_inverted_curve_leaves_the_future_to_its_exposure_margin_and_size() -> None:
    ctx, found = plan(only("vx_future"), vix=40.0)
    assert found.unit is not None
    assert found.unit.cost == 0
    assert found.unit.decay > 0  # it gains while nothing moves
    assert bound(found, "premium budget").contracts is None
    assert "no carry to pay" in bound(found, "premium budget").explanation
    room = 0.5 * 1e7 - ctx.condor_margin
    assert bound(found, "margin").contracts == int(room // found.unit.capital)
    assert bound(found, "% of equity").contracts == int(0.10 * 1e7 // (found.unit.exposure - 8_000))
    assert found.row.target > 0


def test_lay_2_a_share_counts_the_slope_of_the_curve_and_its_price() -> None:
    ctx, found = plan(only("vxx"))
    first, second = ctx.market.vx_curve[:2]
    slope = (second.settle - first.settle) / ((second.t - first.t) * 365)
    month = first.settle + slope * (30 - first.t * 365)
    assert found.unit is not None
    assert found.unit.cost == pytest.approx(40 * slope / month * 30)
    assert (found.unit.exposure, found.unit.capital) == (40, 40)
    assert bound(found, "exposure").contracts == int(0.20 * ctx.base // 40)
    assert (found.row.tenor_days, found.row.strike, found.row.roll_due) == (None, None, None)
    order = add_of(advise(ctx.book, ctx.market, calm(), ctx.rules)).orders[0]
    assert order.cash == pytest.approx(-40 * order.packages)


def test_opening_a_future_moves_no_money_and_says_what_it_ties_up() -> None:
    ctx, _ = plan(roomy("vx_future"))
    add = add_of(advise(ctx.book, ctx.market, calm(), ctx.rules))
    assert (add.cost, add.orders[0].cash, add.funding) == (0.0, 0.0, "margin")
    assert "dollars of margin (assumed) are tied up" in add.rationale
    assert add.effects is not None
    before, after = add.effects.before, add.effects.after
    assert before.margin is not None
    assert after.margin is not None
    settle = ctx.market.vx_settle(VIX[1]) or 0.0
    assert after.margin - before.margin == pytest.approx(
        add.orders[0].packages * 0.5 * 1000 * settle, rel=1e-6
    )
    assert (after.max_loss or 0) - (before.max_loss or 0) == pytest.approx(
        add.orders[0].packages * 1000 * (settle - 8), rel=1e-6
    )
    assert (after.financing_rate or 0) > (before.financing_rate or 0)  # carry is a cost


def test_lay_8_a_calendar_sells_the_same_strike_before_and_is_covered_by_its_longer_leg() -> None:
    ctx, found = plan(roomy("vix_calendar", layer1__delta=0.45), vix=30.0)
    assert found.unit is not None
    back, front = found.unit.picks
    assert (back.quantity, front.quantity) == (1, -1)
    assert back.spec.strike == front.spec.strike
    assert (back.spec.expiry, front.spec.expiry) == (VIX[1], VIX[0])
    assert back.value.forward == ctx.market.vx_settle(VIX[1])
    assert front.value.forward == ctx.market.vx_settle(VIX[0])
    legs = [Leg(one.spec, one.quantity, one.price) for one in found.unit.picks]
    assert uncovered(legs) == {}
    assert "undefined risk" not in {r.rule for r in guardrails(book(), legs, ctx.rules, role=TradeRole.HEDGE)}


def test_a_calendar_that_loses_in_a_crash_is_sized_by_that_loss_and_says_so() -> None:
    ctx, found = plan(roomy("vix_calendar", layer1__delta=0.45), vix=30.0)
    unit = found.unit
    assert unit is not None
    assert unit.gain < 0  # the front future moves more than the back
    assert unit.cost == pytest.approx(max(-unit.gain, unit.capital))
    assert any("adds to that loss" in note for note in found.row.notes)
    add = add_of(advise(ctx.book, ctx.market, calm(), ctx.rules))
    assert add.risk_reducing is False
    held = BookTrade(
        "h1", TradeRole.HEDGE, 1, tuple(Leg(p.spec, 2 * p.quantity, p.price) for p in unit.picks),
        -2 * unit.capital, 0.0,
    )  # fmt: skip
    ctx, found = plan(ctx.rules, condor(100, credit=13.75), held, vix=30.0)
    assert found.row.premium == pytest.approx(2 * unit.cost, rel=0.02)
    assert str(found.row.roll_due) == "2026-01-14"  # a week before the front expiry


def test_a_calendar_the_market_pays_for_is_none() -> None:
    _, found = plan(rules(layer1__allowed=["vix_calendar", "vix_call"], layer1__delta=0.9), vix=55.0)
    assert found.row.instrument == "vix_call"


@pytest.mark.parametrize(("instrument", "symbol"), [("vx_future", "VX/2026-02-18"), ("vxx", "VXX")])
def test_what_is_held_counts_its_carry_and_a_further_contract_fits_beside_it(
    instrument: str, symbol: str
) -> None:
    ruleset = roomy(instrument)
    price = market().vx_settle(VIX[1]) if instrument == "vx_future" else 40.0
    assert price is not None
    _, free = plan(ruleset)
    _, found = plan(ruleset, condor(100, credit=13.75), hedge(1, 1, symbol, price))
    assert found.unit is not None
    assert found.row.premium == pytest.approx(found.unit.cost)
    assert found.row.target == free.row.target
    assert found.row.decay == pytest.approx(found.unit.decay)
    assert found.row.delta_spx_equivalent is not None
    assert found.row.delta_spx_equivalent < 0


def test_lay_7_a_share_dampens_delta_through_the_thirty_day_future() -> None:
    ctx, _ = plan(only("vxx"), condor(10), hedge(1, 100, "VXX", 40.0))
    ladder = ladder_of(ctx, plan_layers(ctx, layer_trace(ctx)))
    spx = ctx.values["c1"].totals.greeks["SPX"].delta
    per_vx = ctx.vxx_per_vx
    assert per_vx > 0
    assert ladder.net_delta == pytest.approx(spx + 100 * per_vx * -0.7 / (0.01 * SPOT))


def test_a_future_held_beside_calls_takes_its_notional_off_their_exposure() -> None:
    ruleset = rules(layers__notional_base="index_notional", layer1__allowed=["vix_call", "vx_future"])
    ctx, alone = plan(ruleset)
    ctx, beside = plan(ruleset, condor(100, credit=13.75), hedge(1, 2, "VX/2026-02-18", 19.0))
    unit = beside.unit
    assert unit is not None
    room = 0.20 * ctx.base - ctx.exposure_of(ctx.layer(1))
    assert bound(beside, "exposure").contracts == 2 + int(room // unit.exposure)
    assert (bound(beside, "exposure").contracts or 0) < (bound(alone, "exposure").contracts or 0)


def test_a_due_future_rolls_into_the_next_one_at_the_same_size() -> None:
    ruleset = roomy("vx_future", layer1__roll_days=16)
    held = book(condor(100, credit=13.75), hedge(1, 2, "VX/2026-01-21", 18.0), capital=1e7)
    found = advise(held, with_vxx(market()), calm(), ruleset)
    (roll,) = [p for p in found.proposals if p.action is Action.TIME_SHIFT]
    assert [order.text.split()[:3] for order in roll.orders] == [
        ["SELL", "-2", "/VXF26"], ["BUY", "+2", "/VXG26"],
    ]  # fmt: skip
    assert roll.cost == 0


def test_lay_13_a_persistent_expansion_moves_calls_into_what_the_ruleset_names() -> None:
    ruleset = rules(expansion__time_shift_allowed=["vx_future"], layers__notional_base="index_notional")
    held = book(condor(100, credit=13.75), hedge(1, 40), capital=1e7)
    found = advise(held, market(24.0), day(Regime.PERSISTENT_EXPANSION, **STRESS), ruleset)
    (move,) = [p for p in found.proposals if p.action is Action.TIME_SHIFT and p.layer == 1]
    bought = move.orders[-1].legs[0]
    assert bought.symbol.startswith("VX/")
    settle = market(24.0).vx_settle(VIX[1]) or 0.0
    notional = 40 * 100 * settle
    assert 0 < bought.quantity <= notional // (1000 * bought.price)


def test_a_sold_future_or_share_has_no_bound_and_a_bought_one_loses_to_its_floor() -> None:
    for symbol, price, size in (("VX/2026-02-18", 19.0, 1000), ("VXX", 40.0, 1)):
        bought = hedge(1, 2, symbol, price)
        bought = replace(bought, cash=0.0 if size == 1000 else bought.cash * 0.01)
        loss, margin = risk_of(bought, 0.5)
        assert loss == pytest.approx(2 * (19.0 - 8.0) * 1000 if size == 1000 else 2 * price)
        assert margin == pytest.approx(0.5 * 2 * price * size if size == 1000 else 0.0)
        assert risk_of(hedge(1, -2, symbol, price)) == (None, None)


def test_the_guard_on_size_looks_at_futures_and_shares() -> None:
    future = [Leg(parse_symbol("VX/2026-02-18"), 1, 19.0)]
    assert [r.blocks for r in guardrails(book(capital=109_000), future, rules(), role=TradeRole.HEDGE)] == [
        True
    ]
    assert [r.blocks for r in guardrails(book(capital=110_000), future, rules(), role=TradeRole.HEDGE)] == [
        False
    ]
    assert guardrails(book(capital=1e6), future, rules(), role=TradeRole.HEDGE) == ()


def test_answers_do_not_depend_on_the_order_of_trades_and_legs() -> None:
    calendar = BookTrade(
        "h2", TradeRole.HEDGE, 2,
        (
            Leg(parse_symbol("VIX   260318C00030000"), 2, 2.0),
            Leg(parse_symbol("VIX   260218C00030000"), -2, 1.5),
        ),
        -100.0, 0.0,
    )  # fmt: skip
    trades = (condor(50), hedge(1, 1, "VX/2026-02-18", 19.0), calendar, hedge(3, 50, "VXX", 40.0))
    ruleset = rules(layer1__allowed=["vx_future"], layer2__allowed=["vix_calendar"], layer3__allowed=["vxx"])
    one = advise(book(*trades), with_vxx(market()), DAYS["shift"], ruleset)
    turned = tuple(replace(t, legs=tuple(reversed(t.legs))) for t in reversed(trades))
    assert advise(book(*turned), with_vxx(market()), DAYS["shift"], ruleset) == one


@examples(60)
@given(
    small=st.integers(1, 200), more=st.integers(0, 200), instrument=st.sampled_from(INSTRUMENTS),
    vix=st.sampled_from([12.0, 16.0, 24.0, 40.0]), capital=st.floats(1e6, 1e8),
    base=st.sampled_from(["max_loss", "index_notional"]), held=st.booleans(),
)  # fmt: skip
def test_more_risk_never_yields_fewer_contracts_of_any_instrument(
    small: int, more: int, instrument: str, vix: float, capital: float, base: str, held: bool
) -> None:
    ruleset = only(instrument, layers__notional_base=base)
    own = {"vx_future": ("VX/2026-02-18", 19.0), "vxx": ("VXX", 40.0)}.get(instrument)
    layers = (hedge(1, 1, *own),) if held and own else ()

    def target(contracts: int) -> LayerPlan:
        return plan(ruleset, condor(contracts, credit=10.0), *layers, vix=vix, capital=capital)[1]

    fewer, greater = target(small), target(small + more)
    if greater.row.binding not in {"ceiling", "premium run-rate", "margin"}:
        assert greater.row.target >= fewer.row.target


@examples(80)
@given(
    signals=st.sampled_from(sorted(DAYS)), vix=st.sampled_from([12.0, 16.0, 30.0, 55.0]),
    first=st.sampled_from(INSTRUMENTS), second=st.sampled_from(INSTRUMENTS),
    third=st.sampled_from(INSTRUMENTS),
    contracts=st.integers(0, 60), futures=st.integers(0, 3), shares=st.integers(0, 300),
    calendars=st.integers(0, 10), capital=st.floats(5e4, 2e7), modelled=st.booleans(),
    shift=st.sampled_from(["vix_call", "vx_future", "vxx", "vix_calendar"]),
)  # fmt: skip
def test_no_recommendation_with_any_instrument_breaks_a_guardrail(
    signals: str, vix: float, first: str, second: str, third: str, contracts: int, futures: int, shares: int,
    calendars: int, capital: float, modelled: bool, shift: str,
) -> None:  # fmt: skip
    ruleset = rules(
        layer1__allowed=[first], layer2__allowed=[second], layer3__allowed=[third],
        expansion__time_shift_allowed=[shift], layers__notional_base="index_notional",
    )  # fmt: skip
    trades = [condor(contracts, credit=10.0)] if contracts else []
    trades += [hedge(1, futures, "VX/2026-02-18", 19.0)] if futures else []
    trades += [hedge(2, shares, "VXX", 40.0)] if shares else []
    if calendars:
        back, front = parse_symbol("VIX   260318C00025000"), parse_symbol("VIX   260218C00025000")
        legs = (Leg(back, calendars, 2.0), Leg(front, -calendars, 1.6))
        trades.append(BookTrade("h3", TradeRole.HEDGE, 3, legs, -40.0 * calendars, 0.0))
    now: Book = book(*trades, capital=capital)
    first_book = now
    found = advise(now, with_vxx(market(vix, modelled=modelled)), DAYS[signals], ruleset)
    assert all(one.refusals for one in found.refused)
    for one in found.proposals:
        role = TradeRole.CONDOR if one.action in CONDOR_ACTIONS else TradeRole.HEDGE
        for trade_id in {order.trade_id for order in one.orders}:
            legs = [leg for o in one.orders if o.trade_id == trade_id for leg in order_legs(o)]
            broken = guardrails(
                now if not one.alternative else first_book,
                legs,
                ruleset,
                trade_id=trade_id,
                role=role,
                layer=one.layer,
            )
            assert not [r for r in broken if r.blocks]
        for order in one.orders:
            wanted = {leg.symbol: leg.quantity for leg in order.legs}
            assert {spec.symbol: q for spec, q in parse_order(order.text).legs} == wanted
        if not one.alternative:
            now = after_proposal(now, one)
    for row in found.ladder.rows:
        if row.is_open is Answer.YES and row.target > row.actual:
            assert all(b.contracts is None or row.target <= b.contracts for b in row.bounds)

"""LAY-1, LAY-2, LAY-3, LAY-7, LAY-9, LAY-11: how large a layer may be and which limit binds."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.engine.policy.context import Context, spot_with_vix
from hedging.engine.policy.hedge.bounds import vxth_weight
from hedging.engine.policy.hedge.ladder import instrument_of, ladder_of, plan_layers
from hedging.engine.policy.hedge.units import fits
from hedging.engine.policy.procedures.gates import layer_trace
from hedging.engine.policy.types import LadderRow
from hedging.engine.pricing.scenarios import shock_pnl
from hedging.engine.signals.types import Regime
from tests.examples import examples
from tests.policy.worlds import CALM, SPOT, book, calm, condor, day, hedge, market, rules

STRESS = {**CALM, "rsi_spx": 30, "backwardation": 0.05, "days_to_major_expiry": 9, "regime_shift": True}


def context(
    *trades: Any, _rules: Any = None, _market: Any = None, capital: float = 1e6, **signals: Any
) -> Context:
    return Context(book(*trades, capital=capital), _market or market(), calm(**signals), _rules or rules())


def row(ctx: Context, number: int) -> LadderRow:
    return plan_layers(ctx, layer_trace(ctx))[number - 1].row


def bound(ctx: Context, number: int, name: str) -> int | None:
    return next(b.contracts for b in row(ctx, number).bounds if b.name == name)


def unit_cost(ctx: Context, number: int = 1) -> float:
    unit = plan_layers(ctx, layer_trace(ctx))[number - 1].unit
    assert unit is not None
    return unit.cost


@pytest.mark.parametrize(("share", "dollars"), [(0.08, 110.0), (0.10, 137.5), (0.12, 165.0)])
def test_lay_1_the_budget_of_a_1375_dollar_credit_is_110_to_165(share: float, dollars: float) -> None:
    one = replace(condor(1), cash=1375.0)
    ctx = context(one, _rules=rules(layer1__budget=share))
    assert row(ctx, 1).budget == pytest.approx(dollars)
    assert bound(ctx, 1, "premium budget") == int(dollars // unit_cost(ctx))


def test_lay_1_lots_already_bought_count_against_the_budget() -> None:
    ctx = context(condor(), hedge(1, 5, price=1.0))
    left = 0.10 * ctx.credit - 500
    assert bound(ctx, 1, "premium budget") == 5 + int(left // unit_cost(ctx))
    assert row(ctx, 1).premium == pytest.approx(500)
    spent = context(condor(), hedge(1, 5, price=50.0))
    assert bound(spent, 1, "premium budget") == 5


def test_lay_2_contracts_under_budget_and_exposure_are_shown_and_the_smaller_binds() -> None:
    found = row(context(condor()), 1)
    by_name = {b.name: b.contracts for b in found.bounds}
    assert by_name["premium budget"] == 23
    assert by_name["exposure"] == 3
    assert (found.target, found.binding) == (3, "exposure")
    wide = row(context(condor(), _rules=rules(layers__notional_base="index_notional")), 1)
    assert wide.binding != "exposure"
    assert wide.target == min(b.contracts for b in wide.bounds if b.contracts is not None)


def test_lay_2_exposure_counts_the_future_or_its_delta_of_the_chosen_base() -> None:
    ctx = context(condor())
    forward = ctx.market.vx_curve[1].settle
    assert bound(ctx, 1, "exposure") == int(0.20 * ctx.condor_max_loss // (100 * forward))
    by_delta = context(condor(), _rules=rules(layers__exposure_measure="delta_notional"))
    delta = row(by_delta, 1).delta or 0.0
    assert bound(by_delta, 1, "exposure") == int(0.20 * ctx.condor_max_loss // (100 * forward * delta))
    by_margin = context(condor(), _rules=rules(layers__notional_base="margin"))
    assert by_margin.base == pytest.approx(10 * 5_000)
    assert context(condor(), _rules=rules(layers__notional_base="index_notional")).base == 10 * 100 * SPOT


def test_lay_2_layer_1_is_a_thirty_day_vix_call_of_25_to_30_delta() -> None:
    found = row(context(condor()), 1)
    assert found.instrument == "vix_call"
    assert found.symbols == ("VIX   260218C00022000",)
    assert found.tenor_days == 44
    assert 0.25 <= (found.delta or 0) <= 0.30


@pytest.mark.parametrize(
    ("signals", "share"),
    [
        ({}, 0.20),
        ({"cap_breadth": True}, 0.20),
        ({"cap_breadth": True, "pe_divergence": False, "pcf_divergence": False}, 0.20),
        ({"cap_breadth": False, "pe_divergence": True}, 0.20),
        ({"cap_breadth": True, "pe_divergence": True}, 0.35),
        ({"cap_breadth": True, "pcf_divergence": True}, 0.35),
    ],
)
def test_lay_3_the_deepest_layer_grows_only_when_breadth_is_known_to_narrow(
    signals: dict[str, bool], share: float
) -> None:
    ctx = context(condor(), **signals)
    assert bound(ctx, 3, "risk capital") == int(share * ctx.base // unit_cost(ctx, 3))


def test_lay_11_the_ceiling_trims_what_hedges_too_much() -> None:
    ctx = context(condor(2), hedge(1, 60))
    found = row(ctx, 1)
    assert found.binding == "ceiling"
    assert 0 < found.target < found.actual == 60
    each = ctx.gain_from_entry(ctx.layer(1)) / 60
    assert found.target * each <= ctx.loss_from_entry < (found.target + 1) * each


def test_lay_11_a_layer_that_was_trimmed_makes_room_for_the_next() -> None:
    one = context(condor(2), hedge(1, 60))
    kept = row(one, 1).target
    small = hedge(3, 1, price=0.1)
    ctx = context(condor(2), hedge(1, 60), small)
    rows = [row(ctx, n) for n in (1, 3)]
    assert rows[0].binding == "ceiling"
    assert rows[0].target <= kept
    assert rows[1].target == rows[1].actual == 1  # it was there beside 60: beside the few left it may stay


def test_a_layer_above_its_target_that_is_kept_still_counts_against_the_ceiling() -> None:
    signals = day(Regime.REGIME_SHIFT, **STRESS)
    ctx = Context(book(condor(), hedge(1, 8)), market(), signals, rules())
    first, second, _ = plan_layers(ctx, layer_trace(ctx))
    assert first.row.target < first.row.actual == 8
    assert first.row.binding == "exposure"
    assert second.others.gain == pytest.approx(ctx.gain_from_entry(ctx.layer(1)))


def test_lay_11_the_ceiling_counts_from_entry() -> None:
    lost = context(condor(2, credit=2.0))
    assert lost.loss_from_entry == pytest.approx(lost.condor_loss - lost.pnl_of(lost.condors))
    assert lost.loss_from_entry > context(condor(2)).loss_from_entry
    cheap, dear = (context(condor(2), hedge(1, 9, price=p)) for p in (0.5, 5.0))
    assert bound(cheap, 1, "ceiling") < bound(dear, 1, "ceiling")  # type: ignore[operator]  # both known


@pytest.mark.parametrize(("ceiling", "room"), [(0.5, 0.5), (1.0, 1.0), (2.0, 2.0)])
def test_lay_11_the_ceiling_is_a_multiple_of_the_stressed_loss(ceiling: float, room: float) -> None:
    ctx = context(condor(), _rules=rules(layers__ceiling=ceiling))
    unit = plan_layers(ctx, layer_trace(ctx))[0].unit
    assert unit is not None
    assert bound(ctx, 1, "ceiling") == int(room * ctx.loss_from_entry // unit.gain)


def test_the_run_rate_cap_counts_premium_times_365_over_tenor_of_all_layers() -> None:
    ctx = context(condor(), capital=100_000)
    unit = plan_layers(ctx, layer_trace(ctx))[0].unit
    assert unit is not None
    each = unit.cost * 365 / unit.days
    assert bound(ctx, 1, "premium run-rate") == int(0.02 * 100_000 // each)


def test_caps_hold_for_each_layer_or_for_the_hedge_as_the_ruleset_says() -> None:
    held = hedge(1, 3, price=4.0)
    alone = context(condor(), held)
    whole = context(condor(), held, _rules=rules(caps__scope="hedge"))
    assert (bound(whole, 2, "premium cap") or 0) < (bound(alone, 2, "premium cap") or 0)
    assert (bound(whole, 2, "exposure cap") or 0) < (bound(alone, 2, "exposure cap") or 0)


@pytest.mark.parametrize(("interest", "contracts"), [(999, 0), (1000, None), (1001, None), (None, None)])
def test_con_7_thin_vx_futures_stop_buying_and_unknown_is_shown(
    interest: int | None, contracts: int | None
) -> None:
    ctx = context(condor(), _market=market(oi=interest))
    assert bound(ctx, 1, "liquidity") == contracts
    assert any("unknown" in b.explanation for b in row(ctx, 1).bounds) is (interest is None)


@pytest.mark.parametrize(
    ("forward", "weight"),
    [(15.0, 0.0), (15.01, 0.01), (30.0, 0.01), (30.01, 0.005), (50.0, 0.005), (50.01, 0.0), (None, 0.0)],
)
def test_vxth_spends_by_the_level_of_its_future(forward: float | None, weight: float) -> None:
    assert vxth_weight(context(_rules=rules("neutral-vxth")), forward) == weight


def test_vxth_buys_without_condors() -> None:
    ctx = context(_rules=rules("neutral-vxth"), capital=100_000)
    assert row(ctx, 1).target == int(1_000 // unit_cost(ctx))


def test_layers_by_ratio_follow_the_condors() -> None:
    ctx = context(condor(10), _rules=rules("layers-30-110-220", layers__ceiling=5.0, caps__exposure=5.0))
    assert [bound(ctx, n, "ratio") for n in (1, 2)] == [4, 4]
    assert bound(context(condor(5), _rules=rules("layers-30-110-220")), 1, "ratio") == 2


def test_lay_7_the_net_delta_of_condors_and_layer_1_is_shown_against_its_band() -> None:
    ctx = context(condor(), hedge(1, 5))
    ladder = ladder_of(ctx, plan_layers(ctx, layer_trace(ctx)))
    spx = ctx.values["c1"].totals.greeks["SPX"].delta
    vx = ctx.values["h1"].totals.greeks["VX"].delta
    assert ladder.net_delta == pytest.approx(spx + vx * -0.7 / (0.01 * SPOT))
    assert ladder.delta_band == pytest.approx((-0.25 * 1e6 / SPOT, 0.25 * 1e6 / SPOT))


def test_gamma_of_vix_calls_is_told_in_vx_and_as_beta_squared_in_spx() -> None:
    found = row(context(condor(), hedge(1, 5)), 1)
    beta = -0.7 / (0.01 * SPOT)
    assert found.gamma_vx is not None
    assert found.gamma_spx_equivalent == pytest.approx(beta**2 * found.gamma_vx)


def test_lay_9_a_layer_tells_decay_extrinsic_value_and_its_roll_day() -> None:
    found = row(context(condor(), hedge(1, 5, price=2.0)), 1)
    assert found.decay is not None
    assert found.decay < 0
    assert found.extrinsic == pytest.approx(5 * 100 * 0.887, rel=0.05)
    assert str(found.roll_due) == "2026-02-11"
    assert found.held == ("+5 VIX   260218C00022000",)


def test_scenario_values_reprice_the_layer_with_the_vix_and_its_spx_move() -> None:
    ctx = context(condor(), hedge(1, 5))
    found = row(ctx, 1)
    pnl = shock_pnl(ctx.layer(1), ctx.market, ctx.vix_shocks)[0][0]
    assert [value.pnl for value in found.vix_values] == pytest.approx(list(pnl))
    assert [value.level for value in found.vix_values] == [30, 40, 60, 80]
    assert all(a.pnl < b.pnl for a, b in pairwise(found.vix_values))


def test_the_stress_path_is_read_backwards() -> None:
    assert spot_with_vix(18.0) == pytest.approx(-0.10, abs=1e-3)
    assert spot_with_vix(8.0) == pytest.approx(-0.05, abs=1e-3)
    assert spot_with_vix(90.0) == pytest.approx(-0.15)


def test_an_open_gate_sizes_layers_2_and_3_and_a_closed_one_keeps_what_is_held() -> None:
    signals = day(Regime.REGIME_SHIFT, **STRESS)
    ctx = Context(book(condor()), market(), signals, rules())
    rows = [plan.row for plan in plan_layers(ctx, layer_trace(ctx))]
    assert [one.instrument for one in rows] == ["vix_call", "vix_call_spread", "vix_call"]
    assert all(one.target > 0 for one in rows)
    closed = row(context(condor(), hedge(3, 2, "VIX   260617C00040000")), 3)
    assert (closed.target, closed.actual, closed.binding) == (2, 2, "gate")


def test_a_layer_that_cannot_be_priced_says_so() -> None:
    empty = replace(market(), slices={})
    found = row(context(condor(), _market=empty), 1)
    assert found.binding == "no price"
    assert found.symbols == ()


def test_a_modelled_surface_is_said_to_be_modelled() -> None:
    found = row(context(condor(), _market=market(modelled=True)), 1)
    assert found.modelled
    assert found.symbols == ("VIX   260218C00022000",)
    assert not row(context(condor()), 1).modelled


@pytest.mark.parametrize(
    ("trade", "name"),
    [
        (hedge(1, 5), "vix_call"),
        (hedge(1, 5, "SPXW  260220P06000000"), "spx_put"),
        (hedge(1, 2, "VX/2026-02-18", 19.0), "vx_future"),
        (hedge(1, 20, "VXX", 40.0), "vxx"),
    ],
)
def test_lay_8_instruments_held_are_recognised(trade: Any, name: str) -> None:
    assert instrument_of(trade) == name
    notes = row(context(condor(), trade), 1).notes
    assert any("not in this ruleset's allowed instruments" in note for note in notes) is (name != "vix_call")


@pytest.mark.parametrize(("amount", "each", "count"), [(0.3, 0.1, 3), (99.99, 50, 1), (-5, 1, 0), (5, 0, 0)])
def test_whole_packages_only(amount: float, each: float, count: int) -> None:
    assert fits(amount, each) == count


@examples(40)
@given(
    small=st.integers(1, 60), more=st.integers(0, 60), capital=st.floats(2e5, 5e7),
    vix=st.sampled_from([12.0, 16.0, 24.0, 40.0]), stressed=st.booleans(),
    base=st.sampled_from(["max_loss", "margin", "index_notional"]),
)  # fmt: skip
def test_more_risk_never_yields_fewer_hedge_contracts_below_the_shared_ceilings(
    small: int, more: int, capital: float, vix: float, stressed: bool, base: str
) -> None:
    ruleset = rules(layers__notional_base=base)
    signals = day(Regime.REGIME_SHIFT, **STRESS) if stressed else calm()

    def targets(contracts: int) -> list[LadderRow]:
        ctx = Context(book(condor(contracts), capital=capital), market(vix), signals, ruleset)
        return [plan.row for plan in plan_layers(ctx, layer_trace(ctx))]

    for fewer, greater in zip(targets(small), targets(small + more), strict=True):
        if greater.binding not in {"ceiling", "premium run-rate"}:
            assert greater.target >= fewer.target

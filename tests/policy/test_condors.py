"""CON-1, CON-2, CON-3, CON-5, CON-7: candidates, their size, their warnings, and alerts of open condors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hedging.engine.policy.alerts import alerts_of, straddle_sd
from hedging.engine.policy.condor.candidates import candidates_of
from hedging.engine.policy.context import AccountFacts, Context
from hedging.engine.policy.types import CondorCandidate
from hedging.engine.results.capital import Funds
from hedging.maths import black76
from journal.importers.order_text import parse_order
from tests.policy.worlds import SPXW, book, calm, condor, market, rules


def context(
    *trades: Any,
    _rules: Any = None,
    _market: Any = None,
    capital: float = 1e6,
    facts: Any = None,
    **signals: Any,
) -> Context:
    return Context(
        book(*trades, capital=capital), _market or market(), calm(**signals), _rules or rules(),
        facts or AccountFacts(),
    )  # fmt: skip


def candidates(*trades: Any, collapsed: bool = False, **given: Any) -> tuple[CondorCandidate, ...]:
    return candidates_of(context(*trades, **given), collapsed=collapsed)


def allowed(one: CondorCandidate, name: str) -> int | None:
    return next(bound.contracts for bound in one.bounds if bound.name == name)


def test_con_1_forty_five_days_and_sixteen_delta_on_both_sides() -> None:
    first, *others = candidates()
    assert (first.expiry, first.days) == (SPXW[2], 46)
    assert [abs(d) for d in first.deltas] == pytest.approx([0.16, 0.16], abs=0.005)
    assert [one.expiry for one in others] == [SPXW[1], SPXW[3]]


def test_con_1_no_expiry_near_the_aim_gives_no_candidate() -> None:
    assert candidates(_rules=rules(condor__dte=120)) == ()
    assert candidates(_rules=rules(condor__enabled=False)) == ()


def test_con_2_four_legs_with_both_wings_and_figures_that_hold_together() -> None:
    one = candidates()[0]
    low, put, call, high = one.strikes
    assert (put - low, high - call) == (50, 50) == (one.put_width, one.call_width)
    assert one.max_loss == pytest.approx(5_000 - one.credit)
    assert one.margin == pytest.approx(5_000)
    assert one.return_on_risk == pytest.approx(one.credit / one.max_loss)
    assert one.break_evens == pytest.approx((put - one.credit / 100, call + one.credit / 100))
    parsed = parse_order(one.order.text)
    assert parsed.strategy == "IRON CONDOR"
    assert parsed.packages == one.contracts
    assert float(parsed.net_price) * 100 == pytest.approx(one.credit)


def test_con_2_probability_and_delta_are_both_told_with_a_warning_where_they_disagree() -> None:
    near, far = candidates()[0], candidates(collapsed=True)[0]
    assert near.pop is not None
    assert near.pop < 0.70
    assert "16 delta" in near.warnings[0]
    assert far.pop is not None
    assert 0.70 <= far.pop <= 0.80
    assert far.warnings == ()


@pytest.mark.parametrize(("capital", "contracts"), [(1_000_000, 5), (100_000, 0), (200_000, 1), (177_000, 0)])
def test_size_stays_within_two_percent_of_equity_at_maximum_loss(capital: float, contracts: int) -> None:
    one = candidates(capital=capital)[0]
    assert allowed(one, "% of equity") == contracts
    assert one.binding == "% of equity"
    assert one.contracts * one.max_loss <= 0.02 * capital


def test_margin_counts_the_open_condors_and_the_account_s_own_limit() -> None:
    far = condor(60, expiry=SPXW[4])
    one = candidates(far, _rules=rules(condor__size_of_equity=0.10))[0]
    assert allowed(one, "margin") == int((0.5 * 1e6 - 60 * 5_000) // one.margin)
    strict = candidates(far, facts=AccountFacts(margin_limit=0.30))[0]
    assert allowed(strict, "margin") == 0


@pytest.mark.parametrize(("distance", "contracts"), [(0, 0), (6, 0), (7, None), (28, None)])
def test_expiries_keep_their_distance(distance: int, contracts: int | None) -> None:
    spaced = rules(condor__spacing_days=7 if distance != 6 else 8)
    expiry = {0: SPXW[2], 6: SPXW[3], 7: SPXW[3], 28: SPXW[4]}[distance]
    assert allowed(candidates(condor(1, expiry=expiry), _rules=spaced)[0], "spacing") == contracts


@pytest.mark.parametrize(("most", "contracts"), [(1, 0), (2, None)])
def test_the_number_of_open_condors_is_limited(most: int, contracts: int | None) -> None:
    one = candidates(condor(1, expiry=SPXW[4]), _rules=rules(condor__max_open=most))[0]
    assert allowed(one, "open condors") == contracts


@pytest.mark.parametrize(("ratio", "contracts"), [(0.99, 0), (1.0, None), (None, None)])
def test_con_7_a_measured_low_quick_ratio_stops_and_unknown_is_shown(
    ratio: float | None, contracts: int | None
) -> None:
    one = candidates(quick_ratio=ratio)[0]
    assert allowed(one, "quick ratio") == contracts


@pytest.mark.parametrize(
    ("cash", "bills", "loan", "contracts", "words"),
    [
        (9_000.0, 1_000.0, 0.0, None, "2.00: cash 9,000 and T-bills 1,000 over margin 5,000 and 0 owed"),
        (2_000.0, 1_000.0, 1_000.0, 0, "0.50: cash 2,000"),
        (-2_000.0, 6_000.0, 0.0, 0, "0.86: cash -2,000"),
    ],
)
def test_con_7_the_quick_ratio_comes_from_the_accounts_funds(
    cash: float, bills: float, loan: float, contracts: int | None, words: str
) -> None:
    facts = AccountFacts(funds=Funds(cash, bills, loan))
    one = candidates(condor(1, expiry=SPXW[4]), facts=facts)[0]
    assert allowed(one, "quick ratio") == contracts
    assert words in next(b.explanation for b in one.bounds if b.name == "quick ratio")


def test_con_7_a_wide_market_is_not_sized() -> None:
    assert candidates(_market=market(spread=0.05))[0].binding == "liquidity"
    unknown = candidates(_market=market(modelled=True))[0]
    assert allowed(unknown, "liquidity") is None
    assert unknown.order.modelled


def test_cndr_sells_twenty_and_buys_five_delta_on_the_third_friday() -> None:
    one = candidates(_rules=rules("neutral-cndr", condor__dte=45))[0]
    assert one.expiry == SPXW[2]
    assert [abs(d) for d in one.deltas] == pytest.approx([0.20, 0.20], abs=0.005)
    longs = [leg.delta for leg in one.order.legs if leg.quantity > 0]
    assert [abs(d or 0) for d in longs] == pytest.approx([0.05, 0.05], abs=0.005)
    assert all(c.expiry == SPXW[2] for c in candidates(_rules=rules("neutral-cndr", condor__dte=45)))


def keys(*trades: Any, **given: Any) -> dict[str, float | None]:
    return {alert.key: alert.value for alert in alerts_of(context(*trades, **given))}


@pytest.mark.parametrize(("days", "fires"), [(45, False), (46, True), (47, True)])
def test_con_5_the_expiry_alert_stands_at_its_day(days: int, fires: bool) -> None:
    assert ("expiry" in keys(condor(), _rules=rules(alerts__dte=days))) is fires


@pytest.mark.parametrize(("multiple", "fires"), [(2.0, True), (1.99, False), (2.5, True)])
def test_con_5_half_of_the_maximum_profit_is_pointed_out(multiple: float, fires: bool) -> None:
    mark = condor(1).cash / 100
    exact = market(spread=0.0)
    assert ("profit" in keys(condor(credit=multiple * mark), _market=exact)) is fires


def test_con_5_a_touched_short_and_a_large_move_are_pointed_out() -> None:
    assert set(keys(condor(strikes=(6850, 6900, 7300, 7350)))) == {"touched", "move"}
    assert "touched" not in keys(condor(strikes=(6845, 6895, 7300, 7350)))
    assert keys(condor(strikes=(6550, 6600, 7200, 7250))) == {}


def test_one_standard_deviation_is_the_straddle_times_its_factor() -> None:
    expiry = market().slices["SPXW", SPXW[2]]
    vol = float(expiry.smile.vol(expiry.forward))
    d = vol * np.sqrt(expiry.t) / 2
    from math import erf, sqrt

    straddle = 2 * expiry.discount * expiry.forward * (2 * (0.5 * (1 + erf(d / sqrt(2)))) - 1)
    assert straddle_sd(expiry, 0.85) == pytest.approx(0.85 * straddle, rel=1e-9)
    call = black76.price(expiry.forward, expiry.forward, expiry.t, vol, expiry.discount, 1)
    assert straddle_sd(expiry, 1.0) == pytest.approx(2 * float(call))

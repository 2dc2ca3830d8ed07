"""Capital: the published and hand-worked cases, and what must hold for any."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.engine.results.capital import (
    Source,
    box_rate,
    capital_by_source,
    capm,
    collapse_strength,
    embedded_rate,
    flow_returns,
    hard_checks,
    marginal_rate,
    quick_ratio,
    return_on_capital_days,
    target_wacc,
    time_weighted,
    wacc,
)

HEDGE = [(date(2026, 1, 5), -3755.0), (date(2026, 2, 18), 40.0), (date(2026, 2, 19), 4400.0)]


def test_irr_1_the_spec_cases_of_xirr_and_box() -> None:
    found = flow_returns(HEDGE, 0.04)
    assert found.xirr == pytest.approx(2.8939, abs=5e-5)
    assert found.period_return == pytest.approx(685 / 3755)  # 18.2%
    assert (found.days, found.sign_changes, found.several_roots) == (45, 1, False)
    assert box_rate(6000, 7000, 981.00, 0.5) == pytest.approx(0.038366, abs=5e-7)
    assert box_rate(7000, 6000, 981.00, 0.5) is None


def test_excel_and_microsoft_cases_of_xirr(data_dir: Path) -> None:
    cases: dict[str, list[dict[str, str]]] = {}
    with (data_dir / "reference" / "xirr_microsoft.csv").open() as rows:
        for row in csv.DictReader(rows):
            cases.setdefault(row["case"], []).append(row)
    assert cases
    for rows_of in cases.values():
        flows = [(date.fromisoformat(r["date"]), float(r["amount"])) for r in rows_of]
        expected, tolerance = float(rows_of[0]["expected_xirr"]), float(rows_of[0]["tol"])
        assert flow_returns(flows).xirr == pytest.approx(expected, abs=tolerance)


def test_mirr_and_npv_by_hand_over_exactly_two_years() -> None:
    # -100, +50 after a year, +70 after two, at 10%: receipts grow to 50 × 1.1 + 70 = 125.
    flows = [(date(2021, 1, 1), -100.0), (date(2022, 1, 1), 50.0), (date(2023, 1, 1), 70.0)]
    found = flow_returns(flows, 0.10)
    assert found.mirr == pytest.approx(1.25**0.5 - 1)
    assert found.npv == pytest.approx(-100 + 50 / 1.1 + 70 / 1.21)


def test_flows_that_turn_twice_are_flagged_and_one_sided_flows_have_no_rate() -> None:
    twice = [(date(2021, 1, 1), -100.0), (date(2022, 1, 1), 230.0), (date(2023, 1, 1), -132.0)]
    assert flow_returns(twice, 0.05).several_roots
    assert flow_returns([(date(2021, 1, 1), -5.0), (date(2021, 2, 1), -5.0)]).xirr is None
    assert flow_returns([]).xirr is None


@given(st.floats(-0.9, 5.0), st.integers(30, 3000))
def test_xirr_undoes_compounding(rate: float, days: int) -> None:
    start = date(2020, 1, 1)
    flows = [(start, -1000.0), (start + timedelta(days=days), 1000.0 * (1 + rate) ** (days / 365))]
    assert flow_returns(flows).xirr == pytest.approx(rate, abs=1e-6)


def test_wacc_weighs_by_capital_days_and_knows_when_it_does_not_know() -> None:
    own, loan = Source("own", 3_000.0, 0.10), Source("loan", 1_000.0, 0.06, is_debt=True)
    assert wacc([own, loan]) == pytest.approx(0.09)
    assert wacc([own, loan], tax=0.5) == pytest.approx(0.0825)
    assert wacc([own, Source("second", 1.0, None)]) is None
    assert wacc([own, Source("second", 0.0, None)]) == pytest.approx(0.10)
    assert wacc([]) is None


def test_the_marginal_rate_of_a_layer() -> None:
    # 7% on 120,000 with it, 6% on 100,000 without: (8,400 - 6,000) / 20,000 = 12%.
    assert marginal_rate(0.07, 120_000, 0.06, 100_000) == pytest.approx(0.12)
    assert marginal_rate(0.07, 100.0, 0.06, 100.0) is None
    assert marginal_rate(0.07, 100.0, None, 0.0) == 0.07


def test_wac_1_the_embedded_rate_by_hand() -> None:
    # 900 of hedge cost and 100 interest less 200 yield on 10,000 for 73 days: 800 / 2,000 = 40%.
    assert embedded_rate(900, 100, 200, 10_000 * 73) == pytest.approx(0.40)
    assert embedded_rate(1, 1, 1, 0) is None


def test_capm_finds_the_line_it_was_made_from() -> None:
    rng = np.random.default_rng(1)
    market, bills = rng.normal(0.0004, 0.01, 300), np.full(300, 0.04)
    own = 0.04 / 252 + 0.5 * (market - 0.04 / 252)
    days = [date(2020, 1, 1) + timedelta(days=i) for i in range(300)]
    found = capm(own, market, bills, days, premium=0.05)
    assert found is not None
    assert found.beta == pytest.approx(0.5)
    assert found.cost_of_equity == pytest.approx(0.04 + 0.5 * 0.05)
    assert found.r_squared == pytest.approx(1.0)
    assert (found.first, found.last, found.observations) == (days[0], days[-1], 300)
    slope = np.polyfit(market - 0.04 / 252, own - 0.04 / 252, 1)[0]
    assert found.beta == pytest.approx(slope)
    assert capm(own[:59], market[:59], bills[:59], days[:59]) is None


def test_the_target_falls_by_75_to_150_basis_points_in_a_collapse() -> None:
    assert collapse_strength(-0.19, -0.05, -0.3) == 0.0
    assert collapse_strength(-0.25, -0.30, -0.20) == 0.0  # implied fell more
    assert collapse_strength(None, -0.1, -0.3) == 0.0
    assert target_wacc(0.07, 0.0) == 0.07
    assert target_wacc(0.07, collapse_strength(-0.20, -0.05, -0.24)) == pytest.approx(0.0625, abs=1e-6)
    assert target_wacc(0.07, collapse_strength(-0.60, -0.05, -0.62)) == pytest.approx(0.055)


def test_the_hard_checks_at_equality_and_in_the_dark() -> None:
    first, second = hard_checks(0.08, 0.08, 100.0, 100.0)
    assert (first.passed, second.passed) == (False, True)
    first, second = hard_checks(None, 0.08, 100.0, None)
    assert (first.passed, second.passed) == (None, None)


def test_time_weighted_return_ignores_deposits() -> None:
    # +10% on 100, then 100 more come in, then +10% on 210.
    assert time_weighted([100.0, 110.0, 231.0], [0.0, 0.0, 100.0]) == pytest.approx(0.21)
    assert time_weighted([100.0, -5.0, 3.0], [0.0, 0.0, 0.0]) is None


money = st.floats(0, 1e6)


@given(st.lists(st.tuples(money, money, money, money), min_size=1, max_size=20))
def test_sources_add_up_to_the_margin(rows: list[tuple[float, float, float, float]]) -> None:
    margin, equity, loan, bucket = (np.array(column) for column in zip(*rows, strict=True))
    found = capital_by_source(margin, equity, loan, bucket)
    assert sum(found.values()) == pytest.approx(margin)
    assert all((values >= -1e-6).all() for values in found.values())


def test_sources_use_the_bucket_first_and_own_money_last() -> None:
    found = capital_by_source([10_000], [20_000], [2_000], [3_000])
    assert (found["second_engine"][0], found["loan"][0], found["own"][0]) == (3_000, 2_000, 5_000)
    short = capital_by_source([10_000], [4_000], [0], [0])
    assert (short["loan"][0], short["own"][0]) == (6_000, 4_000)


def test_small_ratios() -> None:
    assert quick_ratio(50_000, 20_000, 5_000) == 2.0
    assert quick_ratio(1, 0) is None
    assert return_on_capital_days(100, 10_000 * 36.5) == pytest.approx(0.10)
    assert return_on_capital_days(100, 0) is None

"""Cost of the hedge against the condor cycles by quarter (WAC-4), by hand."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from journal.selectors.cash.capital import quarters
from journal.selectors.cash.capital_series import GROUPS, CapitalGroup, CapitalSeries

DAYS = (date(2026, 9, 29), date(2026, 9, 30), date(2026, 10, 1), date(2026, 10, 2))


def series(margin: float) -> CapitalSeries:
    zeros = np.zeros(len(DAYS))
    groups = {name: CapitalGroup(*(zeros.copy() for _ in range(5))) for name in GROUPS}
    tied_up = np.full(len(DAYS), margin)
    groups["condor"].pnl, groups["condor"].margin = np.array([10.0, 10.0, 20.0, -5.0]), tied_up
    groups["hedge"].theta = np.array([-2.0, -2.0, -3.0, -3.0])
    return CapitalSeries(
        days=DAYS, gap=np.ones(len(DAYS)), opening=100_000.0, pnl=zeros, equity=zeros, external=zeros,
        interest_paid=np.array([0.0, 1.0, 0.0, 0.0]), interest_earned=zeros, loan=zeros, bucket=zeros,
        margin=tied_up, partial=zeros.astype(bool), funds=None, groups=groups, spx=zeros, bills=zeros,
        vix=zeros,
    )  # fmt: skip


def test_wac_4_the_cost_of_the_hedge_stands_against_the_condor_cycles_of_each_quarter() -> None:
    third, fourth = quarters(series(10_000.0))
    assert (third.name, third.sessions, fourth.name, fourth.sessions) == ("2026 Q3", 2, "2026 Q4", 2)
    # Q3: (4 decay + 1 interest) and 20 won on 20,000 dollar-days.
    assert third.embedded == pytest.approx(5 * 365 / 20_000)
    assert third.on_capital == pytest.approx(20 * 365 / 20_000)
    assert third.spread == pytest.approx(15 * 365 / 20_000)
    assert fourth.spread == pytest.approx((15 - 6) * 365 / 20_000)


def test_wac_4_without_margin_nothing_is_known() -> None:
    assert [(q.embedded, q.on_capital, q.spread) for q in quarters(series(0.0))] == [(None, None, None)] * 2

"""Greeks of a trade over its sessions, added up by hand from stored marks."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from hedging.models import ContractMark
from journal.models import DailyMark, Fill, Trade
from journal.selectors.book.greeks_history import greeks_history
from tests.journal.people import make_people, open_condor

pytestmark = pytest.mark.django_db
FIRST, SECOND = date(2026, 11, 2), date(2026, 11, 3)


@pytest.fixture
def trade() -> Trade:
    return open_condor(make_people())


def _mark(fill: Fill, day: date, known: bool = True, **greeks: float) -> None:
    mark = ContractMark.objects.create(
        contract=fill.contract, day=day, market_key="k", source="quote", price=1, **greeks
    )
    zero: dict[str, Any] = dict.fromkeys(
        ("value", "pnl", "delta", "gamma", "vega", "theta", "vanna", "volga", "rho", "trading", "fees",
         "residual"), 0,
    )  # fmt: skip
    DailyMark.objects.create(
        account=fill.account, trade=fill.trade, contract=fill.contract, mark=mark, day=day,
        quantity=fill.quantity, held=fill.quantity, known=known, **zero,
    )  # fmt: skip


def test_greeks_are_the_legs_times_quantity_and_multiplier(trade: Trade) -> None:
    # Long, short, short, long: 100 x (0.1 - 0.2 - 0.3 + 0.15) a day, doubled on the second.
    for fill, delta in zip(trade.fills.order_by("contract__strike"), (0.1, 0.2, 0.3, 0.15), strict=True):
        _mark(fill, FIRST, delta=delta, theta=-1.0, vega=2.0)
        _mark(fill, SECOND, delta=2 * delta, theta=-1.0 if fill.quantity > 0 else -1.5, vega=2.0)
    found = {one.name: one for one in greeks_history(trade)}
    assert found["delta"].days == (FIRST, SECOND)
    assert found["delta"].values == pytest.approx((-25.0, -50.0))
    assert found["theta"].values == pytest.approx((0.0, 100.0))
    assert "vega" not in found  # the legs cancel on both days: nothing to show
    assert found["delta"].unit == "$ per SPX point"
    assert "−25.0 at first, −50.0 at last" in found["delta"].summary
    assert greeks_history(trade, FIRST) == []  # one session is no course


def test_a_day_with_an_unknown_leg_is_unknown(trade: Trade) -> None:
    fills = list(trade.fills.order_by("contract__strike"))
    for fill in fills:
        _mark(fill, FIRST, delta=0.1 if fill.quantity > 0 else 0.2, theta=-1.0, vega=2.0)
    for fill in fills:
        _mark(fill, SECOND, known=fill is not fills[0], delta=0.1, theta=-1.0, vega=2.0)
    (delta,) = [one for one in greeks_history(trade) if one.name == "delta"]
    assert delta.values == (pytest.approx(-20.0), None)
    assert delta.table["rows"][1] == ["2026-11-03", None]

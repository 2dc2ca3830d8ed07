"""The width of quotes near the money, on chains whose width is known."""

from __future__ import annotations

import numpy as np
import pytest

from hedging.maths.quoted_spread import near_money_spread


def quotes(days: int, *, width: float, forward: float = 5000.0, far: float = 50.0) -> list[tuple[float, ...]]:
    """(days, right, strike, bid, ask): ``width`` percent of mid within 2% of the forward, ``far`` beyond."""
    rows = []
    for strike in np.arange(4000, 6001, 25.0):
        for right in (1, -1):
            mid = 60 + max(right * (forward - strike), 0.0)
            share = width if abs(strike / forward - 1) <= 0.02 else far
            rows.append((days, right, strike, mid * (1 - share / 200), mid * (1 + share / 200)))
    return rows


def spread(rows: list[tuple[float, ...]]) -> float | None:
    table = np.array(rows)
    return near_money_spread(
        days=table[:, 0].astype(np.int64), right=table[:, 1].astype(np.int8), strike=table[:, 2],
        bid=table[:, 3], ask=table[:, 4],
    )  # fmt: skip


def test_only_quotes_near_the_forward_count() -> None:
    assert spread(quotes(30, width=1.5)) == pytest.approx(1.5)
    assert spread(quotes(30, width=1.5, forward=4500)) == pytest.approx(1.5), "the forward is found"


def test_the_expiry_nearest_to_thirty_days_is_measured() -> None:
    rows = [*quotes(21, width=4), *quotes(32, width=2), *quotes(60, width=9)]
    assert spread(rows) == pytest.approx(2)


@pytest.mark.parametrize("days", [19, 46, 0])
def test_without_an_expiry_near_thirty_days_nothing_is_measured(days: int) -> None:
    assert spread(quotes(days, width=1)) is None


def test_options_without_a_bid_or_crossed_do_not_count_and_too_few_measure_nothing() -> None:
    rows = quotes(30, width=1.5)
    noisy = [*rows, (30, 1, 5012.0, 0.0, 9.0), (30, 1, 5013.0, 70.0, 60.0), (30, -1, 5014.0, np.nan, np.nan)]
    assert spread(noisy) == pytest.approx(1.5)
    assert spread([row for row in rows if abs(row[2] - 5000) <= 50]) is not None
    assert spread([row for row in rows if abs(row[2] - 5000) <= 25]) is None, "six options are too few"
    assert spread([row for row in rows if row[1] > 0]) is None, "calls alone have no parity"

"""Attribution by leg and day: every cent worked by hand, and what must hold for any book."""

from __future__ import annotations

from decimal import Decimal

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.engine.money import to_cents
from hedging.engine.results.attribution import (
    Fills,
    LegDays,
    Legs,
    MarkTable,
    leg_days,
    micro,
    residual_share,
)
from hedging.engine.results.effects import EFFECTS, States, Terms, cents_of_rows, half_even
from tests.examples import examples

NONE = float("nan")
# Three marks of an SPX put 6700: forward, vol, years, rate, price in points.
PUT = (
    (7164.7, 0.20, 45 / 365, 0.04, "43.9000"),
    (7100.0, 0.215, 44 / 365, 0.04, "64.1000"),
    (7010.0, 0.235, 43 / 365, 0.039, "98.8500"),
)


def fills(*rows: tuple[int, int, int, str, str]) -> Fills:
    """(leg, day, quantity, price, fees)."""
    columns = [(leg, day, q, micro(Decimal(p)), micro(Decimal(f))) for leg, day, q, p, f in rows]
    return Fills(*(np.array(column, np.int64) for column in zip(*columns, strict=True)))


def marks(*rows: tuple[int, int, tuple[float, float, float, float, str]]) -> MarkTable:
    return MarkTable(
        np.array([c for c, _, _ in rows], np.int64),
        np.array([d for _, d, _ in rows], np.int64),
        np.array([micro(Decimal(m[4])) for _, _, m in rows], np.int64),
        States(*(np.array([m[i] for _, _, m in rows]) for i in range(4))),
    )


def one_leg(multiplier: int = 100) -> Legs:
    return Legs(np.array([0]), np.array([multiplier]))


PUT_TERMS = Terms(np.array([6700.0]), np.array([-1.0]))
FUTURE_TERMS = Terms(np.array([0.0]), np.array([0.0]))


def put_marks() -> MarkTable:
    return marks(*((0, day, mark) for day, mark in enumerate(PUT)))


def row(found: LegDays, i: int) -> dict[str, int]:
    return dict(zip(EFFECTS, (int(v) for v in found.cents[:, i]), strict=True))


def test_an_opening_day_is_trading_and_fees() -> None:
    # Sold 2 at 44.50, marked 43.90: 2 × 0.60 × 100 = 120.00 won, 2.60 paid.
    found = leg_days(one_leg(), fills((0, 0, -2, "44.50", "2.60")), put_marks(), PUT_TERMS, 1)
    assert row(found, 0) == {**dict.fromkeys(EFFECTS, 0), "trading": 12000, "fees": -260}
    assert found.pnl[0] == micro(Decimal("117.40"))


def test_a_held_day_is_the_taylor_terms_of_an_independent_calculation() -> None:
    """The second day of a short put, against Black-76 and its derivatives at 40 digits."""
    found = leg_days(one_leg(), fills((0, 0, -2, "43.90", "0")), put_marks(), PUT_TERMS, 2)
    (f0, s0, t0, r0, p0), (f1, s1, t1, r1, p1) = PUT[:2]
    with mpmath.workdps(40):

        def price(f: object, s: object, t: object, r: object) -> object:
            d1 = (mpmath.log(f / 6700) + s * s * t / 2) / (s * mpmath.sqrt(t))
            d2 = d1 - s * mpmath.sqrt(t)
            return mpmath.exp(-r * t) * (6700 * mpmath.ncdf(-d2) - f * mpmath.ncdf(-d1))

        at = (mpmath.mpf(f0), mpmath.mpf(s0), mpmath.mpf(t0), mpmath.mpf(r0))
        d_f, d_s, d_t, d_r = f1 - f0, s1 - s0, t0 - t1, r1 - r0
        exact = {
            "delta": mpmath.diff(price, at, (1, 0, 0, 0)) * d_f,
            "gamma": mpmath.diff(price, at, (2, 0, 0, 0)) * d_f**2 / 2,
            "vega": mpmath.diff(price, at, (0, 1, 0, 0)) * d_s,
            "theta": -mpmath.diff(price, at, (0, 0, 1, 0)) * d_t,
            "vanna": mpmath.diff(price, at, (1, 1, 0, 0)) * d_f * d_s,
            "volga": mpmath.diff(price, at, (0, 2, 0, 0)) * d_s**2 / 2,
            "rho": mpmath.diff(price, at, (0, 0, 0, 1)) * d_r,
        }
    shown = row(found, 1)
    for name, points in exact.items():
        assert abs(shown[name] - float(points) * -2 * 100 * 100) <= 1, name
    total = (Decimal(p1) - Decimal(p0)) * -200  # -4,040.00
    assert sum(shown.values()) == total * 100 == -404000
    assert abs(shown["residual"]) < 10_000  # third order of a 65-point fall


def test_every_cent_of_a_roll_over_three_days() -> None:
    """Open 2, close 1 intraday and buy it back as a long, expire at the settlement value."""
    settled = (6650.0, NONE, 0.0, 0.0, "50.0000")
    book = fills(
        (0, 0, -2, "44.50", "2.60"),
        (0, 1, 1, "60.00", "1.30"),
        (0, 2, 1, "50.00", "0"),  # the cash settlement: a fill at intrinsic value
    )
    found = leg_days(one_leg(), book, marks((0, 0, PUT[0]), (0, 1, PUT[1]), (0, 2, settled)), PUT_TERMS, 3)
    assert list(found.quantity) == [-2, -1, 0]
    # Day 2: -2 × 20.20 × 100 = -4,040.00; bought at 60.00 against 64.10: +410.00; fees 1.30.
    second = row(found, 1)
    assert second["trading"] == 41000
    assert second["fees"] == -130
    assert sum(second.values()) == -404000 + 41000 - 130
    # Day 3: -1 × (50.00 - 64.10) × 100 = +1,410.00, the fill is at the mark.
    third = row(found, 2)
    assert third["trading"] == third["fees"] == 0
    assert third["vega"] == third["rho"] == 0
    assert sum(third.values()) == 141000
    # Ledger: +8,900 - 6,000 - 5,000 - 3.90.
    assert sum(found.pnl) == micro(Decimal("-2103.90"))


def test_a_future_moves_one_for_one_and_a_missing_mark_waits() -> None:
    curve = [(20.5, NONE, 0.1, 0.0, "20.5000"), (22.25, NONE, 0.09, 0.0, "22.2500")]
    book = fills((0, 0, 1, "20.40", "2.40"))
    found = leg_days(one_leg(1000), book, marks((0, 0, curve[0]), (0, 2, curve[1])), FUTURE_TERMS, 3)
    assert list(found.known) == [True, False, True]
    assert [int(p) for p in found.pnl] == [micro(Decimal("97.60")), 0, micro(Decimal(1750))]
    assert row(found, 2) == {**dict.fromkeys(EFFECTS, 0), "delta": 175000}
    assert list(found.since) == [-1, 0, 0]


def test_a_leg_that_ends_without_a_mark_leaves_a_residual_and_no_guess() -> None:
    book = fills((0, 0, -1, "43.90", "0"), (0, 1, 1, "50.00", "1.30"))
    found = leg_days(one_leg(), book, marks((0, 0, PUT[0])), PUT_TERMS, 2)
    assert row(found, 1) == {**dict.fromkeys(EFFECTS, 0), "fees": -130, "residual": -61000}


def test_the_full_revaluation_explains_the_same_change() -> None:
    book = fills((0, 0, -2, "43.90", "0"))
    taylor = leg_days(one_leg(), book, put_marks(), PUT_TERMS, 3)
    full = leg_days(one_leg(), book, put_marks(), PUT_TERMS, 3, full=True)
    assert list(full.cents.sum(axis=0)) == list(taylor.cents.sum(axis=0))
    # The marks are Black-76 prices to a few hundredths: little is left.
    assert all(abs(int(v)) < 3000 for v in full.cents[-1])


quantities = st.integers(-20, 20).filter(bool)
prices = st.integers(0, 200_000_000)
fill_rows = st.tuples(st.integers(0, 2), st.integers(0, 4), quantities, prices, st.integers(0, 5_000_000))
mark_prices = st.lists(st.none() | st.integers(0, 2_000_000), min_size=15, max_size=15)


def book_of(rows: list[tuple[int, int, int, int, int]]) -> Fills:
    return Fills(*(np.array(column, np.int64) for column in zip(*rows, strict=True)))


def market_of(given_prices: list[int | None]) -> MarkTable:
    known = [(i // 5, i % 5, p * 100) for i, p in enumerate(given_prices) if p is not None]
    columns = np.array(known, np.int64).reshape(-1, 3)
    n = len(known)
    rng = np.random.default_rng(n)
    states = States(
        rng.uniform(6000, 7500, n), rng.uniform(0.1, 0.6, n), rng.uniform(0.01, 0.5, n), np.full(n, 0.04)
    )
    return MarkTable(columns[:, 0], columns[:, 1], columns[:, 2], states)


LEGS = Legs(np.array([0, 1, 2]), np.array([100, 100, 1000]))
TERMS = Terms(np.array([6700.0, 6900.0, 0.0]), np.array([-1.0, 1.0, 0.0]))


@examples(150)
@given(st.lists(fill_rows, min_size=1, max_size=12), mark_prices)
def test_effects_add_up_to_the_ledger_and_fees_count_once(
    rows: list[tuple[int, int, int, int, int]], given_prices: list[int | None]
) -> None:
    market = market_of(given_prices)
    found = leg_days(LEGS, book_of(rows), market, TERMS, 5)
    assert [int(c) for c in found.cents.sum(axis=0)] == [int(c) for c in half_even(found.pnl, 10_000)]
    for leg in range(3):
        mine = [r for r in rows if r[0] == leg]
        at = np.flatnonzero(found.leg == leg)
        if not mine or not len(at):
            continue
        last = max((int(i) for i in at if found.known[i]), default=None)
        if last is None:
            continue
        upto = int(found.day[last])
        cash = sum(-q * p * int(LEGS.multiplier[leg]) - f for _, d, q, p, f in mine if d <= upto)
        mark = int(market.price[found.mark[last]]) if found.mark[last] >= 0 else 0
        value = int(found.quantity[last]) * int(LEGS.multiplier[leg]) * mark
        assert int(found.pnl[at].sum()) == cash + value
        if bool(found.known[at].all()):
            fees = sum(f for *_, f in mine)
            assert abs(int(found.cents[EFFECTS.index("fees"), at].sum()) + fees // 10_000) <= len(at) + 1


@examples(100)
@given(st.lists(fill_rows, min_size=1, max_size=8), mark_prices, st.randoms())
def test_order_and_splitting_of_fills_change_nothing(
    rows: list[tuple[int, int, int, int, int]], given_prices: list[int | None], random: object
) -> None:
    market = market_of(given_prices)
    whole = leg_days(LEGS, book_of(rows), market, TERMS, 5)
    split = [
        part for leg, day, q, p, f in rows for part in ((leg, day, 3 * q, p, f), (leg, day, -2 * q, p, 0))
    ]
    random.shuffle(split)  # type: ignore[attr-defined]
    again = leg_days(LEGS, book_of(split), market, TERMS, 5)
    for name in LegDays._fields:
        assert np.array_equal(getattr(whole, name), getattr(again, name)), name


@given(st.lists(st.integers(-(10**14), 10**14), min_size=1, max_size=10))
def test_largest_remainder_keeps_each_effect_within_a_cent(values: list[int]) -> None:
    shown = cents_of_rows(np.array(values, np.int64)[:, None])[:, 0]
    assert all(abs(int(c) * 10**6 - v) < 10**6 for c, v in zip(shown, values, strict=True))
    assert int(shown.sum()) == int(to_cents(Decimal(sum(values)) / 10**8) * 100)


def test_a_price_of_seven_decimals_is_refused() -> None:
    with pytest.raises(ValueError, match="more than six decimals"):
        micro(Decimal("1.0000001"))


def test_the_residual_share_is_of_what_moved() -> None:
    assert residual_share([50, 0, -30, 10, 0, 0, 0, 0, -99, 10]) == pytest.approx(0.1)
    assert residual_share([0] * 10) is None

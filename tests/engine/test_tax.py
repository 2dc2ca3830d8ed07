"""Section 1256: classes, 60/40, a contract's year first in first out and by its cash."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.engine.book import ContractSpec, InstrumentKind, Right
from hedging.engine.instruments import option_contract, share, vx_future
from hedging.engine.results.tax import TaxClass, TaxFill, contract_year, split_60_40, tax_class

D = Decimal
EXPIRY = date(2026, 12, 16)
VXX_CALL = ContractSpec(
    "VXX   261218C00050000", InstrumentKind.OPTION, "VXX", "VXX", 100, EXPIRY, 50.0, Right.CALL
)


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        (option_contract("SPXW", EXPIRY, Right.PUT, D(6500)), TaxClass.SECTION_1256),
        (option_contract("SPX", EXPIRY, Right.CALL, D(6500)), TaxClass.SECTION_1256),
        (option_contract("VIX", EXPIRY, Right.CALL, D(30)), TaxClass.SECTION_1256),
        (vx_future(EXPIRY), TaxClass.SECTION_1256),
        (share("VXX"), TaxClass.SECURITY),
        (VXX_CALL, TaxClass.UNCERTAIN),
    ],
)  # fmt: skip
def test_the_class_of_each_instrument(spec: ContractSpec, wanted: TaxClass) -> None:
    assert tax_class(spec) is wanted


@pytest.mark.parametrize(
    ("net", "long_term", "short_term"),
    [
        ("10000", "6000.00", "4000.00"), ("-10000", "-6000.00", "-4000.00"), ("0", "0.00", "0.00"),
        ("0.01", "0.01", "0.00"), ("1234.56", "740.74", "493.82"), ("-0.05", "-0.03", "-0.02"),
    ],
)  # fmt: skip
def test_60_40(net: str, long_term: str, short_term: str) -> None:
    assert split_60_40(D(net)) == (D(long_term), D(short_term))


@given(st.decimals(-(10**9), 10**9, places=2))
def test_the_parts_add_up_to_the_whole(net: Decimal) -> None:
    long_term, short_term = split_60_40(net)
    assert long_term + short_term == net
    assert abs(long_term - net * D("0.6")) <= D("0.005")


def _year(year: int, fills: list[TaxFill], **values: object) -> Decimal | None:
    return contract_year(fills, year=year, multiplier=1000, marked=True, **values).total  # type: ignore[arg-type]


def test_a_future_over_two_years_is_marked_between_them() -> None:
    """Bought at 20 with 2.40 of fees, 22 at the year's end, sold at 25: 1,997.60, then 2,997.60."""
    fills = [
        TaxFill(date(2025, 11, 3), 1, D(20), D("2.40")),
        TaxFill(date(2026, 2, 2), -1, D(25), D("2.40")),
    ]
    assert _year(2025, fills, mark_end=D(22)) == D("1997.60")
    assert _year(2026, fills, mark_before=D(22)) == D("2997.60")
    assert _year(2027, fills) == 0


def test_unknown_marks_leave_the_year_unknown() -> None:
    fills = [
        TaxFill(date(2025, 11, 3), 2, D(20), D(0)),
        TaxFill(date(2026, 2, 2), -1, D(25), D(0)),
    ]
    assert _year(2025, fills) is None
    assert contract_year(fills, year=2026, multiplier=1000, marked=True, mark_end=D(24)).realized is None
    assert _year(2026, fills, mark_before=D(22), mark_end=D(24)) == D(5000)


def test_a_short_option_bought_back_partly_and_expired() -> None:
    """Two sold at 10 (100 dollars a point); one back at 4 gains 600, one expires at 0 gains 1,000."""
    fills = [
        TaxFill(date(2026, 3, 2), -2, D(10), D("2.60")),
        TaxFill(date(2026, 3, 9), 1, D(4), D("1.30")),
        TaxFill(date(2026, 3, 20), 1, D(0), D(0)),
    ]
    found = contract_year(fills, year=2026, multiplier=100, marked=True)
    assert [part.gain for part in found.closed] == [D("597.40"), D("998.70")]
    assert found.total == D("1596.10")
    assert not any(part.long_term for part in found.closed)


def test_shares_are_long_term_after_more_than_a_year_and_never_marked() -> None:
    fills = [
        TaxFill(date(2024, 2, 29), 100, D(50), D(1)),
        TaxFill(date(2024, 6, 3), 100, D(60), D(1)),
        TaxFill(date(2025, 2, 28), -50, D(70), D(1)),
        TaxFill(date(2025, 3, 3), -100, D(70), D(1)),
    ]
    found = contract_year(fills, year=2025, multiplier=1, marked=False)
    assert [(p.quantity, p.long_term) for p in found.closed] == [(50, False), (50, True), (50, False)]
    assert [p.gain for p in found.closed] == [D("998.50"), D("999.00"), D("499.00")]
    assert found.total == D("2496.50")
    assert contract_year(fills, year=2024, multiplier=1, marked=False).total == 0


def test_a_flip_opens_the_other_side() -> None:
    fills = [
        TaxFill(date(2026, 1, 5), 1, D(20), D(0)),
        TaxFill(date(2026, 1, 6), -3, D(21), D(3)),
        TaxFill(date(2026, 1, 7), 2, D(18), D(0)),
    ]
    found = contract_year(fills, year=2026, multiplier=1000, marked=True)
    assert [(p.quantity, p.gain) for p in found.closed] == [(1, D(999)), (-2, D(5998))]


executions = st.lists(
    st.builds(
        TaxFill,
        day=st.dates(date(2024, 1, 1), date(2026, 12, 31)),
        quantity=st.integers(-5, 5).filter(bool),
        price=st.decimals(0, 100, places=2),
        fees=st.decimals(0, 10, places=2),
    ),
    max_size=12,
)


@given(executions, st.decimals(0, 100, places=2), st.decimals(0, 100, places=2))
def test_a_year_equals_its_cash_and_the_change_of_its_marks(
    fills: list[TaxFill], before: Decimal, end: Decimal
) -> None:
    """The second method: money moved in the year, plus what is open at its end, less what was before."""
    fills.sort(key=lambda fill: fill.day)
    found = contract_year(fills, year=2025, multiplier=100, marked=True, mark_before=before, mark_end=end)
    start = sum(f.quantity for f in fills if f.day.year < 2025)
    last = sum(f.quantity for f in fills if f.day.year <= 2025)
    moved = sum((-f.quantity * f.price * 100 - f.fees for f in fills if f.day.year == 2025), D(0))
    assert (found.open_start, found.open_end) == (start, last)
    assert found.total is not None
    assert abs(found.total - (moved + (last * end - start * before) * 100)) < D("1e-15")

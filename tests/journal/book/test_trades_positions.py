"""What fills add up to: properties that hold for every sequence of them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from hedging.models import Contract
from journal.models import Fill
from journal.selectors.book.trades import live_fills, position_of
from tests.journal.people import FILLED

OPTION = Contract(
    symbol="SPXW  261218P06450000", kind="option", root="SPXW", underlying="SPX",
    expiry=date(2026, 12, 18), strike=Decimal(6450), right="P", multiplier=100, settlement="PM",
)  # fmt: skip
FUTURE = Contract(
    symbol="VX/2026-12-16", kind="future", root="VX", underlying="VX", expiry=date(2026, 12, 16),
    multiplier=1000, settlement="AM",
)  # fmt: skip

Entry = tuple[int, Decimal, Decimal]
QUANTITY = st.integers(-20, 20).filter(bool)
ENTRIES = st.lists(
    st.tuples(QUANTITY, st.decimals("0", "90", places=2), st.decimals("0", "9", places=2)), max_size=14
)


def make_fill(contract: Contract, minute: int, entry: Entry, reverses: Fill | None = None) -> Fill:
    moment = FILLED + timedelta(minutes=minute)
    quantity, price, fees = entry
    return Fill(
        contract=contract, quantity=quantity, price=price, fees=fees, executed_at=moment,
        created_at=moment, trade_date=moment.date(), reverses=reverses,
    )  # fmt: skip


def mirror(fill: Fill, minute: int) -> Fill:
    made = make_fill(fill.contract, 0, (-fill.quantity, fill.price, -fill.fees), reverses=fill)
    made.executed_at = fill.executed_at
    made.created_at = FILLED + timedelta(minutes=minute)
    return made


@given(ENTRIES)
def test_options_add_up_to_their_cash(entries: list[Entry]) -> None:
    fills = [make_fill(OPTION, n, entry) for n, entry in enumerate(entries)]
    position = position_of(fills)
    assert position.cash == -sum(q * p * 100 for q, p, _ in entries)
    assert position.fees == sum(fees for *_, fees in entries)
    assert sum(leg.quantity for leg in position.legs) == sum(q for q, *_ in entries)


@given(ENTRIES, st.decimals("0", "90", places=2))
def test_futures_settle_the_same_gain_whatever_the_way(entries: list[Entry], last: Decimal) -> None:
    fills = [make_fill(FUTURE, n, entry) for n, entry in enumerate(entries)]
    held = sum(q for q, *_ in entries)
    if held:
        fills.append(make_fill(FUTURE, 99, (-held, last, Decimal(0))))
    position = position_of(fills)
    assert position.legs == ()
    exact = -sum(fill.quantity * fill.price * 1000 for fill in fills)
    assert abs(position.cash - exact) < Decimal("0.000001")


@given(ENTRIES, st.sampled_from([OPTION, FUTURE]), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(entries: list[Entry], contract: Contract, random) -> None:
    fills = [make_fill(contract, n, entry) for n, entry in enumerate(entries)]
    shuffled = list(fills)
    random.shuffle(shuffled)
    assert position_of(shuffled) == position_of(fills)


@given(ENTRIES, ENTRIES, st.sampled_from([OPTION, FUTURE]))
def test_corrected_fills_leave_no_trace(entries: list[Entry], wrong: list[Entry], contract: Contract) -> None:
    right = [make_fill(contract, 2 * n, entry) for n, entry in enumerate(entries)]
    mistakes = [make_fill(contract, 2 * n + 1, entry) for n, entry in enumerate(wrong)]
    corrections = [mirror(fill, 200 + n) for n, fill in enumerate(mistakes)]
    every = [*right, *mistakes, *corrections]
    assert position_of(every) == position_of(right)
    assert live_fills(every) == right


@given(ENTRIES)
def test_closing_at_the_average_price_moves_a_future_no_money(entries: list[Entry]) -> None:
    bought = [make_fill(FUTURE, n, (abs(q), p, f)) for n, (q, p, f) in enumerate(entries)]
    position = position_of(bought)
    assert position.cash == 0
    for leg in position.legs:
        total = sum(f.quantity * f.price for f in bought)
        assert abs(leg.entry_price * leg.quantity - total) < Decimal("1e-15")

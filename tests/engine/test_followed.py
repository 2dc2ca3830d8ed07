"""Following an order's fills through later ones: held, partly closed, closed, given up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from hedging.engine.results.outcomes import FilledPart, Followed, OrderFill, follow, horizon

START = datetime(2024, 1, 4, 10, tzinfo=UTC)


def fill(hour: int, quantity: int, price: str, fees: str = "0", *, of_order: bool = False) -> OrderFill:
    return OrderFill(START + timedelta(hours=hour), quantity, Decimal(price), Decimal(fees), of_order)


def test_what_is_held_is_not_realized() -> None:
    found = follow([fill(0, 4, "1.20", "5.20", of_order=True)], multiplier=100)
    assert found == Followed(
        Decimal(0), Decimal("5.20"), (FilledPart(4, Decimal("1.20")),), (), None, True, None
    )  # fmt: skip
    assert horizon([found]) is None


def test_what_is_partly_closed_is_realized_in_part_with_its_share_of_the_fees() -> None:
    rows = [fill(0, 4, "1.20", "5.20", of_order=True), fill(1, -1, "2.00", "1.30")]
    found = follow(rows, multiplier=100)
    assert (found.realized, found.fees) == (Decimal(80), Decimal("6.50"))
    assert found.held == (FilledPart(3, Decimal("1.20")),)
    assert horizon([found]) is None


def test_closing_ends_it_and_what_was_there_before_is_closed_first() -> None:
    rows = [
        fill(0, 2, "1.00"),
        fill(1, 4, "1.20", "4", of_order=True),
        fill(2, -3, "2.00", "3"),  # two of the first lot, one of the order
        fill(3, -3, "0.50", "6"),
    ]
    found = follow(rows, multiplier=100)
    assert found.realized == Decimal(80) - Decimal(210)
    assert found.fees == 4 + 1 + 6
    assert (found.held, found.given_up, found.is_open) == ((), (), False)
    assert found.closed_at == horizon([found]) == START + timedelta(hours=3)


def test_one_fill_through_zero_closes_and_opens() -> None:
    found = follow([fill(0, 2, "3.00"), fill(1, -5, "4.00", "5", of_order=True)], multiplier=100)
    assert found.given_up == (FilledPart(-2, Decimal("4.00")),)
    assert found.held == (FilledPart(-3, Decimal("4.00")),)
    assert (found.realized, found.fees) == (Decimal(0), Decimal(5))


def test_a_trim_is_compared_until_the_rest_is_closed() -> None:
    trim = [fill(0, 4, "1.00"), fill(1, -2, "3.00", of_order=True)]
    going = follow(trim, multiplier=100)
    assert (going.given_up, going.is_open, horizon([going])) == (
        (FilledPart(-2, Decimal("3.00")),),
        True,
        None,
    )
    over = follow([*trim, fill(5, -2, "2.00", "9")], multiplier=100)
    assert horizon([over]) == START + timedelta(hours=5)
    assert over.fees == 0  # closing what it never opened is not its cost
    # while another contract it reduced is open, the comparison goes on
    assert horizon([over, going]) is None


def test_closing_everything_has_no_end_but_settlement() -> None:
    found = follow([fill(0, 4, "1.00"), fill(1, -4, "3.00", of_order=True)], multiplier=100)
    assert (found.is_open, found.flat_at, horizon([found])) == (False, None, None)


def test_a_roll_ends_with_what_it_opened() -> None:
    old = follow([fill(0, 4, "1.00"), fill(2, -4, "3.00", of_order=True)], multiplier=100)
    new = [fill(2, 4, "5.00", of_order=True)]
    assert horizon([old, follow(new, multiplier=100)]) is None
    closed = follow([*new, fill(9, -4, "6.00")], multiplier=100)
    assert horizon([old, closed]) == START + timedelta(hours=9)


@given(
    st.lists(
        st.tuples(st.integers(-5, 5).filter(bool), st.integers(1, 900), st.integers(0, 300), st.booleans()),
        max_size=12,
    ),
    st.integers(1, 900),
)
def test_an_order_that_is_all_fills_earns_the_trades_profit(
    rows: list[tuple[int, int, int, bool]], mark: int
) -> None:
    fills = [fill(n, q, str(p), f"{c / 100}", of_order=True) for n, (q, p, c, _) in enumerate(rows)]
    found = follow(fills, multiplier=100)
    total = found.realized - found.fees + sum((mark - x.price) * x.quantity * 100 for x in found.held)
    cash = sum(-row.quantity * row.price * 100 - row.fees for row in fills)
    assert total == cash + sum(row.quantity for row in fills) * mark * 100
    assert not found.given_up
    # whoever trades: nothing is counted twice, what the order opened is closed or held
    mixed = [
        fill(n, q, str(p), of_order=mine) for n, (q, p, _, mine) in enumerate(rows)
    ]  # fmt: skip
    part = follow(mixed, multiplier=100)
    assert sum(abs(x.quantity) for x in (*part.held, *part.given_up)) <= sum(
        abs(row.quantity) for row in mixed if row.of_order
    )

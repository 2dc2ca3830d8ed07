"""Executions become the trades a trader means: scaling, single legs, unbalanced condors, one-wing rolls."""

# ruff: noqa: E501 - two rows of a file on a line
from __future__ import annotations

from collections import Counter
from decimal import Decimal

from journal.importers.grouping import BY_DAY, Execution, TradeGroup, group_executions
from journal.importers.read import read_file
from journal.importers.shapes import RollKind, find_rolls, name_group
from journal.services.imports.rows import executions, stored_row
from tests.importers.cases import FIDELITY, HEADER, SCHWAB, settled, tasty

NOON = "12:00:00"
DAY = "2025-10-03"


def groups_of(*rows: str, text: str = "") -> list[TradeGroup]:
    from django.utils import timezone

    parsed = read_file((text or "\n".join([HEADER, *rows])).encode())
    found: list[Execution] = []
    for key, row in zip(parsed.keys, parsed.rows, strict=True):
        values = stored_row(row, timezone.now())
        if "legs" in values["data"]:
            found += executions(key, values["data"], values["kind"], trades={})
    result = group_executions(found)
    assert not result.waiting
    return list(result.groups)


def condor(
    order: str, clock: str = "10:00:00", quantity: int = 1, calls: int = 0, put: int = 6600, expiry: str = ""
) -> list[str]:
    calls = calls or quantity
    e = {"expiry": expiry}
    return [
        tasty(DAY, clock, "BUY_TO_OPEN", "P", put - 10, "2.00", order, quantity=quantity, **e),
        tasty(DAY, clock, "SELL_TO_OPEN", "P", put, "3.00", order, quantity=quantity, **e),
        tasty(DAY, clock, "SELL_TO_OPEN", "C", 6800, "3.00", order, quantity=calls, **e),
        tasty(DAY, clock, "BUY_TO_OPEN", "C", 6810, "2.00", order, quantity=calls, **e),
    ]


def held(group: TradeGroup) -> dict[str, int]:
    return {symbol[12:13] + symbol[14:17]: n for symbol, n in group.held.items() if n}


def test_one_order_is_one_condor_and_partial_fills_belong_to_it() -> None:
    first = condor("1")
    later = [row.replace("T10:00:00", "T10:04:10") for row in condor("1", quantity=2)]
    (group,) = groups_of(*first, *later)
    assert name_group(group).kind == "condor"
    assert set(map(abs, group.held.values())) == {3}


def test_more_of_the_same_adds_to_the_trade_and_is_scaled_out_of_it() -> None:
    (group,) = groups_of(
        *condor("1"), *condor("2", "10:30:00"),
        tasty(DAY, NOON, "BUY_TO_CLOSE", "P", 6600, "1.00", "3"), tasty(DAY, NOON, "SELL_TO_CLOSE", "P", 6590, "0.50", "3"),
    )  # fmt: skip
    assert sorted(group.held.values()) == [-2, -1, 1, 2]


def test_a_single_leg_is_closed_inside_its_condor() -> None:
    (group,) = groups_of(*condor("1"), tasty(DAY, NOON, "BUY_TO_CLOSE", "C", 6800, "0.05", "2"))
    assert held(group) == {"P659": 1, "P660": -1, "C681": 1}


def test_an_unbalanced_condor_is_a_condor() -> None:
    (group,) = groups_of(*condor("1", quantity=1, calls=2))
    assert name_group(group).kind == "condor"


def test_a_wing_that_is_rolled_is_a_wing_shift_and_a_lot_pairs_once() -> None:
    roll = [
        tasty(DAY, NOON, "BUY_TO_CLOSE", "P", 6600, "5.00", "2"), tasty(DAY, NOON, "SELL_TO_CLOSE", "P", 6590, "3.00", "2"),
        tasty(DAY, NOON, "SELL_TO_OPEN", "P", 6580, "3.00", "2"), tasty(DAY, NOON, "BUY_TO_OPEN", "P", 6570, "2.00", "2"),
        tasty(DAY, "12:30:00", "SELL_TO_OPEN", "P", 6480, "3.00", "3"), tasty(DAY, "12:30:00", "BUY_TO_OPEN", "P", 6470, "2.00", "3"),
    ]  # fmt: skip
    groups = groups_of(*condor("1"), *roll)
    (found,) = find_rolls(groups)
    assert (found.kind, found.earlier, found.later) == (RollKind.WING_SHIFT, 0, 1)
    assert found.reason == "One order, 2."


def test_an_expiration_is_no_roll_and_another_shape_is_none() -> None:
    spread = [
        tasty(DAY, "10:00:00", "SELL_TO_OPEN", "P", 6600, "3.00", "1"), tasty(DAY, "10:00:00", "BUY_TO_OPEN", "P", 6590, "2.00", "1"),
    ]  # fmt: skip
    cash = [*settled(DAY, "P", 6600, "-300.00"), *settled(DAY, "P", 6590, "200.00")]
    other = [tasty(DAY, "15:00:00", "SELL_TO_OPEN", "P", 6500, "1.00", "2", expiry="251006")]
    assert find_rolls(groups_of(*spread, *cash, *other)) == []


def test_a_time_shift_keeps_the_strikes_a_recenter_the_expiry_and_a_full_roll_neither() -> None:
    out = [
        tasty(DAY, NOON, "BUY_TO_CLOSE", "P", 6600, "5.00", "2"), tasty(DAY, NOON, "SELL_TO_CLOSE", "P", 6590, "3.00", "2"),
        tasty(DAY, NOON, "BUY_TO_CLOSE", "C", 6800, "1.00", "2"), tasty(DAY, NOON, "SELL_TO_CLOSE", "C", 6810, "0.50", "2"),
    ]  # fmt: skip
    for values, kind in (
        ({"expiry": "251006"}, RollKind.TIME_SHIFT),
        ({"put": 6560}, RollKind.RECENTER),
        ({"put": 6560, "expiry": "251006"}, RollKind.FULL_ROLL),
    ):
        again = condor("2", NOON, **values)  # type: ignore[arg-type]
        (found,) = find_rolls(groups_of(*condor("1"), *out, *again))
        assert found.kind is kind


def test_files_without_time_and_order_are_grouped_by_day_and_say_so() -> None:
    (group,) = groups_of(text=SCHWAB)
    assert (group.review, group.held) == (BY_DAY, dict.fromkeys(group.held, 0))
    (group,) = groups_of(text=FIDELITY)
    assert group.review == BY_DAY
    assert Counter(part.quantity for part in group.parts) == {1: 1, -1: 1}


def test_a_closing_row_that_spans_two_trades_is_divided_with_its_fees() -> None:
    other = [
        tasty(DAY, "11:00:00", "SELL_TO_OPEN", "C", 6800, "3.00", "2"), tasty(DAY, "11:00:00", "BUY_TO_OPEN", "C", 6830, "1.00", "2"),
    ]  # fmt: skip
    first, second = groups_of(
        *condor("1"), *other, tasty(DAY, NOON, "BUY_TO_CLOSE", "C", 6800, "0.50", "3", quantity=2)
    )
    closing = [part for group in (first, second) for part in group.parts if part.source.order == "3"]
    assert [part.quantity for part in closing] == [1, 1]
    assert sum(part.fees for part in closing) == Decimal("1.54")
    assert len({part.identity for part in closing}) == 2


def test_vix_calls_are_proposed_as_layers_by_their_days() -> None:
    def vix(expiry: str) -> TradeGroup:
        row = tasty(DAY, "10:00:00", "BUY_TO_OPEN", "C", 30, "1.00", "9", expiry=expiry, root="VIX")
        return groups_of(row)[0]

    near, far = name_group(vix("251022")), name_group(vix("260318"))
    assert (near.kind, near.layer, far.layer) == ("hedge_layer", 1, 3)
    assert near.review

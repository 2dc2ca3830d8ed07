"""Attribution of a book's P&L by leg and day, in exact integers.

A leg is one contract inside one trade. Its day runs from its last known mark to the next one: normally one
session, more when a mark between was unknown, and the row says since when. For a position Q at the earlier
mark P0, fills (q, p) and the later mark P1, with m the multiplier,

    P&L = Q m (P1 - P0) + Σ q m (P1 - p) - fees,

which is the change of cash - fees + market value in the ledger (docs/adr/0011). The first term is explained
by ``hedging.engine.results.effects``, the second is ``trading``: what the fills won or lost against that
day's mark.
A leg that ends on a day without a mark has no later state; its change is residual. Money is in
millionths of a dollar (prices and fees have at most six decimals), so sums are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from hedging.engine.results.effects import MICRO, SCALE, States, Terms, cents_of_rows, revalue, taylor
from hedging.maths.arrays import Bools, Ints

_FROM_MICRO = SCALE // MICRO


class Fills(NamedTuple):
    """Fills as vectors: leg index, day index, signed quantity, price and fees in millionths.

    A day-0 entry may be a whole opening position (see ``leg_days``).
    """

    leg: Ints
    day: Ints
    quantity: Ints
    price: Ints
    fees: Ints


class Legs(NamedTuple):
    """Row in the contract table and dollars a point of each leg."""

    contract: Ints
    multiplier: Ints


class MarkTable(NamedTuple):
    """Known marks: contract row, day index, price in millionths of a point, and their states.

    One entry a contract and day at most, in any order; a missing entry is an unknown mark.
    """

    contract: Ints
    day: Ints
    price: Ints
    states: States


class LegDays(NamedTuple):
    """One entry a leg and day on which it was held or filled, ordered by leg, then day.

    ``quantity`` is held at the close, ``mark`` the row in ``Marks`` (-1 unknown), ``value`` the market
    value in millionths of a dollar (a future's is its mark × size; compare P&L, not cash), ``since`` the
    day index of the earlier mark (-1: opened since), ``pnl`` in millionths; ``cents`` (10, n) in the order
    of ``EFFECTS``. Where ``known`` is false, P&L and effects are zero and stand in a later entry.
    """

    leg: Ints
    day: Ints
    quantity: Ints
    mark: Ints
    base: Ints
    since: Ints
    known: Bools
    held: Ints
    value: Ints
    pnl: Ints
    cents: Ints


def leg_days(
    legs: Legs, fills: Fills, marks: MarkTable, terms: Terms, days: int, *, full: bool = False
) -> LegDays:
    """Attribute every leg's days 0 .. ``days`` - 1.

    ``full`` explains by full revaluation; ``cents`` then has the rows of ``REVALUED_EFFECTS``. Pure
    integers outside the unit effects: the order of fills does not matter.
    """
    grid = _grid(len(legs.contract), fills, days)
    leg, day, quantity, cash, fees, start = grid
    size = legs.multiplier[leg]
    mark = _find(marks, legs.contract[leg], day, days)
    has_mark = mark >= 0
    known = has_mark | (quantity == 0)
    base_row = _previous(known, start)
    has_base = base_row >= 0
    safe = np.maximum(base_row, 0)

    total_cash, total_fees = np.cumsum(cash * size), np.cumsum(fees)
    before_leg = np.where(start > 0, start - 1, -1)

    def since_base(total: Ints) -> Ints:
        from_row = np.where(has_base, safe, before_leg)
        return total - np.where(from_row >= 0, total[np.maximum(from_row, 0)], 0)

    q0 = np.where(has_base, quantity[safe], 0)
    base_mark = np.where(q0 != 0, mark[safe], -1)
    price0 = np.where(base_mark >= 0, _at(marks.price, base_mark), 0)
    price1 = np.where(has_mark, _at(marks.price, mark), 0)
    moved, paid = since_base(total_cash), since_base(total_fees)
    pnl = np.where(known, quantity * size * price1 - q0 * size * price0 + moved - paid, 0)

    explained = known & has_mark & (base_mark >= 0)
    unit = np.zeros((5 if full else 7, len(leg)), dtype=np.int64)
    if explained.any():
        rows = np.flatnonzero(explained)
        unit[:, rows] = _unit_effects(
            marks, base_mark[rows], mark[rows], terms, legs.contract[leg[rows]], full=full
        )
    parts = unit * (q0 * size)
    priced = known & (has_mark | (q0 == 0))
    trading = np.where(priced, moved + (quantity - q0) * size * price1, 0)
    costs = np.where(known, -paid, 0)
    rest = pnl * _FROM_MICRO - parts.sum(axis=0) - (trading + costs) * _FROM_MICRO
    exact = np.vstack([parts, (trading * _FROM_MICRO)[None], (costs * _FROM_MICRO)[None], rest[None]])
    since = np.where(has_base & (q0 != 0), day[safe], -1)
    return LegDays(
        leg, day, quantity, mark, base_mark, since, known, q0,
        np.where(has_mark, quantity * size * price1, 0), pnl, cents_of_rows(exact),
    )  # fmt: skip


def held_days(count: int, fills: Fills, days: int) -> tuple[Ints, Ints]:
    """(leg, day) of every day on which one of ``count`` legs was held or filled: what needs a mark."""
    leg, day, *_ = _grid(count, fills, days)
    return leg, day


def _grid(count: int, fills: Fills, days: int) -> tuple[Ints, Ints, Ints, Ints, Ints, Ints]:
    """(leg, day, position, cash per dollar of size, fees, first row of the leg) of days held or filled."""
    order = np.lexsort((fills.day, fills.leg))
    leg, day = fills.leg[order], fills.day[order]
    quantity, fees = fills.quantity[order], fills.fees[order]
    final = np.bincount(leg, quantity, count).astype(np.int64) if len(leg) else np.zeros(count, np.int64)
    first, last = np.full(count, days, np.int64), np.full(count, -1, np.int64)
    np.minimum.at(first, leg, day)
    np.maximum.at(last, leg, day)
    last = np.where((final != 0) & (last >= 0), days - 1, last)
    length = np.maximum(last - first + 1, 0)
    offset = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    rows = int(offset[-1])
    row_leg = np.repeat(np.arange(count, dtype=np.int64), length)
    row_day = np.arange(rows, dtype=np.int64) - offset[row_leg] + first[row_leg]
    at = offset[leg] + day - first[leg]
    change, cash, cost = (np.zeros(rows, np.int64) for _ in range(3))
    np.add.at(change, at, quantity)
    np.add.at(cash, at, -quantity * fills.price[order])
    np.add.at(cost, at, fees)
    total = np.cumsum(change)
    before = np.where(offset[row_leg] > 0, total[np.maximum(offset[row_leg] - 1, 0)], 0)
    position = total - before
    # Nothing held, and no fills or fills that cancel each other, as a corrected one and its correction do.
    keep = (position != 0) | (change != 0) | (cash != 0) | (cost != 0)
    row_leg = row_leg[keep]
    begins = np.searchsorted(row_leg, row_leg, side="left")
    return row_leg, row_day[keep], position[keep], cash[keep], cost[keep], begins.astype(np.int64)


def _find(marks: MarkTable, contract: Ints, day: Ints, days: int) -> Ints:
    """Row of each (contract, day) in the marks, -1 where absent."""
    if not len(marks.contract):
        return np.full(len(contract), -1, np.int64)
    keys = marks.contract * days + marks.day
    order = np.argsort(keys, kind="stable")
    sorted_keys = keys[order]
    wanted = contract * days + day
    at = np.minimum(np.searchsorted(sorted_keys, wanted), len(keys) - 1)
    return np.where(sorted_keys[at] == wanted, order[at], -1).astype(np.int64)


def _previous(known: Bools, start: Ints) -> Ints:
    """The last known row of the same leg before each row, -1 when there is none."""
    index = np.arange(len(known))
    last = np.maximum.accumulate(np.where(known, index, -1)) if len(known) else index
    before = np.concatenate([[-1], last[:-1]]) if len(known) else last
    return np.where(before >= start, before, -1).astype(np.int64)


def _at(values: Ints, rows: Ints) -> Ints:
    if not len(values):
        return np.zeros(len(rows), np.int64)
    return values[np.maximum(rows, 0)]


def _unit_effects(
    marks: MarkTable, base: Ints, mark: Ints, terms: Terms, contract: Ints, *, full: bool
) -> Ints:
    """Effects of one unit for each pair of marks, each distinct pair computed once."""
    pairs, where = np.unique(np.stack([base, mark, contract]), axis=1, return_inverse=True)
    before = States(*(column[pairs[0]] for column in marks.states))
    after = States(*(column[pairs[1]] for column in marks.states))
    own = Terms(terms.strike[pairs[2]], terms.right[pairs[2]])
    found = (revalue if full else taylor)(before, after, own)
    return np.asarray(found[:, where.reshape(-1)])


def micro(amount: Decimal) -> int:
    """Millionths; raises ValueError for an amount with more than six decimals."""
    scaled = amount * MICRO
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{amount} has more than six decimals")
    return int(scaled)


def dollars(amount: int) -> Decimal:
    """Exact dollars of millionths."""
    return Decimal(int(amount)).scaleb(-6)


def from_cents(cents: int) -> Decimal:
    """Dollars of cents, with two decimals."""
    return Decimal(int(cents)).scaleb(-2)


def residual_is_large(share: float | None, cents: int, share_limit: float, dollar_limit: Decimal) -> bool:
    """Whether a residual of ``cents`` is called out: above a share of what moved and from so many dollars."""
    return share is not None and share > share_limit and abs(from_cents(cents)) >= dollar_limit


def residual_share(cents: Sequence[int]) -> float | None:
    """|residual| over the sum of the absolute effects without fees; None when nothing moved.

    ``cents`` is in the order of ``EFFECTS``.
    """
    moved = sum(abs(int(value)) for value in (*cents[:-2], cents[-1]))
    return abs(int(cents[-1])) / moved if moved else None

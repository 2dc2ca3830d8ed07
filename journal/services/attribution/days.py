"""Sums of legs' days by account and session: groups, the interaction, hashes.

One account's history and one session of many accounts are summed by the same code, so that both come out
byte-equal.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hedging.engine.pricing.scenarios import ShockRules
from hedging.engine.results.attribution import LegDays, MarkTable, residual_share
from hedging.engine.results.effects import EFFECTS
from hedging.maths.arrays import Bools, Floats, Ints

CONDOR, HEDGE, OTHER = 0, 1, 2
SPX, VX, ELSE = 0, 1, 2
_SPX_MOVES = [EFFECTS.index(name) for name in ("delta", "gamma", "vega", "vanna", "volga")]
_NUMBERS = ("quantity", "held", "since", "known", "value", "pnl", *EFFECTS)
_LEG = np.dtype([("trade", "S16"), ("symbol", "S32"), *((name, "<i8") for name in _NUMBERS)])
_MARK = np.dtype(
    [("symbol", "S32"), ("price", "<i8"), *((name, "<f8") for name in ("forward", "sigma", "t", "rate"))]
)


@dataclass(frozen=True, slots=True, eq=False)
class LegFacts:
    """What does not change about legs: account index, trade id, role, layer (0 none), contract row."""

    account: Ints
    trade: NDArray[np.void]
    role: Ints
    layer: Ints
    contract: Ints


@dataclass(frozen=True, slots=True, eq=False)
class ContractFacts:
    """What does not change about contracts.

    ``expiry`` numbers the pairs of underlying and expiry; ``right`` is ±1, 0 for what is no option.
    """

    symbol: NDArray[np.bytes_]
    multiplier: Ints
    is_future: Bools
    factor: Ints
    strike: Floats
    right: Floats
    expiry: Ints


@dataclass(frozen=True, slots=True, eq=False)
class BookRows:
    """Legs' days with all that their sums need; ``delta`` and ``modelled`` align with ``marks``.

    ``vix`` is the closing VIX by day index, NaN unknown. Legs are ordered by account, trade and symbol.
    """

    days: tuple[date, ...]
    first: int
    legs: LegFacts
    contracts: ContractFacts
    marks: MarkTable
    delta: Floats
    modelled: Bools
    taylor: LegDays
    full: LegDays
    vix: Floats


@dataclass(frozen=True, slots=True)
class DaySummary:
    """One account's session: rows ``at`` of the book and the fields of its AttributionDay."""

    account: int
    day: date
    at: Ints
    fields: dict[str, Any]


def summaries(book: BookRows) -> list[DaySummary]:
    """Sum up every account and session from the book's first day on."""
    rows = book.taylor
    account = book.legs.account[rows.leg]
    order = np.lexsort((rows.leg, rows.day, account))
    order = order[rows.day[order] >= book.first]
    if not len(order):
        return []
    key = account[order] * len(book.days) + rows.day[order]
    begins = np.flatnonzero(np.diff(key, prepend=-1))
    ends = np.append(begins[1:], len(order))
    interaction = _interaction(book)[order]
    leg_bytes, mark_bytes = _records(book, order)
    value = market_value(book)[order]

    def sums(values: Ints) -> Ints:
        return np.asarray(np.add.reduceat(values, begins, axis=-1))

    cents, full = sums(rows.cents[:, order]), sums(book.full.cents[:, order])
    pnl, values, shared = sums(rows.pnl[order]), sums(value), sums(interaction)
    unknown = sums((~rows.known[order]).astype(np.int64))
    mark = rows.mark[order]
    guessed = (mark >= 0) & _take(book.modelled, mark)
    modelled = sums(guessed.astype(np.int64))
    groups = _group_sums(book, order, begins)
    found = []
    for i, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        found.append(
            DaySummary(
                int(account[order[begin]]),
                book.days[rows.day[order[begin]]],
                order[begin:end],
                {
                    "market_hash": _hash(mark_bytes[begin:end]),
                    "content_hash": _hash(leg_bytes[begin:end]),
                    "value": int(values[i]),
                    "pnl": int(pnl[i]),
                    "residual_share": residual_share(cents[:, i].tolist()),
                    "legs": int(end - begin),
                    "unknown_legs": int(unknown[i]),
                    "modelled_legs": int(modelled[i]),
                    "result": {
                        "effects": cents[:, i].tolist(),
                        "full": full[:, i].tolist(),
                        "interaction": int(shared[i]),
                        "groups": {
                            name: {"pnl": int(group[0, i]), "effects": group[1:-1, i].tolist()}
                            for name, group in groups.items()
                            if group[-1, i]
                        },
                    },
                },
            )
        )
    return found


def market_value(book: BookRows) -> Ints:
    """Market value of each row in millionths of a dollar; a future has none."""
    rows = book.taylor
    is_future = book.contracts.is_future[book.legs.contract[rows.leg]]
    return np.where(is_future, 0, rows.value)


def _group_sums(book: BookRows, order: Ints, begins: Ints) -> dict[str, Ints]:
    """P&L, effects and row count of condors, hedges, others and layers, shape (12, sums)."""
    rows = book.taylor
    stacked = np.vstack([rows.pnl[order][None], rows.cents[:, order], np.ones((1, len(order)), np.int64)])
    role, layer = book.legs.role[rows.leg[order]], book.legs.layer[rows.leg[order]]
    masks = {"condor": role == CONDOR, "hedge": role == HEDGE}
    masks |= {f"layer_{number}": layer == number for number in (1, 2, 3)}
    masks["other"] = role == OTHER
    return {
        name: np.asarray(np.add.reduceat(stacked * mask, begins, axis=1))
        for name, mask in masks.items()
        if mask.any()
    }


def _interaction(book: BookRows) -> Ints:
    """Cents of each hedge row that come from the condors' own drivers while a condor was held.

    SPX legs: their delta, gamma, vega, vanna and volga effects. VX legs: delta × β(T) × ΔVIX with
    β(T) = e^(-kappa T) of ``ShockRules``; zero where VIX is unknown at either end. See docs/adr/0011.
    """
    rows = book.taylor
    role, held = book.legs.role[rows.leg], rows.held != 0
    key = book.legs.account[rows.leg] * len(book.days) + rows.day
    beside_condor = np.isin(key, np.unique(key[(role == CONDOR) & held]))
    use = (role == HEDGE) & held & rows.known & (rows.mark >= 0) & (rows.base >= 0) & beside_condor
    factor = book.contracts.factor[book.legs.contract[rows.leg]]
    spx = np.where(use & (factor == SPX), rows.cents[_SPX_MOVES].sum(axis=0), 0)
    move = book.vix[rows.day] - book.vix[np.maximum(rows.since, 0)]
    beta = np.exp(-ShockRules().kappa * _take(book.marks.states.t, rows.base))
    size = rows.held * book.contracts.multiplier[book.legs.contract[rows.leg]]
    points = _take(book.delta, rows.base) * beta * move
    vx = np.where(use & (factor == VX) & np.isfinite(points), points * size * 100, 0.0)
    return np.asarray(spx + np.rint(vx).astype(np.int64))


def _records(book: BookRows, order: Ints) -> tuple[NDArray[np.void], NDArray[np.void]]:
    """Rows and their marks as plain bytes, in order: what the hashes are taken over."""
    rows = book.taylor
    leg = rows.leg[order]
    symbol = book.contracts.symbol[book.legs.contract[leg]]
    days = np.array([day.toordinal() for day in book.days], np.int64)
    plain = np.zeros(len(order), _LEG)
    plain["trade"], plain["symbol"] = book.legs.trade[leg].view("S16"), symbol
    since = rows.since[order]
    plain["since"] = np.where(since >= 0, days[np.maximum(since, 0)], 0)
    plain["quantity"], plain["held"] = rows.quantity[order], rows.held[order]
    plain["known"], plain["pnl"] = rows.known[order], rows.pnl[order]
    plain["value"] = market_value(book)[order]
    for number, name in enumerate(EFFECTS):
        plain[name] = rows.cents[number, order]
    marks = np.zeros(len(order), _MARK)
    mark = rows.mark[order]
    marks["symbol"], marks["price"] = symbol, np.where(mark >= 0, _take(book.marks.price, mark), -1)
    for name in ("forward", "sigma", "t", "rate"):
        column = _take(getattr(book.marks.states, name), mark)
        marks[name] = np.where((mark >= 0) & np.isfinite(column), column, -1.0)
    return plain, marks


def _hash(rows: NDArray[np.void]) -> str:
    return hashlib.sha256(rows.tobytes()).hexdigest()


def _take(values: NDArray[Any], rows: Ints) -> NDArray[Any]:
    """Values at rows; any value where the row is -1."""
    if not len(values):
        return np.zeros(len(rows), values.dtype)
    return np.asarray(values[np.maximum(rows, 0)])


def trade_column(ids: list[bytes]) -> NDArray[np.void]:
    """Trade ids as a column of 16 raw bytes (never cut at a zero byte)."""
    return np.array(ids, dtype="V16") if ids else np.zeros(0, "V16")

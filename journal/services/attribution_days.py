"""An account's days from its legs' days: groups, the interaction, hashes, rows to store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from hedging.engine.attribution import LegDays, residual_share
from hedging.engine.effects import EFFECTS, MICRO, Ints
from hedging.engine.scenarios import ShockRules
from journal.models import AttributionDay, DailyMark, Trade
from journal.services.attribution_build import AccountHistory

#: Above this share of what moved, and this many dollars, a day's residual is called out (proposed).
RESIDUAL_SHARE, RESIDUAL_CENTS = 0.15, 10_000
_ROLES = {Trade.Kind.CONDOR: "condor", Trade.Kind.HEDGE: "hedge", Trade.Kind.OTHER: "other"}
_SPX_MOVES = [EFFECTS.index(name) for name in ("delta", "gamma", "vega", "vanna", "volga")]


@dataclass(frozen=True, slots=True, eq=False)
class DayRows:
    """One session's rows, not stored yet."""

    summary: AttributionDay
    legs: list[DailyMark]


def day_rows(history: AccountHistory) -> Iterator[DayRows]:
    """Rows of every session from the history's first day on which something was held or filled."""
    rows = history.taylor
    interaction = _interaction(history)
    order = np.argsort(rows.day, kind="stable")
    edges = np.flatnonzero(np.diff(rows.day[order], prepend=-1))
    for begin, end in zip(edges, [*edges[1:], len(order)], strict=True):
        at = order[begin:end]
        if rows.day[at[0]] >= history.first:
            yield _day(history, at, interaction)


def _day(history: AccountHistory, at: Ints, interaction: Ints) -> DayRows:
    rows = history.taylor
    legs = [_leg(history, int(i)) for i in at]
    lines = "\n".join(_line(history, leg) for leg in legs)
    marks = "\n".join(sorted({_mark_line(history, leg) for leg in legs}))
    used = [leg.mark for leg in legs if leg.mark is not None]
    cents = rows.cents[:, at].sum(axis=1)
    share = residual_share(cents)
    summary = AttributionDay(
        account=history.account,
        day=history.days[rows.day[at[0]]],
        book_revision=history.account.book_revision,
        market_hash=hashlib.sha256(marks.encode()).hexdigest(),
        content_hash=hashlib.sha256(lines.encode()).hexdigest(),
        value=sum(leg.value for leg in legs),
        pnl=sum(leg.pnl for leg in legs),
        residual_share=share,
        alert=share is not None and share > RESIDUAL_SHARE and abs(int(cents[-1])) >= RESIDUAL_CENTS,
        legs=len(legs),
        unknown_legs=sum(not leg.known for leg in legs),
        modelled_legs=sum(mark.is_modelled for mark in used),
        result={
            "effects": [int(value) for value in cents],
            "full": [int(value) for value in history.full.cents[:, at].sum(axis=1)],
            "interaction": int(interaction[at].sum()),
            "groups": _groups(history, at),
        },
    )
    return DayRows(summary, legs)


def _groups(history: AccountHistory, at: Ints) -> dict[str, Any]:
    """P&L in millionths and effects in cents of condors, hedges, others and each layer."""
    rows = history.taylor
    found: dict[str, Any] = {}
    for i in at:
        trade = history.trades[history.legs[rows.leg[i]].trade_id]
        names = [_ROLES[Trade.Kind(trade.kind)]]
        if trade.layer is not None:
            names.append(f"layer_{trade.layer}")
        for name in names:
            group = found.setdefault(name, {"pnl": 0, "effects": [0] * len(EFFECTS)})
            group["pnl"] += int(rows.pnl[i])
            group["effects"] = [a + int(b) for a, b in zip(group["effects"], rows.cents[:, i], strict=True)]
    return dict(sorted(found.items()))


def _leg(history: AccountHistory, i: int) -> DailyMark:
    rows = history.taylor
    key = history.legs[rows.leg[i]]
    mark, base = int(rows.mark[i]), int(rows.base[i])
    cents = {name: int(value) for name, value in zip(EFFECTS, rows.cents[:, i], strict=True)}
    is_future = history.contracts[key.contract_id].kind == "future"
    return DailyMark(
        account=history.account,
        trade_id=key.trade_id,
        contract_id=key.contract_id,
        mark=history.mark_rows[mark] if mark >= 0 else None,
        base=history.mark_rows[base] if base >= 0 else None,
        day=history.days[rows.day[i]],
        since=history.days[rows.since[i]] if rows.since[i] >= 0 else None,
        quantity=int(rows.quantity[i]),
        held=int(rows.held[i]),
        known=bool(rows.known[i]),
        value=0 if is_future else int(rows.value[i]),
        pnl=int(rows.pnl[i]),
        **cents,
    )


def _line(history: AccountHistory, leg: DailyMark) -> str:
    """What a leg's row says, for its hash."""
    symbol = history.contracts[leg.contract_id].symbol
    effects = ",".join(str(getattr(leg, name)) for name in EFFECTS)
    return (
        f"{leg.trade_id}|{symbol}|{leg.quantity}|{leg.held}|{leg.since}|{leg.known}|{leg.value}|{leg.pnl}|"
        f"{effects}|{_mark_line(history, leg)}"
    )


def _mark_line(history: AccountHistory, leg: DailyMark) -> str:
    symbol, mark = history.contracts[leg.contract_id].symbol, leg.mark
    if mark is None:
        return f"{symbol}|none"
    state = f"{mark.forward!r}|{mark.iv!r}|{mark.t!r}|{mark.rate!r}"
    return f"{symbol}|{mark.price:f}|{state}|{mark.source}|{mark.quality}|{mark.flags}"


def _interaction(history: AccountHistory) -> Ints:
    """Cents of each hedge row that come from the condors' own drivers while a condor was held.

    SPX legs: their delta, gamma, vega, vanna and volga effects. VX legs: delta × β(T) × ΔVIX with
    β(T) = e^(-kappa T) of ``ShockRules``; zero where VIX is unknown at either end. See docs/adr/0015.
    """
    rows = history.taylor
    found = np.zeros(len(rows.leg), np.int64)
    kinds = [Trade.Kind(history.trades[key.trade_id].kind) for key in history.legs]
    is_condor = np.array([kind == Trade.Kind.CONDOR for kind in kinds], np.bool_)
    is_hedge = np.array([kind == Trade.Kind.HEDGE for kind in kinds], np.bool_)
    held = rows.held != 0
    condor_days = np.unique(rows.day[is_condor[rows.leg] & held])
    use = is_hedge[rows.leg] & held & rows.known & (rows.mark >= 0) & np.isin(rows.day, condor_days)
    kappa = ShockRules().kappa
    for i in np.flatnonzero(use):
        contract = history.contracts[history.legs[rows.leg[i]].contract_id]
        if contract.underlying == "SPX":
            found[i] = rows.cents[_SPX_MOVES, i].sum()
        elif contract.underlying in {"VIX", "VX"}:
            base = history.mark_rows[rows.base[i]]
            move = history.vix[rows.day[i]] - history.vix[rows.since[i]]
            if base is None or base.delta is None or base.t is None or not np.isfinite(move):
                continue
            points = base.delta * np.exp(-kappa * base.t) * move
            found[i] = round(points * int(rows.held[i]) * contract.multiplier * 100)
    return found


def exact_total(rows: LegDays) -> int:
    """All P&L of the rows in millionths of a dollar."""
    return int(rows.pnl.sum())


def cents(amount: int) -> int:
    """Millionths of a dollar in whole cents, half to even."""
    whole, rest = divmod(amount, MICRO // 100)
    up = 2 * rest > MICRO // 100 or (2 * rest == MICRO // 100 and whole % 2 == 1)
    return whole + int(up)

"""Margin of an account at each session's close, by its profile, from the legs it held."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

import numpy as np

from hedging.engine.book import Leg
from hedging.engine.instruments import parse_symbol
from hedging.engine.money import to_cents
from hedging.engine.structure import describe
from hedging.maths import black76
from hedging.maths.margin import PORTFOLIO_MOVES, portfolio_margin_estimate
from hedging.models import Contract, ContractMark
from journal.models import Account, CapitalDay, Trade
from journal.services.attribution_build import AccountHistory

_GROUPS = {Trade.Kind.CONDOR: "condor", Trade.Kind.HEDGE: "hedge", Trade.Kind.OTHER: "other"}
Held = Sequence[tuple[Contract, int, ContractMark | None]]


def capital_rows(history: AccountHistory) -> Iterator[CapitalDay]:
    """A row for every session from the history's first day on which something was held at the close."""
    rows = history.taylor
    by_day: dict[int, dict[UUID, list[int]]] = defaultdict(lambda: defaultdict(list))
    for i in np.flatnonzero((rows.quantity != 0) & (rows.day >= history.first)):
        by_day[int(rows.day[i])][history.legs[rows.leg[i]].trade_id].append(int(i))
    for day in sorted(by_day):
        yield _row(history, history.days[day], by_day[day])


def _row(history: AccountHistory, day: date, trades: dict[UUID, list[int]]) -> CapitalDay:
    rows = history.taylor
    margin: dict[str, float] = defaultdict(float)
    ibkr, partial = 0.0, False
    premium: dict[str, float] = defaultdict(float)
    everything: list[tuple[Contract, int, ContractMark | None]] = []
    for trade_id, at in trades.items():
        trade = history.trades[trade_id]
        held = [
            (
                history.contracts[history.legs[rows.leg[i]].contract_id],
                int(rows.quantity[i]),
                history.mark_rows[rows.mark[i]] if rows.mark[i] >= 0 else None,
            )
            for i in at
        ]
        everything += held
        gross, by_ibkr = _margins(tuple((contract.symbol, quantity) for contract, quantity, _ in held))
        partial = partial or gross is None
        ibkr += by_ibkr or 0.0
        names = [_GROUPS[Trade.Kind(trade.kind)]]
        if trade.layer is not None:
            names.append(f"layer_{trade.layer}")
        for name in names:
            margin[name] += gross or 0.0
            premium[name] += _bought(held)
    total = margin["condor"] + margin["hedge"] + margin["other"]
    if history.account.kind == Account.Kind.PORTFOLIO:
        estimate = portfolio_estimate(everything)
        partial = partial or estimate is None
        total = estimate if estimate is not None else total
    result = {
        "margin": {name: round(value, 2) for name, value in sorted(margin.items())},
        "premium": {name: round(value, 2) for name, value in sorted(premium.items())},
    }
    values: dict[str, Any] = {
        "margin": _money(total),
        "margin_ibkr": _money(ibkr),
        "margin_partial": partial,
        "result": result,
    }
    text = json.dumps({**values, "day": str(day)}, default=str, sort_keys=True)
    return CapitalDay(
        account=history.account,
        day=day,
        book_revision=history.account.book_revision,
        content_hash=hashlib.sha256(text.encode()).hexdigest(),
        **values,
    )


@lru_cache(maxsize=20_000)
def _margins(held: tuple[tuple[str, int], ...]) -> tuple[float | None, float | None]:
    """Gross strategy margin and its IBKR variant of one trade's legs, None where the rule knows none.

    Legs of several expiries are taken one expiry at a time.
    """
    groups: dict[object, list[Leg]] = defaultdict(list)
    for symbol, quantity in held:
        spec = parse_symbol(symbol)
        groups[spec.underlying, spec.expiry].append(Leg(spec, quantity, 0.0))
    gross, ibkr = 0.0, 0.0
    for legs in groups.values():
        found = describe(legs, 0.0)
        if found.margin is None or found.margin_ibkr is None:
            return None, None
        gross, ibkr = gross + found.margin, ibkr + found.margin_ibkr
    return gross, ibkr


def _bought(held: Held) -> float:
    """Market value in dollars of options bought on balance: paid in full, so tied up beside the margin."""
    value = sum(
        quantity * contract.multiplier * float(mark.price)
        for contract, quantity, mark in held
        if contract.kind != "future" and mark is not None and mark.price is not None
    )
    return max(value, 0.0)


def portfolio_estimate(held: Held) -> float | None:
    """Portfolio-margin estimate in dollars: the SPX class at ten moves; None with an unknown state."""
    options = [row for row in held if row[0].underlying == "SPX"]
    if not options:
        return 0.0
    states = [(mark.forward, mark.iv, mark.t, mark.rate) if mark else (None,) * 4 for _, _, mark in options]
    if any(value is None for state in states for value in state):
        return None
    forward, sigma, t, rate = np.array(states, np.float64).T
    strike = np.array([float(contract.strike or 0) for contract, _, _ in options])
    right = np.array([1.0 if contract.right == "C" else -1.0 for contract, _, _ in options])
    size = np.array([quantity * contract.multiplier for contract, quantity, _ in options], np.float64)
    discount = np.exp(-rate * t)
    now = black76.price(forward, strike, t, sigma, discount, right)
    moved = black76.price(forward * (1 + PORTFOLIO_MOVES[:, None]), strike, t, sigma, discount, right)
    contracts = sum(abs(quantity) for _, quantity, _ in options)
    return portfolio_margin_estimate((moved - now) @ size, contracts)


def _money(amount: float) -> Decimal:
    return to_cents(Decimal(repr(float(amount))))

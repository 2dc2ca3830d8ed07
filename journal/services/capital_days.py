"""Margin of an account at each session's close, by its profile, from the legs it held."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
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
from journal.services.attribution_days import CONDOR, HEDGE, OTHER, BookRows, DaySummary

_GROUPS = {CONDOR: "condor", HEDGE: "hedge", OTHER: "other"}
_CODES = {Trade.Kind.CONDOR.value: CONDOR, Trade.Kind.HEDGE.value: HEDGE, Trade.Kind.OTHER.value: OTHER}
_Holding = tuple[Contract, int, ContractMark | None]
Held = Sequence[_Holding]


def capital_rows(history: AccountHistory) -> Iterator[CapitalDay]:
    """A row for every session from the history's first day on which something was held at the close."""
    rows = history.taylor
    by_day: dict[int, dict[UUID, list[_Holding]]] = defaultdict(lambda: defaultdict(list))
    for i in np.flatnonzero((rows.quantity != 0) & (rows.day >= history.first)):
        key = history.legs[rows.leg[i]]
        mark = history.mark_rows[rows.mark[i]] if rows.mark[i] >= 0 else None
        holding = (history.contracts[key.contract_id], int(rows.quantity[i]), mark)
        by_day[int(rows.day[i])][key.trade_id].append(holding)
    for day in sorted(by_day):
        held = [
            (_CODES[history.trades[trade_id].kind], history.trades[trade_id].layer or 0, holdings)
            for trade_id, holdings in by_day[day].items()
        ]
        yield _row(history.account, history.days[day], held)


def day_capital(
    *,
    book: BookRows,
    contracts: Sequence[Contract],
    mark_rows: Sequence[ContractMark],
    accounts: Sequence[Account],
    found: Iterable[DaySummary],
) -> Iterator[CapitalDay]:
    """The same for one session of many accounts."""
    rows = book.taylor
    leg, quantity, mark = rows.leg.tolist(), rows.quantity.tolist(), rows.mark.tolist()
    contract_of, role, layer = (
        column.tolist() for column in (book.legs.contract, book.legs.role, book.legs.layer)
    )
    trade = book.legs.trade
    for one in found:
        trades: dict[bytes, tuple[int, int, list[_Holding]]] = {}
        for i in one.at.tolist():
            if not quantity[i]:
                continue
            at = leg[i]
            key = bytes(trade[at])
            if key not in trades:
                trades[key] = (role[at], layer[at], [])
            found_mark = mark_rows[mark[i]] if mark[i] >= 0 else None
            trades[key][2].append((contracts[contract_of[at]], quantity[i], found_mark))
        if trades:
            yield _row(accounts[one.account], one.day, list(trades.values()))


def _row(account: Account, day: date, trades: Sequence[tuple[int, int, list[_Holding]]]) -> CapitalDay:
    margin: dict[str, float] = defaultdict(float)
    ibkr, partial = 0.0, False
    premium: dict[str, float] = defaultdict(float)
    everything: list[_Holding] = []
    for role, layer, held in trades:
        everything += held
        gross, by_ibkr = _margins(tuple((contract.symbol, quantity) for contract, quantity, _ in held))
        partial = partial or gross is None
        ibkr += by_ibkr or 0.0
        bought = _bought(held)
        for name in (_GROUPS[role], f"layer_{layer}") if layer else (_GROUPS[role],):
            margin[name] += gross or 0.0
            premium[name] += bought
    total = margin["condor"] + margin["hedge"] + margin["other"]
    if account.kind == Account.Kind.PORTFOLIO:
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
        account=account,
        day=day,
        book_revision=account.book_revision,
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

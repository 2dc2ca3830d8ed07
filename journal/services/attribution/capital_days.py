"""Margin of accounts at each session's close, by their profile, from the legs they held."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from hedging.engine.book import Leg
from hedging.engine.instruments import parse_symbol
from hedging.engine.money import to_cents
from hedging.engine.pricing.margins import strategy_margins
from hedging.engine.results.effects import MICRO, States
from hedging.engine.structure import describe
from hedging.maths import black76
from hedging.maths.arrays import Floats, Ints
from hedging.maths.margin import PORTFOLIO_MOVES, portfolio_margin_estimate
from journal.models import Account, CapitalDay
from journal.services.attribution.days import SPX, BookRows, market_value

_ROLES = ("condor", "hedge", "other")


class _HeldLegs(NamedTuple):
    """Legs held at a close, sorted by account, session and trade; ``trade`` counts trade-sessions."""

    row: Ints
    contract: Ints
    quantity: Ints
    size: Floats
    trade: Ints
    key: Ints


def capital_rows(book: BookRows, accounts: Sequence[Account], at: Ints) -> Iterator[CapitalDay]:
    """A row for every account and session of the rows ``at`` on which something was held at the close."""
    held = _held(book, at)
    if not len(held.row):
        return
    first = np.flatnonzero(np.diff(held.trade, prepend=-1))
    gross, by_ibkr = _trade_margins(book, held, len(first))
    known = np.isfinite(gross)
    value = market_value(book)[held.row] / MICRO
    premium = np.maximum(np.add.reduceat(value, first), 0.0)
    leg = book.taylor.leg[held.row[first]]
    role, layer, key = book.legs.role[leg], book.legs.layer[leg], held.key[first]
    keys, which = np.unique(key, return_inverse=True)
    margin = np.where(known, gross, 0.0)
    ibkr = np.bincount(which, np.where(known, by_ibkr, 0.0))
    partial = np.bincount(which, ~known) > 0
    names = [(name, role == i) for i, name in enumerate(_ROLES)]
    names += [(f"layer_{number}", layer == number) for number in (1, 2, 3)]
    sums = {
        name: (
            np.bincount(which, margin * mask),
            np.bincount(which, premium * mask),
            np.bincount(which, mask) > 0,
        )
        for name, mask in names
        if mask.any()
    }
    legs_from = np.searchsorted(held.key, keys)
    legs_to = np.append(legs_from[1:], len(held.key))
    for i, one in enumerate(keys.tolist()):
        account = accounts[one // len(book.days)]
        present = {name: found for name, found in sums.items() if found[2][i]}
        total = sum(present[name][0][i] for name in _ROLES if name in present)
        unknown = bool(partial[i])
        if account.kind == Account.Kind.PORTFOLIO:
            estimate = portfolio_estimate(book, held, slice(legs_from[i], legs_to[i]))
            unknown, total = unknown or estimate is None, total if estimate is None else estimate
        result = {
            "margin": {name: round(float(found[0][i]), 2) for name, found in sorted(present.items())},
            "premium": {name: round(float(found[1][i]), 2) for name, found in sorted(present.items())},
        }
        yield _row(account, book, one, _money(total), _money(float(ibkr[i])), result, partial=unknown)


def _row(
    account: Account, book: BookRows, key: int, margin: Decimal, ibkr: Decimal, result: dict[str, Any],
    *, partial: bool,
) -> CapitalDay:  # fmt: skip
    day = book.days[key % len(book.days)]
    text = json.dumps([str(day), str(margin), str(ibkr), partial, result], sort_keys=True)
    return CapitalDay(
        account=account,
        day=day,
        book_revision=account.book_revision,
        content_hash=hashlib.sha256(text.encode()).hexdigest(),
        margin=margin,
        margin_ibkr=ibkr,
        margin_partial=partial,
        result=result,
    )


def _held(book: BookRows, at: Ints) -> _HeldLegs:
    rows = book.taylor
    at = at[rows.quantity[at] != 0]
    leg = rows.leg[at]
    key = book.legs.account[leg] * len(book.days) + rows.day[at]
    trade = book.legs.trade.view("S16")
    number = np.cumsum(np.append(False, trade[1:] != trade[:-1])) if len(trade) else np.zeros(0, np.int64)
    order = np.lexsort((leg, number[leg], key))
    at, key, number = at[order], key[order], number[leg][order]
    changed = np.ones(len(at), np.int64)
    changed[1:] = (key[1:] != key[:-1]) | (number[1:] != number[:-1])
    contract = book.legs.contract[rows.leg[at]]
    size = (rows.quantity[at] * book.contracts.multiplier[contract]).astype(np.float64)
    return _HeldLegs(at, contract, rows.quantity[at], size, np.cumsum(changed) - 1, key)


def _trade_margins(book: BookRows, held: _HeldLegs, count: int) -> tuple[Floats, Floats]:
    """Gross margin of each trade-session and its IBKR variant, NaN where the rule knows none.

    Legs of several expiries are taken one expiry at a time.
    """
    facts = book.contracts
    right, expiry = facts.right[held.contract], facts.expiry[held.contract]
    order = np.lexsort((expiry, held.trade))
    trade, strike = held.trade[order], facts.strike[held.contract][order]
    right, expiry, size = right[order], expiry[order], held.size[order]
    new = np.append(True, (trade[1:] != trade[:-1]) | (expiry[1:] != expiry[:-1]))
    position = np.cumsum(new) - 1
    gross = strategy_margins(position, strike, right, size, int(position[-1]) + 1)
    gross = np.where(np.isfinite(gross), gross, np.nan)
    of_trade = trade[new]
    ibkr = gross.copy()
    for one in _condor_like(position, right, held.quantity[order]):
        legs = order[position == one] if len(position) < 4_096 else order[_span(position, one)]
        ibkr[one] = _ibkr(
            tuple((facts.symbol[held.contract[i]].decode(), int(held.quantity[i])) for i in legs)
        )
    total = np.bincount(of_trade, gross, count)
    other = np.bincount(held.trade, facts.right[held.contract] == 0, count) > 0
    return np.where(other, np.nan, total), np.where(other, np.nan, np.bincount(of_trade, ibkr, count))


def _condor_like(position: Ints, right: Floats, quantity: Ints) -> list[int]:
    """Positions of two puts and two calls in equal numbers: only there IBKR's rule may differ."""
    legs, calls = np.bincount(position), np.bincount(position, right > 0)
    net, size = np.bincount(position, quantity), np.bincount(position, np.abs(quantity))
    square = np.bincount(position, quantity.astype(np.float64) ** 2)
    found = (legs == 4) & (calls == 2) & (net == 0) & (4 * square == size**2)
    return [int(i) for i in np.flatnonzero(found)]


def _span(position: Ints, one: int) -> slice:
    return slice(*np.searchsorted(position, [one, one + 1]).tolist())


@lru_cache(maxsize=50_000)
def _ibkr(held: tuple[tuple[str, int], ...]) -> float:
    found = describe([Leg(parse_symbol(symbol), quantity, 0.0) for symbol, quantity in held], 0.0)
    return float("nan") if found.margin_ibkr is None else found.margin_ibkr


def portfolio_estimate(book: BookRows, held: _HeldLegs, part: slice) -> float | None:
    """Portfolio-margin estimate in dollars: the SPX class at ten moves; None with an unknown state."""
    contract, rows = held.contract[part], held.row[part]
    spx = (book.contracts.factor[contract] == SPX) & (book.contracts.right[contract] != 0)
    if not spx.any():
        return 0.0
    mark = book.taylor.mark[rows[spx]]
    if (mark < 0).any():
        return None
    state = States(*(column[mark] for column in book.marks.states))
    if not all(np.isfinite(column).all() for column in state):
        return None
    strike, right = (column[contract[spx]] for column in (book.contracts.strike, book.contracts.right))
    discount = np.exp(-state.rate * state.t)
    now = black76.price(state.forward, strike, state.t, state.sigma, discount, right)
    forward = state.forward * (1 + PORTFOLIO_MOVES[:, None])
    moved = black76.price(forward, strike, state.t, state.sigma, discount, right)
    contracts = int(np.abs(held.quantity[part][spx]).sum())
    return portfolio_margin_estimate((moved - now) @ held.size[part][spx], contracts)


def _money(amount: float) -> Decimal:
    return to_cents(Decimal(repr(float(amount))))

"""What an account holds in cash and in T-bills, and what it owes: from the cash ledger and the fills.

Cash is what the ledger moved, less premium paid and fees, plus the gains of futures that their daily
settlement paid. It is known only when the ledger says what the account began with: a deposit up to the first
session. The base capital is what returns are measured against; how much of it lies in cash it does not say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np

from hedging.engine.results.capital import Funds
from hedging.maths.arrays import Floats
from journal.models import Account, CashEntry, DailyMark, Fill
from journal.selectors.book.trades import first_fill_day
from journal.selectors.cash.ledger import POOLS, ZERO, entries, opens_with_deposit

_BESIDE = {*POOLS["bucket"], *POOLS["bills"]}


@dataclass(frozen=True, slots=True)
class FundsByDay:
    """Cash without T-bills, T-bills at cost and margin loan at each of ``days``, dollars."""

    days: tuple[date, ...]
    cash: Floats
    bills: Floats
    loan: Floats

    def at(self, place: int) -> Funds:
        """One day's funds."""
        return Funds(float(self.cash[place]), float(self.bills[place]), float(self.loan[place]))


def account_funds(account: Account, day: date) -> Funds | None:
    """What is liquid and owed at the end of a day; None while the ledger does not say how it began."""
    found = funds_by_day(account, (day,), entries(account))
    return None if found is None else found.at(0)


def funds_by_day(account: Account, days: Sequence[date], ledger: Iterable[CashEntry]) -> FundsByDay | None:
    """Funds at the end of each of ``days`` (ascending); None while the ledger does not say how it began."""
    ledger, began = list(ledger), first_fill_day(account)
    if not days or not opens_with_deposit(ledger, began or days[0]):
        return None
    cash: dict[date, Decimal] = defaultdict(Decimal)
    bills: dict[date, Decimal] = defaultdict(Decimal)
    loan: dict[date, Decimal] = defaultdict(Decimal)
    for entry in ledger:
        if entry.kind in POOLS["bills"]:
            bills[entry.day] += entry.amount
            cash[entry.day] -= entry.amount
        elif entry.kind not in _BESIDE:
            cash[entry.day] += entry.amount
        if entry.kind in POOLS["loan"]:
            loan[entry.day] += entry.amount
    fills = Fill.objects.filter(account=account, trade_date__lte=days[-1]).exclude(contract__kind="future")
    for day, quantity, price, multiplier, fees in fills.values_list(
        "trade_date", "quantity", "price", "contract__multiplier", "fees"
    ).order_by():
        cash[day] -= quantity * price * multiplier + fees
    futures = DailyMark.objects.filter(account=account, contract__kind="future", day__lte=days[-1])
    for day, pnl in futures.values_list("day", "pnl").order_by():
        cash[day] += Decimal(pnl).scaleb(-6)
    return FundsByDay(tuple(days), _levels(cash, days), _levels(bills, days), _levels(loan, days))


def _levels(moved: dict[date, Decimal], days: Sequence[date]) -> Floats:
    """Running sums at the end of each day."""
    ordered = sorted(moved.items())
    levels, held, at = [], ZERO, 0
    for day in days:
        while at < len(ordered) and ordered[at][0] <= day:
            held += ordered[at][1]
            at += 1
        levels.append(float(held))
    return np.array(levels)

"""Net liquidation, P&L of the session and the month, and drawdown of many accounts at once.

The figures are those of each account's own dashboard (``overview.net_liquidation``, ``performance.glance``),
which tests hold; the number of queries does not grow with the accounts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
from django.db import connection
from django.db.models import Min, Sum

from hedging.engine.results.effects import MICRO
from hedging.engine.results.performance import session_returns, underwater, until_ruin
from hedging.maths.arrays import Floats, Ints
from hedging.selectors.calendar import sessions_between
from journal.bulk_rows import read_rows
from journal.models import Account, AttributionDay, CashEntry, Fill, Trade
from journal.selectors.cash.ledger import EXTERNAL, OTHER

ZERO = Decimal(0)
Kind = CashEntry.Kind
_GAINS = (Kind.INTEREST_EARNED, Kind.INTEREST_PAID, *OTHER)
_YEAR = timedelta(days=365)
_DAY = {
    "postgresql": "day - DATE '0001-01-01' + 1",
    "sqlite": "CAST(julianday(day) - 1721424.5 AS INTEGER)",
}
_YEARS_PNL = """
    SELECT d.account_id, CAST({day} AS BIGINT), d.pnl
    FROM journal_attributionday d JOIN journal_account a ON a.id = d.account_id
    WHERE d.day >= %s AND d.day <= %s AND a.is_demo = %s ORDER BY d.account_id, d.day
"""
_KINDS = ("uuid", "int8", "int8")
_Entry = tuple[str, Decimal, date]


@dataclass(frozen=True, slots=True)
class Standing:
    """Of one account: ``equity_before`` is net liq less open P&L; None while its history is not explained.

    ``day_pnl`` and ``month_pnl`` in dollars, ``drawdown`` a fraction under the year's peak (≥ 0).
    """

    equity_before: Decimal
    day_pnl: Decimal | None
    month_pnl: Decimal | None
    drawdown: float | None


def standings(accounts: Sequence[Account], today: date) -> list[Standing]:
    """Standings as of ``today`` (an exchange day), in the order of the accounts."""
    began = dict(
        Fill.objects.order_by().values("account").annotate(d=Min("trade_date")).values_list("account", "d")
    )
    closed = Trade.objects.filter(status=Trade.Status.CLOSED).order_by().values("account")
    realized = {
        pk: cash - fees
        for pk, cash, fees in closed.annotate(c=Sum("net_cash"), f=Sum("fees_total")).values_list(
            "account", "c", "f"
        )
    }
    ledger: dict[UUID, list[_Entry]] = defaultdict(list)
    rows = CashEntry.objects.filter(day__lte=today).order_by("day", "created_at", "pk")
    for pk, kind, amount, day in rows.values_list("account_id", "kind", "amount", "day"):
        ledger[pk].append((kind, amount, day))
    history = _history(accounts, today)
    return [
        _standing(
            account, ledger[account.pk], began.get(account.pk), realized.get(account.pk, ZERO), history, today
        )
        for account in accounts
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _History:
    """Attributed P&L in millionths by account: day ordinals and amounts of the year, and what came before."""

    of: Mapping[UUID, tuple[Ints, Ints]]
    before: Mapping[UUID, tuple[date, int]]


def _history(accounts: Sequence[Account], today: date) -> _History:
    since = today - _YEAR
    demo = accounts[0].is_demo if accounts else False
    earlier = AttributionDay.objects.filter(day__lt=since, account__is_demo=demo).order_by()
    before = {
        pk: (first, total)
        for pk, first, total in earlier.values("account")
        .annotate(first=Min("day"), total=Sum("pnl"))
        .values_list("account", "first", "total")
    }
    who, day, pnl = read_rows(_YEARS_PNL.format(day=_DAY[connection.vendor]), [since, today, demo], _KINDS)
    if not len(who):
        return _History({}, before)
    starts = np.flatnonzero(np.append(True, who[1:] != who[:-1]))
    ends = np.append(starts[1:], len(who))
    return _History(
        {UUID(bytes=bytes(who[a])): (day[a:b], pnl[a:b]) for a, b in zip(starts, ends, strict=True)}, before
    )


def _standing(
    account: Account,
    ledger: list[_Entry],
    began: date | None,
    realized: Decimal,
    history: _History,
    today: date,
) -> Standing:
    def total(kinds: Sequence[str]) -> Decimal:
        return sum((amount for kind, amount, _ in ledger if kind in kinds), ZERO)

    def opening(day: date) -> Decimal:
        paid_in = sum((amount for kind, amount, at in ledger if kind == Kind.DEPOSIT and at <= day), ZERO)
        return ZERO if paid_in > 0 else account.base_capital

    equity = opening(began or today) + total(EXTERNAL) + total(_GAINS) + realized
    stored, (first, before) = history.of.get(account.pk), history.before.get(account.pk, (None, 0))
    if stored is None or began is None:
        return Standing(equity, None, None, None)
    first = first or date.fromordinal(int(stored[0][0]))
    if first > began:  # a part of the history would look like all of it
        return Standing(equity, None, None, None)
    days, gain, worth = _series(
        ledger, first, float(opening(first)), before / MICRO, *stored, since=today - _YEAR
    )
    returns, _ = until_ruin(session_returns(gain, worth))
    month = days[-1].replace(day=1)
    return Standing(
        equity,
        Decimal(f"{gain[-1]:.2f}"),
        sum((Decimal(f"{g:.2f}") for day, g in zip(days, gain, strict=True) if day >= month), ZERO),
        float(-underwater(np.nan_to_num(returns))[-1]),
    )


def _series(
    ledger: list[_Entry],
    first: date,
    opening: float,
    before: float,
    ordinals: Ints,
    pnl: Ints,
    *,
    since: date,
) -> tuple[tuple[date, ...], Floats, Floats]:
    """Sessions of the year with the gain and the equity of each, in dollars."""
    days = sessions_between(first, date.fromordinal(int(ordinals[-1])))
    place = np.array([day.toordinal() for day in days])
    gains, external = np.zeros(len(days)), np.zeros(len(days))
    for kind, amount, day in ledger:
        if day <= days[-1]:
            into = external if kind in EXTERNAL else gains if kind in _GAINS else None
            if into is not None:
                into[min(int(np.searchsorted(place, day.toordinal())), len(days) - 1)] += float(amount)
    gains[np.searchsorted(place, ordinals)] += pnl / MICRO
    start = int(np.searchsorted(place, since.toordinal()))
    equity = opening + before + np.cumsum(external + gains)
    return days[start:], gains[start:], equity[start:]

"""Reads of stored attribution: sums of days for an account, its groups, a trade and its legs.

Every level rounds its own exact P&L to the cent; where that differs from the sum of its parts the
difference is a line of its own, ``rounding`` (docs/adr/0011).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
from django.db.models import F

from hedging.engine.results.attribution import from_cents, residual_is_large, residual_share
from hedging.engine.results.effects import (
    EFFECTS,
    MICRO,
    REVALUED_EFFECTS,
    SCALE,
    States,
    Terms,
    cents_of_rows,
    half_even,
    revalue,
)
from journal.models import Account, AttributionDay, DailyMark, Trade

_CENT = MICRO // 100
_NAMES = {
    "condor": "Condors", "hedge": "Hedge", "other": "Other trades",
    "layer_1": "Layer 1", "layer_2": "Layer 2", "layer_3": "Layer 3",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Explained:
    """A P&L in dollars and the effects it consists of; they and ``rounding`` add up to it to the cent."""

    name: str
    pnl: Decimal
    effects: dict[str, Decimal]
    rounding: Decimal
    residual_share: float | None

    @property
    def steps(self) -> list[dict[str, Any]]:
        """Steps of the waterfall chart: effects that are not zero, rounding last."""
        shown = [{"name": k, "value": float(v)} for k, v in self.effects.items() if v]
        return shown + ([{"name": "rounding", "value": float(self.rounding)}] if self.rounding else [])


@dataclass(frozen=True, slots=True)
class ExplainedDay:
    """One session of an account or trade; ``since`` when it counts from before the previous session."""

    day: date
    total: Explained
    unknown_legs: int
    modelled_legs: int
    alert: bool
    since: date | None = None

    @property
    def is_quoted(self) -> bool:
        """Whether every leg was marked at quotes."""
        return not self.unknown_legs and not self.modelled_legs


@dataclass(frozen=True, slots=True)
class AccountAttribution:
    """An account's period: total, groups, the condor, hedge and interaction split, days.

    ``hedge_own`` and ``interaction`` add up to the hedge's P&L. ``is_current`` is false while fills or a
    newer close wait for a worker; ``last`` is the newest stored session, None when nothing is stored.
    """

    first: date | None
    last: date | None
    total: Explained
    full: Explained
    groups: tuple[Explained, ...]
    condor: Decimal
    hedge_own: Decimal
    interaction: Decimal
    other: Decimal
    days: tuple[ExplainedDay, ...]
    is_current: bool

    @property
    def is_behind(self) -> bool:
        """Whether what is stored waits for a worker."""
        return self.last is not None and not self.is_current

    @property
    def alerts(self) -> tuple[ExplainedDay, ...]:
        """Days whose residual is called out."""
        return tuple(day for day in self.days if day.alert)


@dataclass(frozen=True, slots=True)
class TradeAttribution:
    """A trade's period: total both ways, its legs by contract, its days."""

    first: date | None
    last: date | None
    total: Explained
    full: Explained
    legs: tuple[Explained, ...]
    days: tuple[ExplainedDay, ...]


def explained(name: str, pnl: int, cents: Sequence[int], names: Sequence[str] = EFFECTS) -> Explained:
    """Put exact P&L (millionths) and effects (cents) into dollars."""
    whole = int(half_even(np.array([pnl], np.int64), _CENT)[0])
    return Explained(
        name,
        from_cents(whole),
        {effect: from_cents(value) for effect, value in zip(names, cents, strict=True)},
        from_cents(whole - sum(cents)),
        residual_share(cents),
    )


def account_attribution(
    account: Account, date_from: date | None = None, date_to: date | None = None
) -> AccountAttribution:
    """Add up the stored days of an account from ``date_from`` to ``date_to``, both included."""
    stored = AttributionDay.objects.filter(account=account)
    stored = stored.filter(day__gte=date_from) if date_from else stored
    stored = stored.filter(day__lte=date_to) if date_to else stored
    rows = list(stored.order_by("day"))
    total = [0] * len(EFFECTS)
    full = [0] * len(REVALUED_EFFECTS)
    groups: dict[str, list[int]] = {}
    group_pnl: dict[str, int] = defaultdict(int)
    interaction = 0
    for row in rows:
        total = _plus(total, row.result["effects"])
        full = _plus(full, row.result["full"])
        interaction += row.result["interaction"]
        for name, group in row.result["groups"].items():
            groups[name] = _plus(groups.get(name, [0] * len(EFFECTS)), group["effects"])
            group_pnl[name] += group["pnl"]
    pnl = sum(row.pnl for row in rows)
    found = {name: explained(name, group_pnl[name], cents) for name, cents in groups.items()}
    nothing = Decimal("0.00")
    hedge = found["hedge"].pnl if "hedge" in found else nothing
    shared = from_cents(interaction)
    newest = AttributionDay.objects.filter(account=account).order_by("-day").first()
    return AccountAttribution(
        rows[0].day if rows else None,
        rows[-1].day if rows else None,
        explained("Account", pnl, total),
        explained("Account", pnl, full, REVALUED_EFFECTS),
        tuple(replace(found[name], name=_NAMES[name]) for name in _NAMES if name in found),
        found["condor"].pnl if "condor" in found else nothing,
        hedge - shared,
        shared,
        found["other"].pnl if "other" in found else nothing,
        tuple(_account_day(row, account) for row in rows),
        newest is not None and newest.book_revision == account.book_revision,
    )


def _account_day(row: AttributionDay, account: Account) -> ExplainedDay:
    total = explained(str(row.day), row.pnl, row.result["effects"])
    return ExplainedDay(
        row.day, total, row.unknown_legs, row.modelled_legs, residual_called_out(row, account)
    )


def residual_called_out(row: AttributionDay, account: Account) -> bool:
    """Whether a session's residual is beyond the account's limits."""
    return residual_is_large(
        row.residual_share, row.result["effects"][-1], float(account.residual_share_pct) / 100,
        account.residual_limit,
    )  # fmt: skip


def residuals_called_out(day: date) -> list[AttributionDay]:
    """Sessions of ``day`` whose residual is beyond their account's limits, with their accounts."""
    rows = AttributionDay.objects.filter(day=day, account__archived_at=None)
    above = rows.filter(residual_share__gt=F("account__residual_share_pct") / 100.0)
    return [row for row in above.select_related("account") if residual_called_out(row, row.account)]


def _plus(a: Sequence[int], b: Sequence[int]) -> list[int]:
    return [x + y for x, y in zip(a, b, strict=True)]


def trade_attribution(
    trade: Trade, date_from: date | None = None, date_to: date | None = None
) -> TradeAttribution:
    """Add up the stored leg days of a trade."""
    stored = DailyMark.objects.filter(trade=trade)
    stored = stored.filter(day__gte=date_from) if date_from else stored
    stored = stored.filter(day__lte=date_to) if date_to else stored
    rows = list(stored.select_related("contract", "mark", "base").order_by("day", "contract__symbol"))
    by_leg: dict[str, list[DailyMark]] = defaultdict(list)
    by_day: dict[date, list[DailyMark]] = defaultdict(list)
    for row in rows:
        by_leg[row.contract.symbol].append(row)
        by_day[row.day].append(row)
    return TradeAttribution(
        rows[0].day if rows else None,
        rows[-1].day if rows else None,
        _sum("Trade", rows),
        explained("Trade", sum(row.pnl for row in rows), _revalued(rows), REVALUED_EFFECTS),
        tuple(_sum(symbol, mine) for symbol, mine in sorted(by_leg.items())),
        tuple(_trade_day(day, mine) for day, mine in sorted(by_day.items())),
    )


def _sum(name: str, rows: Iterable[DailyMark]) -> Explained:
    rows = list(rows)
    cents = [sum(getattr(row, effect) for row in rows) for effect in EFFECTS]
    return explained(name, sum(row.pnl for row in rows), cents)


def _trade_day(day: date, rows: list[DailyMark]) -> ExplainedDay:
    marks = [row.mark for row in rows if row.mark is not None]
    starts = [row.since for row in rows if row.since is not None]
    return ExplainedDay(
        day,
        _sum(str(day), rows),
        sum(not row.known for row in rows),
        sum(mark.is_modelled for mark in marks),
        alert=False,
        since=min(starts, default=None),
    )


def _revalued(rows: Sequence[DailyMark]) -> list[int]:
    """Cents by full revaluation, from the states of the stored marks."""
    if not rows:
        return [0] * len(REVALUED_EFFECTS)
    both = [row.mark is not None and row.base is not None for row in rows]
    before, after = _states([row.base for row in rows]), _states([row.mark for row in rows])
    terms = Terms(
        np.array([float(row.contract.strike or 0) for row in rows]),
        np.array([{"C": 1.0, "P": -1.0}.get(row.contract.right, 0.0) for row in rows]),
    )
    size = np.array([row.held * row.contract.multiplier for row in rows], np.int64) * np.array(both)
    unit = revalue(before, after, terms) * size
    fixed = np.array([[row.trading, row.fees] for row in rows], np.int64).T * (SCALE // 100)
    exact = np.array([row.pnl for row in rows], np.int64) * (SCALE // MICRO)
    rest = exact - unit.sum(axis=0) - fixed.sum(axis=0)
    return [int(v) for v in cents_of_rows(np.vstack([unit, fixed, rest[None]])).sum(axis=1)]


def _states(marks: Sequence[Any]) -> States:
    def column(name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        values = [getattr(mark, name) if mark is not None else None for mark in marks]
        return np.array([np.nan if value is None else value for value in values], np.float64)

    return States(column("forward"), column("iv"), column("t"), np.nan_to_num(column("rate")))

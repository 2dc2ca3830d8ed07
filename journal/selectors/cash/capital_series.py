"""An account's capital as aligned daily vectors: equity, margin, costs and flows, by layer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from hedging.engine.results.effects import EFFECTS, MICRO
from hedging.maths.arrays import Floats
from hedging.models import DailyBar, Quality
from hedging.selectors.calendar import sessions_between
from journal.models import Account, AttributionDay, CapitalDay, CashEntry, DailyMark, Fill, Trade
from journal.selectors.book.trades import first_fill_day
from journal.selectors.cash.ledger import EXTERNAL, OTHER, POOLS, entries, opens_with_deposit
from journal.selectors.cash.liquidity import FundsByDay, funds_by_day

GROUPS = ("condor", "hedge", "other", "layer_1", "layer_2", "layer_3")
_THETA, _FEES, _TRADING = (EFFECTS.index(name) for name in ("theta", "fees", "trading"))
Kind = CashEntry.Kind


@dataclass(slots=True)
class CapitalGroup:
    """Daily dollars of condors, hedges or one layer: P&L, time decay (+ earned), fills and fees, capital."""

    pnl: Floats
    theta: Floats
    friction: Floats
    margin: Floats
    premium: Floats

    @property
    def cost(self) -> Floats:
        """What carrying it cost: decay paid, fees, and what its fills gave up (+ a cost)."""
        return -(self.theta + self.friction)

    @property
    def capital(self) -> Floats:
        """Margin and bought options, which are paid in full."""
        return self.margin + self.premium


@dataclass(slots=True)
class CapitalSeries:
    """Everything the capital page computes from; vectors align with ``days``.

    ``gap`` is the calendar days each session's capital was tied up, ``external`` money the owner put in (+)
    or took out, ``opening`` the balance the account started with; ``partial`` marks sessions on which some
    trade's margin is unknown. ``funds`` is None while the ledger does not say how the account began.
    """

    days: tuple[date, ...]
    gap: Floats
    opening: float
    pnl: Floats
    equity: Floats
    external: Floats
    interest_paid: Floats
    interest_earned: Floats
    loan: Floats
    bucket: Floats
    margin: Floats
    partial: NDArray[np.bool_]
    funds: FundsByDay | None
    groups: dict[str, CapitalGroup]
    spx: Floats
    bills: Floats
    vix: Floats
    flows: dict[str, list[tuple[date, float]]] = field(default_factory=dict)

    @property
    def used(self) -> Floats:
        """Capital tied up each day: margin of the account and all bought options."""
        return self.margin + sum(
            (self.groups[name].premium for name in ("condor", "hedge", "other")), np.zeros(len(self.days))
        )


def capital_series(account: Account, until: date | None = None) -> CapitalSeries | None:
    """Read the series from the first attributed session to the last or ``until``.

    None while there is none, or while the sessions since the first fill are not attributed yet: sums over a
    part of the history would look like sums over all of it.
    """
    rows = AttributionDay.objects.filter(account=account)
    rows = rows.filter(day__lte=until) if until else rows
    stored = list(rows.order_by("day"))
    began = first_fill_day(account)
    if not stored or (began is not None and stored[0].day > began):
        return None
    days = sessions_between(stored[0].day, stored[-1].day)
    place = {day: i for i, day in enumerate(days)}
    count = len(days)
    ordinals = np.array([day.toordinal() for day in days])
    gap = np.append(np.diff(ordinals), 1).astype(np.float64)
    pnl = np.zeros(count)
    groups = {name: CapitalGroup(*(np.zeros(count) for _ in range(5))) for name in GROUPS}
    for row in stored:
        i = place[row.day]
        pnl[i] = row.pnl / MICRO
        for name, group in row.result["groups"].items():
            groups[name].pnl[i] = group["pnl"] / MICRO
            groups[name].theta[i] = group["effects"][_THETA] / 100
            groups[name].friction[i] = (group["effects"][_FEES] + group["effects"][_TRADING]) / 100
    margin, partial = np.zeros(count), np.zeros(count, np.bool_)
    for capital in CapitalDay.objects.filter(account=account, day__range=(days[0], days[-1])):
        i = place[capital.day]
        margin[i] = float(capital.margin)
        partial[i] = capital.margin_partial
        for name, value in capital.result["margin"].items():
            groups[name].margin[i] = value
        for name, value in capital.result["premium"].items():
            groups[name].premium[i] = value
    ledger = [entry for entry in entries(account) if entry.day <= days[-1]]
    opening = 0.0 if opens_with_deposit(ledger, days[0]) else float(account.base_capital)
    external = _daily(ledger, EXTERNAL, days)
    paid = -_daily(ledger, (Kind.INTEREST_PAID,), days)
    earned = _daily(ledger, (Kind.INTEREST_EARNED,), days)
    other = _daily(ledger, OTHER, days)
    levels = _levels(("SPX", "VIX", "DTB3"), days, simulated=account.is_demo)
    return CapitalSeries(
        days=days,
        gap=gap,
        opening=opening,
        pnl=pnl,
        equity=opening + np.cumsum(external + earned - paid + other + pnl),
        external=external,
        interest_paid=paid,
        interest_earned=earned,
        loan=np.cumsum(_daily(ledger, POOLS["loan"], days)),
        bucket=np.cumsum(_daily(ledger, POOLS["bucket"], days)),
        margin=margin,
        partial=partial,
        funds=funds_by_day(account, days, ledger),
        groups=groups,
        spx=levels["SPX"],
        bills=_filled(levels["DTB3"]) / 100,
        vix=levels["VIX"],
        flows=_hedge_flows(account, days),
    )


def _daily(ledger: Iterable[CashEntry], kinds: Iterable[str], days: tuple[date, ...]) -> Floats:
    """Dollars of the kinds by session: earlier ones on the first, those between sessions on the next."""
    found = np.zeros(len(days))
    wanted = set(kinds)
    ordinals = [day.toordinal() for day in days]
    for entry in ledger:
        if entry.kind in wanted:
            at = int(np.searchsorted(ordinals, entry.day.toordinal()))
            found[min(at, len(days) - 1)] += float(entry.amount)
    return found


def _levels(symbols: tuple[str, ...], days: tuple[date, ...], *, simulated: bool) -> dict[str, Floats]:
    place = {day: i for i, day in enumerate(days)}
    found = {symbol: np.full(len(days), np.nan) for symbol in symbols}
    bars = DailyBar.objects.filter(
        symbol__in=symbols, superseded_at__isnull=True, date__range=(days[0], days[-1])
    )
    bars = bars.filter(quality=Quality.SIMULATED) if simulated else bars.exclude(quality=Quality.SIMULATED)
    for symbol, day, close in bars.order_by("recorded_at").values_list("symbol", "date", "close"):
        if day in place:
            found[symbol][place[day]] = float(close)
    return found


def _filled(values: Floats) -> Floats:
    """Carry the last known value forward."""
    index = np.where(np.isfinite(values), np.arange(len(values)), 0)
    return np.asarray(values[np.maximum.accumulate(index)]) if len(values) else values


def _hedge_flows(account: Account, days: tuple[date, ...]) -> dict[str, list[tuple[date, float]]]:
    """Cash flows of hedge and layers with the open value at the end; futures by their daily gain."""
    flows: dict[str, dict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))

    def add(layer: int | None, day: date, amount: Decimal) -> None:
        for name in ("hedge", f"layer_{layer}"):
            flows[name][day] += amount

    hedges = {"trade__kind": Trade.Kind.HEDGE, "account": account}
    fills = Fill.objects.filter(**hedges, trade_date__lte=days[-1]).exclude(contract__kind="future")
    for layer, day, quantity, price, multiplier, fees in fills.values_list(
        "trade__layer", "trade_date", "quantity", "price", "contract__multiplier", "fees"
    ):
        add(layer, day, -quantity * price * multiplier - fees)
    marks = DailyMark.objects.filter(**hedges, day__lte=days[-1])
    for layer, day, pnl in marks.filter(contract__kind="future").values_list("trade__layer", "day", "pnl"):
        add(layer, day, Decimal(pnl) / MICRO)
    for layer, value in marks.filter(day=days[-1]).values_list("trade__layer", "value"):
        add(layer, days[-1], Decimal(value) / MICRO)
    return {
        name: [(day, float(amount)) for day, amount in sorted(by_day.items())]
        for name, by_day in flows.items()
    }

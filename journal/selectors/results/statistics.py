"""Reads behind the statistics page: every closed trade or chain of an account as an outcome.

Facts of trades (opening, expiry, maximum profit, running P&L) follow from fills and daily marks alone; they
are kept in the process until either changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import accumulate
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from django.db.models import Count, Max, Q, Sum

from hedging.engine.money import to_cents
from hedging.engine.results.effects import MICRO
from hedging.engine.results.statistics import TradeOutcome, excursions
from hedging.maths.payoff import PayoffLegs, profile
from hedging.models import DailyBar, Quality
from hedging.selectors.signals import stored_signals
from journal.models import Account, AttributionDay, DailyMark, Fill, Tagging, Trade, TradeLink
from journal.selectors.governance.signal_rules import signal_rules

_RIGHTS = {"C": 1.0, "P": -1.0}


class Running(NamedTuple):
    """A trade's P&L by session in millionths of a dollar; ``known`` False while a mark was missing."""

    day: date
    pnl: int
    known: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What fills and marks say about one trade."""

    opened: date
    last: date
    expiry: date | None
    final_expiry: date | None
    max_profit: float | None
    running: tuple[Running, ...]


@dataclass(frozen=True, slots=True)
class OutcomeFilters:
    """What outcomes are narrowed to; dates are of the closing session. Empty narrows nothing."""

    kind: str = ""
    layer: int | None = None
    tag: str = ""
    date_from: date | None = None
    date_to: date | None = None
    by_trade: bool = False

    def passes(self, one: TradeOutcome, kind: str) -> bool:
        """Whether an outcome is asked for."""
        return (
            (not self.kind or kind == self.kind)
            and (self.layer is None or one.layer == self.layer)
            and (not self.tag or self.tag.lower() in {tag.lower() for tag in one.tags})
            and (self.date_from is None or one.closed >= self.date_from)
            and (self.date_to is None or one.closed <= self.date_to)
        )


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Closed outcomes that pass the filters, and how many positions are still open."""

    rows: tuple[TradeOutcome, ...]
    still_open: int


def outcomes(account: Account, filters: OutcomeFilters) -> Outcomes:
    """Outcomes of an account, oldest closing first. Rolls count once with their chain unless ``by_trade``."""
    trades = {
        row[0]: row[1:]
        for row in Trade.objects.filter(account=account).values_list(
            "pk", "kind", "layer", "label", "status", "net_cash", "fees_total"
        )
    }
    facts = _facts_of(account)
    tags = _tags(account)
    groups = [[pk] for pk in trades] if filters.by_trade else _chains(account, trades)
    names = dict(Trade.Kind.choices)
    found: list[TradeOutcome] = []
    still_open = 0
    for group in groups:
        members = sorted((pk for pk in group if pk in facts), key=lambda pk: (facts[pk].opened, str(pk)))
        if not members:
            continue
        if any(trades[pk][3] == Trade.Status.OPEN for pk in members):
            still_open += 1
            continue
        first = members[0]
        kind, layer, label, *_ = trades[first]
        pnl = sum((to_cents(trades[pk][4] - trades[pk][5]) for pk in members), Decimal(0))
        one = _outcome(first, label, names[kind], layer, float(pnl), [facts[pk] for pk in members])
        one = replace(one, tags=tuple(sorted({tag for pk in members for tag in tags.get(pk, ())})))
        if filters.passes(one, kind):
            found.append(one)
    found = _with_market(account, found)
    return Outcomes(tuple(sorted(found, key=lambda one: (one.closed, one.opened, one.key))), still_open)


def _outcome(
    pk: UUID, label: str, strategy: str, layer: int | None, pnl: float, facts: Sequence[Facts]
) -> TradeOutcome:
    opened, closed = facts[0].opened, max(fact.last for fact in facts)
    total: dict[date, int] = defaultdict(int)
    known: dict[date, bool] = {}
    for fact in facts:
        for row in fact.running:
            total[row.day] += row.pnl
            known[row.day] = known.get(row.day, True) and row.known
    days = sorted(total)
    sums = accumulate(total[day] for day in days)
    marked = [value / MICRO for day, value in zip(days, sums, strict=True) if known[day]]
    swing = excursions(marked)
    ends = [fact.final_expiry for fact in facts if fact.final_expiry is not None]
    return TradeOutcome(
        key=str(pk), label=label, strategy=strategy, opened=opened, closed=closed, pnl=pnl, layer=layer,
        dte_open=(facts[0].expiry - opened).days if facts[0].expiry else None,
        dte_close=max((max(ends) - closed).days, 0) if ends else None,
        max_profit=facts[0].max_profit if len(facts) == 1 else None,
        mae=swing[0] if swing else None, mfe=swing[1] if swing else None,
        marked=len(marked), sessions=len(days), trades=len(facts),
    )  # fmt: skip


def _chains(account: Account, trades: Iterable[UUID]) -> list[list[UUID]]:
    """Trades joined by confirmed links; a lone trade is a chain of one."""
    root: dict[UUID, UUID] = {pk: pk for pk in trades}

    def find(pk: UUID) -> UUID:
        while root[pk] != pk:
            root[pk] = root[root[pk]]
            pk = root[pk]
        return pk

    links = TradeLink.objects.filter(account=account, state=TradeLink.State.CONFIRMED)
    for earlier, later in links.exclude(Q(earlier=None) | Q(later=None)).values_list("earlier", "later"):
        if earlier in root and later in root:
            root[find(later)] = find(earlier)
    groups: dict[UUID, list[UUID]] = defaultdict(list)
    for pk in root:
        groups[find(pk)].append(pk)
    return list(groups.values())


def _tags(account: Account) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = defaultdict(list)
    rows = Tagging.objects.filter(account=account, review__trade__isnull=False)
    for trade, name in rows.values_list("review__trade_id", "tag__name"):
        found[trade].append(name)
    return found


def _facts_of(account: Account) -> dict[UUID, Facts]:
    state = AttributionDay.objects.filter(account=account).aggregate(
        at=Max("created_at"), revision=Max("book_revision"), days=Count("pk"), pnl=Sum("pnl")
    )
    return _facts(account.pk, account.book_revision, "/".join(str(value) for value in state.values()))


@lru_cache(maxsize=8)
def _facts(account_id: UUID, _revision: int, _marks: str) -> dict[UUID, Facts]:
    """Facts of every trade with a standing fill; revision and marks only name the state they belong to."""
    fills = Fill.objects.filter(account=account_id, reverses=None, reversed_by=None)
    rows = fills.order_by("trade_id", "executed_at", "created_at", "pk").values_list(
        "trade_id", "executed_at", "trade_date", "quantity", "price", "contract__multiplier",
        "contract__kind", "contract__strike", "contract__right", "contract__expiry",
    )  # fmt: skip
    by_trade: dict[UUID, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows.iterator(chunk_size=5000):
        by_trade[row[0]].append(row[1:])
    running = _running(account_id)
    return {
        pk: Facts(
            opened=mine[0][1],
            last=max(row[1] for row in mine),
            expiry=min((row[8] for row in mine if row[0] == mine[0][0] and row[8]), default=None),
            final_expiry=max((row[8] for row in mine if row[8]), default=None),
            max_profit=_max_profit([row for row in mine if row[0] == mine[0][0]]),
            running=tuple(running.get(pk, ())),
        )
        for pk, mine in by_trade.items()
    }


def _max_profit(opening: Sequence[tuple[Any, ...]]) -> float | None:
    """Most the opening order can gain at its one expiry; None when unlimited or without such a payoff."""
    if len({row[8] for row in opening}) != 1 or any(row[5] != "option" for row in opening):
        return None
    legs = PayoffLegs(
        np.array([float(row[6]) for row in opening]),
        np.array([_RIGHTS[row[7]] for row in opening]),
        np.array([float(row[2]) for row in opening]),
        np.array([float(row[4]) for row in opening]),
    )
    best = profile(legs, float(sum((-row[2] * row[3] * row[4] for row in opening), Decimal(0)))).max_profit
    return best if np.isfinite(best) and best > 0 else None


def _running(account_id: UUID) -> dict[UUID, list[Running]]:
    rows = (
        DailyMark.objects.filter(account=account_id)
        .values("trade_id", "day")
        .annotate(total=Sum("pnl"), missing=Count("pk", filter=Q(known=False)))
        .order_by("trade_id", "day")
        .values_list("trade_id", "day", "total", "missing")
    )
    found: dict[UUID, list[Running]] = defaultdict(list)
    for trade, day, total, missing in rows.iterator(chunk_size=5000):
        found[trade].append(Running(day, total, not missing))
    return found


def _with_market(account: Account, rows: list[TradeOutcome]) -> list[TradeOutcome]:
    """Add VIX and regime of the last close before entry."""
    if not rows:
        return rows
    bars = DailyBar.objects.filter(symbol="VIX", superseded_at__isnull=True)
    bars = bars.filter(quality=Quality.SIMULATED) if account.is_demo else bars.exclude(
        quality=Quality.SIMULATED
    )  # fmt: skip
    first, last = min(one.opened for one in rows), max(one.opened for one in rows)
    known = dict(
        bars.filter(date__range=(first.replace(year=first.year - 1, day=1), last))
        .order_by("recorded_at")
        .values_list("date", "close")
    )
    days = sorted(known)
    ordinals = [day.toordinal() for day in days]
    stored = stored_signals(simulated=account.is_demo, params=signal_rules(account).params)
    found = []
    for one in rows:
        at = int(np.searchsorted(ordinals, one.opened.toordinal())) - 1
        fresh = at >= 0 and (one.opened - days[at]).days <= 7
        vix = float(known[days[at]]) if fresh else None
        regime = "unknown"
        if stored is not None and fresh:
            row = stored.frame.index(days[at])
            if row is not None and stored.frame.days[row].item() == days[at]:
                regime = stored.frame.regimes.regime(row).value.replace("_", " ")
        found.append(replace(one, vix=vix, regime=regime))
    return found

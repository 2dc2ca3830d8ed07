"""What the hedge was worth: as an investment, as an insurance, and against the method's claims.

*Premium* is what opening hedge trades cost; *claims* are what their later fills brought. Futures move no
premium: a trade's gain in them counts as a claim, its loss as premium. *Carry* is time decay, fees and what
fills gave up (from the attribution); *payouts* in the claims table are the hedge's P&L before that carry.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from django.db.models import Q

from hedging.engine.results.capital import Funds, Irr, flow_returns
from hedging.engine.results.claims import ClaimFinding, findings
from hedging.engine.results.performance import MarketFit, Performance, market_fit
from hedging.maths.arrays import Floats
from journal.models import Account, DailyMark, Fill, Tag, Tagging, Trade
from journal.selectors.cash.capital_series import CapitalSeries, capital_series
from journal.selectors.results.performance import account_performance

ZERO = Decimal(0)
#: A rate of return over fewer days of flows is not said.
MIN_DAYS = 90
#: The tag that records an unwind for want of margin.
FORCED_UNWIND = "forced unwind"
#: Draws of the intervals on the page; the figures move by less than their last digit beyond.
_DRAWS = 1000
#: Share of equity a permanent hedge keeps in cash for variation margin, as in the backtest (proposed).
BUFFER = 0.05


class HedgeCash(NamedTuple):
    """Dollars after fees: ``premium`` paid and ``claims`` received, both positive, by session."""

    premium: dict[date, Decimal]
    claims: dict[date, Decimal]


@dataclass(frozen=True, slots=True)
class Liquidity:
    """What leaving every open hedge leg would cost: half its spread, dollars, on the newest marked session.

    ``quoted`` of ``legs`` have two sides; futures and shares count with theirs unknown. ``last_expiry`` is
    when a hedge that cannot be sold would be over.
    """

    day: date
    legs: int
    quoted: int
    value: float
    cost: float | None
    last_expiry: date | None

    @property
    def share(self) -> float | None:
        """Cost of leaving over the value left."""
        return self.cost / abs(self.value) if self.cost is not None and self.value else None


@dataclass(frozen=True, slots=True)
class Permanent:
    """The same hedge without exit: every trade held to its last expiry, its premium tied up until then.

    ``early`` of ``trades`` were left before expiry: their value at expiry is not recorded, so XIRR is
    known only when there are none. ``tied_up`` and ``tied_up_own`` are dollar-days of premium.
    """

    trades: int
    early: int
    tied_up: float
    tied_up_own: float
    irr: Irr | None
    quick_ratio: float | None


@dataclass(frozen=True, slots=True)
class HedgeValue:
    """Everything the hedge page of results shows; dollars, rates as fractions a year, None unknown.

    ``quick_at_most``: some margin is unknown, so the quick ratios are upper bounds.
    """

    first: date
    last: date
    irr: Irr | None
    premium: float
    claims: float
    open_value: float
    pnl: float
    theta: float
    carry: float
    cost_rate: float | None
    loss_ratio: float | None
    loss_ratio_open: float | None
    credit_months: int
    months: int
    hedged: Performance
    unhedged: Performance
    cut: float | None
    fit: MarketFit | None
    fit_unhedged: MarketFit | None
    liquidity: Liquidity | None
    quick_ratio: float | None
    quick_at_most: bool
    permanent: Permanent
    findings: tuple[ClaimFinding, ...]
    credit_share: float | None

    @property
    def irr_is_said(self) -> bool:
        """Whether one rate of return can be said: one root, and 90 days at least."""
        return self.irr is None or not (self.irr.several_roots or self.irr.days < MIN_DAYS)

    @property
    def quick_limit(self) -> str:
        """The sign before this hedge's quick ratio: an upper bound, or nothing."""
        return "≤" if self.quick_at_most and self.quick_ratio is not None else ""

    @property
    def permanent_quick_limit(self) -> str:
        """The sign before the permanent hedge's quick ratio: an upper bound, or nothing."""
        return "≤" if self.quick_at_most and self.permanent.quick_ratio is not None else ""


def hedge_value(account: Account, until: date | None = None) -> HedgeValue | None:
    """Value of the account's hedge up to ``until``; None while nothing is attributed or never hedged."""
    series = capital_series(account, until)
    if series is None or not series.flows.get("hedge"):
        return None
    shown = account_performance(account, date_to=until)
    assert shown is not None
    cash = hedge_cash(account, series.days[-1])
    hedge = series.groups["hedge"]
    last = series.days[-1]
    open_value = float(_open_value(account, last))
    premium, paid = (float(sum(side.values(), ZERO)) for side in cash)
    table = _monthly(series, cash, _credits(account, last))
    returns = np.stack((shown.returns, shown.returns_unhedged), axis=1)
    moved = np.concatenate([[np.nan], series.spx[1:] / series.spx[:-1] - 1])
    found = findings(
        daily_returns=returns[np.isfinite(returns).all(axis=1)],
        months=table, sessions=len(series.days), unwinds=_unwinds(account, last), draws=_DRAWS,
    )  # fmt: skip
    by_key = {one.claim.key: one for one in found}
    irr = flow_returns(series.flows["hedge"])
    return HedgeValue(
        first=series.days[0],
        last=last,
        irr=irr,
        premium=premium,
        claims=paid,
        open_value=open_value,
        pnl=float(hedge.pnl.sum()),
        theta=float(hedge.theta.sum()),
        carry=float(hedge.cost.sum()),
        cost_rate=by_key["annual_cost"].value if len(table) else None,
        loss_ratio=paid / premium if premium > 0 else None,
        loss_ratio_open=(paid + open_value) / premium if premium > 0 else None,
        credit_months=int((table[:, 2] > 0).sum()),
        months=len(table),
        hedged=shown.hedged,
        unhedged=shown.unhedged,
        cut=shown.cut,
        fit=market_fit(series.days, shown.returns, moved, series.bills),
        fit_unhedged=market_fit(series.days, shown.returns_unhedged, moved, series.bills),
        liquidity=_liquidity(account, last),
        quick_ratio=_quick_ratio(series),
        quick_at_most=bool(series.partial[-1]),
        permanent=_permanent(account, series),
        findings=found,
        credit_share=by_key["credit_identity"].value,
    )


def hedge_cash(account: Account, last: date) -> HedgeCash:
    """Premium and claims of the hedge trades by session, up to ``last``."""
    fills = Fill.objects.filter(account=account, trade__kind=Trade.Kind.HEDGE, trade_date__lte=last)
    fills = fills.filter(reverses=None, reversed_by=None).exclude(contract__kind="future")
    moved: dict[tuple[UUID, Any], Decimal] = defaultdict(Decimal)
    days: dict[tuple[UUID, Any], date] = {}
    first: dict[UUID, Any] = {}
    rows = fills.order_by("executed_at", "pk").values_list(
        "trade_id", "executed_at", "trade_date", "quantity", "price", "contract__multiplier", "fees"
    )
    for trade, moment, day, quantity, price, multiplier, fees in rows:
        moved[trade, moment] += -quantity * price * multiplier - fees
        days[trade, moment] = day
        first.setdefault(trade, moment)
    found = HedgeCash(defaultdict(Decimal), defaultdict(Decimal))
    for (trade, moment), amount in moved.items():
        if moment == first[trade] or amount < 0:
            found.premium[days[trade, moment]] -= amount
        else:
            found.claims[days[trade, moment]] += amount
    futures = DailyMark.objects.filter(
        account=account, trade__kind=Trade.Kind.HEDGE, contract__kind="future", day__lte=last
    )
    gained: dict[UUID, int] = defaultdict(int)
    ends: dict[UUID, date] = {}
    for trade, day, pnl in futures.order_by("day").values_list("trade_id", "day", "pnl"):
        gained[trade] += pnl
        ends[trade] = day
    for trade, micro in gained.items():
        side = found.claims if micro > 0 else found.premium
        side[ends[trade]] += Decimal(abs(micro)).scaleb(-6)
    return found


def _credits(account: Account, last: date) -> dict[date, Decimal]:
    """Net credit of condors' opening orders by session, before fees."""
    fills = Fill.objects.filter(account=account, trade__kind=Trade.Kind.CONDOR, trade_date__lte=last)
    fills = fills.filter(reverses=None, reversed_by=None)
    first: dict[UUID, Any] = {}
    found: dict[date, Decimal] = defaultdict(Decimal)
    rows = fills.order_by("executed_at", "pk").values_list(
        "trade_id", "executed_at", "trade_date", "quantity", "price", "contract__multiplier"
    )
    for trade, moment, day, quantity, price, multiplier in rows:
        if first.setdefault(trade, moment) == moment:
            found[day] += -quantity * price * multiplier
    return found


def _monthly(series: CapitalSeries, cash: HedgeCash, credit: dict[date, Decimal]) -> Floats:
    """One row a calendar month, columns as ``hedging.engine.results.claims.findings`` wants them."""
    keys = [(day.year, day.month) for day in series.days]
    order = sorted(set(keys))
    place = {key: at for at, key in enumerate(order)}
    at = np.array([place[key] for key in keys])
    hedge = series.groups["hedge"]

    def by_month(values: Floats) -> Floats:
        return np.bincount(at, values, len(order)).astype(np.float64)

    def flows(dated: dict[date, Decimal]) -> Floats:
        found = np.zeros(len(order))
        for day, amount in dated.items():
            if (day.year, day.month) in place:
                found[place[day.year, day.month]] += float(amount)
        return found

    carry = by_month(hedge.cost)
    equity = by_month(series.equity) / np.maximum(np.bincount(at, minlength=len(order)), 1)
    pnl = by_month(hedge.pnl)
    return np.column_stack(
        [pnl, equity, flows(cash.claims) - flows(cash.premium), pnl + carry, carry, flows(credit)]
    )


def _unwinds(account: Account, last: date) -> int | None:
    """Trades and days tagged as forced unwinds; None while the account has no such tag."""
    if not Tag.objects.filter(account=account, name__iexact=FORCED_UNWIND).exists():
        return None
    tagged = Tagging.objects.filter(account=account, tag__name__iexact=FORCED_UNWIND)
    return tagged.exclude(review__trade__opened_at__date__gt=last).exclude(date_from__gt=last).count()


def _open_value(account: Account, day: date) -> Decimal:
    marks = DailyMark.objects.filter(account=account, trade__kind=Trade.Kind.HEDGE, day=day)
    return sum((Decimal(v).scaleb(-6) for v in marks.values_list("value", flat=True)), ZERO)


def _liquidity(account: Account, last: date) -> Liquidity | None:
    """Half spreads of the open hedge legs at the newest session."""
    marks = DailyMark.objects.filter(account=account, trade__kind=Trade.Kind.HEDGE, day=last)
    rows = list(marks.exclude(quantity=0).select_related("mark", "contract"))
    if not rows:
        return None
    cost, quoted = 0.0, 0
    for row in rows:
        mark = row.mark
        if mark is not None and mark.bid is not None and mark.ask is not None and mark.ask >= mark.bid:
            cost += float((mark.ask - mark.bid) / 2) * abs(row.quantity) * row.contract.multiplier
            quoted += 1
    expiries = [row.contract.expiry for row in rows if row.contract.expiry is not None]
    value = sum(row.value for row in rows) / 1e6
    return Liquidity(last, len(rows), quoted, value, cost if quoted else None, max(expiries, default=None))


def _quick_ratio(series: CapitalSeries, locked: float = 0.0) -> float | None:
    """Quick ratio at the last session with ``locked`` dollars of the cash not at hand."""
    if series.funds is None:
        return None
    now = series.funds.at(-1)
    return Funds(now.cash - locked, now.bills, now.loan).ratio(float(series.margin[-1]))


def _permanent(account: Account, series: CapitalSeries) -> Permanent:
    """Premium-days until the last expiry, and until the position was really left."""
    last = series.days[-1]
    rows = Fill.objects.filter(account=account, trade__kind=Trade.Kind.HEDGE, trade_date__lte=last)
    rows = rows.filter(Q(reverses=None) & Q(reversed_by=None)).exclude(contract__kind="future")
    spans: dict[UUID, list[Any]] = {}
    for trade, day, expiry, status, quantity, price, multiplier in rows.order_by("executed_at").values_list(
        "trade_id", "trade_date", "contract__expiry", "trade__status", "quantity", "price",
        "contract__multiplier",
    ):  # fmt: skip
        span = spans.setdefault(trade, [day, day, expiry, status, ZERO])
        span[1] = max(span[1], day)
        span[2] = max(filter(None, (span[2], expiry)), default=None)
        if day == span[0]:
            span[4] += quantity * price * multiplier
    tied = real = 0.0
    early = 0
    for opened, left, expiry, status, premium in spans.values():
        end = left if status == Trade.Status.CLOSED else last
        paid = max(float(premium), 0.0)
        real += paid * (end - opened).days
        tied += paid * ((expiry or end) - opened).days
        early += status == Trade.Status.CLOSED and expiry is not None and left < expiry
    irr = flow_returns(series.flows["hedge"]) if not early else None
    ratio = _quick_ratio(series, BUFFER * float(series.equity[-1]))
    return Permanent(len(spans), early, tied, real, irr, ratio)

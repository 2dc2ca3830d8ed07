"""What the dashboard and the hedge page list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import OuterRef, Subquery

from hedging.engine.book import Book
from hedging.engine.market import MarketSnapshot
from hedging.engine.money import to_cents
from hedging.engine.pricing.scenarios import scenario_grid
from hedging.services.snapshots.snapshots import snapshot_for, snapshot_load
from journal.models import Account, Trade, User, Valuation
from journal.selectors.book.trades import book_build, first_fill_day
from journal.selectors.cash.ledger import balance_of, entries, opens_with_deposit

ATTENTION_DTE = 21
TESTED_DELTA = 0.30
LAYER_VIX = (30.0, 40.0, 60.0, 80.0)


@dataclass(frozen=True, slots=True)
class Attention:
    """A trade that wants a look, and why."""

    trade: Trade
    reason: str


@dataclass(frozen=True, slots=True)
class HeatCell:
    """P&L of a scenario and the css step of its size, n3…n1, p1…p3."""

    pnl: float
    css: str


@dataclass(frozen=True, slots=True)
class HeatRow:
    """One spot shock of the grid."""

    spot: float
    cells: tuple[HeatCell, ...]


def account_trades(user: User, account: Account, **filters: Any) -> list[Trade]:
    """Open trades of an account the user may see, with their newest result attached."""
    newest = Valuation.objects.filter(trade=OuterRef("pk")).order_by("-book_revision", "-as_of")
    trades = (
        Trade.objects.for_user(user)
        .filter(account=account, status=Trade.Status.OPEN, **filters)
        .annotate(valued=Subquery(newest.values("result")[:1]))
        .prefetch_related("protects")
    )
    return list(trades)


def attention(trades: list[Trade], today: date) -> list[Attention]:
    """Near expiry, short strike tested, or a mark that is unknown."""
    found = []
    for trade in trades:
        if trade.kind == Trade.Kind.CONDOR and trade.nearest_expiry:
            days = (trade.nearest_expiry - today).days
            if 0 <= days <= ATTENTION_DTE:
                found.append(Attention(trade, f"{days} days to expiry"))
        if trade.nearest_expiry and trade.nearest_expiry < today:
            found.append(Attention(trade, "expired: its official settlement value is needed"))
        result = getattr(trade, "valued", None)
        if not result:
            continue
        if trade.kind == Trade.Kind.CONDOR:
            found += [
                Attention(trade, f"short {s['right']} {s['strike']:g} at {abs(s['delta']):.2f} delta")
                for s in result["analysis"]["short_strikes"]
                if s["delta"] is not None and abs(s["delta"]) >= TESTED_DELTA
            ]
        if result["totals"]["partial"]:
            found.append(Attention(trade, "a leg has no mark"))
    return found


def realized_total(user: User, account: Account) -> Decimal:
    """Realized P&L of closed trades after fees, in dollars."""
    closed = Trade.objects.for_user(user).filter(account=account, status=Trade.Status.CLOSED)
    return sum((trade.realized for trade in closed.only("net_cash", "fees_total")), Decimal(0))


def net_liquidation(
    account: Account, day: date, *, realized: Decimal, result: dict[str, Any] | None
) -> Decimal | None:
    """What the account is worth at its newest marks, in dollars: own money in, ledger, closed and open P&L.

    None while an open leg has no mark or nothing was valued.
    """
    if result is None or result["total"]["partial"]:
        return None
    ledger = [entry for entry in entries(account) if entry.day <= day]
    began = first_fill_day(account) or day
    opening = Decimal(0) if opens_with_deposit(ledger, began) else account.base_capital
    balance = balance_of(ledger)
    opened = to_cents(Decimal(str(result["total"]["pnl"])))
    return opening + balance.contributed + balance.result + realized + opened


def book_and_market(account: Account) -> tuple[Book, MarketSnapshot] | None:
    """What the account holds and the newest market it lives on; None without a market."""
    row = snapshot_for(simulated=account.is_demo)
    return None if row is None else (book_build(account), snapshot_load(row))


def heat_rows(book: Book, market: MarketSnapshot) -> tuple[tuple[float, ...], list[HeatRow], int]:
    """The joint SPX × VIX grid of the book's trades."""
    grid = scenario_grid(book.trades, market)
    scale = max(abs(float(grid.pnl.min())), abs(float(grid.pnl.max())), 1.0)
    rows = [
        HeatRow(spot, tuple(HeatCell(float(v), heat_step(float(v), scale)) for v in line))
        for spot, line in zip(grid.spot, grid.pnl, strict=True)
    ]
    return grid.vix, rows, grid.unknown


def heat_step(value: float, scale: float) -> str:
    """The css step of a cell: p1 to p3 for gains, n1 to n3 for losses, none near zero."""
    share = abs(value) / scale
    if share < 0.02:
        return ""
    return ("p" if value > 0 else "n") + ("3" if share > 0.5 else "2" if share > 0.2 else "1")


def layer_values(book: Book, market: MarketSnapshot, trades: list[Trade]) -> dict[str, list[float]] | None:
    """P&L of each layer trade when VIX goes to LAYER_VIX with SPX unchanged; None without VIX."""
    vix = market.levels.get("VIX")
    if vix is None:
        return None
    wanted = {str(trade.pk) for trade in trades}
    shifts = [level - vix.value for level in LAYER_VIX]
    return {
        t.trade_id: [float(v) for v in scenario_grid((t,), market, (0.0,), shifts).pnl[0]]
        for t in book.trades
        if t.trade_id in wanted
    }

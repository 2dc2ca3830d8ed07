"""What an account report says, gathered once and rendered by every format alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from hedging.engine.money import to_cents
from hedging.engine.structure import describe
from hedging.services.snapshots import snapshot_for, snapshot_load
from journal.models import Account, Fill, Trade
from journal.selectors.trades import book_build, trade_position, with_fills
from journal.services.valuation import account_result, trade_result, value_book

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class ReportLeg:
    """An open leg; figures per unit as in LegValuation, None unknown."""

    symbol: str
    quantity: int
    entry: float
    price: float | None
    source: str
    iv: float | None
    delta: float | None
    gamma: float | None
    theta: float | None
    vega: float | None
    rho: float | None
    pnl: Decimal | None


@dataclass(frozen=True, slots=True)
class ReportTrade:
    """An open trade with its legs; dollars."""

    label: str
    kind: str
    layer: int | None
    opened: datetime
    credit: Decimal
    fees: Decimal
    max_profit: Decimal | None
    max_loss: Decimal | None
    break_evens: tuple[float, ...]
    margin: Decimal | None
    market_value: Decimal | None
    pnl: Decimal | None
    pop: float | None
    legs: tuple[ReportLeg, ...]


@dataclass(frozen=True, slots=True)
class ClosedTrade:
    """A trade closed in the period; dollars after fees."""

    label: str
    kind: str
    closed: datetime
    realized: Decimal
    fees: Decimal


@dataclass(frozen=True, slots=True)
class ReportFill:
    """A fill of the period."""

    executed_at: datetime
    symbol: str
    quantity: int
    price: Decimal
    fees: Decimal
    trade: str


@dataclass(frozen=True, slots=True)
class LayerLine:
    """One hedge layer's totals in dollars."""

    layer: int
    trades: int
    cost: Decimal
    pnl: Decimal | None
    vx_delta: float
    theta: float


@dataclass(frozen=True, slots=True)
class ReportData:
    """Everything a report shows. Totals are None when a part is unknown."""

    account: str
    broker: str
    number: str
    capital: Decimal
    date_from: date
    date_to: date
    time_zone: str
    as_of: datetime | None
    flags: tuple[str, ...]
    book_revision: int
    generated_at: datetime
    generated_by: str
    realized: Decimal
    fees: Decimal
    open_pnl: Decimal | None
    condor_pnl: Decimal | None
    hedge_pnl: Decimal | None
    margin: Decimal
    stressed_loss: Decimal | None
    stress: str
    greeks: dict[str, dict[str, float]]
    trades: tuple[ReportTrade, ...]
    layers: tuple[LayerLine, ...]
    closed: tuple[ClosedTrade, ...]
    fills: tuple[ReportFill, ...]

    @property
    def total(self) -> Decimal | None:
        """Realized in the period plus open P&L."""
        return None if self.open_pnl is None else self.realized + self.open_pnl


def cents(value: float | Decimal | None) -> Decimal | None:
    """A dollar amount at the engine's door back to Decimal, to the cent."""
    return None if value is None else to_cents(Decimal(str(value)))


def report_data(
    *,
    account: Account,
    date_from: date,
    date_to: date,
    generated_at: datetime,
    generated_by: str,
    progress: Progress,
) -> ReportData:
    """Gather the report; positions and marks are the present ones, fills and closings the period's."""
    progress(0, 5, "reading")
    trades = list(with_fills(Trade.objects.filter(account=account).order_by("opened_at", "pk")))
    book = book_build(account)
    fills = _fills(account, date_from, date_to)
    progress(1, 5, "valuing")
    row = snapshot_for(simulated=account.is_demo)
    market = snapshot_load(row) if row else None
    totals: dict[str, Any] = account_result(book, value_book(book, market), market) if market else {}
    results = {t.trade_id: trade_result(t, market) for t in book.trades} if market else {}
    open_trades = tuple(
        _open_trade(trade, results.get(str(trade.pk))) for trade in trades if trade.status == Trade.Status.OPEN
    )
    closed = tuple(
        ClosedTrade(t.label, t.get_kind_display(), t.closed_at, to_cents(t.realized), to_cents(t.fees_total))
        for t in trades
        if t.status == Trade.Status.CLOSED and t.closed_at and date_from <= t.closed_at.date() <= date_to
    )
    pnls = [t.pnl for t in open_trades]

    def summed(kind: str | None) -> Decimal | None:
        parts = [t.pnl for t in open_trades if kind is None or t.kind == kind]
        return None if any(p is None for p in parts) else sum((p for p in parts if p is not None), Decimal(0))

    stress = totals.get("stress")
    return ReportData(
        account=account.name, broker=account.broker, number=account.number_masked,
        capital=account.base_capital, date_from=date_from, date_to=date_to, time_zone=account.time_zone,
        as_of=market.as_of if market else None,
        flags=tuple(sorted(f.value for f in market.flags)) if market else (),
        book_revision=book.revision, generated_at=generated_at, generated_by=generated_by,
        realized=sum((t.realized for t in closed), Decimal(0)),
        fees=sum((f.fees for f in fills), Decimal(0)),
        open_pnl=None if None in pnls else summed(None),
        condor_pnl=summed("condor"), hedge_pnl=summed("hedge_layer"),
        margin=cents(totals.get("margin", 0.0)) or Decimal(0), stressed_loss=cents(totals.get("stressed_loss")),
        stress=f"SPX {stress['spot']:+.0%}, VIX {stress['vix']:+.0f} points" if stress else "",
        greeks=totals["total"]["greeks"] if totals else {},
        trades=open_trades, layers=_layers(open_trades, totals), closed=closed, fills=fills,
    )


def _fills(account: Account, date_from: date, date_to: date) -> tuple[ReportFill, ...]:
    rows = (
        Fill.objects.filter(account=account, trade_date__range=(date_from, date_to))
        .select_related("contract", "trade")
        .order_by("executed_at", "pk")
    )
    return tuple(
        ReportFill(f.executed_at, f.contract.symbol, f.quantity, f.price, to_cents(f.fees), f.trade.label)
        for f in rows
    )


def _open_trade(trade: Trade, result: dict[str, Any] | None) -> ReportTrade:
    position = trade_position(trade)
    structure = describe(position.engine_legs(), float(position.cash))
    valued = {leg["symbol"]: leg for leg in result["legs"]} if result else {}
    partial = result is None or result["totals"]["partial"]
    legs = tuple(
        _leg(leg.spec.symbol, leg.quantity, float(leg.entry_price), valued.get(leg.spec.symbol))
        for leg in position.legs
    )
    assert trade.opened_at is not None
    return ReportTrade(
        trade.label, trade.kind, trade.layer, trade.opened_at, to_cents(position.cash), to_cents(position.fees),
        cents(structure.max_profit), cents(structure.max_loss), structure.break_evens, cents(structure.margin),
        None if partial else cents(result["totals"]["market_value"]) if result else None,
        cents(result["totals"]["pnl"]) if result else None,
        result["analysis"]["pop"] if result else None, legs,
    )


def _leg(symbol: str, quantity: int, entry: float, v: dict[str, Any] | None) -> ReportLeg:
    v = v or {"source": "unknown"}
    greeks = (v.get(name) for name in ("iv", "delta", "gamma", "theta", "vega", "rho"))
    iv, delta, gamma, theta, vega, rho = greeks
    return ReportLeg(
        symbol, quantity, entry, v.get("price"), str(v["source"]), iv, delta, gamma, theta, vega, rho, cents(v.get("pnl"))
    )


def _layers(trades: tuple[ReportTrade, ...], totals: dict[str, Any]) -> tuple[LayerLine, ...]:
    lines = []
    for layer in sorted({t.layer for t in trades if t.layer is not None}):
        mine = [t for t in trades if t.layer == layer]
        known = [t.pnl for t in mine if t.pnl is not None]
        figures = totals.get("layers", {}).get(str(layer)) or totals.get("layers", {}).get(layer) or {}
        greeks = figures.get("greeks", {}).get("VX", {})
        lines.append(
            LayerLine(
                layer, len(mine), -sum((t.credit for t in mine), Decimal(0)),
                sum(known, Decimal(0)) if len(known) == len(mine) else None,
                greeks.get("delta", 0.0), figures.get("theta", 0.0),
            )
        )
    return tuple(lines)

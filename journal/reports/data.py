"""Gathers a report: the ledger and the market at the start and the end of a period."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from hedging.engine.book import Book, BookTrade, InstrumentKind, TradeRole
from hedging.engine.market import Flag, MarketSnapshot
from hedging.engine.money import to_cents
from hedging.engine.pricing.analysis import analyse_trade
from hedging.engine.pricing.scenarios import stressed_loss
from hedging.engine.pricing.valuation import FactorGreeks, LegValuation, TradeValuation, value_trade
from hedging.engine.structure import describe
from hedging.selectors.market import STALE_AFTER
from hedging.services.snapshots.contracts import contract_spec
from hedging.services.snapshots.snapshots import snapshot_for, snapshot_load
from journal.models import Account, Fill, Trade
from journal.reports.model import (
    UNKNOWN,
    ZERO,
    FillLine,
    Header,
    LayerLine,
    LegLine,
    PeriodResult,
    ReportData,
    ReportMarks,
    Stress,
    Sum,
    TradeLine,
    add_results,
    known,
    total,
)
from journal.reports.payoff import book_payoff
from journal.reports.results import account_results
from journal.selectors.book.trades import Position, book_trade, position_of
from journal.selectors.governance.rules import ruleset_active
from journal.selectors.reports import account_history, fills_until, opened_and_last, period_start

Progress = Callable[[int, int, str], None]
STEPS = 100
_READING, _VALUING, _VALUED = 5, 15, 55


def report_data(
    *,
    account: Account,
    date_from: date,
    date_to: date,
    as_of: datetime,
    generated_at: datetime,
    generated_by: str,
    progress: Progress = lambda done, total, phase: None,
) -> ReportData:
    """Gather the report of a period by exchange session date, both days included.

    Positions and marks are those of ``as_of``; the period's P&L compares them with those of the
    midnight before ``date_from``. The same book, market and arguments give the same report.
    """
    progress(0, STEPS, "reading the book")
    history = account_history(account)
    start, eve = period_start(date_from), date_from - timedelta(days=1)
    progress(_READING, STEPS, "reading the market")
    before = {t.pk: position_of(fills_until(t.fills.all(), eve, start)) for t in history.trades}
    closing = _market(account, as_of)
    opening = _market(account, start) if any(p.legs for p in before.values()) else None
    lines: list[TradeLine] = []
    books: list[BookTrade] = []
    for number, trade in enumerate(history.trades):
        span = (_VALUED - _VALUING) * number // len(history.trades)
        progress(_VALUING + span, STEPS, "valuing positions")
        line, engine = _trade(trade, before[trade.pk], fills_until(trade.fills.all(), date_to, as_of),
                              date_from, opening, closing)  # fmt: skip
        if line is not None:
            lines.append(line)
        if engine is not None:
            books.append(engine)
    book = Book(str(account.pk), history.revision, float(account.base_capital), tuple(books))
    trades = tuple(lines)
    opened = [line for line in trades if line.is_open]
    return ReportData(
        header=Header(
            account=account.name, broker=account.broker, number=account.number_masked,
            kind=account.get_kind_display(), currency=account.currency, capital=account.base_capital,
            time_zone=account.time_zone, date_from=date_from, date_to=date_to, as_of=as_of,
            marks=_marks(closing, as_of), opening_marks=_marks(opening, start), ruleset=_ruleset(account),
            book_revision=history.revision, is_demo=account.is_demo, generated_at=generated_at,
            generated_by=generated_by,
        ),
        condors=_result(trades, TradeRole.CONDOR), other=_result(trades, TradeRole.OTHER),
        hedge=_result(trades, TradeRole.HEDGE), account=add_results(line.result for line in trades),
        margin=total(known(line.margin) for line in opened),
        stress=_stress(book, closing),
        greeks=_greeks(opened),
        greeks_partial=any(leg.price is None for line in opened for leg in line.legs),
        trades=trades, layers=_layers(trades), payoff=book_payoff(book, closing),
        fills=_fills(history.trades, date_from, date_to, as_of),
        results=account_results(account, date_from, date_to),
    )  # fmt: skip


def _ruleset(account: Account) -> str:
    """Name and hash of the rules in force."""
    active = ruleset_active(account)
    return "none" if active is None else f"{active.name}, sha256 {active.content_hash[:16]}"


def _market(account: Account, moment: datetime) -> MarketSnapshot | None:
    row = snapshot_for(as_of=moment, simulated=account.is_demo)
    return snapshot_load(row) if row is not None else None


def _marks(market: MarketSnapshot | None, moment: datetime) -> ReportMarks | None:
    if market is None:
        return None
    stale = ["stale"] if moment - market.as_of > STALE_AFTER else []
    return ReportMarks(market.as_of, (*sorted(flag.value for flag in market.flags), *stale), market.spot)


def _cents(value: float | Decimal | None) -> Decimal | None:
    """A figure back through the engine's door, to the cent."""
    return None if value is None else to_cents(Decimal(str(value)))


def _realized(position: Position) -> Decimal:
    """What closing fills gained over average entry: cash less the premium of what is still open.

    Futures move no premium: all their cash is realized.
    """
    open_premium = sum(
        (
            -leg.quantity * leg.entry_price * leg.spec.multiplier
            for leg in position.legs
            if leg.spec.kind is not InstrumentKind.FUTURE
        ),
        ZERO,
    )
    return to_cents(position.cash - open_premium)


def _unrealized(engine: BookTrade, market: MarketSnapshot | None) -> tuple[Sum, TradeValuation | None]:
    """Sum of the legs' gains over entry, each to the cent."""
    if not engine.legs:
        return Sum(), None
    if market is None:
        return UNKNOWN, None
    valued = value_trade(engine, market)
    return total(known(_cents(leg.pnl)) for leg in valued.legs), valued


def _trade(
    trade: Trade,
    before: Position,
    fills: Sequence[Fill],
    date_from: date,
    opening: MarketSnapshot | None,
    closing: MarketSnapshot | None,
) -> tuple[TradeLine | None, BookTrade | None]:
    """One trade's line, and the engine's view of what is open; None for trades out of the period."""
    after = position_of(fills)
    moments = opened_and_last(fills)
    in_period = any(fill.trade_date >= date_from for fill in fills)
    if moments is None or not (before.legs or after.legs or in_period):
        return None, None
    engine = book_trade(trade, after)
    unrealized, valued = _unrealized(engine, closing)
    result = PeriodResult(
        opening=_unrealized(book_trade(trade, before), opening)[0],
        realized=_realized(after) - _realized(before),
        fees=to_cents(after.fees) - to_cents(before.fees),
        closing=unrealized,
    )
    structure = describe(engine.legs, engine.cash)
    pop = analyse_trade(engine, closing).pop if engine.legs and closing is not None else None
    line = TradeLine(
        trade_id=str(trade.pk), label=trade.label, role=trade.kind, kind=trade.get_kind_display(),
        layer=trade.layer, opened_at=moments[0], closed_at=None if after.legs else moments[1],
        expiry=min((leg.spec.expiry for leg in after.legs if leg.spec.expiry), default=None),
        cash=to_cents(after.cash), realized=_realized(after), fees=to_cents(after.fees),
        unrealized=unrealized, result=result,
        max_profit=_cents(structure.max_profit), max_loss=_cents(structure.max_loss),
        break_evens=structure.break_evens, margin=_cents(structure.margin), pop=pop,
        greeks=valued.totals.greeks if valued else None, legs=_legs(after, valued),
    )  # fmt: skip
    return line, engine if engine.legs else None


def _legs(position: Position, valued: TradeValuation | None) -> tuple[LegLine, ...]:
    if valued is None:
        return tuple(
            LegLine(leg.spec, leg.quantity, leg.entry_price, "unknown", "no market data")
            for leg in position.legs
        )
    return tuple(
        LegLine(
            leg.spec, leg.quantity, leg.entry_price, _source(v), v.reason, v.price, v.iv, v.delta,
            v.gamma, v.theta, v.vega, v.rho, _cents(v.pnl),
        )
        for leg, v in zip(position.legs, valued.legs, strict=True)
    )  # fmt: skip


def _source(valued: LegValuation) -> str:
    """Where a mark came from; a smile of an expiry without quotes is called modelled."""
    return Flag.MODELLED.value if valued.quality is Flag.MODELLED else valued.source.value


def _result(trades: Iterable[TradeLine], role: TradeRole) -> PeriodResult:
    return add_results(line.result for line in trades if line.role == role.value)


def _greeks(trades: Iterable[TradeLine]) -> dict[str, FactorGreeks]:
    """Dollar Greeks by factor; factors are never added to each other."""
    found: dict[str, FactorGreeks] = {}
    for line in trades:
        for factor, greeks in (line.greeks or {}).items():
            found[factor] = found.get(factor, FactorGreeks()).plus(greeks)
    return dict(sorted(found.items()))


def _stress(book: Book, market: MarketSnapshot | None) -> Stress | None:
    if market is None or not book.trades:
        return None
    loss, shock, unknown = stressed_loss(book, market)
    return Stress(Sum(_cents(loss), unknown > 0), shock.spot, shock.vix)


def _layers(trades: Sequence[TradeLine]) -> tuple[LayerLine, ...]:
    lines = []
    for layer in sorted({line.layer for line in trades if line.layer is not None}):
        mine = [line for line in trades if line.layer == layer]
        opened = [line for line in mine if line.is_open]
        lines.append(
            LayerLine(
                layer, len(opened), -sum((line.cash for line in opened), ZERO),
                total(line.unrealized for line in opened), add_results(line.result for line in mine),
                _greeks(opened),
            )
        )  # fmt: skip
    return tuple(lines)


def _fills(trades: Iterable[Trade], date_from: date, date_to: date, as_of: datetime) -> tuple[FillLine, ...]:
    found: list[tuple[datetime, str, FillLine]] = []
    for trade in trades:
        fills = fills_until(trade.fills.all(), date_to, as_of)
        corrected = {fill.reverses_id for fill in fills}
        for fill in fills:
            if fill.trade_date < date_from:
                continue
            note = "correction" if fill.reverses_id else "corrected" if fill.pk in corrected else ""
            is_future = fill.contract.kind == InstrumentKind.FUTURE
            cash = None if is_future else to_cents(-fill.quantity * fill.price * fill.contract.multiplier)
            line = FillLine(
                fill.executed_at, fill.trade_date, contract_spec(fill.contract), fill.quantity,
                fill.price, cash, fill.fees, trade.label, note, str(trade.pk),
            )  # fmt: skip
            found.append((fill.executed_at, str(fill.pk), line))
    return tuple(line for _, _, line in sorted(found, key=lambda item: item[:2]))

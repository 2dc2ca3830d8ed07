"""The report as sections of tables and charts: written once, laid out by every printed format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

from hedging.engine.pricing.valuation import FactorGreeks
from journal.reports.chart import Chart, report_charts
from journal.reports.layout import LONG, Block, Column, Document, Row, Section, Table, gain, text
from journal.reports.model import (
    ZERO,
    FillLine,
    LegLine,
    PeriodResult,
    ReportData,
    ReportMarks,
    Sum,
    TradeLine,
    total,
)
from journal.reports.results import result_sections
from journal.reports.texts import (
    DAGGER,
    NONE,
    amount,
    moment,
    number,
    price,
    quantity,
    share,
    sum_text,
    zoned,
)

_NAMED = 6


def document(data: ReportData) -> Document:
    """Write the report out."""
    zone = ZoneInfo(data.header.time_zone)
    charts = {chart.name: chart for chart in report_charts(data)}
    sections = [
        _period(data),
        *result_sections(data.results, data.account.net),
        _risk(data),
        _greeks(data),
        _chart(charts.get("payoff")),
        _open(data),
        _chart(charts.get("bars")),
        _layers(data),
        _detail(data, zone),
        _by_position(data, zone),
        _fills(data, zone),
    ]
    return Document(
        title="Account report", account=data.header.account, period=_days(data), meta=_meta(data, zone),
        notices=_notices(data, zone), headline=_headline(data),
        sections=tuple(section for section in sections if section is not None),
    )  # fmt: skip


def _days(data: ReportData) -> str:
    return f"{data.header.date_from} to {data.header.date_to}"


def _quality(marks: ReportMarks | None, zone: ZoneInfo) -> str:
    if marks is None:
        return "no market data"
    return f"{zoned(marks.as_of, zone)}, {', '.join(marks.quality)}"


def _meta(data: ReportData, zone: ZoneInfo) -> tuple[tuple[str, str], ...]:
    head = data.header
    rows = [
        ("Broker", f"{head.broker} {head.number}".strip()),
        ("Account type", f"{head.kind}, {head.currency}"),
        ("Base capital", amount(head.capital, signed=False, dollar=True)),
        ("Period", f"{_days(data)}, by session date"),
        ("Positions as of", zoned(head.as_of, zone)),
        ("Marks as of", _quality(head.marks, zone)),
        ("Times in", head.time_zone),
        ("Ruleset", head.ruleset),
        ("Book revision", str(head.book_revision)),
        ("Generated", f"{zoned(head.generated_at, zone)} for {head.generated_by}"),
    ]
    if head.opening_marks is not None:
        rows.insert(6, ("Opening marks", _quality(head.opening_marks, zone)))
    return tuple(rows)


def _notices(data: ReportData, zone: ZoneInfo) -> tuple[str, ...]:
    found = []
    if data.header.is_demo:
        found.append("Simulated account on a simulated market: none of these figures is real.")
    partial = []
    if reasons := data.unknown_reasons:
        partial.append(f"Unknown marks: {_listed(reasons)}.")
    unmargined = dict.fromkeys(trade.label for trade in data.open_trades if trade.margin is None)
    if unmargined:
        partial.append(f"No margin rule here for {_listed(tuple(unmargined))}.")
    if partial:
        found.append(f"{DAGGER} Partial: the sum covers the known parts only. {' '.join(partial)}")
    for marks, when in ((data.header.marks, "closing"), (data.header.opening_marks, "opening")):
        if marks is not None and "stale" in marks.quality:
            found.append(
                f"The {when} marks are stale: the newest market data is of {zoned(marks.as_of, zone)}."
            )
    return tuple(found)


def _listed(names: Sequence[str]) -> str:
    rest = f"; and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return "; ".join(names[:_NAMED]) + rest


def _headline(data: ReportData) -> tuple[tuple[str, str, str], ...]:
    def line(label: str, value: Sum) -> tuple[str, str, str]:
        return label, sum_text(value, dollar=True), "gain"

    return (
        line("P&L of the period", data.account.net),
        line("Without the hedge", data.without_hedge.net),
        line("Hedge layers", data.hedge.net),
        ("Margin", sum_text(data.margin, signed=False, dollar=True), "num"),
    )


def _period(data: ReportData) -> Section:
    groups: list[tuple[str, PeriodResult]] = [("Condors", data.condors)]
    if any(trade.role == "other" for trade in data.trades):
        groups += [("Other", data.other), ("Without hedge", data.without_hedge)]
    groups += [("Hedge layers", data.hedge), ("With hedge", data.account)]

    def row(label: str, figure: Callable[[PeriodResult], Sum], *, dollar: bool = False) -> Row:
        return (label, *(sum_text(figure(result), dollar=dollar) for _, result in groups))

    rows = (
        row("Realized", lambda r: Sum(r.realized)),
        row("Fees", lambda r: Sum(-r.fees)),
        row("Unrealized at the end", lambda r: r.closing),
        row(
            "Reversal of opening unrealized P&L",
            lambda r: Sum().plus(r.opening, -1) if r.opening.amount is not None else r.opening,
        ),
    )
    foot = row("P&L of the period", lambda r: r.net, dollar=True)
    return Section(
        "Result of the period",
        "In dollars. Realized is the gain of closing fills over average entry, before fees; unrealized is "
        "the gain of open legs over average entry. The columns add up to the cent.",
        Table((text(""), *(gain(name) for name, _ in groups)), rows, (foot,)),
    )


def _risk(data: ReportData) -> Section:
    capital = data.header.capital
    rows: list[Row] = []
    used = data.margin.amount / capital if data.margin.amount is not None else None
    rows.append(
        (
            "Margin, strategy-based",
            sum_text(data.margin, signed=False),
            share(float(used) if used is not None else None),
        )
    )
    if data.stress is not None:
        loss = data.stress.loss
        part = float(loss.amount / capital) if loss.amount is not None else None
        spot, vix = (number(v, 0, signed=True) for v in (data.stress.spot * 100, data.stress.vix))
        name = f"Stressed loss: SPX {spot}%, VIX {vix} points"
        rows.append((name, sum_text(loss, signed=False), share(part)))
    return Section(
        "Margin and stress",
        "Margin by strategy rules before any credit; futures and shares have none here. Stressed loss is the "
        "worst of a fixed set of joint moves of SPX and VIX, every option repriced.",
        Table((text(""), Column("Dollars"), Column("Of base capital")), tuple(rows)),
    )


def _greek_cells(greeks: FactorGreeks, mark: str = "") -> Row:
    return (
        number(greeks.delta, 1, signed=True) + mark, number(greeks.gamma, 3, signed=True) + mark,
        number(greeks.theta, 2, signed=True) + mark, number(greeks.vega, 2, signed=True) + mark,
        number(greeks.rho, 2, signed=True) + mark,
    )  # fmt: skip


_GREEK_COLUMNS = (
    Column("Delta", "$ per point"), Column("Gamma", "$ per point²"), Column("Theta", "$ per day"),
    Column("Vega", "$ per vol point"), Column("Rho", "$ per 1%"),
)  # fmt: skip
_FACTORS = {
    "SPX": "SPX: index points, SPX volatility", "VX": "VX: future points, volatility of VX",
    "VXX": "VXX: share dollars",
}  # fmt: skip


def _greeks(data: ReportData) -> Section:
    mark = DAGGER if data.greeks_partial else ""
    rows = tuple((_FACTORS[name], *_greek_cells(greeks, mark)) for name, greeks in data.greeks.items())
    return Section(
        "Greeks of all open positions",
        "SPX and VX are different risks: their deltas and vegas are never added.",
        Table((text("Factor"), *_GREEK_COLUMNS), rows),
        empty="" if rows else ("Unknown: no market data." if data.open_trades else "Nothing is open."),
    )


def _chart(chart: Chart | None) -> Section | None:
    return None if chart is None else Section(chart.title, chart.summary, chart=chart)


def _open(data: ReportData) -> Section:
    rows = tuple(
        (
            trade.label, str(trade.expiry or NONE), amount(trade.cash), amount(trade.realized),
            amount(-trade.fees), sum_text(trade.unrealized), sum_text(trade.net),
            amount(trade.margin, signed=False),
        )
        for trade in data.open_trades
    )  # fmt: skip
    sums = data.open_total
    foot = (
        "Total", "", "", amount(sums.realized, dollar=True), amount(-sums.fees, dollar=True),
        sum_text(sums.closing, dollar=True), sum_text(sums.net, dollar=True),
        sum_text(data.margin, signed=False, dollar=True),
    )  # fmt: skip
    columns = (
        text("Position"), text("Expiry"), Column("Cash"), gain("Realized"), Column("Fees"),
        gain("Unrealized"), gain("P&L"), Column("Margin"),
    )  # fmt: skip
    return Section(
        "Open positions",
        "Since opening, in dollars. Cash is what the fills moved: positive received, negative paid.",
        Table(columns, rows, (foot,), "wide"),
        empty="" if rows else "Nothing is open.",
    )


def _layers(data: ReportData) -> Section:
    def cells(greeks: FactorGreeks | None) -> Row:
        if greeks is None:
            return (NONE, NONE)
        return number(greeks.delta, 1, signed=True), number(greeks.vega, 2, signed=True)

    rows = tuple(
        (
            f"Layer {line.layer}", str(line.positions), amount(-line.paid), sum_text(line.unrealized),
            sum_text(line.result.net), *cells(line.greeks.get("VX")),
            number(sum(g.theta for g in line.greeks.values()), 2, signed=True),
        )
        for line in data.layers
    )  # fmt: skip
    foot = (
        "All layers", str(sum(line.positions for line in data.layers)),
        amount(-sum((line.paid for line in data.layers), ZERO), dollar=True),
        sum_text(total(line.unrealized for line in data.layers), dollar=True),
        sum_text(data.hedge.net, dollar=True), "", "", "",
    )  # fmt: skip
    columns = (
        text("Layer"), Column("Open"), Column("Cash", "of what is open"),
        gain("Unrealized"), gain("P&L", "of the period"), Column("VX delta", "$ per point"),
        Column("Vega of VX", "$ per vol point"), Column("Theta", "$ per day"),
    )  # fmt: skip
    return Section(
        "Hedge layers",
        table=Table(columns, rows, (foot,)),
        empty="" if rows else "No hedge layer was open in the period.",
    )


def _detail(data: ReportData, zone: ZoneInfo) -> Section | None:
    if not data.open_trades:
        return None
    return Section(
        "Open positions in detail",
        "Entry and mark in points, Greeks per unit, profit and loss in dollars. Marks come from a two-sided "
        "quote, else from the fitted surface; one without quotes is modelled; futures from settlement.",
        blocks=tuple(_block(trade, zone) for trade in data.open_trades),
    )


_LEG_COLUMNS = (
    text("Contract"), text(""), Column("Qty"), Column("Entry", "points"), Column("Mark", "points"),
    text("Source"), Column("IV"), Column("Delta"), Column("Gamma", "per point²"), Column("Theta", "per day"),
    Column("Vega", "per vol pt"), Column("Rho", "per 1%"), gain("P&L", "$"),
)  # fmt: skip


def _block(trade: TradeLine, zone: ZoneInfo) -> Block:
    facts = [
        ("opened", moment(trade.opened_at, zone)),
        ("max profit", amount(trade.max_profit, signed=False, dollar=True)),
        ("max loss", amount(trade.max_loss, signed=False, dollar=True)),
        ("break-evens", " / ".join(number(b) for b in trade.break_evens)),
        ("margin", amount(trade.margin, signed=False, dollar=True)),
        ("probability of profit", share(trade.pop)),
    ]
    shown = tuple((name, value) for name, value in facts if value not in {"", "unknown"})
    foot: Row = ("Unrealized", *[""] * 11, sum_text(trade.unrealized, dollar=True))
    legs = tuple(_leg(leg) for leg in trade.legs)
    return Block(trade.label, shown, Table(_LEG_COLUMNS, legs, (foot,) if len(legs) > 1 else (), "legs"))


def _leg(leg: LegLine) -> Row:
    option = leg.spec.right is not None
    greeks = (
        (leg.delta, 3), (leg.gamma, 5), (leg.theta, 3), (leg.vega, 3), (leg.rho, 3)
    )  # fmt: skip
    iv = share(leg.iv) if option else NONE
    return (
        leg.contract, leg.settlement, quantity(leg.quantity), number(leg.entry), number(leg.price),
        leg.source if leg.price is not None else NONE, iv,
        *(number(value, digits, signed=True) if option else NONE for value, digits in greeks),
        amount(leg.pnl),
    )  # fmt: skip


def _by_position(data: ReportData, zone: ZoneInfo) -> Section:
    long = len(data.fills) > LONG
    rows = tuple(
        (
            f"#{at} {trade.label}" if long else trade.label,
            f"{trade.opened_at.astimezone(zone):%Y-%m-%d}",
            f"{trade.closed_at.astimezone(zone):%Y-%m-%d}" if trade.closed_at else "open",
            amount(trade.result.realized), amount(-trade.result.fees),
            sum_text(trade.result.closing.plus(trade.result.opening, -1)), sum_text(trade.result.net),
        )
        for at, trade in enumerate(data.trades, start=1)
    )  # fmt: skip
    whole = data.account
    foot = (
        "Total", "", "", amount(whole.realized, dollar=True), amount(-whole.fees, dollar=True),
        sum_text(whole.closing.plus(whole.opening, -1), dollar=True), sum_text(whole.net, dollar=True),
    )  # fmt: skip
    columns = (
        text("Position"), text("Opened"), text("Closed"), gain("Realized"), Column("Fees"),
        gain("Unrealized", "change"), gain("P&L"),
    )  # fmt: skip
    return Section(
        "Result by position",
        "Every position that was open or traded in the period; in dollars, within the period.",
        Table(columns, rows, (foot,), "wide"),
        empty="" if rows else "No position was open or traded in the period.",
    )


def _fills(data: ReportData, zone: ZoneInfo) -> Section:
    long = len(data.fills) > LONG
    numbers = {trade.trade_id: f"#{at}" for at, trade in enumerate(data.trades, start=1)} if long else {}

    def name(fill: FillLine) -> str:
        return numbers.get(fill.trade_id, fill.trade)

    rows = tuple(
        (
            moment(fill.executed_at, zone), fill.contract, fill.spec.settlement.value,
            quantity(fill.quantity), price(fill.price),
            NONE if fill.cash is None else amount(fill.cash), price(fill.fees),
            f"{name(fill)}, {fill.note}" if fill.note else name(fill),
        )
        for fill in data.fills
    )  # fmt: skip
    foot = (
        f"{len(rows):,} fills", "", "", "", "", amount(data.cash, dollar=True),
        price(data.fill_fees, dollar=True), "",
    )  # fmt: skip
    columns = (
        text("Time"), text("Contract"), text(""), Column("Qty"), Column("Price", "points"),
        Column("Premium", "$"), Column("Fees", "$"), text("Position"),
    )  # fmt: skip
    return Section(
        "Fills of the period",
        "As recorded, prices in points, premium and fees in dollars. A corrected fill and its correction "
        "cancel; futures move no premium."
        + (" Positions by their number in the result by position." if long else ""),
        Table(columns, rows, (foot,), "wide-last"),
        empty="" if rows else "No fill in the period.",
    )

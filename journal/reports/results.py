"""What a report says of attribution, performance, statistics and capital, for every format."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import isfinite, prod

from hedging.engine.money import to_cents
from hedging.engine.results.effects import EFFECTS
from hedging.engine.results.performance import Performance
from hedging.engine.results.statistics import ENOUGH, OutcomeStatistics, breakdown, figures
from journal.models import Account
from journal.reports.curves import equity_chart
from journal.reports.layout import Column, Row, Section, Table, gain, text
from journal.reports.model import Sum
from journal.reports.texts import NONE, UNKNOWN, amount, number, share
from journal.selectors.attribution import AccountAttribution, Explained, account_attribution
from journal.selectors.cash.capital import Capital, capital
from journal.selectors.results.performance import AccountPerformance, account_performance
from journal.selectors.results.statistics import OutcomeFilters, outcomes

Line = tuple[str, tuple[str, ...], tuple[tuple[object, ...], ...]]


@dataclass(frozen=True, slots=True)
class Results:
    """Stored attribution of the period and what follows from it; None where nothing is stored.

    ``groups`` are figures of the positions closed in the period: all, then by strategy. ``residual_limits``
    are the account's: percent of what moved, and dollars.
    """

    attribution: AccountAttribution
    performance: AccountPerformance | None
    capital: Capital | None
    groups: tuple[OutcomeStatistics, ...]
    residual_limits: tuple[Decimal, Decimal]


def account_results(account: Account, date_from: date, date_to: date) -> Results:
    """Gather the results of a period by exchange session, both days included."""
    closed = outcomes(account, OutcomeFilters(date_from=date_from, date_to=date_to)).rows
    return Results(
        account_attribution(account, date_from, date_to),
        account_performance(account, date_from, date_to),
        capital(account, date_to),
        (figures("All", closed), *breakdown(closed, "strategy")),
        (account.residual_share_pct, account.residual_limit),
    )


# -- printed


def result_sections(results: Results | None, net: Sum) -> list[Section]:
    """Sections of the printed formats; each says so where there is nothing to tell.

    ``net`` is the result of the period by its opening and closing quotes.
    """
    if results is None:
        return []
    curve = equity_chart(results.performance)
    found = [
        _attribution(results.attribution, results.residual_limits, net),
        _performance(results.performance),
        None if curve is None else Section(curve.title, curve.summary, chart=curve),
        _months(results.performance),
        _statistics(results.groups),
        _capital(results.capital),
    ]
    return [section for section in found if section is not None]


def _attribution(found: AccountAttribution, limits: tuple[Decimal, Decimal], net: Sum) -> Section:
    title = "P&L attribution"
    if found.first is None:
        return Section(title, empty="No session of the period is attributed.")
    groups = [one for one in found.groups if not one.name.startswith("Layer")]
    shown = [*groups, found.total]

    def row(name: str, figure: Callable[[Explained], Decimal], *, dollar: bool = False) -> Row:
        return (name, *(amount(figure(one), dollar=dollar) for one in shown))

    rows = [row(name.capitalize(), lambda one, key=name: one.effects[key]) for name in EFFECTS]  # type: ignore[misc]  # a default in a lambda
    if any(one.rounding for one in shown):
        rows.append(row("Rounding", lambda one: one.rounding))
    split = (
        f"Condors {amount(found.condor, dollar=True)}, hedge by itself "
        f"{amount(found.hedge_own, dollar=True)}, interaction {amount(found.interaction, dollar=True)}"
    )
    return Section(
        title,
        f"By daily closing marks, {found.first} to {found.last}, in dollars; effects and residual add up to "
        f"the cent. {split}.{_called_out(found, limits)}{_against_quotes(found, net)}",
        Table(
            (text("Effect"), *(gain(one.name) for one in shown)),
            tuple(rows),
            (row("P&L", lambda one: one.pnl, dollar=True),),
        ),
    )


def _called_out(found: AccountAttribution, limits: tuple[Decimal, Decimal]) -> str:
    """Say on how many sessions the residual is beyond the account's limits."""
    dollars = amount(limits[1], signed=False, dollar=True)
    bounds = f"the limits of {limits[0].normalize():f}% of what moved and {dollars}"
    if not found.alerts:
        return f" No session's residual is beyond {bounds}."
    worst = max(found.alerts, key=lambda day: abs(day.total.effects["residual"]))
    count = len(found.alerts)
    sessions = "session is" if count == 1 else "sessions are"
    most = amount(worst.total.effects["residual"], dollar=True)
    return f" {count} {sessions} beyond {bounds}, most {most} on {worst.day}."


def _against_quotes(found: AccountAttribution, net: Sum) -> str:
    """Say why the daily marks add up to another figure than the quotes at both ends, where they do."""
    if net.amount is None or net.partial or net.amount == found.total.pnl:
        return ""
    return (
        f" The result of the period, {amount(net.amount, dollar=True)}, compares the opening marks with the "
        f"closing ones instead; these quotes and the daily marks are "
        f"{amount(abs(net.amount - found.total.pnl), signed=False, dollar=True)} apart."
    )


def _performance(found: AccountPerformance | None) -> Section:
    title = "Performance"
    if found is None:
        return Section(title, empty="No session of the period is attributed.")
    columns = [("With hedge", found.hedged)]
    if found.has_hedge:
        columns.append(("Without hedge", found.unhedged))

    def row(name: str, figure: Callable[[Performance], str]) -> Row:
        return (name, *(figure(one) for _, one in columns))

    rows = [
        row("Return of the period", lambda p: signed_share(p.total)),
        row("Maximum drawdown", lambda p: share(p.drawdown.depth) if p.drawdown else "none"),
    ]
    if found.hedged.enough:
        rows += [
            row("Volatility a year", lambda p: share(p.volatility)),
            row("Sharpe ratio", lambda p: number(p.sharpe)),
            row("Sortino ratio", lambda p: number(p.sortino)),
        ]
    few = "" if found.hedged.enough else " Ratios need 60 sessions."
    if found.ruined:
        few += f" The session of {found.ruined} lost all it began with; returns end there."
    return Section(
        title,
        f"Time-weighted over {found.hedged.sessions} sessions, after fees; the owner's flows left out. "
        f"Without the hedge: the same capital base, its P&L left out.{few}",
        Table((text(""), *(Column(name) for name, _ in columns)), tuple(rows)),
    )


def _months(found: AccountPerformance | None) -> Section | None:
    """Returns by month and year, and the year's gain in dollars."""
    if found is None:
        return None
    rows = []
    for year in sorted({month.year for month in found.months}):
        mine = {month.month: month for month in found.months if month.year == year}
        whole = prod(1 + month.hedged for month in mine.values()) - 1
        gained = sum(month.pnl for month in mine.values())
        cells = ["" if at not in mine else _change(mine[at].hedged) for at in range(1, 13)]
        rows.append((str(year), *cells, _change(whole), amount(Decimal(f"{gained:.2f}"))))
    names = [f"{date(2000, at, 1):%b}" for at in range(1, 13)]
    columns = (text("Year"), *(gain(name) for name in names), gain("Whole"), gain("Gain, $"))
    return Section(
        "Months",
        "Time-weighted returns in percent, with the hedge; the first and the last month as far as the period "
        "goes.",
        Table(columns, tuple(rows), (), "months"),
    )


def _change(value: float) -> str:
    """A change in percent, written without the sign of percent."""
    return number(value * 100, 1, signed=True) if isfinite(value) else UNKNOWN


def signed_share(value: float | None) -> str:
    """Print a change as a percentage with its sign."""
    return UNKNOWN if value is None else number(value * 100, 1, signed=True) + "%"


def _statistics(groups: tuple[OutcomeStatistics, ...]) -> Section:
    title = "Closed positions in figures"
    if not groups[0].count:
        return Section(title, empty="No position was closed in the period.")

    def row(one: OutcomeStatistics) -> Row:
        return (
            one.name, str(one.count), share(one.win_rate, 0), _dollars(one.expectancy), _dollars(one.total),
            NONE if one.profit_factor is None else number(one.profit_factor),
            NONE if one.capture is None else share(one.capture, 0), _plain(one.dte_open, 0),
            _plain(one.dte_close, 0), _plain(one.mae, 0), _plain(one.mfe, 0),
        )  # fmt: skip

    few = "" if groups[0].enough else f" Fewer than {ENOUGH} positions: not enough data to judge."
    columns = (
        text("Strategy"), Column("Closed"), Column("Win rate"), gain("Expectancy", "$"), gain("P&L", "$"),
        Column("Profit", "factor"), Column("Kept", "% of max profit"), Column("DTE", "open"),
        Column("DTE", "close"), Column("MAE", "$"), Column("MFE", "$"),
    )  # fmt: skip
    return Section(
        title,
        "Positions closed in the period, a chain of rolls once, after fees. MAE and MFE by daily marks."
        + few,
        Table(columns, tuple(row(one) for one in groups[1:]), (row(groups[0]),), "wide"),
    )


def _plain(value: float | None, digits: int) -> str:
    return UNKNOWN if value is None else number(value, digits)


def _dollars(value: float | None) -> str:
    return UNKNOWN if value is None else amount(Decimal(f"{value:.2f}"))


def _capital(found: Capital | None) -> Section:
    title = "Capital"
    if found is None:
        return Section(title, empty="No session is attributed.")
    lines = _capital_lines(found)
    half = len(lines) // 2
    rows = tuple((*left, *right) for left, right in zip(lines[:half], lines[half:], strict=True))
    return Section(
        title,
        f"From {found.first} to {found.last}; rates a year. A rate that cannot be computed is unknown.",
        Table((text(""), Column("Value"), text(""), Column("Value")), rows),
    )


def _capital_lines(found: Capital) -> list[tuple[str, str]]:
    low, high = found.target_range
    return [
        ("Equity", _level(found.equity)),
        ("Margin used", _level(found.margin)),
        ("WACC", share(found.wacc, 2)),
        ("Target of the method", f"{share(low)} to {share(high)}"),
        ("Embedded financing rate", share(found.embedded, 2)),
        ("Box rate", share(found.box, 2)),
        ("Return on condor capital", share(found.condor_on_capital)),
        *_liquidity(found),
    ]


def _liquidity(found: Capital) -> list[tuple[str, str]]:
    """The quick ratio and its liquid parts; at most so much while the margin of futures is unknown."""
    now = found.liquid_now
    if now is None:
        return [("Cash", UNKNOWN), ("T-bills, at cost", UNKNOWN), ("Quick ratio", UNKNOWN)]
    ratio = "nothing owed" if now.ratio is None else f"{'at most ' * now.at_most}{number(now.ratio)}"
    return [("Cash", _level(now.funds.cash)), ("T-bills, at cost", _level(now.funds.bills)),
            ("Quick ratio", ratio)]  # fmt: skip


def _level(value: float) -> str:
    return amount(Decimal(f"{value:.2f}"), signed=False, dollar=True)


# -- tables for a spreadsheet


def result_sheets(results: Results | None) -> Iterable[Line]:
    """(name, columns, rows) of the same figures; unknown ones are None."""
    if results is None:
        return
    found = results.attribution
    yield (
        "attribution", ("group", *EFFECTS, "rounding", "pnl"),
        tuple(
            (one.name, *one.effects.values(), one.rounding, one.pnl) for one in (*found.groups, found.total)
        ),
    )  # fmt: skip
    split = (("condors", found.condor), ("hedge_by_itself", found.hedge_own),
             ("interaction", found.interaction), ("other", found.other))  # fmt: skip
    yield "attribution_split", ("part", "pnl"), split
    yield (
        "attribution_days", ("session", "pnl", *EFFECTS, "rounding", "unknown_legs", "modelled_legs"),
        tuple(
            (day.day, day.total.pnl, *day.total.effects.values(), day.total.rounding, day.unknown_legs,
             day.modelled_legs)
            for day in found.days
        ),
    )  # fmt: skip
    yield "performance", ("figure", "with_hedge", "without_hedge"), tuple(_ratios(results.performance))
    yield (
        "months", ("year", "month", "with_hedge", "without_hedge", "pnl", "sessions"),
        () if results.performance is None else tuple(
            (m.year, m.month, _known(m.hedged), _known(m.unhedged), _in_cents(m.pnl), m.sessions)
            for m in results.performance.months
        ),
    )  # fmt: skip
    yield (
        "statistics",
        ("group", "closed", "wins", "losses", "pnl", "win_rate", "expectancy", "average_win", "average_loss",
         "profit_factor", "captured", "captured_count", "dte_open", "dte_close", "days_held", "mae", "mfe",
         "mae_count", "win_streak", "loss_streak", "enough"),
        tuple(
            (g.name, g.count, g.wins, g.losses, _in_cents(g.total), g.win_rate, _in_cents(g.expectancy),
             _in_cents(g.average_win), _in_cents(g.average_loss), g.profit_factor, g.capture, g.capture_count,
             g.dte_open, g.dte_close, g.days_held, _in_cents(g.mae), _in_cents(g.mfe), g.excursion_count,
             g.win_streak, g.loss_streak, g.enough)
            for g in results.groups
        ),
    )  # fmt: skip
    yield "capital", ("figure", "value"), tuple(_capital_values(results.capital))


def _known(value: float) -> float | None:
    return value if isfinite(value) else None


def _ratios(found: AccountPerformance | None) -> Iterable[tuple[object, ...]]:
    if found is None:
        return
    for name in ("sessions", "total", "annual", "volatility", "sharpe", "sortino", "best", "worst"):
        yield name, getattr(found.hedged, name), getattr(found.unhedged, name)
    yield "max_drawdown", _depth(found.hedged), _depth(found.unhedged)


def _depth(found: Performance) -> float | None:
    """Zero when the value never fell, unknown without a session."""
    if not found.sessions:
        return None
    return found.drawdown.depth if found.drawdown else 0.0


def _capital_values(found: Capital | None) -> Iterable[tuple[object, ...]]:
    if found is None:
        return
    for name in ("equity", "margin", "wacc", "target", "embedded", "box", "loan_rate", "condor_on_capital",
                 "quick_ratio", "time_weighted"):  # fmt: skip
        value = getattr(found, name)
        yield name, _in_cents(value) if name in {"equity", "margin"} else value
    now = found.liquid_now
    for name in ("cash", "bills", "owed"):
        yield name, None if now is None else _in_cents(getattr(now.funds, name))


def _in_cents(value: float | None) -> Decimal | None:
    """A sum of money in whole cents."""
    return None if value is None else to_cents(Decimal(repr(float(value))))

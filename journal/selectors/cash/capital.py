"""The account's cost and return of capital, from its daily series (``hedging.engine.results.capital``)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from hedging.engine.results.capital import (
    TARGET,
    Capm,
    Check,
    Funds,
    Irr,
    Source,
    capital_by_source,
    capm,
    collapse_strength,
    embedded_rate,
    flow_returns,
    hard_checks,
    marginal_rate,
    return_on_capital_days,
    target_wacc,
    time_weighted,
    wacc,
)
from hedging.maths.arrays import Floats
from journal.models import Account, DailyMark
from journal.selectors.cash.capital_series import CapitalSeries, capital_series

#: Sessions the cost of equity is estimated over, and those the rates in the charts look back.
CAPM_WINDOW, RATE_WINDOW = 252, 63
#: Excess return of the market, until the loaded history is long enough to say (proposed).
PREMIUM = 0.05
_NAMES = {"own": "Own collateral", "loan": "Margin loan", "second_engine": "Second Engine"}
_LAYERS = {
    "condor": "Condors", "hedge": "Hedge, all layers", "layer_1": "Layer 1", "layer_2": "Layer 2",
    "layer_3": "Layer 3", "other": "Other trades",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class LayerCapital:
    """One layer's capital: dollars, dollar-days, rates a year. ``marginal`` is what adding it costs."""

    name: str
    pnl: float
    cost: float
    capital_days: float
    margin: float
    premium: float
    on_capital: float | None
    marginal: float | None
    irr: Irr | None


@dataclass(frozen=True, slots=True)
class RatePoint:
    """The rates as they stood at a month's last session."""

    day: date
    wacc: float | None
    embedded: float | None
    target: float
    irr: float | None
    on_capital: float | None


@dataclass(frozen=True, slots=True)
class Quarter:
    """A calendar quarter of the hedge's cost against what the condor cycles earned, fractions a year (WAC-4).

    ``embedded`` is the financing rate on margin, ``on_capital`` the condors' return on their capital-days.
    """

    name: str
    sessions: int
    embedded: float | None
    on_capital: float | None

    @property
    def spread(self) -> float | None:
        """What the cycles earned above what the hedge and its financing cost."""
        if self.embedded is None or self.on_capital is None:
            return None
        return self.on_capital - self.embedded


@dataclass(frozen=True, slots=True)
class LiquidityPoint:
    """Liquid means against obligations at one session's close; ``at_most`` while some margin is unknown."""

    day: date
    funds: Funds
    margin: float
    ratio: float | None
    at_most: bool


@dataclass(frozen=True, slots=True)
class Capital:
    """Everything the capital page shows. Dollars, rates as fractions a year, None unknown.

    ``sources`` pair capital-days with their rates. ``box`` is the rate the option market lends at (put-call
    parity of the newest SPX quotes, what a box would cost); ``loan_rate`` what was really paid, else the box.
    """

    first: date
    last: date
    equity: float
    margin: float
    margin_partial: bool
    premium: float
    loan: float
    bucket: float
    sources: tuple[Source, ...]
    capm: Capm | None
    premium_used: float
    box: float | None
    loan_rate: float | None
    wacc: float | None
    embedded: float | None
    target: float
    target_range: tuple[float, float]
    collapse: float
    checks: tuple[Check, Check]
    layers: tuple[LayerCapital, ...]
    account_irr: Irr
    time_weighted: float | None
    condor_on_capital: float | None
    liquidity: tuple[LiquidityPoint, ...]
    history: tuple[RatePoint, ...]
    quarters: tuple[Quarter, ...]
    days: tuple[date, ...]
    margins: tuple[float, ...]
    equities: tuple[float, ...]

    @property
    def nothing_owed(self) -> bool:
        """Whether liquidity is known and nothing stands against it."""
        return self.liquid_now is not None and self.liquid_now.ratio is None

    @property
    def liquid_now(self) -> LiquidityPoint | None:
        """Liquidity at the last session; None while the ledger does not say how the account began."""
        return self.liquidity[-1] if self.liquidity else None

    @property
    def quick_ratio(self) -> float | None:
        """Cash and T-bills over margin and short-term obligations at the last session."""
        return self.liquid_now.ratio if self.liquid_now else None


def capital(account: Account, until: date | None = None) -> Capital | None:
    """Cost and return of the account's capital up to ``until``; None while nothing is attributed."""
    series = capital_series(account, until)
    if series is None:
        return None
    box = _box(account, series.days[-1])
    equity_cost = _capm(series, len(series.days) - 1)
    sources, loan_rate = _sources(series, slice(None), equity_cost, box)
    blended = wacc(sources)
    hedge, condor = series.groups["hedge"], series.groups["condor"]
    used_days = float((series.used * series.gap).sum())
    collapse = _collapse(series, len(series.days) - 1)
    low, high = TARGET
    return Capital(
        first=series.days[0],
        last=series.days[-1],
        equity=float(series.equity[-1]),
        margin=float(series.margin[-1]),
        margin_partial=bool(series.partial[-1]),
        premium=float(series.used[-1] - series.margin[-1]),
        loan=float(series.loan[-1]),
        bucket=float(series.bucket[-1]),
        sources=sources,
        capm=equity_cost,
        premium_used=PREMIUM,
        box=box,
        loan_rate=loan_rate,
        wacc=blended,
        embedded=_embedded(series, slice(None)),
        target=target_wacc((low + high) / 2, collapse),
        target_range=(target_wacc(low, collapse), target_wacc(high, collapse)),
        collapse=collapse,
        checks=hard_checks(
            blended,
            equity_cost.cost_of_equity if equity_cost else None,
            float(hedge.cost.sum()),
            float(condor.theta.sum()),
        ),
        layers=tuple(
            _layer(series, name, used_days, box) for name in _LAYERS if series.groups[name].capital.any()
        ),
        account_irr=_account_irr(series, len(series.days), box),
        time_weighted=time_weighted(
            [series.opening, *(float(v) for v in series.equity)],
            [0.0, *(float(v) for v in series.external)],
        ),
        condor_on_capital=_on_capital(condor.pnl, condor.capital, series.gap),
        liquidity=liquidity_points(series),
        history=_history(series, box),
        quarters=quarters(series),
        days=series.days,
        margins=tuple(float(v) for v in series.margin),
        equities=tuple(float(v) for v in series.equity),
    )


def liquidity_points(series: CapitalSeries) -> tuple[LiquidityPoint, ...]:
    """Liquidity at every session; empty while it is unknown."""
    if series.funds is None:
        return ()
    points = []
    for place, day in enumerate(series.days):
        funds, margin = series.funds.at(place), float(series.margin[place])
        points.append(LiquidityPoint(day, funds, margin, funds.ratio(margin), bool(series.partial[place])))
    return tuple(points)


def _capm(series: CapitalSeries, last: int) -> Capm | None:
    """Cost of equity from the account's and SPX's daily returns over the window that ends at ``last``."""
    first = max(0, last + 1 - CAPM_WINDOW)
    base = np.concatenate([[series.opening], series.equity[:-1]]) + series.external
    with np.errstate(divide="ignore", invalid="ignore"):
        own = np.where(base > 0, series.pnl / base, np.nan)
        market = np.concatenate([[np.nan], series.spx[1:] / series.spx[:-1] - 1])
    window = slice(first, last + 1)
    return capm(own[window], market[window], series.bills[window], series.days[window], PREMIUM)


def _sources(
    series: CapitalSeries, window: slice, equity: Capm | None, box: float | None
) -> tuple[tuple[Source, ...], float | None]:
    """Capital-days of each source in the window with its rate."""
    split = capital_by_source(series.used, series.equity, series.loan, series.bucket)
    days = {name: float((values * series.gap)[window].sum()) for name, values in split.items()}
    paid = float(series.interest_paid[window].sum())
    rate = paid / (days["loan"] / 365) if paid > 0 and days["loan"] > 0 else box
    own = equity.cost_of_equity if equity else None
    rates = {"own": own, "loan": rate, "second_engine": own}
    return tuple(
        Source(_NAMES[name], days[name], rates[name], is_debt=name == "loan") for name in _NAMES
    ), rate


def _embedded(series: CapitalSeries, window: slice) -> float | None:
    return embedded_rate(
        float(series.groups["hedge"].cost[window].sum()),
        float(series.interest_paid[window].sum()),
        float(series.interest_earned[window].sum()),
        float((series.margin * series.gap)[window].sum()),
    )


def _on_capital(pnl: Floats, tied_up: Floats, gap: Floats) -> float | None:
    return return_on_capital_days(float(pnl.sum()), float((tied_up * gap).sum()))


def _layer(series: CapitalSeries, name: str, used_days: float, rate: float | None) -> LayerCapital:
    """A group's own figures; for the hedge and its layers the rate they add to what the hedge costs."""
    group = series.groups[name]
    own_days = float((group.capital * series.gap).sum())
    cost, marginal = float(group.cost.sum()), None
    if name.startswith(("hedge", "layer")):
        whole = float(series.groups["hedge"].cost.sum())
        rest = max(used_days - own_days, 0.0)
        rate_with = whole / (used_days / 365) if used_days else None
        rate_without = (whole - cost) / (rest / 365) if rest else None
        marginal = marginal_rate(rate_with, used_days, rate_without, rest)
    flows = series.flows.get(name)
    return LayerCapital(
        _LAYERS[name],
        float(group.pnl.sum()),
        cost,
        own_days,
        float(group.margin[-1]),
        float(group.premium[-1]),
        _on_capital(group.pnl, group.capital, series.gap),
        marginal,
        flow_returns(flows, rate) if flows else None,
    )


def _account_irr(series: CapitalSeries, count: int, rate: float | None) -> Irr:
    """Returns of the owner's flows up to a session, with the equity there as the last."""
    flows = [(series.days[0], -series.opening)]
    flows += [(series.days[i], -float(series.external[i])) for i in range(count) if series.external[i]]
    flows.append((series.days[count - 1], float(series.equity[count - 1])))
    return flow_returns(flows, rate)


def _collapse(series: CapitalSeries, last: int) -> float:
    """Strength of a realized-volatility collapse: ten-day changes of RV10, VIX and their ratio."""
    if last < 20:
        return 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        moves = np.diff(np.log(series.spx[last - 20 : last + 1]))
    then, now = float(np.std(moves[:10], ddof=1)), float(np.std(moves[10:], ddof=1))
    vix_then, vix_now = float(series.vix[last - 10]), float(series.vix[last])
    if not all(np.isfinite(v) and v > 0 for v in (then, now, vix_then, vix_now)):
        return 0.0
    realized, implied = now / then - 1, vix_now / vix_then - 1
    return collapse_strength((1 + realized) / (1 + implied) - 1, implied, realized)


def _history(series: CapitalSeries, box: float | None) -> tuple[RatePoint, ...]:
    """The rates at each month's last session; windows look back RATE_WINDOW sessions."""
    days = series.days
    ends = [i for i, day in enumerate(days) if i + 1 == len(days) or days[i + 1].month != day.month]
    points = []
    for end in ends:
        window = slice(max(0, end + 1 - RATE_WINDOW), end + 1)
        sources, _ = _sources(series, window, _capm(series, end), box)
        points.append(
            RatePoint(
                days[end],
                wacc(sources),
                _embedded(series, window),
                target_wacc(sum(TARGET) / 2, _collapse(series, end)),
                _account_irr(series, end + 1, box).xirr,
                _on_capital(
                    series.groups["condor"].pnl[window], series.groups["condor"].capital[window],
                    series.gap[window],
                ),
            )
        )  # fmt: skip
    return tuple(points)


def quarters(series: CapitalSeries) -> tuple[Quarter, ...]:
    """Every calendar quarter of the series, the first and the last as far as they go."""
    ends = [(day.year, (day.month + 2) // 3) for day in series.days]
    condor, found = series.groups["condor"], []
    for year, number in sorted(set(ends)):
        first = ends.index((year, number))
        window = slice(first, first + ends.count((year, number)))
        earned = _on_capital(condor.pnl[window], condor.capital[window], series.gap[window])
        found.append(Quarter(f"{year} Q{number}", window.stop - first, _embedded(series, window), earned))
    return tuple(found)


def _box(account: Account, day: date) -> float | None:
    """Median continuous rate that put-call parity states for held SPX options on their newest quoted day."""
    rows = DailyMark.objects.filter(account=account, day__lte=day, contract__underlying="SPX")
    rows = rows.filter(mark__rate__isnull=False, mark__source="quote").order_by("-day")
    newest = rows.values_list("day", flat=True).first()
    if newest is None:
        return None
    rates: list[Any] = list(rows.filter(day=newest).values_list("mark__rate", flat=True))
    return float(np.median(rates))

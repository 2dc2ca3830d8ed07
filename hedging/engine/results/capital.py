"""Cost and return of capital: WACC, CAPM, embedded financing, IRR and its companions.

Formulas (spec, "Capital"): WACC = E/V Re + D/V Rd (1 - t), Re = rf + β ERP, sources weighted by their
capital-days; embedded financing rate = (hedge theta and realized hedge cost + margin interest - collateral
yield) ÷ Σ(margin × days / 365); box rate r = ln((K2 - K1) / Box) / T; marginal rate of a layer
= (WACC_with C_with - WACC_without C_without) / (C_with - C_without). Rates are fractions a year (0.07 = 7%),
money is dollars, dates are calendar days. What cannot be computed is None, never a default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import log

import numpy as np
from numpy.typing import ArrayLike

from hedging.maths.arrays import Floats

Flow = tuple[date, float]

TRADING_DAYS = 252
#: Static benchmark of the method (S0): 6-8%, and what a volatility collapse takes off it, in basis points.
TARGET, ADJUSTMENT_BP = (0.06, 0.08), (75.0, 150.0)
_MIN_RETURNS = 60


@dataclass(frozen=True, slots=True)
class Source:
    """Capital of one kind over a period: ``days`` in dollar-days, ``rate`` its cost a year, None unknown."""

    name: str
    days: float
    rate: float | None
    is_debt: bool = False


@dataclass(frozen=True, slots=True)
class Capm:
    """Re = rf + β ERP with the window it was estimated over; ``r_squared`` says how much β explains."""

    cost_of_equity: float
    beta: float
    risk_free: float
    premium: float
    first: date
    last: date
    observations: int
    r_squared: float


@dataclass(frozen=True, slots=True)
class Irr:
    """Returns of dated cash flows (+ to the investor).

    ``xirr`` on ACT/365; ``several_roots`` when the flows change sign more than once, and then ``mirr`` is the
    figure to read. ``period_return`` is profit over what was put in, ``days`` first to last flow.
    """

    xirr: float | None
    mirr: float | None
    npv: float | None
    period_return: float | None
    days: int
    sign_changes: int

    @property
    def several_roots(self) -> bool:
        """Whether more than one rate may solve the flows."""
        return self.sign_changes > 1


def wacc(sources: Sequence[Source], tax: float = 0.0) -> float | None:
    """Capital-day-weighted cost, debt after tax; None without capital or while a used rate is unknown."""
    used = [source for source in sources if source.days > 0]
    total = sum(source.days for source in used)
    if not total:
        return None
    cost = 0.0
    for source in used:
        if source.rate is None:
            return None
        cost += source.days / total * source.rate * (1 - tax if source.is_debt else 1.0)
    return cost


def marginal_rate(
    with_rate: float | None, with_capital: float, without_rate: float | None, without_capital: float
) -> float | None:
    """Rate of the capital a layer adds; None when it adds none or a rate is unknown."""
    added = with_capital - without_capital
    if with_rate is None or not added:
        return None
    if without_rate is None:
        return with_rate if not without_capital else None
    return (with_rate * with_capital - without_rate * without_capital) / added


def embedded_rate(
    hedge_cost: float, interest: float, collateral_yield: float, margin_days: float
) -> float | None:
    """Effective financing rate embedded in condor plus hedge; costs positive, ``margin_days`` in dollar-days.

    ``hedge_cost`` is the hedge's theta paid and its realized cost. None without margin.
    """
    if margin_days <= 0:
        return None
    return (hedge_cost + interest - collateral_yield) / (margin_days / 365)


def box_rate(low: float, high: float, price: float, years: float) -> float | None:
    """Continuous financing rate of a box K1/K2 bought at ``price`` points; None if it cannot be one."""
    if not 0 < low < high or not price > 0 or not years > 0:
        return None
    return log((high - low) / price) / years


def capm(
    returns: ArrayLike,
    market: ArrayLike,
    bills: ArrayLike,
    days: Sequence[date],
    premium: float | None = None,
) -> Capm | None:
    """Cost of equity from daily returns of the account and of the market over bills.

    All vectors align with ``days``; ``bills`` are annual rates. ERP is the market's mean excess return × 252
    unless given. None with fewer than 60 common observations or an unmoved market.
    """
    own, index, rate = (np.asarray(a, dtype=np.float64) for a in (returns, market, bills))
    use = np.isfinite(own) & np.isfinite(index) & np.isfinite(rate)
    if int(use.sum()) < _MIN_RETURNS:
        return None
    own, index, rate = own[use], index[use], rate[use]
    kept = [day for day, keep in zip(days, use, strict=True) if keep]
    x, y = index - rate / TRADING_DAYS, own - rate / TRADING_DAYS
    variance = float(np.var(x))
    if variance == 0:
        return None
    covariance = float(np.mean((x - x.mean()) * (y - y.mean())))
    beta = covariance / variance
    erp = float(x.mean() * TRADING_DAYS) if premium is None else premium
    own_variance = float(np.var(y))
    fit = covariance**2 / (variance * own_variance) if own_variance else 0.0
    free = float(rate[-1])
    return Capm(free + beta * erp, beta, free, erp, kept[0], kept[-1], len(kept), fit)


def target_wacc(base: float, collapse: float) -> float:
    """The target after a volatility collapse of strength 0 (none) to 1: 75 to 150 bp lower (S0).

    ``collapse`` 0 leaves it alone; any collapse takes off at least 75 bp.
    """
    if collapse <= 0:
        return base
    low, high = ADJUSTMENT_BP
    return base - (low + (high - low) * min(collapse, 1.0)) / 10_000


def collapse_strength(
    rv_ratio_change: float | None, iv_change: float | None, rv_change: float | None
) -> float:
    """How far realized volatility fell faster than implied: 0 at -20% of RV/IV in ten days, 1 at -50%.

    Changes are fractions over ten days (methodology, section 8); unknown counts as no collapse.
    """
    if rv_ratio_change is None or iv_change is None or rv_change is None:
        return 0.0
    if rv_ratio_change > -0.20 or iv_change <= rv_change:
        return 0.0
    return min(max((-rv_ratio_change - 0.20) / 0.30, 1e-9), 1.0)


def flow_returns(flows: Sequence[Flow], rate: float | None = None) -> Irr:
    """XIRR, MIRR, NPV and the plain period return of dated flows (- put in, + taken out).

    ``rate`` a year discounts NPV and is both finance and reinvestment rate of MIRR; None leaves both unknown.
    """
    import pyxirr

    netted: dict[date, float] = {}
    for day, amount in flows:
        netted[day] = netted.get(day, 0.0) + amount
    ordered = sorted((day, amount) for day, amount in netted.items() if amount)
    signs = [amount > 0 for _, amount in ordered]
    changes = sum(a != b for a, b in pairwise(signs))
    if not changes:
        return Irr(None, None, None, None, _span(ordered), 0)
    days, amounts = [day for day, _ in ordered], [amount for _, amount in ordered]
    found = pyxirr.xirr(days, amounts, silent=True)
    paid = -sum(amount for amount in amounts if amount < 0)
    npv = None if rate is None else pyxirr.xnpv(rate, days, amounts, silent=True)
    return Irr(
        None if found is None or not np.isfinite(found) else float(found),
        None if rate is None else _mirr(ordered, rate),
        npv,
        sum(amounts) / paid,
        _span(ordered),
        changes,
    )


def _span(flows: Sequence[Flow]) -> int:
    return (flows[-1][0] - flows[0][0]).days if flows else 0


def _mirr(flows: Sequence[Flow], rate: float) -> float | None:
    """Modified rate on dated flows: payments financed and receipts reinvested at ``rate``, ACT/365."""
    first, last = flows[0][0], flows[-1][0]
    years = (last - first).days / 365
    put = -sum(a * (1 + rate) ** (-(d - first).days / 365) for d, a in flows if a < 0)
    got = sum(a * (1 + rate) ** ((last - d).days / 365) for d, a in flows if a > 0)
    if not years or put <= 0 or got <= 0:
        return None
    return float((got / put) ** (1 / years) - 1)


def return_on_capital_days(profit: float, capital_days: float) -> float | None:
    """Profit over Σ(capital × days / 365): a simple annual rate on what was tied up; None without capital."""
    return profit / (capital_days / 365) if capital_days > 0 else None


def time_weighted(values: Sequence[float], flows: Sequence[float]) -> float | None:
    """Compound return of daily values with flows at each day's start; None if a base is not positive.

    ``values[i]`` is the value at the end of day i, ``flows[i]`` what came in on day i before its result.
    """
    growth = 1.0
    for before, after, flow in zip(values, values[1:], flows[1:], strict=False):
        base = before + flow
        if base <= 0:
            return None
        growth *= after / base
    return growth - 1.0


def quick_ratio(cash_and_bills: float, margin: float, short_term: float = 0.0) -> float | None:
    """Cash and T-bills over margin and short-term obligations; None without obligations."""
    owed = margin + short_term
    return cash_and_bills / owed if owed > 0 else None


@dataclass(frozen=True, slots=True)
class Funds:
    """What of an account is liquid, and its debts beside margin, in dollars.

    ``cash`` without T-bills (negative: overdrawn, which is owed), ``bills`` T-bills at cost, ``loan`` the
    margin loan.
    """

    cash: float
    bills: float = 0.0
    loan: float = 0.0

    @property
    def liquid(self) -> float:
        """Cash and T-bills."""
        return max(self.cash, 0.0) + self.bills

    @property
    def owed(self) -> float:
        """Short-term obligations: the margin loan, and what the cash is overdrawn by."""
        return max(self.loan, 0.0) + max(-self.cash, 0.0)

    def ratio(self, margin: float) -> float | None:
        """The quick ratio beside a margin; None when nothing is owed."""
        return quick_ratio(self.liquid, margin, self.owed)


@dataclass(frozen=True, slots=True)
class Check:
    """One of the two hard checks of WAC-3: ``passed`` is None while a side is unknown."""

    name: str
    left: float | None
    right: float | None
    passed: bool | None


def hard_checks(
    blended: float | None, cost_of_equity: float | None, hedge_cost: float | None, captured: float | None
) -> tuple[Check, Check]:
    """Blended rate < CAPM equity return; hedge cost ≤ extrinsic value captured by the condors (dollars)."""
    cheaper = None if blended is None or cost_of_equity is None else blended < cost_of_equity
    covered = None if hedge_cost is None or captured is None else hedge_cost <= captured
    return (
        Check("blended rate below CAPM equity return", blended, cost_of_equity, cheaper),
        Check("hedge cost within extrinsic value captured", hedge_cost, captured, covered),
    )


def capital_by_source(
    margin: ArrayLike, equity: ArrayLike, loan: ArrayLike, second_engine: ArrayLike
) -> Mapping[str, Floats]:
    """Where each day's margin came from: the Second Engine bucket first, then the loan, own collateral last.

    Vectors of one length in dollars; what equity less bucket cannot cover counts as loan. The three add up
    to the margin.
    """
    need, worth, lent, bucket = (
        np.asarray(a, dtype=np.float64) for a in (margin, equity, loan, second_engine)
    )
    second = np.minimum(need, np.maximum(bucket, 0.0))
    own_funds = np.maximum(worth - np.maximum(bucket, 0.0), 0.0)
    borrowed = np.minimum(need - second, np.maximum(lent, need - second - own_funds))
    borrowed = np.maximum(borrowed, 0.0)
    return {"own": need - second - borrowed, "loan": borrowed, "second_engine": second}

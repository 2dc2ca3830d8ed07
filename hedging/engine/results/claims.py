"""The method's claims against what was measured: block bootstrap, verdicts, the claims themselves.

A claim is read as a bound or a range on one figure (docs/adr/0014). Its verdict looks at a whole bootstrap
interval, never at the measured value alone: *supported* when the interval lies inside the claimed range, *not
supported* when it lies outside, *not enough data* when it straddles an end or too little was observed. A
claim that something never happens is refuted by one event.

Intervals are percentile intervals of a circular moving-block bootstrap (Politis and Romano 1992): runs of
consecutive observations are drawn with replacement, so that volatility clusters survive. The seed is fixed:
the same data give the same interval. Counts of rare events take the exact Poisson bound instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import inf, log

import numpy as np
from numpy.typing import ArrayLike

from hedging.maths.arrays import Floats

#: Takes resamples of shape (draws, n, k) and gives one figure a draw; NaN where it is undefined.
Statistic = Callable[[Floats], Floats]

SEED, DRAWS, LEVEL = 1987, 2000, 0.90
_BATCH_BYTES = 4 * 2**20
#: A statistic undefined in more resamples than this share has no interval.
_MOST_UNDEFINED = 0.05


class Verdict(StrEnum):
    """What the data say about a claim."""

    SUPPORTED = "supported"
    NOT_SUPPORTED = "not supported"
    NOT_ENOUGH = "not enough data"


@dataclass(frozen=True, slots=True)
class Interval:
    """A percentile interval: ``level`` of the resampled figures lie from ``low`` to ``high``."""

    low: float
    high: float
    level: float


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim of the method as a range of one figure, ends included unless ``strict``.

    ``unit`` is fraction (a share or rate, shown in percent), ratio or count. ``needs`` observations, of what
    ``per`` names, are the least that count as data.
    """

    key: str
    text: str
    reading: str
    low: float
    high: float
    unit: str
    needs: int
    per: str
    strict: bool = False

    def holds(self, value: float) -> bool:
        """Whether a value lies in the claimed range."""
        if self.strict:
            return self.low < value < self.high
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class ClaimFinding:
    """A claim with what was measured; ``why`` is the reason of the verdict in one sentence."""

    claim: Claim
    value: float | None
    interval: Interval | None
    observations: int
    verdict: Verdict
    why: str


#: The identity: 8-12% of the credit costs 1-2% of the account only for annual credit in this range.
CREDIT_SHARE, ACCOUNT_COST = (0.08, 0.12), (0.01, 0.02)
IDENTITY = (ACCOUNT_COST[0] / CREDIT_SHARE[1], ACCOUNT_COST[1] / CREDIT_SHARE[0])

CLAIMS: dict[str, Claim] = {
    claim.key: claim
    for claim in (
        Claim(
            "drawdown_cut", "The hedge cuts the maximum drawdown by 35-40%",
            "1 − MDD hedged / MDD unhedged, on the same dates and sizing, is at least 35%",
            0.35, inf, "fraction", 252, "sessions",
        ),
        Claim(
            "annual_cost", "The hedge costs 1-2% of the account a year",
            "what hedging lost a year, after its gains, is at most 2% of equity",
            -inf, 0.02, "fraction", 12, "months",
        ),
        Claim(
            "net_credit_months", "The hedge programme is net credited in about 65% of months",
            "months whose programme cash flow is positive are at least 65%",
            0.65, 1.0, "fraction", 24, "months",
        ),
        Claim(
            "payouts_over_carry", "Payouts exceed the carry",
            "what the hedge paid out over what carrying it took is above 1",
            1.0, inf, "ratio", 12, "months", strict=True,
        ),
        Claim(
            "forced_unwinds", "No forced unwinds",
            "no position had to be closed for want of margin; fewer than one in ten years",
            0.0, 0.1, "count", 756, "sessions",
        ),
        Claim(
            "credit_identity", "8-12% of the credit is 1-2% of the account",
            "true only while the annual credit is 8.3% to 25% of the account",
            *IDENTITY, "fraction", 12, "months",
        ),
    )
}  # fmt: skip


def bootstrap(
    data: ArrayLike,
    statistic: Statistic,
    *,
    block: int,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Interval | None:
    """Interval of a statistic of consecutive observations, (n,) or (n, k) with k aligned columns.

    ``block`` observations stay together, wrapping round the end. None with fewer than two blocks or when
    the statistic is undefined in more than 5% of the resamples.
    """
    rows = np.asarray(data, dtype=np.float64)
    rows = rows[:, None] if rows.ndim == 1 else rows
    count, width = rows.shape
    if block < 1 or count < 2 * block:
        return None
    rng = np.random.default_rng(seed)
    blocks = -(-count // block)
    batch = max(1, _BATCH_BYTES // (8 * count * width))
    figures = np.empty(draws)
    steps = np.arange(block)
    for start in range(0, draws, batch):
        size = min(batch, draws - start)
        begins = rng.integers(0, count, size=(size, blocks))
        index = ((begins[:, :, None] + steps) % count).reshape(size, -1)[:, :count]
        figures[start : start + size] = statistic(rows[index])
    found = figures[np.isfinite(figures)]
    if len(found) < (1 - _MOST_UNDEFINED) * draws:
        return None
    tail = (1 - LEVEL) / 2 * 100
    low, high = np.percentile(found, [tail, 100 - tail])
    return Interval(float(low), float(high), LEVEL)


def measured(data: ArrayLike, statistic: Statistic) -> float | None:
    """The statistic of the data themselves; None when it is undefined."""
    rows = np.asarray(data, dtype=np.float64)
    rows = rows[:, None] if rows.ndim == 1 else rows
    if not len(rows):
        return None
    value = float(statistic(rows[None])[0])
    return value if np.isfinite(value) else None


def poisson_interval(events: int, years: float, level: float = LEVEL) -> Interval | None:
    """Exact bounds of a yearly rate of rare events; ``level`` both ways, one-sided when none happened.

    Zero events give 0 to −ln(1 − level) / years ("rule of three" at 95%).
    """
    if years <= 0 or events < 0:
        return None
    if not events:
        return Interval(0.0, -log(1 - level) / years, level)
    tail = (1 - level) / 2
    high = _poisson_mean(events, tail)
    low = _poisson_mean(events - 1, 1 - tail)
    return Interval(low / years, high / years, level)


def _poisson_mean(events: int, below: float) -> float:
    """The mean at which P(N ≤ events) equals ``below``, by bisection."""
    low, high = 0.0, 10.0 + 4.0 * (events + 1)
    for _ in range(100):
        middle = (low + high) / 2
        term, total = float(np.exp(-middle)), 0.0
        for k in range(events + 1):
            total += term
            term *= middle / (k + 1)
        low, high = (middle, high) if total > below else (low, middle)
    return (low + high) / 2


def judge(claim: Claim, value: float | None, interval: Interval | None, observations: int) -> ClaimFinding:
    """The verdict on a claim from its measured value, its interval and how much was observed."""
    if claim.unit == "count" and value:
        return ClaimFinding(claim, value, interval, observations, Verdict.NOT_SUPPORTED, "it happened")
    if observations < claim.needs:
        why = f"{observations} {claim.per} observed, {claim.needs} are needed"
        return ClaimFinding(claim, value, interval, observations, Verdict.NOT_ENOUGH, why)
    if value is None or interval is None:
        why = "the figure is undefined on these data"
        return ClaimFinding(claim, value, interval, observations, Verdict.NOT_ENOUGH, why)
    inside = claim.holds(interval.low) and claim.holds(interval.high)
    outside = interval.high < claim.low or interval.low > claim.high
    if claim.strict:
        outside = interval.high <= claim.low or interval.low >= claim.high
    level = f"{interval.level:.0%}"
    if inside:
        why = f"the whole {level} interval lies in the claimed range"
        return ClaimFinding(claim, value, interval, observations, Verdict.SUPPORTED, why)
    if outside:
        why = f"the whole {level} interval lies outside the claimed range"
        return ClaimFinding(claim, value, interval, observations, Verdict.NOT_SUPPORTED, why)
    why = f"the {level} interval reaches both sides of the claimed range"
    return ClaimFinding(claim, value, interval, observations, Verdict.NOT_ENOUGH, why)


# -- the figures; each takes (draws, n, k) and answers (draws,)


def worst_drawdown(returns: Floats) -> Floats:
    """Maximum drawdown, positive, of returns compounded along the last axis; NaN once all is lost."""
    growth = np.cumprod(1.0 + returns, axis=-1)
    peak = np.maximum(np.maximum.accumulate(growth, axis=-1), 1.0)
    worst = np.max(1.0 - growth / peak, axis=-1)
    ruined = (growth <= 0).any(axis=-1)
    return np.asarray(np.where(ruined, np.nan, worst), dtype=np.float64)


def drawdown_cut(samples: Floats) -> Floats:
    """1 − MDD hedged / MDD unhedged; columns are daily returns hedged and unhedged on one capital base."""
    hedged, unhedged = worst_drawdown(samples[..., 0]), worst_drawdown(samples[..., 1])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(unhedged > 0, 1.0 - hedged / unhedged, np.nan))


def annual_cost(samples: Floats) -> Floats:
    """Loss of the hedge a year over mean equity; columns are monthly hedge P&L and mean equity, dollars."""
    with np.errstate(divide="ignore", invalid="ignore"):
        cost = -samples[..., 0].mean(axis=-1) * 12 / samples[..., 1].mean(axis=-1)
    return np.asarray(cost)


def positive_share(samples: Floats) -> Floats:
    """Share of observations above zero; one column."""
    return np.asarray((samples[..., 0] > 0).mean(axis=-1))


def ratio_of_sums(samples: Floats) -> Floats:
    """Sum of the first column over the sum of the second; NaN unless the second is positive."""
    top, bottom = samples[..., 0].sum(axis=-1), samples[..., 1].sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(bottom > 0, top / bottom, np.nan))


def annual_share(samples: Floats) -> Floats:
    """First column a year over the mean of the second; columns are monthly credit, mean equity, dollars."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(samples[..., 0].mean(axis=-1) * 12 / samples[..., 1].mean(axis=-1))


#: Observations kept together: a month of sessions; a quarter of months.
DAILY_BLOCK, MONTHLY_BLOCK = 21, 3


def findings(
    *,
    daily_returns: ArrayLike,
    months: ArrayLike,
    sessions: int,
    unwinds: int | None,
    draws: int = DRAWS,
    seed: int = SEED,
) -> tuple[ClaimFinding, ...]:
    """Every claim on one history.

    ``daily_returns`` (n, 2) hedged and unhedged on one capital base. ``months`` (m, 6), dollars a month:
    hedge P&L, mean equity, programme cash flow (financing legs included), payouts, carry (both positive),
    condor credit collected. ``sessions`` is the length of the history, ``unwinds`` its forced unwinds (None
    unknown).
    """
    days = np.asarray(daily_returns, dtype=np.float64).reshape(-1, 2)
    monthly = np.asarray(months, dtype=np.float64).reshape(-1, 6)

    def one(key: str, data: Floats, statistic: Statistic, block: int) -> ClaimFinding:
        interval = bootstrap(data, statistic, block=block, draws=draws, seed=seed)
        return judge(CLAIMS[key], measured(data, statistic), interval, len(data))

    rate = None if unwinds is None or not sessions else unwinds / (sessions / 252)
    bounds = None if unwinds is None else poisson_interval(unwinds, sessions / 252)
    return (
        one("drawdown_cut", days, drawdown_cut, DAILY_BLOCK),
        one("annual_cost", monthly[:, [0, 1]], annual_cost, MONTHLY_BLOCK),
        one("net_credit_months", monthly[:, [2]], positive_share, MONTHLY_BLOCK),
        one("payouts_over_carry", monthly[:, [3, 4]], ratio_of_sums, MONTHLY_BLOCK),
        judge(CLAIMS["forced_unwinds"], rate, bounds, sessions),
        one("credit_identity", monthly[:, [5, 1]], annual_share, MONTHLY_BLOCK),
    )

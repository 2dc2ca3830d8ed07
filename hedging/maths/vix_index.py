"""The VIX index calculation from option strips.

Sources: Cboe, "The Cboe Volatility Index - VIX" (white paper, 2014 and 2019 editions) and Cboe, "Volatility
Index Methodology: Cboe Volatility Index", version 6.0. The editions share the formula; they differ in the
minutes to settlement and in the rate of each expiry, which are arguments here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hedging.maths.arrays import Floats
from hedging.maths.yearfrac import MINUTES_PER_YEAR

MINUTES_30_DAYS = 43_200


class Strip(NamedTuple):
    """One expiry's single variance and how it came about.

    ``variance`` σ² per year; ``contribution`` ΔK/K² e^{RT} Q(K) per included strike; ``adjustment`` the
    (F/K0 - 1)²/T term taken off.
    """

    t: float
    forward: float
    k0: float
    variance: float
    adjustment: float
    strikes: Floats
    quotes: Floats
    contribution: Floats


def strip_variance(
    strikes: Floats,
    call_bid: Floats,
    call_ask: Floats,
    put_bid: Floats,
    put_ask: Floats,
    minutes: float,
    rate: float,
) -> Strip:
    """Variance of one expiry from its quotes (ascending strikes, prices in points, zero = no bid).

    ``minutes`` to settlement, ``rate`` continuous per year. Raises ValueError when no two-sided pair
    or fewer than two out-of-the-money quotes exist.
    """
    t = minutes / MINUTES_PER_YEAR
    growth = float(np.exp(rate * t))
    call, put = 0.5 * (call_bid + call_ask), 0.5 * (put_bid + put_ask)
    pairs = np.isfinite(call) & np.isfinite(put) & (call_bid > 0) & (put_bid > 0)
    if not pairs.any():
        raise ValueError("no strike has both a call and a put quote")
    gap = np.where(pairs, np.abs(call - put), np.inf)
    at = int(np.argmin(gap))
    forward = float(strikes[at] + growth * (call[at] - put[at]))
    below = np.flatnonzero(strikes <= forward)
    if not len(below):
        raise ValueError("the forward lies below every strike")
    zero = int(below[-1])
    keep = _side(put_bid[:zero][::-1])[::-1]
    puts = np.flatnonzero(np.concatenate([keep, np.zeros(len(strikes) - zero, dtype=bool)]))
    calls = zero + 1 + np.flatnonzero(_side(call_bid[zero + 1 :]))
    chosen = np.concatenate([puts, [zero], calls])
    if len(chosen) < 2:
        raise ValueError("fewer than two out-of-the-money quotes")
    k = strikes[chosen]
    quotes = np.where(chosen < zero, put[chosen], call[chosen])
    quotes[len(puts)] = 0.5 * (call[zero] + put[zero])
    width = np.empty_like(k)
    width[1:-1] = 0.5 * (k[2:] - k[:-2])
    width[0], width[-1] = k[1] - k[0], k[-1] - k[-2]
    contribution = width / k**2 * growth * quotes
    adjustment = (forward / strikes[zero] - 1.0) ** 2 / t
    variance = 2.0 / t * float(contribution.sum()) - adjustment
    return Strip(t, forward, float(strikes[zero]), variance, float(adjustment), k, quotes, contribution)


def _side(bids: Floats) -> NDArray[np.bool_]:
    """Which strikes count, walking outwards: those with a bid, until two in a row have none."""
    none = ~(bids > 0)
    pair = none[:-1] & none[1:]
    end = int(np.argmax(pair)) if pair.any() else len(bids)
    return np.asarray(~none & (np.arange(len(bids)) < end))


def thirty_day_index(near: Strip, following: Strip) -> float:
    """VIX in vol points from the two expiries around 30 days, interpolated in minutes of total variance."""
    minutes = [strip.t * MINUTES_PER_YEAR for strip in (near, following)]
    span = minutes[1] - minutes[0]
    weighted = near.t * near.variance * (minutes[1] - MINUTES_30_DAYS) / span
    weighted += following.t * following.variance * (MINUTES_30_DAYS - minutes[0]) / span
    return float(100.0 * np.sqrt(weighted * MINUTES_PER_YEAR / MINUTES_30_DAYS))

"""How wide options are quoted near the money: a measure of liquidity from one chain."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hedging.maths.arrays import Floats

#: Calendar days to the expiry that is measured: the one nearest to AIM within these, both included.
AIM, FIRST, LAST = 30, 20, 45
#: Strikes within this share of the forward are near the money.
WIDTH: Final = 0.02
#: Fewer quoted options than this measure nothing.
FEWEST: Final = 8


def near_money_spread(
    *,
    days: NDArray[np.int64],
    right: NDArray[np.int8],
    strike: Floats,
    bid: Floats,
    ask: Floats,
) -> float | None:
    """Median bid-ask width in percent of mid, near the money, of the expiry nearest to 30 days.

    One row an option: calendar ``days`` to its expiry, ``right`` ±1, prices and strikes in points, NaN
    where nothing is quoted. The forward is read off put-call parity at the strike where call and put cost
    most nearly the same; a discount of a month moves it by less than a strike. None: no such expiry, or
    fewer than FEWEST options with a bid and an ask above it.
    """
    quoted = (bid > 0) & (ask >= bid)
    usable = quoted & (days >= FIRST) & (days <= LAST)
    if not usable.any():
        return None
    offered = np.unique(days[usable])
    usable &= days == offered[np.argmin(np.abs(offered - AIM))]
    k, mid, width = strike[usable], (bid + ask)[usable] / 2, (ask - bid)[usable]
    forward = _forward(k, right[usable], mid)
    if forward is None:
        return None
    near = np.abs(k / forward - 1) <= WIDTH
    if near.sum() < FEWEST:
        return None
    return float(np.median(100 * width[near] / mid[near]))


def _forward(strike: Floats, right: NDArray[np.int8], mid: Floats) -> float | None:
    """Strike plus call less put where these two differ least; None without a strike quoted on both sides."""
    calls, puts = right > 0, right < 0
    # Two roots may list one strike of one day; either of them serves.
    k, at_call, at_put = np.intersect1d(strike[calls], strike[puts], return_indices=True)
    if not len(k):
        return None
    gap = mid[calls][at_call] - mid[puts][at_put]
    at = int(np.argmin(np.abs(gap)))
    return float(k[at] + gap[at])

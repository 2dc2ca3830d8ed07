"""Strategy margin of many positions at once: the rule of ``hedging.maths.margin`` over arrays of legs."""

from __future__ import annotations

import numpy as np

from hedging.maths.arrays import Floats, Ints


def strategy_margins(position: Ints, strike: Floats, right: Floats, size: Floats, count: int) -> Floats:
    """Gross margin in dollars of ``count`` positions of options of one expiry each.

    Legs are vectors of one length sorted by ``position``; ``right`` ±1, ``size`` signed quantity ×
    multiplier. The worst value at expiry before any credit, 0 for bought options, inf where a short call is
    not covered (the same as ``defined_risk_margin``).
    """
    found = np.zeros(count)
    legs = np.bincount(position, minlength=count) if len(position) else np.zeros(count, np.int64)
    start = np.concatenate([[0], np.cumsum(legs)])[:-1]
    for n in np.unique(legs[legs > 0]):
        mine = np.flatnonzero(legs == n)
        at = start[mine][:, None] + np.arange(n)
        k, r, q = strike[at], right[at], size[at]
        kinks = np.concatenate([np.zeros((len(mine), 1)), k], axis=1)
        worst = np.full(len(mine), np.inf)
        for j in range(n + 1):
            value = (np.maximum(r * (kinks[:, j : j + 1] - k), 0.0) * q).sum(axis=1)
            worst = np.minimum(worst, value)
        uncovered = np.where(r > 0, q, 0.0).sum(axis=1) < -1e-12
        found[mine] = np.where(uncovered, np.inf, np.maximum(0.0, -worst))
    return found

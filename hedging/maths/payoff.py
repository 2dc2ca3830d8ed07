"""Profit and loss at expiry of European legs: piecewise linear in the underlying, so exact."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hedging.maths.arrays import Floats


class PayoffLegs(NamedTuple):
    """Option legs of one expiry: arrays of one shape.

    ``strike`` in points, ``right`` ±1 (call, put), ``quantity`` signed (+ long), ``multiplier`` in
    dollars a point.
    """

    strike: Floats
    right: Floats
    quantity: Floats
    multiplier: Floats


class PayoffProfile(NamedTuple):
    """Extremes in dollars (``inf`` where unbounded) and exact break-evens in points, ascending."""

    max_profit: float
    max_loss: float
    break_evens: tuple[float, ...]


def expiry_value(spot: ArrayLike, legs: PayoffLegs) -> Floats:
    """Dollar value of the legs at expiry for each settlement price, shape of ``spot``."""
    s = np.asarray(spot, dtype=np.float64)
    intrinsic = np.maximum(legs.right * (s[..., None] - legs.strike), 0.0)
    return np.asarray(intrinsic @ (legs.quantity * legs.multiplier))


def profile(legs: PayoffLegs, cash: float) -> PayoffProfile:
    """Exact maximum profit, maximum loss (positive) and break-evens of value + cash.

    ``cash`` in dollars is what the fills moved (credit positive). Settlement prices run over [0, ∞).
    """
    kinks = np.concatenate([[0.0], np.unique(legs.strike)])
    values = expiry_value(kinks, legs) + cash
    slope = float(np.sum(np.where(legs.right > 0, legs.quantity * legs.multiplier, 0.0)))
    best = np.inf if slope > 1e-12 else float(values.max())
    worst = -np.inf if slope < -1e-12 else float(values.min())
    roots: list[float] = []
    for i in range(len(kinks) - 1):
        a, b = values[i], values[i + 1]
        if a == 0.0 and i > 0:
            roots.append(float(kinks[i]))
        if (a < 0 < b) or (b < 0 < a):
            roots.append(float(kinks[i] + (kinks[i + 1] - kinks[i]) * a / (a - b)))
    last = values[-1]
    if last == 0.0:
        roots.append(float(kinks[-1]))
    elif slope and last / slope < 0:
        roots.append(float(kinks[-1] - last / slope))
    return PayoffProfile(best, -worst, tuple(sorted(set(roots))))

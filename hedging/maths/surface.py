"""Volatility across expiries without calendar arbitrage.

At a fixed log-moneyness an undiscounted call over its forward must not fall with expiry, which is total
variance not falling: J. Gatheral, A. Jacquier, "Arbitrage-free SVI volatility surfaces", Quant. Finance 14
(2014), lemma 2.1. Where two fitted smiles cross, the later one is lifted to the earlier: calls are the
greater of two convex functions of the strike, so the repair brings no butterfly arbitrage. Between
expiries total variance is linear in time at fixed log-moneyness.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hedging.maths.smile import Smile, SmileModel, smile_from_variance

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """Smiles of ascending ``t``; ``lifted`` says where calendar arbitrage was repaired.

    ``lifted[i]`` is the largest rise of smile i in vol points within its quoted nodes (0 = as fitted).
    """

    smiles: tuple[Smile, ...]
    lifted: tuple[float, ...]

    @property
    def times(self) -> Floats:
        """Expiry times in years, ascending."""
        return np.array([smile.t for smile in self.smiles])

    def total_variance(self, k: ArrayLike, t: ArrayLike) -> Floats:
        """w(k, t); arguments broadcast. NaN for t <= 0 or when no smile is known.

        Before the first expiry w falls to zero in proportion to t, after the last it goes on with
        the last smile's variance rate.
        """
        x, years = np.broadcast_arrays(np.asarray(k, dtype=np.float64), np.asarray(t, dtype=np.float64))
        if not self.smiles:
            return np.full(x.shape, np.nan)
        times = self.times
        after = np.searchsorted(times, years, side="left")
        result = np.full(x.shape, np.nan)
        for i in np.unique(after):
            here = (after == i) & (years > 0)
            if not here.any():
                continue
            if i == 0 or i == len(times):
                edge = self.smiles[0 if i == 0 else -1]
                result[here] = edge.total_variance(x[here]) * years[here] / edge.t
                continue
            low, high = self.smiles[i - 1], self.smiles[i]
            share = (years[here] - low.t) / (high.t - low.t)
            result[here] = (1 - share) * low.total_variance(x[here]) + share * high.total_variance(x[here])
        return result

    def vol(self, strike: ArrayLike, forward: ArrayLike, t: ArrayLike) -> Floats:
        """Implied volatility (0.20 = 20%) at strikes on their forwards; arguments broadcast."""
        k = np.log(np.asarray(strike, dtype=np.float64) / np.asarray(forward, dtype=np.float64))
        return np.sqrt(np.maximum(self.total_variance(k, t), 1e-12) / np.asarray(t, dtype=np.float64))

    def at_the_money(self, t: ArrayLike) -> Floats:
        """Volatility at the forward."""
        return self.vol(1.0, 1.0, t)


def build_surface(smiles: Iterable[Smile]) -> Surface:
    """Order the known smiles by time and lift each to its predecessor where they cross.

    Unknown smiles are left out; of two with the same t the better quoted stays.
    """
    best: dict[float, Smile] = {}
    for smile in smiles:
        if smile.model is SmileModel.UNKNOWN:
            continue
        if smile.t not in best or smile.n_quotes > best[smile.t].n_quotes:
            best[smile.t] = smile
    done: list[Smile] = []
    lifted: list[float] = []
    for t in sorted(best):
        smile, rise = best[t], 0.0
        if done:
            smile, rise = _lift(smile, done[-1])
        done.append(smile)
        lifted.append(rise)
    return Surface(tuple(done), tuple(lifted))


def _lift(smile: Smile, earlier: Smile) -> tuple[Smile, float]:
    """``smile`` nowhere below ``earlier``, on the nodes of both, and the largest rise in vol points."""
    k = np.union1d(smile.k_nodes, earlier.k_nodes)
    own, floor = smile.total_variance(k), earlier.total_variance(k)
    # beyond the last node both are straight: the steeper wing decides far out
    steeper = abs(earlier.slopes[0]) > abs(smile.slopes[0]) or earlier.slopes[1] > smile.slopes[1]
    if not steeper and np.all(own >= floor):
        return smile, 0.0
    w = np.maximum(own, floor)
    rise = float(np.max(np.sqrt(w / smile.t) - np.sqrt(own / smile.t)) * 100)
    kept = np.concatenate([[True], np.diff(k) > 1e-9])
    # straight lines between nodes: a spline would swing below the floor at the crossing
    repaired = smile_from_variance(smile.forward, smile.t, smile.model, k[kept], w[kept])
    return (
        replace(
            repaired,
            bend=None,
            slopes=(
                min(repaired.slopes[0], earlier.slopes[0], smile.slopes[0]),
                max(repaired.slopes[1], earlier.slopes[1], smile.slopes[1]),
            ),
            rmse_vol_points=smile.rmse_vol_points,
            inside_share=smile.inside_share,
            n_quotes=smile.n_quotes,
        ),
        rise,
    )

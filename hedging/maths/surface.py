"""Volatility across the expiries of one underlying without calendar arbitrage.

At a fixed log-moneyness an undiscounted call over its forward must not fall with expiry, which is total
variance not falling: J. Gatheral, A. Jacquier, "Arbitrage-free SVI volatility surfaces", Quant. Finance 14
(2014), lemma 2.1. Where a fitted smile runs below an earlier one, the earlier one holds: calls are then the
greatest of convex functions of the strike, so the repair brings no butterfly arbitrage. Between expiries
calls over the forward are blended (theirs, lemma 5.1), so that interpolation brings neither.

This holds for SPX, whose expiries share one underlying. VIX options of two expiries stand on two futures:
nothing orders their variances, and they are neither lifted nor blended in price.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from hedging.maths import black76
from hedging.maths.arrays import Floats
from hedging.maths.implied_vol import implied_vol
from hedging.maths.smile import Smile, SmileModel, smile_from_variance

_REACH = np.log(50.0)  # smiles are compared at every strike from 2% to 50 times the forward
_PRICE_FLOOR = 1e-11


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """Smiles of ascending ``t`` without calendar arbitrage.

    ``lifted[i]`` is the largest rise of smile i by the repair at its nodes, in vol points (0: as fitted).
    """

    smiles: tuple[Smile, ...]
    lifted: tuple[float, ...]

    @property
    def times(self) -> Floats:
        """Expiry times in years, ascending."""
        return np.array([smile.t for smile in self.smiles])

    def smile_at(self, t: float, forward: float) -> Smile | None:
        """The smile of ``t`` years on ``forward``; None for t <= 0 or when no smile is known.

        At a fitted time that smile; between two, their calls over the forward blended so that variance at
        the money is linear in time; outside, the nearest smile in units of its own deviation σ√T, at an
        unchanged volatility at the money.
        """
        if not self.smiles or not t > 0:
            return None
        times = self.times
        after = int(np.searchsorted(times, t))
        for at in (after, after - 1):
            if 0 <= at < len(times) and abs(times[at] - t) < 1e-9:
                return self.smiles[at].shifted(forward)
        if after in (0, len(times)):
            return _rescaled(self.smiles[0 if after == 0 else -1], t, forward)
        return _blended(self.smiles[after - 1], self.smiles[after], t, forward)

    def at_the_money(self, t: float) -> float:
        """Volatility at the forward of ``t`` years; NaN when unknown."""
        smile = self.smile_at(t, 1.0)
        return float("nan") if smile is None else float(smile.vol(1.0))


def build_surface(smiles: Iterable[Smile], *, lift: bool = True) -> Surface:
    """Order the known smiles by time and ``lift`` each to those before it where they cross.

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
        if done and lift:
            smile, rise = _lift(smile, done[-1])
        done.append(smile)
        lifted.append(rise)
    return Surface(tuple(done), tuple(lifted))


def _lift(smile: Smile, earlier: Smile) -> tuple[Smile, float]:
    """``smile`` nowhere below ``earlier``, and the largest rise in vol points."""
    floors, rise = [], 0.0
    for floor in (replace(earlier, floors=()), *earlier.floors):
        k = np.concatenate([smile.k_nodes, floor.k_nodes, [-_REACH, _REACH]])
        own, other = smile.own_variance(k), floor.own_variance(k)
        if np.any(other > own):
            floors.append(floor)
            gain = np.sqrt(np.maximum(other, own) / smile.t) - np.sqrt(own / smile.t)
            rise = max(rise, float(gain[: len(smile.k_nodes)].max()) * 100)
    return (replace(smile, floors=tuple(floors)) if floors else smile), rise


def _blended(low: Smile, high: Smile, t: float, forward: float) -> Smile:
    """Between two expiries: calls over the forward are a weighted mean of theirs."""
    k = np.union1d(low.k_nodes, high.k_nodes)
    k = k[np.concatenate([[True], np.diff(k) > 1e-6])]
    side = np.where(k >= 0, 1.0, -1.0)
    strike = np.exp(k)

    def prices(at: Floats, smile: Smile, right: ArrayLike) -> Floats:
        return black76.price(
            1.0, np.exp(at), smile.t, np.sqrt(smile.total_variance(at) / smile.t), 1.0, right
        )

    zero = np.zeros(1)
    first, last = (float(prices(zero, smile, 1.0)[0]) for smile in (low, high))
    share_of_time = (t - low.t) / (high.t - low.t)
    middle = (1 - share_of_time) * low.total_variance(zero) + share_of_time * high.total_variance(zero)
    wanted = float(black76.price(1.0, 1.0, 1.0, np.sqrt(middle[0]), 1.0, 1.0))
    share = (wanted - first) / (last - first) if last - first > 1e-12 else share_of_time
    value = (1 - share) * prices(k, low, side) + share * prices(k, high, side)
    w = implied_vol(value, 1.0, strike, 1.0, 1.0, side) ** 2
    sound = np.isfinite(w) & (value > _PRICE_FLOOR)
    return smile_from_variance(forward, t, SmileModel.INTERPOLATED, k[sound], w[sound])


def _rescaled(smile: Smile, t: float, forward: float) -> Smile:
    """Beyond the first or last expiry: the same smile over k/√T."""
    ratio = t / smile.t
    k = smile.k_nodes * np.sqrt(ratio)
    w = smile.total_variance(smile.k_nodes) * ratio
    return smile_from_variance(forward, t, SmileModel.INTERPOLATED, k, w)

"""From a stored chain to fitted expiry slices: nothing is fitted before it is asked for.

SPX smiles of one chain make a surface without calendar arbitrage (``hedging.maths.surface``), so each needs
those before it, and none of those after. VIX smiles stand each on its own VX future.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np

from hedging.engine.instruments import ROOTS
from hedging.engine.market import ExpirySlice, Flag, ForwardSource, VXPoint
from hedging.maths import black76
from hedging.maths.arrays import Floats
from hedging.maths.implied_vol import implied_vol
from hedging.maths.parity import ParityFit, fit_parity
from hedging.maths.smile import SmileModel, fit_smile, smile_with_quality
from hedging.maths.surface import Surface, build_surface
from hedging.maths.yearfrac import year_fraction
from hedging.providers.formats.chain import ChainTable, expiry_dates
from hedging.selectors.calendar import settlement_moment

Key = tuple[str, date]

_RATE_WINDOW = (15 / 365, 400 / 365)  # years in which parity states a rate reliably
_RATE_TOLERANCE = 0.02
#: Beyond this many points, and this share of the future, settlement and quotes are of two moments.
_VX_POINTS, _VX_SHARE = 0.25, 0.01


class OtmVols(NamedTuple):
    """Out-of-the-money quotes as volatilities: arrays of one shape, as ``fit_smile`` takes them."""

    strikes: Floats
    bid: Floats
    ask: Floats
    mid: Floats
    vega: Floats


class ChainSlices(Mapping[Key, ExpirySlice]):
    """Slices of one chain by (root, expiry); expired ones are absent.

    An expiry with a forward but no usable bid takes its smile from the expiries around it.
    ``surface`` holds the fitted smiles in time, for SPX free of calendar arbitrage.
    """

    def __init__(self, chain: ChainTable, vx: tuple[VXPoint, ...], rate: float | None, flag: Flag) -> None:
        self._chain, self._flag = chain, flag
        self._vx = {point.expiry: point.settle for point in vx}
        self._settles = {
            key: settlement_moment(key[1], ROOTS[key[0]].settlement) for key in expiry_dates(chain.columns)
        }
        self._keys = [key for key, moment in self._settles.items() if moment > chain.as_of]
        self._years = {key: year_fraction(chain.as_of, self._settles[key]) for key in self._keys}
        self._done: dict[Key, ExpirySlice] = {}
        self._own = cache(self._fit)
        self._grid = cache(self._quotes)
        self._parity = cache(self._fit_parity)
        self._given_rate = rate
        self._is_vix = chain.underlying == "VIX"

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: object) -> bool:
        return key in self._settles and self._settles[key] > self._chain.as_of

    def __getitem__(self, key: Key) -> ExpirySlice:
        if key not in self:
            raise KeyError(key)
        if key not in self._done:
            self._done[key] = self._made(key)
        return self._done[key]

    def _made(self, key: Key) -> ExpirySlice:
        """The slice with its smile at or above those before it; between its neighbours without quotes."""
        found, vols = self._own(key)
        if found.smile.model is SmileModel.UNKNOWN:
            between = self.surface.smile_at(found.t, found.forward) if np.isfinite(found.forward) else None
            return found if between is None else replace(found, smile=between)
        if self._is_vix:
            return found
        smile = next(one for one in self._lifted(found.t).smiles if one.t == found.t)
        if not smile.floors:
            return found
        k = np.log(vols.strikes / found.forward)
        return replace(found, smile=smile_with_quality(smile.shifted(found.forward), k, *vols[1:]))

    @cached_property
    def surface(self) -> Surface:
        """The smiles in order of time."""
        return self._lifted(np.inf)

    def _lifted(self, t: float) -> Surface:
        """The surface up to ``t`` years; what comes after changes nothing before it."""
        if "surface" in self.__dict__:
            return self.surface
        own = (self._own(key)[0].smile for key in self._keys if self._years[key] <= t)
        return build_surface(own, lift=not self._is_vix)

    @cached_property
    def rate(self) -> float | None:
        """Continuous rate an SPX chain implies: the median over mid-dated expiries, else the given one.

        VIX options are too cheap to state a rate.
        """
        found = []
        for key in () if self._is_vix else self._keys:
            t = self._years[key]
            if _RATE_WINDOW[0] <= t <= _RATE_WINDOW[1]:
                fit = self._parity(key, t, None)
                if fit is not None and fit.n_pairs >= 10:
                    found.append(fit.rate)
        return float(np.median(found)) if found else self._given_rate

    def _quotes(self, key: Key) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """Strikes with call bid/ask and put bid/ask; NaN where a quote is absent or crossed."""
        c = self._chain.columns
        mine = (c.root == key[0]) & (c.expiry == np.datetime64(key[1]))
        strikes = np.unique(c.strike[mine])
        columns = np.full((4, len(strikes)), np.nan)
        at = np.searchsorted(strikes, c.strike[mine])
        is_call = c.right[mine] > 0
        for offset, side in ((0, is_call), (2, ~is_call)):
            columns[offset, at[side]] = c.bid[mine][side]
            columns[offset + 1, at[side]] = c.ask[mine][side]
        for bid, ask in ((0, 1), (2, 3)):
            bad = ~((columns[bid] >= 0) & (columns[ask] > 0) & (columns[ask] >= columns[bid]))
            columns[bid : ask + 1, bad] = np.nan
        return strikes, columns[0], columns[1], columns[2], columns[3]

    def _spot_hint(self, key: Key) -> float | None:
        if self._is_vix and key[1] in self._vx:
            return self._vx[key[1]]
        if self._chain.spot is not None:
            return self._chain.spot
        strikes, cb, ca, pb, pa = self._grid(key)
        gap = np.abs((cb + ca) - (pb + pa))
        return float(strikes[np.nanargmin(gap)]) if np.isfinite(gap).any() else None

    def _fit_parity(self, key: Key, t: float, discount: float | None) -> ParityFit | None:
        strikes, cb, ca, pb, pa = self._grid(key)
        hint = self._spot_hint(key)
        if hint is None:
            return None
        near = 0.30 if self._is_vix else 0.10
        return fit_parity(strikes, (cb + ca) / 2, (pb + pa) / 2, ca - cb, pa - pb, t, hint, discount, near)

    def _forward(self, key: Key, t: float) -> tuple[float, float, ForwardSource]:
        """(forward, discount, source); NaN forward when it cannot be known."""
        rate = self.rate
        discount = None if rate is None else float(np.exp(-rate * t))
        fixed = self._parity(key, t, discount or 1.0)
        if self._is_vix and key[1] in self._vx:
            future = self._vx[key[1]]
            if fixed is None or abs(fixed.forward - future) <= max(_VX_POINTS, _VX_SHARE * future):
                return future, discount or 1.0, ForwardSource.VX_FUTURE
        free = self._parity(key, t, None) if t >= _RATE_WINDOW[0] and not self._is_vix else None
        if free is not None and rate is not None and abs(free.rate - rate) <= _RATE_TOLERANCE:
            return free.forward, free.discount, ForwardSource.PARITY
        if fixed is None:
            return float("nan"), discount or 1.0, ForwardSource.PARITY
        return fixed.forward, fixed.discount, ForwardSource.PARITY

    def _fit(self, key: Key) -> tuple[ExpirySlice, OtmVols]:
        root, expiry = key
        moment = self._settles[key]
        t = self._years[key]
        forward, discount, source = self._forward(key, t)
        strikes, cb, ca, pb, pa = self._grid(key)
        vols = otm_vols(strikes, cb, ca, pb, pa, forward, discount, t)
        fitted = ExpirySlice(
            underlying=ROOTS[root].underlying,
            root=root,
            expiry=expiry,
            settlement=ROOTS[root].settlement,
            settles_at=moment,
            t=t,
            forward=forward,
            discount=discount,
            forward_source=source,
            strikes=strikes,
            call_bid=cb,
            call_ask=ca,
            put_bid=pb,
            put_ask=pa,
            smile=fit_smile(*vols, forward, t),
            flag=self._flag,
        )
        return fitted, vols


def otm_vols(
    strikes: Floats,
    call_bid: Floats,
    call_ask: Floats,
    put_bid: Floats,
    put_ask: Floats,
    forward: float,
    discount: float,
    t: float,
) -> OtmVols:
    """Volatilities of the out-of-the-money quotes of one expiry with a bid above zero."""
    right = np.where(strikes >= forward, 1, -1)
    bid = np.where(right > 0, call_bid, put_bid)
    ask = np.where(right > 0, call_ask, put_ask)
    quoted = (bid > 0) & np.isfinite(ask)
    k, r, b, a = strikes[quoted], right[quoted], bid[quoted], ask[quoted]
    prices = np.stack([b, a, (b + a) / 2])
    bid_iv, ask_iv, mid_iv = implied_vol(prices, forward, k, t, discount, r)
    vega = black76.greeks(forward, k, t, mid_iv, discount, r).vega
    return OtmVols(k, bid_iv, ask_iv, mid_iv, vega)


class MergedSlices(Mapping[Key, ExpirySlice]):
    """The slices of several sources as one mapping: the first that knows a key answers."""

    def __init__(self, *parts: Mapping[Key, ExpirySlice]) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[Key]:
        return (key for part in self._parts for key in part)

    def __len__(self) -> int:
        return sum(len(part) for part in self._parts)

    def __contains__(self, key: object) -> bool:
        return any(key in part for part in self._parts)

    def __getitem__(self, key: Key) -> ExpirySlice:
        for part in self._parts:
            if key in part:
                return part[key]
        raise KeyError(key)

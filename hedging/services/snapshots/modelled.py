"""Slices of expiries that carry no quotes: between quoted ones, or modelled from index levels.

An SPX expiry missing from the chain lies on the surface of the quoted ones; without a chain it follows from
VIX9D, VIX, VIX3M and the VX curve. A VIX expiry stands on the VX curve; its smile lies between quoted ones
or follows from VVIX. Every such slice is flagged, has no quotes, and says so in its smile's model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from hedging.engine.instruments import ROOTS
from hedging.engine.market import ExpirySlice, Flag, ForwardSource, IndexLevel, VXPoint
from hedging.maths.modelled import coefficients, spx_surface, vix_surface
from hedging.maths.smile import Smile, SmileModel
from hedging.maths.yearfrac import year_fraction
from hedging.selectors.calendar import (
    CalendarRangeError,
    session_on_or_before,
    settlement_moment,
    third_friday,
)
from hedging.selectors.listings import listing_problem
from hedging.services.snapshots.slices import ChainSlices, Key

_MONTHS_SHOWN = 12
#: Levels behind a modelled surface.
SOURCES = {"SPX": ("SPX", "VIX9D", "VIX", "VIX3M"), "VIX": ("VVIX",)}


@dataclass(frozen=True, slots=True)
class LevelsKnown:
    """What a snapshot knows apart from quotes; ``rate`` continuous or None (then carry counts as zero)."""

    as_of: datetime
    spot: float | None
    levels: Mapping[str, IndexLevel]
    curve: tuple[VXPoint, ...]
    rate: float | None

    def value(self, symbol: str) -> float | None:
        """Level of an index, None when unknown."""
        level = self.levels.get(symbol)
        return None if level is None else level.value

    def oldest(self, symbols: tuple[str, ...]) -> datetime | None:
        """The moment of the oldest of these levels; None where none is older than the snapshot."""
        known = [level.as_of for name in symbols if (level := self.levels.get(name)) is not None]
        return min(known) if known and min(known) < self.as_of else None


class ModelledSlices(Mapping[Key, ExpirySlice]):
    """Answers for any listed expiry of SPX, SPXW, VIX and VIXW that levels or neighbours can price.

    Iteration names only the standard expiries of an underlying without a chain; any other listed expiry is
    still answered when asked for.
    """

    def __init__(self, known: LevelsKnown, chains: Mapping[str, ChainSlices], flag: Flag) -> None:
        self._known, self._chains, self._flag = known, chains, flag
        curve = [(point.t, point.settle) for point in known.curve]
        spots = {name: value for name in known.levels if (value := known.value(name)) is not None}
        self._models = {"SPX": spx_surface(spots, curve), "VIX": vix_surface(known.value("VVIX"))}
        self._done: dict[Key, ExpirySlice | None] = {}

    def __iter__(self) -> Iterator[Key]:
        return (key for key in self._standard() if key in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, key: object) -> bool:
        return self._find(key) is not None

    def __getitem__(self, key: Key) -> ExpirySlice:
        found = self._find(key)
        if found is None:
            raise KeyError(key)
        return found

    def _standard(self) -> Iterator[Key]:
        if "SPX" not in self._chains:
            day = self._known.as_of.date()
            for ahead in range(_MONTHS_SHOWN):
                year, month = divmod(day.year * 12 + day.month - 1 + ahead, 12)
                expiry = session_on_or_before(third_friday(year, month + 1))
                yield from (("SPX", expiry), ("SPXW", expiry))
        if "VIX" not in self._chains:
            yield from (("VIX", point.expiry) for point in self._known.curve)

    def _find(self, key: object) -> ExpirySlice | None:
        if not (isinstance(key, tuple) and len(key) == 2 and isinstance(key[1], date)):
            return None
        if key not in self._done:
            self._done[key] = self._make(*key)
        return self._done[key]

    def _make(self, root: str, expiry: date) -> ExpirySlice | None:
        rule = ROOTS.get(root)
        if rule is None or rule.underlying not in self._models:
            return None
        try:
            if listing_problem(root, expiry):
                return None
        except CalendarRangeError:
            return None
        moment = settlement_moment(expiry, rule.settlement)
        t = year_fraction(self._known.as_of, moment)
        if not t > 0:
            return None
        forward = self._vix_forward(expiry, t) if rule.underlying == "VIX" else self._spx_forward(t)
        smile = None if forward is None else self._smile(rule.underlying, t, forward[0])
        if forward is None or smile is None:
            return None
        blank = np.empty(0)
        return ExpirySlice(
            underlying=rule.underlying,
            root=root,
            expiry=expiry,
            settlement=rule.settlement,
            settles_at=moment,
            t=t,
            forward=forward[0],
            discount=float(np.exp(-(self._known.rate or 0.0) * t)),
            forward_source=forward[1],
            strikes=blank,
            call_bid=blank,
            call_ask=blank,
            put_bid=blank,
            put_ask=blank,
            smile=smile,
            flag=self._flag,
            quoted_at=self._known.oldest(SOURCES[rule.underlying])
            if smile.model is SmileModel.LEVELS
            else None,
        )

    def _smile(self, underlying: str, t: float, forward: float) -> Smile | None:
        chain = self._chains.get(underlying)
        if chain is not None and chain.surface.smiles and t <= chain.surface.times[-1]:
            return chain.surface.smile_at(t, forward)
        model = self._models[underlying]
        return None if model is None else model.smile_at(t, forward)

    def _spx_forward(self, t: float) -> tuple[float, ForwardSource] | None:
        """Between the forwards of quoted expiries, else spot at the rate less our mean dividend yield."""
        spot, chain = self._known.spot, self._chains.get("SPX")
        points = [] if spot is None else [(0.0, spot)]
        if chain is not None:
            points += sorted((one.t, one.forward) for one in chain.values() if np.isfinite(one.forward))
            if points and points[0][0] <= t <= points[-1][0]:
                times, forwards = zip(*points, strict=True)
                return float(np.exp(np.interp(t, times, np.log(forwards)))), ForwardSource.CARRY
        if spot is None:
            return None
        rate = self._known.rate
        carry = 0.0 if rate is None else rate - coefficients()[0].dividend
        return float(spot * np.exp(carry * t)), ForwardSource.CARRY

    def _vix_forward(self, expiry: date, t: float) -> tuple[float, ForwardSource] | None:
        """The expiry's own future, else the curve between spot VIX and the futures around it."""
        points = [(point.t, point.settle) for point in self._known.curve]
        for point in self._known.curve:
            if point.expiry == expiry:
                return point.settle, ForwardSource.VX_FUTURE
        vix = self._known.value("VIX")
        if vix is not None:
            points.append((0.0, vix))
        points.sort()
        if len(points) < 2 or not points[0][0] <= t <= points[-1][0]:
            return None
        times, settles = zip(*points, strict=True)
        return float(np.interp(t, times, settles)), ForwardSource.VX_CURVE


def can_model(symbols: set[str], *, has_curve: bool, spx_chain: bool, vix_chain: bool) -> bool:
    """Whether an underlying without a chain can be modelled from these levels."""
    spx = not spx_chain and {"SPX", "VIX"} <= symbols
    return spx or (not vix_chain and "VVIX" in symbols and has_curve)

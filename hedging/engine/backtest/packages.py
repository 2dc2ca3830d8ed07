"""Packages chosen on one session, and what each is worth on every later one."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

import numpy as np

from hedging.engine.backtest.plan import BacktestPlan, LayerSchedule
from hedging.engine.backtest.surfaces import Surfaces
from hedging.engine.backtest.types import Costs, PackageLeg
from hedging.maths.arrays import Floats, Ints

#: Strikes are listed every five SPX points and every VIX point.
_SPX_STEP, _VIX_STRIKES = 5.0, np.arange(5.0, 151.0)


@dataclass(slots=True, eq=False)
class OpenPackage:
    """One package from the session it was chosen on; dollars are for all its contracts.

    ``path`` holds points a unit to the holder at the closes from ``row`` on, without the settlement;
    ``prices`` the legs' on ``row``. It settles on ``end`` (a row, None beyond the range) at ``final``
    points. ``stale`` counts closes at which an older mark had to stand in.
    """

    part: int
    instrument: str
    expiry: np.datetime64
    legs: tuple[PackageLeg, ...]
    row: int
    path: list[float]
    prices: Floats
    forward: float
    delta: float = 0.0
    end: int | None = None
    final: float = 0.0
    stale: int = 0
    contracts: int = 0
    cash_in: float = 0.0
    costs: float = 0.0
    margin: float = 0.0
    risk: float = 0.0
    exposure: float = 0.0
    stress: float = 0.0

    def value(self, row: int) -> float:
        """Points a unit at the close of a row before the settlement."""
        return self.path[row - self.row]

    def days(self, today: int) -> int:
        """Calendar days to expiry from a day's number."""
        return int(self.expiry.astype(np.int64)) - today


def package(
    market: Surfaces,
    part: int,
    instrument: str,
    expiry: np.datetime64,
    legs: tuple[PackageLeg, ...],
    row: int,
) -> OpenPackage | None:
    """A package priced on ``row`` alone; None when it cannot be."""
    underlying = underlying_of(instrument)
    prices = market.prices(underlying, np.array([row]), expiry, legs)[0]
    value = float(prices @ np.array([leg.ratio for leg in legs], dtype=np.float64))
    if not np.isfinite(value):
        return None
    column = int(np.searchsorted(market.vx_expiries, expiry))
    forward = float(market.vx[row, column] if underlying == "VIX" else market.spx[row])
    return OpenPackage(part, instrument, expiry, legs, row, [value], prices, forward)


def live_through(market: Surfaces, one: OpenPackage, last: int) -> None:
    """Give a package its marks at every close up to row ``last`` and its settlement."""
    underlying = underlying_of(one.instrument)
    found = int(np.searchsorted(market.days, one.expiry))
    rows: Ints = np.arange(one.row, max(min(last + 1, found), one.row + 1))
    ratios = np.array([leg.ratio for leg in one.legs], dtype=np.float64)
    path = market.prices(underlying, rows, one.expiry, one.legs) @ ratios
    known = np.isfinite(path)
    one.stale = int((~known).sum())
    if one.stale:  # the mark before stands in, never a later one
        path = path[np.maximum.accumulate(np.where(known, np.arange(len(path)), 0))]
    one.path = path.tolist()
    one.end = found if found <= last else None
    if one.end is not None:
        one.final = _settled(market, underlying, one.expiry, one.legs, one.end)


def underlying_of(instrument: str) -> str:
    """VIX or SPX."""
    return "VIX" if instrument.startswith("vix") else "SPX"


def _settled(
    market: Surfaces, underlying: str, expiry: np.datetime64, legs: tuple[PackageLeg, ...], end: int
) -> float:
    """Points a unit at settlement: on VRO, or on the SPX close."""
    level = float(market.spx[end])
    if underlying == "VIX":
        column = int(np.searchsorted(market.vx_expiries, expiry))
        level = float(market.final[column])
        if not np.isfinite(level):  # no official value: the last settlement before it, told as a gap
            seen = market.vx[:end, column]
            level = float(seen[np.isfinite(seen)][-1])
    return sum(leg.ratio * max(leg.right * (level - leg.strike), 0.0) for leg in legs)


def _spx_strikes(spot: float, low: float, high: float) -> Floats:
    steps = np.arange(floor(spot * low / _SPX_STEP), ceil(spot * high / _SPX_STEP), dtype=np.float64)
    return steps * _SPX_STEP


def condor_at(
    market: Surfaces, plan: BacktestPlan, row: int, held: list[int], *, far: bool
) -> OpenPackage | None:
    """The condor the rules would open at a close; ``held`` are the open ones' expiries (day numbers)."""
    today = int(market.numbers[row])
    expiries = market.spx_expiries.astype(np.int64)
    away = np.abs(expiries - today - plan.dte)
    fits = (away <= plan.tolerance) & (expiries > today)
    if plan.monthly_only:
        fits &= market.monthly
    for other in held:
        fits &= np.abs(expiries - other) >= plan.spacing
    if not fits.any():
        return None
    at = int(np.argmin(np.where(fits, away, np.inf)))
    expiry = market.spx_expiries[at]
    spot = float(market.spx[row])
    strikes = _spx_strikes(spot, 0.5, 1.35)
    grid = market.spx_slice(np.array([row]), np.array([float(expiries[at] - today)]), strikes)
    delta = min(plan.short_delta, plan.far_delta) if far else plan.short_delta
    legs: list[PackageLeg] = []
    for right in (-1, 1):
        deltas = market.delta(grid, strikes, right)[0]
        short = int(np.argmin(np.abs(deltas - delta)))
        if plan.long_delta > 0:
            long = int(np.argmin(np.abs(deltas - plan.long_delta)))
        else:
            long = short + right * max(round(plan.width / _SPX_STEP), 1)
        if not 0 <= long < len(strikes) or (long - short) * right <= 0:
            return None
        legs += [PackageLeg(right, float(strikes[short]), -1), PackageLeg(right, float(strikes[long]), 1)]
    if legs[0].strike >= legs[2].strike:
        return None
    made = package(market, 0, "condor", expiry, tuple(legs), row)
    return made if made is not None and made.path[0] < 0 else None


def hedge_at(market: Surfaces, layer: LayerSchedule, row: int) -> OpenPackage | None:
    """The first allowed package of a layer that can be priced at a close."""
    for instrument in layer.allowed:
        on_vix = instrument.startswith("vix")
        expiries = market.vx_expiries if on_vix else market.spx_expiries
        days = expiries.astype(np.int64) - int(market.numbers[row])
        low, high = layer.window
        usable = (days >= max(low, 1)) & (days <= high)
        if on_vix:
            usable &= np.isfinite(market.vx[row])
        if not usable.any() or (on_vix and not np.isfinite(market.vvix[row])):
            continue
        at = int(np.argmin(np.where(usable, np.abs(days - layer.dte), np.inf)))
        found = _picked(market, layer, instrument, at, row)
        if found is not None:
            return found
    return None


def _picked(market: Surfaces, layer: LayerSchedule, instrument: str, at: int, row: int) -> OpenPackage | None:
    rows = np.array([row])
    if instrument.startswith("vix"):
        right, strikes, expiry = 1, _VIX_STRIKES, market.vx_expiries[at]
        grid = market.vix_slice(rows, at, strikes)
    else:
        spot = float(market.spx[row])
        strikes = _spx_strikes(spot, 0.4, 1.05)
        right, expiry = -1, market.spx_expiries[at]
        tenor = float(expiry.astype(np.int64) - market.numbers[row])
        grid = market.spx_slice(rows, np.array([tenor]), strikes)
    deltas = market.delta(grid, strikes, right)[0]
    bought = int(np.argmin(np.abs(deltas - layer.delta)))
    legs = [PackageLeg(right, float(strikes[bought]), 1)]
    own = float(deltas[bought])
    if instrument.endswith("spread"):
        sold = int(np.argmin(np.abs(deltas - layer.sold_delta)))
        if (sold - bought) * right <= 0:
            return None
        legs.append(PackageLeg(right, float(strikes[sold]), -1))
        own -= float(deltas[sold])
    made = package(market, layer.number, instrument, expiry, tuple(legs), row)
    if made is None or made.path[0] <= 0:
        return None
    made.delta = own
    return made


def crossing(costs: Costs, instrument: str, prices: Floats, ratios: Floats, vix: float) -> float:
    """Points a unit lost to half-spreads when every leg trades at once.

    ``ratios`` are signed by what is done now: +1 buys, -1 sells; a sold leg cannot lose more than its price.
    """
    floor = costs.vix_floor if instrument.startswith("vix") else costs.spx_floor
    half = np.maximum(costs.share * prices, floor) * max(vix / 20, 1.0)
    half = np.where(ratios < 0, np.minimum(half, prices), half)
    return float(np.sum(half * np.abs(ratios)))

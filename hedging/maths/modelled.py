"""Modelled SPX and VIX surfaces for days without an option chain.

SPX: VIX9D, VIX and VIX3M state the log contract to 9, 30 and 93 days; beyond, VX futures state the forward
variance (each the 30 days after its settlement). VIX options: VVIX states the log contract on the VX future
30 days ahead; other expiries follow from a mean-reverting volatility. The shape is SSVI
(``hedging.maths.ssvi``), with its variance solved so that the surface repeats the indices it is made from.
The coefficients are estimated by ``python -m bench.fit_surface`` and kept with their dates and errors in
``surface_coefficients.json``; docs/adr/0006 tells how far they can be trusted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from hedging.maths.arrays import Floats
from hedging.maths.smile import Smile, SmileModel, smile_from_variance, spline_matrix
from hedging.maths.ssvi import SmileShape, theta_from_log_contract

DAY = 1 / 365
#: Days of the log contract each index states.
INDEX_DAYS = {"VIX9D": 9.0, "VIX": 30.0, "VIX3M": 93.0}
MONTH = 30 * DAY
HORIZON = 400 * DAY
_FILE = Path(__file__).with_name("surface_coefficients.json")
_NODES = np.sinh(np.linspace(-2.6, 2.3, 161))  # deviations σ√T, dense at the money
_SPLINE = spline_matrix(_NODES)
_MIDDLE_VIX = 15.0
_LEAST_FORWARD = 0.10  # of the variance rate so far: total variance may not stop rising


@dataclass(frozen=True, slots=True, eq=False)
class LevelSurface:
    """A surface from the value of the log contract at some times.

    ``times`` ascend from above zero (years), ``variances`` are total and ascend too; between them variance
    is linear in time, from zero at time zero. ``horizon`` is the last time it answers for.
    """

    shape: SmileShape
    times: Floats
    variances: Floats
    horizon: float

    def theta_at(self, t: ArrayLike) -> Floats:
        """Total variance at the money to ``t`` years."""
        years = np.asarray(t, dtype=np.float64)
        total = np.interp(years, np.append(0.0, self.times), np.append(0.0, self.variances))
        return theta_from_log_contract(self.shape, total)

    def smile_at(self, t: float, forward: float) -> Smile | None:
        """The smile of ``t`` years on ``forward``; None outside (0, horizon]."""
        if not 0 < t <= self.horizon:
            return None
        theta = float(self.theta_at(t))
        k = _NODES * np.sqrt(theta)
        w = self.shape.variance(k, theta)
        return smile_from_variance(forward, t, SmileModel.LEVELS, k, w, spline=_SPLINE / theta)


@dataclass(frozen=True, slots=True)
class SpxCoefficients:
    """Shape (``eta`` as at VIX 15) and levels of the modelled SPX surface.

    ``ratio`` is the index over the root of the log contract for 9, 30 and 93 days, ``forward_ratio`` forward
    volatility over the VX future, ``dividend`` the yield of the index, per year.
    """

    rho: float
    eta: float
    gamma: float
    ratio: tuple[float, float, float]
    forward_ratio: float
    dividend: float


@dataclass(frozen=True, slots=True)
class VixCoefficients:
    """Shape and reversion (``kappa`` per year) of VIX smiles; ``ratio`` is VVIX over the log contract's."""

    rho: float
    eta: float
    gamma: float
    kappa: float
    ratio: float


@lru_cache(maxsize=1)
def coefficients() -> tuple[SpxCoefficients, VixCoefficients]:
    """The committed coefficients."""
    stored = json.loads(_FILE.read_text(encoding="utf-8"))
    spx = stored["spx"]["coefficients"]
    return SpxCoefficients(**spx | {"ratio": tuple(spx["ratio"])}), VixCoefficients(
        **stored["vix"]["coefficients"]
    )


def spx_surface(
    indices: Mapping[str, float],
    vx: Sequence[tuple[float, float]],
    using: SpxCoefficients | None = None,
) -> LevelSurface | None:
    """The surface from index levels in vol points and VX futures (years, points); None without VIX.

    ``indices`` may hold VIX, VIX9D and VIX3M. What is missing is bridged: the variance rate goes on unchanged
    to either side of what is known. SKEW is not asked: it made predictions of other days worse.
    """
    fit = using or coefficients()[0]
    vix = indices.get("VIX")
    if vix is None or not vix > 0:
        return None
    times, totals = [], []
    for (name, days), ratio in zip(INDEX_DAYS.items(), fit.ratio, strict=True):
        level = indices.get(name)
        if level is not None and level > 0:
            times.append(days * DAY)
            totals.append((level / 100 / ratio) ** 2 * days * DAY)
    times, totals = _with_futures(times, totals, vx, fit)
    total: Floats = np.array(totals, dtype=np.float64)
    for i in range(1, len(total)):
        least = _LEAST_FORWARD * total[i - 1] / times[i - 1] * (times[i] - times[i - 1])
        total[i] = max(total[i], total[i - 1] + least)
    # the tilt over deviations σ√T depends on time alone, not on how high volatility stands
    eta = fit.eta * (vix / _MIDDLE_VIX) ** (2 * fit.gamma - 1)
    return LevelSurface(
        SmileShape(fit.rho, eta, fit.gamma), np.array(times, dtype=np.float64), total, HORIZON
    )


def _with_futures(
    times: list[float], totals: list[float], vx: Sequence[tuple[float, float]], fit: SpxCoefficients
) -> tuple[list[float], list[float]]:
    """Times and totals beyond the last index: forward volatility is that of the VX curve there."""
    last, total = times[-1], totals[-1]
    rate = total / last if len(times) == 1 else (totals[-1] - totals[-2]) / (times[-1] - times[-2])
    curve = sorted((t + MONTH / 2, (settle / 100 * fit.forward_ratio) ** 2) for t, settle in vx if t > 0)
    grid = np.arange(last + MONTH, HORIZON + MONTH, MONTH)
    for end in grid:
        middle = end - MONTH / 2
        if curve:
            rate = float(np.interp(middle, [t for t, _ in curve], [v for _, v in curve]))
        total += rate * (end - times[-1])
        times, totals = [*times, float(end)], [*totals, total]
    return times, totals


def vix_surface(vvix: float | None, using: VixCoefficients | None = None) -> LevelSurface | None:
    """The surface of VIX options from VVIX in vol points; None without it.

    Variance to t is proportional to (1 - e^(-2κt)) / 2κ: shocks to VIX fade before a far future settles.
    """
    if vvix is None or not vvix > 0:
        return None
    fit = using or coefficients()[1]
    times = np.arange(1, 41, dtype=np.float64) * 10 * DAY
    reach = -np.expm1(-2 * fit.kappa * times)
    month = -np.expm1(-2 * fit.kappa * MONTH)
    variances = (vvix / 100 / fit.ratio) ** 2 * MONTH * reach / month
    return LevelSurface(
        SmileShape(fit.rho, fit.eta, fit.gamma), times, np.asarray(variances, np.float64), HORIZON
    )

"""Every session's modelled SPX and VIX surface as arrays, priced for many days at once.

The model of ``hedging.maths.modelled`` (its coefficients, nodes and rules), laid out so that the marks of a
position over its whole life take one call. Variances at the money are read from a table over η and the
variance of the log contract; a test holds SPX to 0.15 and VIX to 0.5 vol points of the single-day model.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from hedging.engine.backtest.types import BacktestError, PackageLeg
from hedging.engine.history.series import Days, MarketHistory, S
from hedging.maths import black76, modelled
from hedging.maths.arrays import Floats, Ints
from hedging.maths.normal import cdf
from hedging.maths.ssvi import SmileShape, largest_phi, slice_variance, theta_from_log_contract

_REACH = 401  # days of variance kept
_MAX_AGE = np.timedelta64(5, "D")
#: VIX options settle at 09:30, this much of a day before the close.
_MORNING = 6.5 / 24
_VARIANCES = np.geomspace(1e-6, 8.0, 160)
_ETAS = np.geomspace(0.05, 40.0, 48)
#: SPXW listed Fridays far enough ahead from here on; before, third Fridays only.
WEEKLY_FROM = np.datetime64("2012-01-01", "D")


@lru_cache(maxsize=2)
def _theta_table(rho: float, gamma: float) -> Floats:
    """Log of θ by η (rows) and variance of the log contract (columns)."""
    return np.array(
        [np.log(theta_from_log_contract(SmileShape(rho, float(e), gamma), _VARIANCES)) for e in _ETAS]
    )


def _cell(grid: Floats, at: Floats) -> tuple[NDArray[np.intp], Floats]:
    where = np.clip(np.searchsorted(grid, at) - 1, 0, len(grid) - 2)
    return where, (at - grid[where]) / (grid[where + 1] - grid[where])


@dataclass(frozen=True, eq=False)
class Surfaces:
    """Sessions with closes of SPX and VIX. ``rate`` continuous a year; ``total`` (n, 401) variance by day.

    ``vx`` (n, expiries) are settlements, ``final`` VRO by expiry; ``vix_shape`` prices VIX options where
    ``vvix`` is known. ``spx_expiries`` ascend, with ``monthly`` marking third Fridays.
    """

    days: Days
    spx: Floats
    vix: Floats
    vvix: Floats
    rate: Floats
    total: Floats
    eta: Floats
    vx_expiries: Days
    vx: Floats
    final: Floats
    interest: Floats
    spx_expiries: Days
    monthly: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.days)

    @cached_property
    def numbers(self) -> Ints:
        """The days as integers."""
        return self.days.astype(np.int64)

    def spx_slice(self, rows: Ints, tenor: Floats, strikes: Floats) -> tuple[Floats, ...]:
        """Forward (r, 1), years (r, 1), discount (r, 1) and volatility (r, k) of one option grid.

        ``tenor`` is calendar days (r,), above 0.
        """
        whole = np.minimum(tenor.astype(np.int64), _REACH - 2)
        share = np.minimum(tenor - whole, 1.0)
        total = self.total[rows, whole] * (1 - share) + self.total[rows, whole + 1] * share
        fit = modelled.coefficients()[0]
        table = _theta_table(fit.rho, fit.gamma)
        i, a = _cell(np.log(_ETAS), np.log(self.eta[rows]))
        j, b = _cell(np.log(_VARIANCES), np.log(total))
        theta = np.exp(
            (1 - a) * ((1 - b) * table[i, j] + b * table[i, j + 1])
            + a * ((1 - b) * table[i + 1, j] + b * table[i + 1, j + 1])
        )
        years = tenor / 365
        forward = self.spx[rows] * np.exp((self.rate[rows] - fit.dividend) * years)
        power = self.eta[rows] * theta**-fit.gamma * (1 + theta) ** (fit.gamma - 1)
        phi = np.minimum(power, largest_phi(fit.rho, theta))
        k = np.log(strikes[None, :] / forward[:, None])
        w = slice_variance(k, theta[:, None], fit.rho, phi[:, None])
        return (
            forward[:, None],
            years[:, None],
            np.exp(-self.rate[rows] * years)[:, None],
            np.sqrt(w / years[:, None]),
        )

    def vix_slice(self, rows: Ints, column: int, strikes: Floats) -> tuple[Floats, ...]:
        """As ``spx_slice`` on the future of one expiry; NaN where it or VVIX is unknown."""
        fit = modelled.coefficients()[1]
        tenor = (self.vx_expiries[column].astype(np.int64) - self.numbers[rows]) - _MORNING
        years = tenor / 365
        times, totals = _vix_unit()
        total = np.interp(years, times, totals) * (self.vvix[rows] / 100 / fit.ratio) ** 2
        shape = SmileShape(fit.rho, fit.eta, fit.gamma)
        theta = theta_from_log_contract(shape, total)
        forward = self.vx[rows, column]
        w = shape.variance(np.log(strikes[None, :] / forward[:, None]), theta[:, None])
        return (
            forward[:, None],
            years[:, None],
            np.exp(-self.rate[rows] * years)[:, None],
            np.sqrt(w / years[:, None]),
        )

    def delta(self, grid: tuple[Floats, ...], strikes: Floats, right: int) -> Floats:
        """Absolute delta (r, k) of a grid's options."""
        forward, years, discount, vol = grid
        spread = vol * np.sqrt(years)
        d1 = np.log(forward / strikes[None, :]) / spread + spread / 2
        return np.asarray(discount * cdf(right * d1))

    def prices(
        self, underlying: str, rows: Ints, expiry: np.datetime64, legs: tuple[PackageLeg, ...]
    ) -> Floats:
        """Points of each leg on each row, shape (r, legs); NaN where it cannot be modelled."""
        strikes = np.array([leg.strike for leg in legs])
        rights = np.array([float(leg.right) for leg in legs])
        if underlying == "VIX":
            column = int(np.searchsorted(self.vx_expiries, expiry))
            grid = self.vix_slice(rows, column, strikes)
        else:
            tenor = (expiry.astype(np.int64) - self.numbers[rows]).astype(np.float64)
            grid = self.spx_slice(rows, tenor, strikes)
        forward, years, discount, vol = grid
        return black76.price(forward, strikes[None, :], years, vol, discount, rights[None, :])


@lru_cache(maxsize=1)
def _vix_unit() -> tuple[Floats, Floats]:
    """Times and variances of VIX options at a log-contract volatility of 1 to 30 days."""
    surface = modelled.vix_surface(100.0 * modelled.coefficients()[1].ratio)
    if surface is None:  # pragma: no cover  # never for a positive level
        raise BacktestError("the VIX surface has no coefficients")
    return np.append(0.0, surface.times), np.append(0.0, surface.variances)


def surfaces_of(history: MarketHistory) -> Surfaces:
    """The whole history's surfaces. Raises BacktestError without closes of SPX and VIX."""
    spx, vix = history.get(S.SPX), history.get(S.VIX)
    if spx is None or vix is None or not len(spx) or not len(vix):
        raise BacktestError("no closes of SPX and VIX are stored")
    days = np.intersect1d(spx.days, vix.days)
    days = days[days >= np.datetime64("2003-01-01", "D")]
    if not len(days):
        raise BacktestError("no day since 2003 has closes of both SPX and VIX")

    def level(symbol: str) -> Floats:
        series = history.get(symbol)
        if series is None or not len(series):
            return np.full(len(days), np.nan)
        values, own = series.aligned(days)
        return np.where(days - own <= _MAX_AGE, values, np.nan)

    spot, vol = level(S.SPX), level(S.VIX)
    rows = np.searchsorted(history.vx.days, days)
    known = (rows < len(history.vx.days)) & (
        history.vx.days[np.minimum(rows, max(len(history.vx.days) - 1, 0))] == days
        if len(history.vx.days)
        else np.zeros(len(days), dtype=bool)
    )
    vx = np.full((len(days), len(history.vx.expiries)), np.nan)
    interest = np.full((len(days), len(history.vx.expiries)), np.nan)
    vx[known], interest[known] = history.vx.settle[rows[known]], history.vx.open_interest[rows[known]]
    fit = modelled.coefficients()[0]
    expiries, monthly = _fridays(history.sessions, days[0], days[-1])
    return Surfaces(
        days=days, spx=spot, vix=vol, vvix=level(S.VVIX), rate=_rates(history, days),
        total=_variances(days, [level(S.VIX9D), vol, level(S.VIX3M)], vx, history.vx.expiries, fit),
        eta=fit.eta * (vol / 15.0) ** (2 * fit.gamma - 1),
        vx_expiries=history.vx.expiries, vx=vx, final=history.vx.final, interest=interest,
        spx_expiries=expiries, monthly=monthly,
    )  # fmt: skip


def _rates(history: MarketHistory, days: Days) -> Floats:
    """Continuous rate from the bill's discount yield, else federal funds, else zero (told as a gap)."""
    found = np.zeros(len(days))
    for symbol in (S.DFF, S.DTB3):
        series = history.get(symbol)
        if series is None or not len(series):
            continue
        percent, own = series.aligned(days)
        fresh = (days - own <= 2 * _MAX_AGE) & np.isfinite(percent)
        yields = percent / 100
        if symbol == S.DTB3:
            found[fresh] = -np.log1p(-yields[fresh] * 91 / 360) * 365 / 91
        else:
            found[fresh] = np.log1p(yields[fresh] * 365 / 360)
    return found


def _variances(
    days: Days, levels: list[Floats], vx: Floats, expiries: Days, fit: modelled.SpxCoefficients
) -> Floats:
    """Total variance of the log contract to 0 … 400 days, each session (n, 401)."""
    out = np.empty((len(days), _REACH))
    grid = np.arange(_REACH) * modelled.DAY
    ahead = (expiries[None, :] - days[:, None]).astype(np.int64) - _MORNING
    nodes = list(zip(modelled.INDEX_DAYS.values(), fit.ratio, strict=True))
    for at in range(len(days)):
        times, totals = [], []
        for (length, ratio), values in zip(nodes, levels, strict=True):
            value = values[at]
            if value == value and value > 0:  # noqa: PLR0124  # NaN is unknown
                times.append(length * modelled.DAY)
                totals.append((value / 100 / ratio) ** 2 * length * modelled.DAY)
        live = np.flatnonzero(np.isfinite(vx[at]) & (ahead[at] > 0))[:8]
        times, totals = _extended(times, totals, ahead[at, live] * modelled.DAY, vx[at, live], fit)
        for i in range(1, len(totals)):
            least = 0.10 * totals[i - 1] / times[i - 1] * (times[i] - times[i - 1])
            totals[i] = max(totals[i], totals[i - 1] + least)
        out[at] = np.interp(grid, [0.0, *times], [0.0, *totals])
    return out


def _extended(
    times: list[float], totals: list[float], ahead: Floats, settles: Floats, fit: modelled.SpxCoefficients
) -> tuple[list[float], list[float]]:
    """Beyond the last index the forward variance is that of the VX curve, else goes on unchanged."""
    last, total = times[-1], totals[-1]
    rate = total / last if len(times) == 1 else (total - totals[-2]) / (last - times[-2])
    ends = np.arange(last + modelled.MONTH, modelled.HORIZON + modelled.MONTH, modelled.MONTH)
    rates = np.full(len(ends), rate)
    if len(ahead):
        rates = np.interp(
            ends - modelled.MONTH / 2, ahead + modelled.MONTH / 2, (settles / 100 * fit.forward_ratio) ** 2
        )
    further = total + np.cumsum(rates) * modelled.MONTH
    return [*times, *ends.tolist()], [*totals, *further.tolist()]


def _fridays(sessions: Days, first: np.datetime64, last: np.datetime64) -> tuple[Days, NDArray[np.bool_]]:
    """Expiries on Fridays, or the session before where one is a holiday; third Fridays marked.

    Beyond the calendar a Friday counts as a session.
    """
    start = first + (4 - (first.astype(np.int64) + 3) % 7) % 7
    fridays = np.arange(start, last + np.timedelta64(400, "D"), 7).astype("datetime64[D]")
    at = np.searchsorted(sessions, fridays, side="right") - 1
    inside = (at >= 0) & (fridays <= sessions[-1]) if len(sessions) else np.zeros(len(fridays), dtype=bool)
    days = fridays.copy()
    days[inside] = sessions[at[inside]]
    of_month = (fridays - fridays.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64)
    monthly = (of_month >= 14) & (of_month <= 20)
    keep = (days >= WEEKLY_FROM) | monthly
    return days[keep], np.asarray(monthly[keep])

"""A simulated market: seeded, plausible, and always marked as simulated.

SPX follows a geometric walk whose volatility is an Ornstein-Uhlenbeck process in logs, negatively
correlated with returns; VIX, its term structure and the VX curve follow from the same process, and
option smiles are SSVI surfaces (J. Gatheral and A. Jacquier, "Arbitrage-free SVI volatility
surfaces", 2014), so the quotes hold no static arbitrage before rounding to ticks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from hedging.engine.instruments import ROOTS
from hedging.maths import black76
from hedging.maths.arrays import Floats
from hedging.maths.yearfrac import year_fraction
from hedging.providers.formats.chain import ChainColumns, ChainTable
from hedging.providers.formats.tables import BarRow, VXRow
from hedging.selectors.calendar import (
    closes_at,
    session_on_or_before,
    sessions_between,
    settlement_moment,
    third_friday,
    vix_expiries_after,
)

SEED = 20_260_130
#: Monthly VX contracts of a simulated curve.
_VX_CONTRACTS = 8
LAST_SPX = 6_724.30
RATE, DIVIDEND = 0.039, 0.013
MEAN_LOG_VOL, REVERSION, VOL_OF_VOL, CORRELATION = np.log(0.162), 4.0, 0.95, -0.78
PREMIUM = 1.06  # implied over the simulated volatility
SPX_SKEW, SPX_ETA = -0.72, 1.05
VIX_SKEW, VIX_ETA, VIX_VOL = 0.65, 0.85, 1.10
DAY = 1 / 252


@dataclass(frozen=True, slots=True)
class SimulatedDay:
    """The state that closes and chains of a session are derived from."""

    day: date
    spx: tuple[float, float, float, float]
    log_vol: float

    def vol(self, t: float) -> float:
        """At-the-money SPX volatility for ``t`` years, mean-reverting towards the long run."""
        weight = (1 - np.exp(-REVERSION * t)) / (REVERSION * t)
        variance = weight * np.exp(2 * self.log_vol) + (1 - weight) * np.exp(2 * MEAN_LOG_VOL)
        return float(PREMIUM * np.sqrt(variance))

    def vx(self, t: float) -> float:
        """VX future for ``t`` years, in VIX points, with a small risk premium growing with time."""
        reach = np.exp(-REVERSION * t)
        level = MEAN_LOG_VOL + (self.log_vol - MEAN_LOG_VOL) * reach
        return float(100 * PREMIUM * np.exp(level) * (1 + 0.10 * (1 - reach)))


def simulate_days(last: date, sessions: int) -> list[SimulatedDay]:
    """The last ``sessions`` sessions up to ``last``, ending at LAST_SPX; the same for the same input."""
    days = sessions_between(last - timedelta(days=int(sessions * 1.6) + 15), last)[-sessions:]
    rng = np.random.default_rng(SEED)
    own, common = rng.standard_normal(sessions), rng.standard_normal(sessions)
    log_vol = np.empty(sessions)
    level = MEAN_LOG_VOL - 0.05
    for i in range(sessions):
        shock = CORRELATION * common[i] + np.sqrt(1 - CORRELATION**2) * own[i]
        level += REVERSION * (MEAN_LOG_VOL - level) * DAY + VOL_OF_VOL * np.sqrt(DAY) * shock
        level = float(np.clip(level, np.log(0.085), np.log(0.7)))
        log_vol[i] = level
    daily = np.exp(log_vol) * np.sqrt(DAY)
    close = np.exp(np.cumsum(daily * common + 0.07 * DAY))
    close *= LAST_SPX / close[-1]
    start = np.concatenate([[close[0]], close[:-1]]) * (1 + daily * 0.2 * rng.standard_normal(sessions))
    reach = np.abs(rng.standard_normal((2, sessions))) * daily * 0.5
    high = np.maximum(start, close) * (1 + reach[0])
    low = np.minimum(start, close) * (1 - reach[1])
    return [
        SimulatedDay(day, (start[i], high[i], low[i], close[i]), float(log_vol[i]))
        for i, day in enumerate(days)
    ]


def simulated_bars(state: SimulatedDay) -> list[BarRow]:
    """Closes of the indices of a session (SPX with OHLC)."""
    bar = [_decimal(value) for value in state.spx]
    vix = state.vol(30 / 365) * 100
    values = {
        "VIX": vix,
        "VIX9D": state.vol(9 / 365) * 100,
        "VIX3M": state.vol(93 / 365) * 100,
        "VVIX": 100 * VIX_VOL * 0.82,
        "DTB3": RATE * 100 - 0.05,
        "VXX": 25 + vix,
    }
    return [
        BarRow("SPX", state.day, bar[3], bar[0], bar[1], bar[2]),
        *(BarRow(symbol, state.day, _decimal(value)) for symbol, value in values.items()),
    ]


def simulated_vx(state: SimulatedDay) -> list[VXRow]:
    """Settlements of the next monthly VX contracts."""
    moment = closes_at(state.day)
    rows = []
    for expiry in vix_expiries_after(state.day, _VX_CONTRACTS):
        t = year_fraction(moment, settlement_moment(expiry, ROOTS["VX"].settlement))
        rows.append(
            VXRow(state.day, expiry, _decimal(state.vx(t), "0.0001"), volume=50_000, open_interest=90_000)
        )
    return rows


def simulated_spx_chain(state: SimulatedDay) -> ChainTable:
    """SPX (monthly, AM) and SPXW (PM) options at the close."""
    spot = round(state.spx[3], 2)
    strikes = _spx_strikes(spot)
    pieces = []
    for root, expiry in _spx_expiries(state.day):
        t = _years(state, root, expiry)
        theta = state.vol(t) ** 2 * t
        forward = spot * np.exp((RATE - DIVIDEND) * t)
        reach = 4.5 * np.sqrt(theta) + 0.03
        mine = strikes[np.abs(np.log(strikes / forward)) < max(reach, 0.06)]
        variance = _ssvi(np.log(mine / forward), theta, SPX_SKEW, SPX_ETA)
        pieces.append(_quotes(root, expiry, mine, forward, t, np.sqrt(variance / t)))
    return _table("SPX", state, spot, pieces)


def simulated_vix_chain(state: SimulatedDay) -> ChainTable:
    """VIX options on the VX futures of the same expiry, at the close."""
    pieces = []
    strikes = np.concatenate([np.arange(10, 30, 0.5), np.arange(30, 50, 1.0), np.arange(50, 105, 5.0)])
    for expiry in vix_expiries_after(state.day, 8):
        t = _years(state, "VIX", expiry)
        # Volatility of a mean-reverting forward falls with its maturity.
        vol = VIX_VOL * np.sqrt((1 - np.exp(-2 * REVERSION * t)) / (2 * REVERSION * t))
        theta = vol**2 * t
        forward = round(state.vx(t), 4)
        variance = _ssvi(np.log(strikes / forward), theta, VIX_SKEW, VIX_ETA)
        pieces.append(_quotes("VIX", expiry, strikes, forward, t, np.sqrt(variance / t)))
    return _table("VIX", state, state.vol(30 / 365) * 100, pieces)


def _years(state: SimulatedDay, root: str, expiry: date) -> float:
    return year_fraction(closes_at(state.day), settlement_moment(expiry, ROOTS[root].settlement))


def _spx_strikes(spot: float) -> Floats:
    def grid(low: float, high: float, step: float) -> Floats:
        return np.arange(np.ceil(spot * low / step) * step, spot * high, step)

    return np.unique(np.concatenate([grid(0.94, 1.06, 5), grid(0.82, 1.14, 25), grid(0.5, 1.3, 100)]))


def _spx_expiries(day: date) -> list[tuple[str, date]]:
    """Dailies for a week, Fridays for three months, month-by-month AM and PM for a year."""
    near = sessions_between(day + timedelta(days=1), day + timedelta(days=8))
    fridays = {
        session_on_or_before(day + timedelta(days=offset))
        for offset in range(1, 92)
        if (day + timedelta(days=offset)).weekday() == 4
    }
    found = {("SPXW", expiry) for expiry in (*near, *fridays) if expiry > day}
    for ahead in range(12):
        year, month = divmod(day.year * 12 + day.month - 1 + ahead, 12)
        expiry = session_on_or_before(third_friday(year, month + 1))
        if expiry > day:
            found |= {("SPX", expiry), ("SPXW", expiry)}
    return sorted(found, key=lambda pair: (pair[1], pair[0]))


def _ssvi(k: Floats, theta: float, rho: float, eta: float) -> Floats:
    """Total variance of the SSVI surface with phi = eta / sqrt(theta)."""
    x = eta / np.sqrt(theta) * k
    return np.asarray(theta / 2 * (1 + rho * x + np.sqrt((x + rho) ** 2 + 1 - rho**2)))


def _quotes(root: str, expiry: date, strikes: Floats, forward: float, t: float, vol: Floats) -> ChainColumns:
    k = np.repeat(strikes, 2)
    right = np.tile([-1, 1], len(strikes)).astype(np.int8)
    sigma = np.repeat(vol, 2)
    discount = np.exp(-RATE * t)
    greeks = black76.greeks(forward, k, t, sigma, discount, right)
    rule = ROOTS[root]
    low, high = float(rule.tick_low), float(rule.tick_high)
    tick = np.where(greeks.price < 3, low, high)
    half = np.maximum(tick, 0.006 * greeks.price + 0.4 * low)
    bid = np.floor(np.maximum(greeks.price - half, 0) / tick + 1e-9) * tick
    ask = np.maximum(np.ceil((greeks.price + half) / tick - 1e-9) * tick, low)
    blank = np.full(len(k), np.nan)
    return ChainColumns(
        root=np.full(len(k), root, dtype="U6"),
        expiry=np.full(len(k), expiry, dtype="datetime64[D]"),
        right=right,
        strike=k,
        bid=bid.round(2),
        ask=ask.round(2),
        last=greeks.price.round(2),
        volume=blank,
        open_interest=blank,
        vendor_iv=sigma.round(4),
        vendor_delta=greeks.delta.round(4),
        vendor_gamma=blank,
    )


def _table(underlying: str, state: SimulatedDay, spot: float, pieces: list[ChainColumns]) -> ChainTable:
    names = ChainColumns.__dataclass_fields__
    joined = ChainColumns(
        **{name: np.concatenate([getattr(piece, name) for piece in pieces]) for name in names}
    )
    return ChainTable(underlying, closes_at(state.day), round(spot, 2), joined)


def _decimal(value: float, step: str = "0.01") -> Decimal:
    return Decimal(repr(float(value))).quantize(Decimal(step))

"""What a backtest is asked, what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import numpy as np

from hedging.engine.history.series import Days
from hedging.maths.arrays import Floats

MULTIPLIER = 100


class Hedge(StrEnum):
    """Off: condors alone. Permanent: always held to expiry, cannot be sold early, collateral locked."""

    ON = "on"
    OFF = "off"
    PERMANENT = "permanent"


class Exits(StrEnum):
    """When condors are closed: at the ruleset's profit share and days to expiry, or never before expiry."""

    RULES = "rules"
    EXPIRY = "expiry"


class Core(StrEnum):
    """What equity that is not in options earns: the bill rate, or the S&P 500 with dividends (VXTH)."""

    BILLS = "bills"
    SPX = "spx"


class BacktestError(ValueError):
    """A backtest that cannot be run; the message names what is wrong."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Dollars a contract and side, and half-spreads in points.

    A leg's half-spread is ``share`` of its price, at least the floor, times VIX/20 once VIX is above 20;
    nothing is sold below zero. Cash settlement at expiry is free.
    """

    fee: float = 1.0
    share: float = 0.015
    spx_floor: float = 0.05
    vix_floor: float = 0.02


@dataclass(frozen=True, slots=True)
class Settings:
    """One run apart from its ruleset. ``capital`` in dollars.

    Signals known at the close of day t trade at the close ``delay`` sessions later (1, or 0 for the
    benchmarks). ``buffer``, ``penalty`` and ``collateral`` (shares of equity, of the mark, of exposure)
    belong to the permanent hedge. ``seed`` only draws the bootstrap.
    """

    first: date
    last: date
    capital: float = 1_000_000.0
    hedge: Hedge = Hedge.ON
    exits: Exits = Exits.RULES
    core: Core = Core.BILLS
    delay: int = 1
    costs: Costs = Costs()
    buffer: float = 0.05
    penalty: float = 0.10
    collateral: float = 0.15
    seed: int = 1987

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise BacktestError(f"the range ends on {self.last}, before it begins on {self.first}")
        if not 1_000 <= self.capital <= 1e10:
            raise BacktestError(f"capital of {self.capital:,.0f} is outside 1,000 to 10,000,000,000")
        if self.delay not in (0, 1):
            raise BacktestError(f"delay {self.delay} is neither 0 nor 1 session")
        amounts = (self.costs.fee, self.costs.share, self.costs.spx_floor, self.costs.vix_floor)
        if min(amounts) < 0 or self.costs.share >= 1:
            raise BacktestError("costs cannot be negative, and a half-spread is below the whole price")
        if not (0 <= self.buffer < 1 and 0 <= self.penalty < 1 and 0 <= self.collateral <= 1):
            raise BacktestError("buffer, penalty and collateral are shares from 0 to 1")


@dataclass(frozen=True, slots=True)
class PackageLeg:
    """One leg of a package: right +1 call, -1 put; ``ratio`` +1 bought, -1 sold."""

    right: int
    strike: float
    ratio: int


@dataclass(frozen=True, slots=True)
class BacktestTrade:
    """One package from its opening to its end; dollars, what came in is positive.

    ``part`` is 0 for condors, else the hedge layer. ``why`` ends it: profit, days, roll, expiry, forced,
    or open at the end of the range (then ``cash_out`` is the mark).
    """

    part: int
    instrument: str
    opened: date
    closed: date
    expiry: date
    legs: tuple[PackageLeg, ...]
    contracts: int
    cash_in: float
    cash_out: float
    costs: float
    why: str

    @property
    def pnl(self) -> float:
        """Dollars after costs."""
        return self.cash_in + self.cash_out - self.costs

    @property
    def symbol(self) -> str:
        """Strikes and rights on one line, such as ``4200P/4250P/4600C/4650C``."""
        legs = sorted(self.legs, key=lambda leg: (leg.right, leg.strike))
        return "/".join(f"{leg.strike:g}{'C' if leg.right > 0 else 'P'}" for leg in legs)


#: Columns of ``Result.pnl``.
PARTS = (
    "condors",
    "layer 1",
    "layer 2",
    "layer 3",
    "costs of condors",
    "costs of hedge",
    "interest",
    "index",
)


@dataclass(frozen=True, eq=False)
class BacktestResult:
    """Daily figures at the close of ``days``, dollars, shape (n,); ``pnl`` (n, 8) in the order of PARTS.

    equity = cash + core + marks; its change is the sum of the day's ``pnl``. ``premium`` paid for hedges and
    ``payout`` received for them are before costs and positive, ``credit`` is the condors' at opening.
    ``margin`` is the condors', ``locked`` the permanent hedge's collateral and buffer.
    """

    days: Days
    equity: Floats
    cash: Floats
    core: Floats
    marks: Floats
    hedge_marks: Floats
    margin: Floats
    locked: Floats
    premium: Floats
    payout: Floats
    credit: Floats
    pnl: Floats
    trades: tuple[BacktestTrade, ...]
    forced: tuple[date, ...]
    gaps: tuple[str, ...]
    assumptions: tuple[str, ...]
    unwind_cost: float
    unwind_days: int
    settings: Settings

    @property
    def hedge_pnl(self) -> Floats:
        """The layers' daily P&L after their costs."""
        return np.asarray(self.pnl[:, 1:4].sum(axis=1) + self.pnl[:, 5], dtype=np.float64)

    @property
    def bare_pnl(self) -> Floats:
        """Daily P&L of everything but the hedge, on the same dates and sizes."""
        return np.asarray(self.pnl.sum(axis=1) - self.hedge_pnl, dtype=np.float64)

    @property
    def bare_equity(self) -> Floats:
        """What the account would hold had the hedge neither cost nor paid anything."""
        return np.asarray(self.settings.capital + np.cumsum(self.bare_pnl), dtype=np.float64)

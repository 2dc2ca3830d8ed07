"""A firm's accounts at once: value, Greeks, both tails, margin, concentration and the joint grid.

Each distinct contract is priced once (``many``), whatever the number of accounts that hold it. The figures
of an account are those of its own pages (``valuation``, ``scenarios``, ``structure``), which tests hold.
Unknown stays unknown: NaN, never a smaller loss or margin.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from hedging.engine.book import ContractSpec, InstrumentKind
from hedging.engine.market import MarketSnapshot
from hedging.engine.pricing.greeks_units import Factor
from hedging.engine.pricing.many import (
    FACTORS,
    ContractTable,
    Motion,
    OwnerValues,
    Positions,
    contract_table,
    shock_positions,
    value_positions,
)
from hedging.engine.pricing.margins import strategy_margins
from hedging.engine.pricing.scenarios import STRESS, Shock
from hedging.maths.arrays import Bools, Floats, Ints
from hedging.maths.margin import PORTFOLIO_MINIMUM, PORTFOLIO_MOVES

#: The joint grid of the firm: SPX by 2% and VIX in points.
FIRM_SPOT = tuple(round(step * 0.02, 2) for step in range(-10, 11))
FIRM_VIX = (-10.0, -5.0, 0.0, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0)
CONDOR, HEDGE, OTHER = 0, 1, 2
_FALL = np.array([shock.vix > 0 for shock in STRESS])


@dataclass(frozen=True, slots=True, eq=False)
class FirmBook:
    """Open trades of all accounts and their legs, as arrays.

    Of a trade: ``account`` 0 .. accounts - 1, ``role`` (CONDOR, HEDGE, OTHER), ``paid`` dollars its fills
    moved less fees (+ received). Of a leg: ``trade``, ``contract`` (an index into ``contracts``),
    signed ``quantity``, ``entry_price`` in points (counts for futures alone).
    """

    contracts: tuple[ContractSpec, ...]
    accounts: int
    account: Ints
    role: Ints
    paid: Floats
    trade: Ints
    contract: Ints
    quantity: Floats
    entry_price: Floats

    @property
    def leg_account(self) -> Ints:
        """The account of each leg."""
        return np.asarray(self.account[self.trade])

    def positions(self, owner: Ints) -> Positions:
        """The legs, held by these owners."""
        return Positions(owner, self.contract, self.quantity, self.entry_price)


@dataclass(frozen=True, eq=False)
class FirmRisk:
    """Figures by account (first axis) in dollars; NaN where a leg they need is unknown.

    ``stress`` is accounts × STRESS for the whole account, ``condors`` and ``hedges`` its parts; ``grid``
    is accounts × FIRM_SPOT × FIRM_VIX of the known legs. ``margin`` is gross strategy margin of the
    trades whose rule is known, at least what is asked for; ``unmargined`` counts the others (futures,
    several expiries, uncovered calls). ``portfolio_margin`` is an estimate over the SPX options alone.
    ``trade_loss`` is the largest loss of one trade and ``expiry_loss`` of one expiry in the stress.
    """

    values: OwnerValues
    open_pnl: Floats
    open_trades: Ints
    stress: Floats
    condors: Floats
    hedges: Floats
    unmoved: Ints
    grid: Floats
    margin: Floats
    unmargined: Ints
    portfolio_margin: Floats
    trade_loss: Floats
    worst_expiry: Ints
    expiry_loss: Floats
    expiry_share: Floats
    worst_strike: Floats
    strike_share: Floats

    @cached_property
    def fall_loss(self) -> Floats:
        """Worst stressed loss where VIX rises, 0: none."""
        return self._worst(_FALL)

    @cached_property
    def rally_loss(self) -> Floats:
        """Worst stressed loss elsewhere, 0: none."""
        return self._worst(~_FALL)

    @cached_property
    def coverage(self) -> Floats:
        """Hedge gain over condor loss in the condors' worst cell; NaN: unknown, inf: nothing to cover."""
        at = self.condors.argmin(axis=1)[:, None]
        loss = -np.take_along_axis(self.condors, at, axis=1)[:, 0]
        gain = np.take_along_axis(self.hedges, at, axis=1)[:, 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.where(loss > 0, gain / loss, np.inf)
        return np.where(self.unmoved > 0, np.nan, found)

    def _worst(self, cells: Bools) -> Floats:
        loss = np.maximum(-self.stress[:, cells].min(axis=1), 0.0)
        return np.where(self.unmoved > 0, np.nan, loss)


def firm_risk(book: FirmBook, market: MarketSnapshot) -> FirmRisk:
    """All figures of all accounts on one snapshot. Raises ValueError for indices out of range."""
    table = contract_table(book.contracts, market)
    n, owner = book.accounts, book.leg_account
    values = value_positions(table, book.positions(owner), n)
    paid = np.bincount(book.account, book.paid, n)
    by_role = shock_positions(table, book.positions(owner * 3 + book.role[book.trade]), n * 3, market, STRESS)
    parts = by_role.pnl.reshape(n, 3, len(STRESS))
    unmoved = by_role.unknown.reshape(n, 3).sum(axis=1)
    shocks = [Shock(spot, vix) for spot in FIRM_SPOT for vix in FIRM_VIX]
    grid = shock_positions(table, book.positions(owner), n, market, shocks).pnl
    margin, unmargined = _margins(book)
    by_trade = shock_positions(table, book.positions(book.trade), len(book.account), market, STRESS)
    return FirmRisk(
        values=values,
        open_pnl=np.where(values.unknown > 0, np.nan, values.market_value + paid),
        open_trades=np.bincount(book.account, minlength=n),
        stress=parts.sum(axis=1),
        condors=parts[:, CONDOR],
        hedges=parts[:, HEDGE],
        unmoved=unmoved,
        grid=grid.reshape(n, len(FIRM_SPOT), len(FIRM_VIX)),
        margin=margin,
        unmargined=unmargined,
        portfolio_margin=_portfolio_margins(book, table, market),
        trade_loss=_most(book.account, -by_trade.pnl.min(axis=1), n, unmoved),
        **_concentration(book, table, market, unmoved),
    )


def _margins(book: FirmBook) -> tuple[Floats, Ints]:
    """Gross strategy margin of each account, and its trades for which the rule has none."""
    expiry, right, strike, multiplier = _terms(book)
    order = np.lexsort((expiry, book.trade))
    trade = book.trade[order]
    leg = book.contract[order]
    size = book.quantity[order] * multiplier[leg]
    gross = strategy_margins(trade, strike[leg], right[leg], size, len(book.account))
    mixed = np.zeros(len(book.account), np.bool_)
    same = trade[1:] == trade[:-1]
    mixed[trade[1:][same & (expiry[order][1:] != expiry[order][:-1])]] = True
    mixed[book.trade[right[book.contract] == 0]] = True
    unknown = mixed | ~np.isfinite(gross)
    margin = np.bincount(book.account, np.where(unknown, 0.0, gross), book.accounts).astype(np.float64)
    return margin, np.bincount(book.account, unknown, book.accounts).astype(np.int64)


def _terms(book: FirmBook) -> tuple[Ints, Floats, Floats, Floats]:
    """Expiry (of each leg), right, strike and multiplier (of each contract); right 0: no option."""
    specs = book.contracts
    day = np.array([spec.expiry.toordinal() if spec.expiry else 0 for spec in specs], dtype=np.int64)
    right = [int(spec.right or 0) if spec.kind is InstrumentKind.OPTION else 0 for spec in specs]
    return (
        day[book.contract] if len(specs) else np.zeros(0, np.int64),
        np.array(right, dtype=np.float64),
        np.array([spec.strike or 0.0 for spec in specs], dtype=np.float64),
        np.array([spec.multiplier for spec in specs], dtype=np.float64),
    )


def _portfolio_margins(book: FirmBook, table: ContractTable, market: MarketSnapshot) -> Floats:
    """Worst move of the SPX options over PORTFOLIO_MOVES, at least the minimum a short contract."""
    on_spx = np.isin(table.motion, (Motion.SPX_OPTION, Motion.UNKNOWN))[book.contract]
    on_spx &= (table.factor == FACTORS.index(Factor.SPX))[book.contract]
    owner = book.leg_account[on_spx]
    held = Positions(owner, book.contract[on_spx], book.quantity[on_spx], book.entry_price[on_spx])
    moves = [Shock(float(move), 0.0) for move in PORTFOLIO_MOVES]
    found = shock_positions(table, held, book.accounts, market, moves)
    short = np.bincount(owner, np.maximum(-held.quantity, 0.0), book.accounts)
    margin = np.maximum(-found.pnl.min(axis=1), PORTFOLIO_MINIMUM * short)
    return np.where(found.unknown > 0, np.nan, np.maximum(margin, 0.0))


def _most(account: Ints, value: Floats, accounts: int, unmoved: Ints) -> Floats:
    """The largest value of each account, at least 0; NaN with unknown legs."""
    found = np.zeros(accounts)
    np.maximum.at(found, account, value)
    return np.where(unmoved > 0, np.nan, found)


def _concentration(
    book: FirmBook, table: ContractTable, market: MarketSnapshot, unmoved: Ints
) -> dict[str, Any]:
    """Where an account's stress sits: the expiry that loses most, and the most sold strike."""
    n, owner = book.accounts, book.leg_account
    expiry, right, strike, _ = _terms(book)
    cells, of_leg = np.unique(np.stack([owner, expiry]), axis=1, return_inverse=True)
    pnl = shock_positions(table, book.positions(of_leg.ravel()), cells.shape[1], market, STRESS).pnl
    by_expiry = _largest(cells[0], cells[1].astype(np.float64), np.maximum(-pnl, 0.0).max(axis=1), n)
    short = (book.quantity < 0) & (right[book.contract] != 0)
    held = np.stack([owner[short].astype(np.float64), strike[book.contract[short]]])
    sold, of_short = np.unique(held, axis=1, return_inverse=True)
    count = np.bincount(of_short.ravel(), -book.quantity[short], sold.shape[1]).astype(np.float64)
    by_strike = _largest(sold[0].astype(np.int64), sold[1], count, n)
    known = unmoved == 0
    return {
        "worst_expiry": np.where(known, np.nan_to_num(by_expiry.key), 0).astype(np.int64),
        "expiry_loss": np.where(known, by_expiry.most, np.nan),
        "expiry_share": np.where(known, by_expiry.share, np.nan),
        "worst_strike": by_strike.key,
        "strike_share": by_strike.share,
    }


class _Largest(NamedTuple):
    """Of each account: the key of its largest value (NaN: none), the value, its share of all of them."""

    key: Floats
    most: Floats
    share: Floats


def _largest(account: Ints, key: Floats, value: Floats, accounts: int) -> _Largest:
    """``account`` ascending, ``value`` at least 0; the first of equal ones counts."""
    found = _Largest(np.full(accounts, np.nan), np.zeros(accounts), np.full(accounts, np.nan))
    order = np.lexsort((np.arange(len(value))[::-1], value, account))
    last = order[np.append(account[order][1:] != account[order][:-1], True)] if len(order) else order
    last = last[value[last] > 0]
    total = np.bincount(account, value, accounts)
    found.key[account[last]], found.most[account[last]] = key[last], value[last]
    found.share[account[last]] = value[last] / total[account[last]]
    return found

"""Many books at once: each distinct contract is valued once, positions are arrays that only add.

For whole databases, where ``valuation.value_book`` would value a contract again for everyone who holds it.
The rules are those of ``valuation`` and ``scenarios``, and tests hold the figures to theirs. Few contracts
are valued by NumPy; above ``COMPILE_FROM`` the compiled kernels are imported, which workers have warm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hedging.engine.book import ContractSpec, InstrumentKind, Leg
from hedging.engine.market import MarketSnapshot
from hedging.engine.pricing.greeks_units import GREEKS, Factor, factor_of
from hedging.engine.pricing.marks import option_quote
from hedging.engine.pricing.scenarios import Shock, ShockRules, linear_move, month_vx, shock_terms
from hedging.engine.pricing.settlement import has_expired
from hedging.engine.pricing.valuation import PriceSource, informative_quote, value_leg
from hedging.maths import black76
from hedging.maths.arrays import Bools, Floats, Ints
from hedging.maths.implied_vol import implied_vol
from hedging.maths.smile import SmileModel

#: Contracts or legs from which the compiled kernels are worth their import.
COMPILE_FROM = 2_000
FACTORS = tuple(Factor)
SOURCES = tuple(PriceSource)


class Motion(IntEnum):
    """How a contract answers a shock."""

    UNKNOWN = 0
    SETTLED = 1
    SPX_OPTION = 2
    VX_OPTION = 3
    VX_FUTURE = 4
    SHARE = 5


@dataclass(frozen=True, slots=True, eq=False)
class ContractTable:
    """Distinct contracts valued on one snapshot: vectors of one length, in the order they were given.

    ``price`` in points (NaN: unknown), ``greeks`` in the rows of ``greeks_units.GREEKS`` and the units of a
    leg's, ``iv`` a fraction, ``t`` years. ``source`` indexes ``SOURCES``, ``factor`` ``FACTORS``.
    ``from_entry`` marks futures, whose value counts from their entry.
    """

    price: Floats
    greeks: Floats
    iv: Floats
    forward: Floats
    strike: Floats
    t: Floats
    discount: Floats
    right: Floats
    multiplier: Floats
    source: Ints
    factor: Ints
    motion: Ints
    from_entry: Bools

    @property
    def known(self) -> Bools:
        """Contracts with a price."""
        return np.asarray(np.isfinite(self.price))


class Positions(NamedTuple):
    """Open legs: ``owner`` 0 .. owners - 1 (an account or a trade), ``contract`` a row of the table.

    ``quantity`` is signed, ``entry_price`` the average open price in points.
    """

    owner: Ints
    contract: Ints
    quantity: Floats
    entry_price: Floats


@dataclass(frozen=True, slots=True, eq=False)
class OwnerValues:
    """What each owner's open legs are worth, in dollars; unknown legs are left out and counted.

    ``market_value`` and ``unknown`` have one element an owner; ``greeks`` is owners × ``FACTORS`` ×
    ``GREEKS``, dollar Greeks as in ``valuation.Totals``: factors are never added, but for theta.
    """

    market_value: Floats
    greeks: Floats
    unknown: Ints

    @property
    def theta(self) -> Floats:
        """Dollars a calendar day over all factors."""
        return np.asarray(self.greeks[:, :, GREEKS.index("theta")].sum(axis=1))

    def rolled_up(self, parent: ArrayLike, parents: int) -> OwnerValues:
        """Sums over the owners of each parent (trades of accounts); ``parent`` has one index an owner."""
        index = np.asarray(parent, dtype=np.int64)

        def add(values: NDArray[np.generic]) -> NDArray[np.generic]:
            total = np.zeros((parents, *values.shape[1:]), dtype=values.dtype)
            np.add.at(total, index, values)
            return total

        return OwnerValues(
            np.asarray(add(self.market_value), dtype=np.float64),
            np.asarray(add(self.greeks), dtype=np.float64),
            np.asarray(add(self.unknown), dtype=np.int64),
        )


def contract_table(contracts: Sequence[ContractSpec], market: MarketSnapshot) -> ContractTable:
    """Mark, volatility and Greeks of each contract, by the rules of ``valuation.value_leg``."""
    n = len(contracts)
    columns = {
        name: np.full(n, np.nan) for name in ("price", "iv", "forward", "strike", "t", "discount", "right")
    }
    table = ContractTable(
        **columns,
        greeks=np.full((len(GREEKS), n), np.nan),
        multiplier=np.array([spec.multiplier for spec in contracts], dtype=np.float64),
        source=np.full(n, SOURCES.index(PriceSource.UNKNOWN)),
        factor=np.array([FACTORS.index(factor_of(spec.underlying)) for spec in contracts], dtype=np.int64),
        motion=np.zeros(n, dtype=np.int64),
        from_entry=np.array([spec.kind is InstrumentKind.FUTURE for spec in contracts], dtype=np.bool_),
    )
    options = []
    for i, spec in enumerate(contracts):
        if spec.kind is InstrumentKind.OPTION and not has_expired(spec, market.as_of):
            options.append(i)
        else:
            _single(table, i, spec, market)
    _options(table, np.array(options, dtype=np.int64), contracts, market)
    return table


def _single(table: ContractTable, i: int, spec: ContractSpec, market: MarketSnapshot) -> None:
    """A future, share or settled contract, as ``value_leg`` has it."""
    found = value_leg(Leg(spec, 1, 0.0), market)
    if found.price is None:
        return
    table.price[i] = found.price
    table.greeks[:, i] = [getattr(found, name) for name in GREEKS]
    table.source[i] = SOURCES.index(found.source)
    table.t[i] = np.nan if found.t is None else found.t
    if found.t == 0.0:
        table.motion[i] = Motion.SETTLED
    elif spec.kind is InstrumentKind.FUTURE:
        table.motion[i] = Motion.VX_FUTURE
    else:
        table.motion[i] = Motion.SHARE


def _options(
    table: ContractTable, at: Ints, contracts: Sequence[ContractSpec], market: MarketSnapshot
) -> None:
    """Living options: quotes one by one, volatilities and Greeks as arrays."""
    mid, solve_price = np.full(len(at), np.nan), np.full(len(at), np.nan)
    solve_right = np.ones(len(at))
    smiles: dict[tuple[str, date], list[int]] = {}
    for row, i in enumerate(at.tolist()):
        spec = contracts[i]
        assert spec.expiry is not None
        assert spec.strike is not None
        assert spec.right is not None
        expiry = market.slices.get((spec.root, spec.expiry))
        if expiry is None or not np.isfinite(expiry.forward):
            continue
        smiles.setdefault((spec.root, spec.expiry), []).append(row)
        table.forward[i], table.t[i], table.discount[i] = expiry.forward, expiry.t, expiry.discount
        table.strike[i], table.right[i] = spec.strike, int(spec.right)
        quote = option_quote(spec, market)
        if quote is not None and quote.mid is not None:
            mid[row] = quote.mid
            if quote.bid > 0:
                solve_price[row], solve_right[row] = informative_quote(spec, expiry, quote.mid)
    f, k, t, d = table.forward[at], table.strike[at], table.t[at], table.discount[at]
    iv = _vols(solve_price, f, k, t, d, solve_right)
    for (root, day), rows in smiles.items():
        smile = market.slices[(root, day)].smile
        rest = np.array([row for row in rows if not np.isfinite(iv[row])], dtype=np.int64)
        if len(rest) and smile.model is not SmileModel.UNKNOWN:
            iv[rest] = smile.vol(k[rest])
    known = np.isfinite(iv)
    raw = black76.greeks(f, k, t, iv, d, table.right[at])
    shown = black76.display_units(raw)
    quoted = np.isfinite(mid)
    table.iv[at] = iv
    table.price[at] = np.where(known, np.where(quoted, mid, shown.price), np.nan)
    table.greeks[:, at] = [getattr(shown, name) for name in GREEKS]
    sources = np.where(quoted, SOURCES.index(PriceSource.QUOTE), SOURCES.index(PriceSource.SURFACE))
    table.source[at] = np.where(known, sources, SOURCES.index(PriceSource.UNKNOWN))
    on_vx = table.factor[at] == FACTORS.index(Factor.VX)
    table.motion[at] = np.where(known, np.where(on_vx, Motion.VX_OPTION, Motion.SPX_OPTION), Motion.UNKNOWN)


def _vols(price: Floats, f: Floats, k: Floats, t: Floats, d: Floats, right: Floats) -> Floats:
    if len(price) < COMPILE_FROM:
        return implied_vol(price, f, k, t, d, right)
    from hedging.maths.fast.implied_vol import implied_vol as compiled

    return compiled(price, f, k, t, d, right)


def value_positions(table: ContractTable, positions: Positions, owners: int) -> OwnerValues:
    """Market value and dollar Greeks of each owner's open legs.

    Raises ValueError when the vectors differ in length or an index is out of range.
    """
    _check(table, positions, owners)
    known = table.known
    held = known[positions.contract]
    size = positions.quantity * table.multiplier[positions.contract]
    unit = np.where(known, np.vstack([table.price, table.greeks]), 0.0)
    count = len(FACTORS)
    group = positions.owner * count + table.factor[positions.contract]
    sums = _sums(group, positions.contract, size, unit, owners * count).reshape(owners, count, -1)
    entered = np.where(held & table.from_entry[positions.contract], size * positions.entry_price, 0.0)
    value = sums[:, :, 0].sum(axis=1) - np.bincount(positions.owner, entered, owners)
    unknown = np.bincount(positions.owner, ~held, owners).astype(np.int64)
    return OwnerValues(value, np.ascontiguousarray(sums[:, :, 1:]), unknown)


def _sums(group: Ints, contract: Ints, size: Floats, unit: Floats, groups: int) -> Floats:
    """Sums of size × unit values a group: groups × len(unit)."""
    if len(group) < COMPILE_FROM:
        return np.column_stack([np.bincount(group, size * row[contract], groups) for row in unit])
    from hedging.maths.fast import books

    return books.sum_by_owner(books.book_from_legs(group, contract, size, groups), unit)[:, : len(unit)]


class OwnerGrids(NamedTuple):
    """P&L in dollars against now, owners × shocks (or × spot × VIX moves); ``unknown`` legs are left out."""

    pnl: Floats
    unknown: Ints


def scenario_positions(
    table: ContractTable,
    positions: Positions,
    owners: int,
    market: MarketSnapshot,
    spot: Sequence[float],
    vix: Sequence[float],
    rules: ShockRules | None = None,
    days: float = 0.0,
) -> OwnerGrids:
    """The joint SPX × VIX grid of every owner, by the conventions of ``scenarios.scenario_grid``.

    ``spot`` are returns, ``vix`` changes in points, ``days`` calendar days from now.
    """
    shocks = [Shock(s, v) for s in spot for v in vix]
    pnl, unknown = shock_positions(table, positions, owners, market, shocks, rules, days)
    return OwnerGrids(pnl.reshape(owners, len(spot), len(vix)), unknown)


def shock_positions(
    table: ContractTable,
    positions: Positions,
    owners: int,
    market: MarketSnapshot,
    shocks: Sequence[Shock],
    rules: ShockRules | None = None,
    days: float = 0.0,
) -> OwnerGrids:
    """P&L of every owner under each shock (owners × shocks), by the conventions of ``scenarios``."""
    _check(table, positions, owners)
    rules = rules or ShockRules()
    month = month_vx(market)
    movable = table.motion != Motion.UNKNOWN
    if month is None:
        movable &= table.motion != Motion.SHARE
    m = np.array([shock.spot for shock in shocks], dtype=np.float64)
    v = np.array([shock.vix for shock in shocks], dtype=np.float64)
    change = np.zeros((len(table.price), len(m)))
    options = np.flatnonzero((table.motion == Motion.SPX_OPTION) | (table.motion == Motion.VX_OPTION))
    if len(options):
        change[options] = _changes(table, options, m, v, rules, days)
    for i in np.flatnonzero((table.motion == Motion.VX_FUTURE) | ((table.motion == Motion.SHARE) & movable)):
        t = float(table.t[i]) if table.motion[i] == Motion.VX_FUTURE else None
        change[i] = linear_move(float(table.price[i]), t, v, month, rules)
    size = positions.quantity * table.multiplier[positions.contract]
    unknown = np.bincount(positions.owner, ~movable[positions.contract], owners).astype(np.int64)
    return OwnerGrids(_cells(positions.owner, positions.contract, size, change, owners), unknown)


def _changes(
    table: ContractTable, at: Ints, spot: Floats, vix: Floats, rules: ShockRules, days: float
) -> Floats:
    """Change of each option's model price in points: options × cells."""
    f, k, t, vol, d, right = (
        column[at] for column in (table.forward, table.strike, table.t, table.iv, table.discount, table.right)
    )
    terms = shock_terms(f, t, vol, d, table.motion[at] == Motion.VX_OPTION, rules, days)
    if len(at) * len(spot) < COMPILE_FROM:
        return terms.changes(f, k, t, vol, d, right, spot, vix)
    from hedging.maths.fast import books

    return books.reprice(books.Contracts(f, k, t, vol, d, right), books.Shocks(*terms), spot, vix)


def _cells(owner: Ints, contract: Ints, size: Floats, change: Floats, owners: int) -> Floats:
    if len(owner) < COMPILE_FROM:
        total = np.zeros((owners, change.shape[1]))
        np.add.at(total, owner, change[contract] * size[:, None])
        return total
    from hedging.maths.fast import books

    return books.sum_cells(books.book_from_legs(owner, contract, size, owners), change)


def _check(table: ContractTable, positions: Positions, owners: int) -> None:
    if len({len(column) for column in positions}) != 1:
        raise ValueError("owner, contract, quantity and entry_price must have one length")
    if not len(positions.owner):
        return
    if not 0 <= positions.owner.min() <= positions.owner.max() < owners:
        raise ValueError("owner index out of range")
    if not 0 <= positions.contract.min() <= positions.contract.max() < len(table.price):
        raise ValueError("contract index out of range")

"""Books of many legs: price each distinct contract once, then sum by compressed sparse rows.

A book is the list of its legs sorted by owner (trade or account): ``offsets`` has one entry more than there
are owners and owner i holds legs ``offsets[i]:offsets[i + 1]``; ``contract`` is each leg's row in the table
of distinct contracts and ``size`` its signed quantity × multiplier. Sums are in leg order, so the same
book gives the same bits whatever the number of threads.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange
from numpy.typing import ArrayLike, NDArray

from hedging.maths.arrays import Floats
from hedging.maths.fast.black import greeks, launch
from hedging.maths.fast.vector import (
    Threads,
    compiled,
    exp_,
    inlined,
    log_ratio_,
    mills_bottom,
    mills_top,
    threaded,
)

Int32s = NDArray[np.int32]
Offsets = NDArray[np.int64]

_LANES = 8  # outputs are padded to one cache line a contract
_PRICES, _ADDITIONS = 150e6, 3e9  # what one thread does in a second


class Contracts(NamedTuple):
    """Distinct contracts, vectors of one length; units as in ``black76``, ``right`` ±1."""

    forward: Floats
    strike: Floats
    t: Floats
    sigma: Floats
    discount: Floats
    right: Floats


class LegArrays(NamedTuple):
    """Legs by owner (see the module); int32 ``contract``, float64 ``size``, int64 ``offsets``."""

    contract: Int32s
    size: Floats
    offsets: Offsets


def book_from_legs(owner: ArrayLike, contract: ArrayLike, size: ArrayLike, owners: int) -> LegArrays:
    """Sort legs by owner index (0 .. owners - 1); the order of an owner's legs is kept.

    Raises ValueError when lengths differ or an owner index is out of range.
    """
    who = np.asarray(owner, dtype=np.int64)
    what = np.asarray(contract, dtype=np.int32)
    much = np.asarray(size, dtype=np.float64)
    if not who.shape == what.shape == much.shape:
        raise ValueError("owner, contract and size must have one length")
    if len(who) and not 0 <= who.min() <= who.max() < owners:
        raise ValueError("owner index out of range")
    offsets = np.zeros(owners + 1, dtype=np.int64)
    np.cumsum(np.bincount(who, minlength=owners), out=offsets[1:])
    book = LegArrays(np.empty_like(what), np.empty_like(much), offsets)
    _place(who, what, much, offsets[:-1].copy(), book.contract, book.size)
    return book


@compiled
def _place(
    owner: Offsets, contract: Int32s, size: Floats, free: Offsets, to_contract: Int32s, to_size: Floats
) -> None:
    """Counting sort: each leg goes to the next free place of its owner."""
    for j in range(owner.shape[0]):
        at = free[owner[j]]
        free[owner[j]] = at + 1
        to_contract[at] = contract[j]
        to_size[at] = size[j]


@compiled
def _sum_rows(
    contract: Int32s, size: Floats, offsets: Offsets, table: Floats, out: Floats, a: int, b: int
) -> None:
    """``table`` is flat, eight lanes a contract; unsigned indices spare the test for negative ones."""
    for i in range(a, b):
        s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
        for j in range(np.uint64(offsets[i]), np.uint64(offsets[i + 1])):
            q = size[j]
            row = np.uint64(contract[j]) * np.uint64(8)
            s0 += q * table[row]
            s1 += q * table[row + np.uint64(1)]
            s2 += q * table[row + np.uint64(2)]
            s3 += q * table[row + np.uint64(3)]
            s4 += q * table[row + np.uint64(4)]
            s5 += q * table[row + np.uint64(5)]
            s6 += q * table[row + np.uint64(6)]
            s7 += q * table[row + np.uint64(7)]
        out[i, 0] = s0
        out[i, 1] = s1
        out[i, 2] = s2
        out[i, 3] = s3
        out[i, 4] = s4
        out[i, 5] = s5
        out[i, 6] = s6
        out[i, 7] = s7


@compiled
def _sum_rows_serial(contract: Int32s, size: Floats, offsets: Offsets, table: Floats, out: Floats) -> None:
    _sum_rows(contract, size, offsets, table, out, 0, out.shape[0])


@threaded
def _sum_rows_parallel(contract: Int32s, size: Floats, offsets: Offsets, table: Floats, out: Floats) -> None:
    owners = out.shape[0]
    for c in prange((owners + 255) // 256):
        _sum_rows(contract, size, offsets, table, out, c * 256, min(owners, (c + 1) * 256))


def sum_by_owner(
    book: LegArrays, values: Floats, *, out: Floats | None = None, threads: Threads = Threads.AUTO
) -> Floats:
    """Size-weighted sums of contract values per owner.

    ``values`` has shape (outputs <= 8, contracts), as ``greeks`` gives; the result (owners, 8), columns
    beyond ``outputs`` zero. NaN of a contract reaches only the owners that hold it.
    """
    outputs, count = values.shape
    if outputs > _LANES:
        raise ValueError(f"at most {_LANES} outputs")
    _check(book, count)
    table = np.zeros((count, _LANES))
    table[:, :outputs] = values.T
    owners = len(book.offsets) - 1
    result = _buffer(out, (owners, _LANES))
    parallel = threads.pays(len(book.contract) * _LANES, _ADDITIONS)
    launch(_sum_rows_serial, _sum_rows_parallel, parallel, *book, table.reshape(-1), result)
    return result


def _check(book: LegArrays, count: int) -> None:
    if len(book.contract) and not 0 <= book.contract.min() <= book.contract.max() < count:
        raise ValueError("contract index out of range")


def value_book(
    book: LegArrays, contracts: Contracts, *, out: Floats | None = None, threads: Threads = Threads.AUTO
) -> Floats:
    """Value and first-order Greeks in dollars per owner, (owners, 8): price, delta, gamma, vega, theta, rho.

    One call for any number of legs: contracts are priced once, legs only add.
    """
    return sum_by_owner(book, greeks(*contracts, threads=threads), out=out, threads=threads)


class Shocks(NamedTuple):
    """How each contract answers a shock (m, v): SPX return m and VIX change v in points.

    F' = max(F (1 + spot_beta m) + vix_beta v, floor_forward); σ' = max(σ + vol_beta v / 100, floor_sigma);
    the option is then priced with ``t`` years left and ``discount``, which differ from the contract's own
    when days pass. SPX options have spot_beta 1, vix_beta 0 and a vol_beta falling with term; VIX options
    spot_beta 0, vix_beta β(T) of their future and vol_beta 0. Vectors of one length.
    """

    spot_beta: Floats
    vix_beta: Floats
    vol_beta: Floats
    floor_forward: Floats
    floor_sigma: Floats
    t: Floats
    discount: Floats


@inlined
def _price(f: float, per_k: float, k: float, root: float, sigma: float, d: float, phi: float) -> float:
    spread = sigma * root
    inverse = 1.0 / max(spread, 1e-300)
    ratio = f * per_k
    h = log_ratio_(ratio, (f - k) * per_k) * inverse
    d1 = h + 0.5 * spread
    d2 = h - 0.5 * spread
    a1 = min(abs(d1), 40.0)
    a2 = min(abs(d2), 40.0)
    e = exp_(-0.5 * a1 * a1)
    q1 = mills_bottom(a1)
    q2 = mills_bottom(a2)
    per_q = e / (q1 * q2)
    tail1 = mills_top(a1) * q2 * per_q
    tail2 = mills_top(a2) * q1 * per_q * ratio
    n1 = 1.0 - tail1 if phi * d1 > 0.0 else tail1
    n2 = 1.0 - tail2 if phi * d2 > 0.0 else tail2
    return max(d * phi * (f * n1 - k * n2), 0.0)


@inlined
def _within(f: float, k: float, t: float, sigma: float, d: float) -> bool:
    ok = (f > 0.0) & (k > 0.0) & (t >= 0.0) & (sigma >= 0.0) & (d > 0.0)
    return ok & (f < np.inf) & (k < np.inf) & (t < np.inf) & (sigma < np.inf) & (d < np.inf)


@compiled
def _shock_one(c: Contracts, s: Shocks, i: int, m: Floats, v: Floats, row: Floats) -> None:
    f, k, t, sigma, d, phi = c.forward[i], c.strike[i], c.t[i], c.sigma[i], c.discount[i], c.right[i]
    spot_beta, vix_beta, vol_beta = s.spot_beta[i], s.vix_beta[i], s.vol_beta[i]
    least_f, least_s, later, d_later = s.floor_forward[i], s.floor_sigma[i], s.t[i], s.discount[i]
    known = _within(f, k, t, sigma, d) and _within(f, k, later, sigma, d_later) and abs(phi) == 1.0
    per_k = 1.0 / k
    now = _price(f, per_k, k, np.sqrt(t), sigma, d, phi) if known else np.nan
    root = np.sqrt(later)
    for j in range(row.shape[0]):
        forward = max(f * (1.0 + spot_beta * m[j]) + vix_beta * v[j], least_f)
        vol = max(sigma + vol_beta * v[j] * 0.01, least_s)
        value = _price(forward, per_k, k, root, vol, d_later, phi) - now
        row[j] = value if forward > 0.0 else np.nan


@compiled
def _shock_serial(c: Contracts, s: Shocks, m: Floats, v: Floats, table: Floats) -> None:
    for i in range(table.shape[0]):
        _shock_one(c, s, i, m, v, table[i])


@threaded
def _shock_parallel(c: Contracts, s: Shocks, m: Floats, v: Floats, table: Floats) -> None:
    for i in prange(table.shape[0]):
        _shock_one(c, s, i, m, v, table[i])


def reprice(
    contracts: Contracts,
    shocks: Shocks,
    spot: ArrayLike,
    vix: ArrayLike,
    *,
    out: Floats | None = None,
    threads: Threads = Threads.AUTO,
) -> Floats:
    """Change of price in points under each shock: contracts × shocks (``spot`` and ``vix`` pairwise).

    An invalid contract is NaN in its own row only, and so is a cell whose forward would not be positive.
    """
    m = np.ascontiguousarray(spot, dtype=np.float64)
    v = np.ascontiguousarray(vix, dtype=np.float64)
    if m.ndim != 1 or m.shape != v.shape:
        raise ValueError("spot and vix must be vectors of one length")
    table = _buffer(out, (len(contracts.strike), len(m)))
    launch(_shock_serial, _shock_parallel, threads.pays(table.size, _PRICES), contracts, shocks, m, v, table)
    return table


@compiled
def _cells(book: LegArrays, table: Floats, out: Floats, a: int, b: int) -> None:
    width = out.shape[1]
    for i in range(a, b):
        total = out[i]
        for n in range(width):
            total[n] = 0.0
        for j in range(book.offsets[i], book.offsets[i + 1]):
            q = book.size[j]
            row = table[book.contract[j]]
            for n in range(width):
                total[n] += q * row[n]


@compiled
def _cells_serial(book: LegArrays, table: Floats, out: Floats) -> None:
    _cells(book, table, out, 0, out.shape[0])


@threaded
def _cells_parallel(book: LegArrays, table: Floats, out: Floats) -> None:
    owners = out.shape[0]
    for n in prange((owners + 31) // 32):
        _cells(book, table, out, n * 32, min(owners, (n + 1) * 32))


def sum_cells(
    book: LegArrays, table: Floats, *, out: Floats | None = None, threads: Threads = Threads.AUTO
) -> Floats:
    """Size-weighted sums of table rows (contracts × any number of cells) per owner: owners × cells."""
    _check(book, len(table))
    result = _buffer(out, (len(book.offsets) - 1, table.shape[1]))
    parallel = threads.pays(len(book.contract) * table.shape[1], _ADDITIONS)
    launch(_cells_serial, _cells_parallel, parallel, book, np.ascontiguousarray(table), result)
    return result


def _buffer(out: Floats | None, shape: tuple[int, int]) -> Floats:
    """The caller's memory when it fits, else new."""
    if out is None:
        return np.empty(shape)
    if out.shape != shape or out.dtype != np.float64 or not out.flags.c_contiguous:
        raise ValueError(f"out must be contiguous float64 of shape {shape}")
    return out


def scenario_grid(
    book: LegArrays,
    contracts: Contracts,
    shocks: Shocks,
    spot_moves: ArrayLike,
    vix_moves: ArrayLike,
    *,
    out: Floats | None = None,
    work: Floats | None = None,
    threads: Threads = Threads.AUTO,
) -> Floats:
    """P&L in dollars per owner over SPX × VIX moves: shape (owners, spot moves, VIX moves).

    ``spot_moves`` are returns (-0.05 = down 5%), ``vix_moves`` points. Every contract is repriced once a
    scenario, whoever holds it. ``out`` (owners × cells) and ``work`` (contracts × cells) are reused if given.
    """
    spot, vix = np.asarray(spot_moves, dtype=np.float64), np.asarray(vix_moves, dtype=np.float64)
    m, v = np.repeat(spot, len(vix)), np.tile(vix, len(spot))
    table = reprice(contracts, shocks, m, v, out=work, threads=threads)
    return sum_cells(book, table, out=out, threads=threads).reshape(-1, len(spot), len(vix))

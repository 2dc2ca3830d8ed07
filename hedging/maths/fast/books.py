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

from hedging.maths.fast.black import greeks, launch
from hedging.maths.fast.vector import (
    Threads,
    compiled,
    exp_,
    inlined,
    launching,
    log_,
    mills_bottom,
    mills_top,
    threaded,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Offsets = NDArray[np.int64]

_LANES = 8  # outputs are padded to one cache line a contract


class Contracts(NamedTuple):
    """Distinct contracts, vectors of one length; units as in ``black76``, ``right`` ±1."""

    forward: Floats
    strike: Floats
    t: Floats
    sigma: Floats
    discount: Floats
    right: Floats


class Book(NamedTuple):
    """Legs by owner (see the module); int32 ``contract``, float64 ``size``, int64 ``offsets``."""

    contract: Ints
    size: Floats
    offsets: Offsets


def book_from_legs(owner: ArrayLike, contract: ArrayLike, size: ArrayLike, owners: int) -> Book:
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
    order = np.argsort(who, kind="stable")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(who, minlength=owners))])
    return Book(what[order], much[order], offsets.astype(np.int64))


@compiled
def _sum_rows(
    contract: Ints, size: Floats, offsets: Offsets, table: Floats, out: Floats, a: int, b: int
) -> None:
    for i in range(a, b):
        s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
        for j in range(offsets[i], offsets[i + 1]):
            q = size[j]
            row = table[contract[j]]
            s0 += q * row[0]
            s1 += q * row[1]
            s2 += q * row[2]
            s3 += q * row[3]
            s4 += q * row[4]
            s5 += q * row[5]
            s6 += q * row[6]
            s7 += q * row[7]
        out[i, 0] = s0
        out[i, 1] = s1
        out[i, 2] = s2
        out[i, 3] = s3
        out[i, 4] = s4
        out[i, 5] = s5
        out[i, 6] = s6
        out[i, 7] = s7


@threaded
def _sum_rows_parallel(contract: Ints, size: Floats, offsets: Offsets, table: Floats, out: Floats) -> None:
    owners = out.shape[0]
    for c in prange((owners + 255) // 256):
        _sum_rows(contract, size, offsets, table, out, c * 256, min(owners, (c + 1) * 256))


def sum_by_owner(
    book: Book, values: Floats, *, out: Floats | None = None, threads: Threads = Threads.AUTO
) -> Floats:
    """Size-weighted sums of contract values per owner.

    ``values`` has shape (outputs <= 8, contracts), as ``greeks`` gives; the result (owners, 8), columns
    beyond ``outputs`` zero. NaN of a contract reaches only the owners that hold it.
    """
    outputs, count = values.shape
    if outputs > _LANES:
        raise ValueError(f"at most {_LANES} outputs")
    if len(book.contract) and not 0 <= book.contract.min() <= book.contract.max() < count:
        raise ValueError("contract index out of range")
    table = np.zeros((count, _LANES))
    table[:, :outputs] = values.T
    owners = len(book.offsets) - 1
    result = np.empty((owners, _LANES)) if out is None else out
    if threads.pays(len(book.contract), 400e6):
        with launching:
            _sum_rows_parallel(book.contract, book.size, book.offsets, table, result)
    else:
        _sum_rows(book.contract, book.size, book.offsets, table, result, 0, owners)
    return result


def value_book(book: Book, contracts: Contracts, *, threads: Threads = Threads.AUTO) -> Floats:
    """Value and first-order Greeks in dollars per owner, (owners, 8): price, delta, gamma, vega, theta, rho.

    One call for any number of legs: contracts are priced once, legs only add.
    """
    return sum_by_owner(book, greeks(*contracts), threads=threads)


class Shocks(NamedTuple):
    """How each contract answers a shock (m, v): SPX return m and VIX change v in points.

    F' = max(F (1 + spot_beta m) + vix_beta v, floor_forward); σ' = max(σ + vol_beta v / 100, floor_sigma).
    SPX options have spot_beta 1, vix_beta 0 and a vol_beta falling with term; VIX options spot_beta 0,
    vix_beta β(T) of their future and vol_beta 0. Vectors of one length, floors as well.
    """

    spot_beta: Floats
    vix_beta: Floats
    vol_beta: Floats
    floor_forward: Floats
    floor_sigma: Floats


@inlined
def _price(f: float, k: float, t: float, sigma: float, d: float, phi: float) -> float:
    spread = sigma * np.sqrt(t)
    inverse = 1.0 / max(spread, 1e-300)
    ratio = f / k
    h = log_(ratio) * inverse
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


@compiled
def _shock_one(c: Contracts, s: Shocks, i: int, m: Floats, v: Floats, row: Floats) -> None:
    f, k, t, sigma, d, phi = c.forward[i], c.strike[i], c.t[i], c.sigma[i], c.discount[i], c.right[i]
    spot_beta, vix_beta, vol_beta = s.spot_beta[i], s.vix_beta[i], s.vol_beta[i]
    least_f, least_s = s.floor_forward[i], s.floor_sigma[i]
    now = _price(f, k, t, sigma, d, phi)
    for j in range(row.shape[0]):
        forward = max(f * (1.0 + spot_beta * m[j]) + vix_beta * v[j], least_f)
        vol = max(sigma + vol_beta * v[j] * 0.01, least_s)
        row[j] = _price(forward, k, t, vol, d, phi) - now


@compiled
def _grid_rows(book: Book, table: Floats, out: Floats, a: int, b: int) -> None:
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
def _grid_serial(
    c: Contracts, s: Shocks, book: Book, m: Floats, v: Floats, table: Floats, out: Floats
) -> None:
    for i in range(table.shape[0]):
        _shock_one(c, s, i, m, v, table[i])
    _grid_rows(book, table, out, 0, out.shape[0])


@threaded
def _grid_parallel(
    c: Contracts, s: Shocks, book: Book, m: Floats, v: Floats, table: Floats, out: Floats
) -> None:
    for i in prange(table.shape[0]):
        _shock_one(c, s, i, m, v, table[i])
    owners = out.shape[0]
    for n in prange((owners + 31) // 32):
        _grid_rows(book, table, out, n * 32, min(owners, (n + 1) * 32))


def scenario_grid(
    book: Book,
    contracts: Contracts,
    shocks: Shocks,
    spot_moves: ArrayLike,
    vix_moves: ArrayLike,
    *,
    threads: Threads = Threads.AUTO,
) -> Floats:
    """P&L in dollars per owner over SPX × VIX moves: shape (owners, spot moves, VIX moves).

    ``spot_moves`` are returns (-0.05 = down 5%), ``vix_moves`` points. Every contract is repriced once a
    scenario, whoever holds it.
    """
    spot = np.asarray(spot_moves, dtype=np.float64)
    vix = np.asarray(vix_moves, dtype=np.float64)
    m, v = np.repeat(spot, len(vix)), np.tile(vix, len(spot))
    owners = len(book.offsets) - 1
    table = np.empty((len(contracts.strike), len(m)))
    out = np.empty((owners, len(m)))
    cells = (len(contracts.strike) + len(book.contract)) * len(m)
    launch(
        _grid_serial, _grid_parallel, threads.pays(cells, 500e6), contracts, shocks, book, m, v, table, out
    )
    return out.reshape(owners, len(spot), len(vix))

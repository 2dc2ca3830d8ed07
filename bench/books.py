"""Books: Greeks of every account, and the joint SPX × VIX grid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench import cbound
from bench.market import spx
from bench.timing import THREADS, Case, Rival, Target
from hedging.maths import black76
from hedging.maths.fast import black, books

Floats = NDArray[np.float64]

CONTRACTS, ACCOUNTS, LEGS = 4_000, 10_000, 860_000
GRID_ACCOUNTS, GRID_LEGS = 1_000, 86_000
SPOT, VIX = np.linspace(-0.2, 0.2, 21), np.linspace(-10.0, 60.0, 11)
OURS = "ours"


def table(seed: int = 11) -> books.Contracts:
    """Distinct contracts."""
    return books.Contracts(*(np.ascontiguousarray(column) for column in spx(CONTRACTS, seed).black))


def legs(accounts: int, count: int, seed: int = 12) -> tuple[Any, Any, Any]:
    """Owner, contract and signed size of each leg, in the order they were entered: accounts mixed."""
    rng = np.random.default_rng(seed)
    owner = rng.integers(0, accounts, count)
    size = rng.choice([-1.0, 1.0], count) * rng.integers(1, 20, count) * 100
    return owner, rng.integers(0, CONTRACTS, count), size


def sparse() -> Any:
    """scipy.sparse, or None."""
    try:
        import scipy.sparse as found  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        return None
    return found


def cases() -> Iterator[Case]:
    """Greeks of all accounts, then the grid of some."""
    yield _greeks()
    yield _grid()


def _greeks() -> Case:
    contracts = table()
    owner, contract, size = legs(ACCOUNTS, LEGS)
    book = books.book_from_legs(owner, contract, size, ACCOUNTS)
    out, c_out = np.empty((ACCOUNTS, 8)), np.empty((ACCOUNTS, 8))
    names = ["price", "delta", "gamma", "vega", "theta", "rho"]
    frame = pd.DataFrame({"account": owner, "contract": contract, "size": size})

    def sorted_in_call() -> Floats:
        return books.value_book(books.book_from_legs(owner, contract, size, ACCOUNTS), contracts, out=out)

    def with_pandas() -> Any:
        greeks = pd.DataFrame(black.greeks(*contracts).T, columns=names)
        joined = frame.merge(greeks, left_on="contract", right_index=True)
        joined[names] = joined[names].mul(joined["size"], axis=0)
        return joined.groupby("account")[names].sum()

    library = sparse()
    matrix = (
        library.csr_array((book.size, book.contract, book.offsets), (ACCOUNTS, CONTRACTS))
        if library
        else None
    )

    def with_scipy() -> Any:
        assert matrix is not None
        return matrix @ np.ascontiguousarray(black.greeks(*contracts).T)

    padded = np.zeros((CONTRACTS, 8))
    padded[:, :6] = black.greeks(*contracts).T
    bound = cbound.sum_rows(book.contract, book.size, book.offsets, padded, c_out)
    return Case(
        "860,000 legs of 10,000 accounts: value and five Greeks an account (4,000 contracts priced once)",
        LEGS,
        "legs",
        [
            Rival(OURS, lambda: books.value_book(book, contracts, out=out, threads=THREADS)),
            Rival("ours, legs sorted in the call", sorted_in_call),
            Rival("pandas merge + groupby", with_pandas),
            Rival("scipy.sparse", with_scipy if library else None, "" if library else "not installed"),
            Rival("C on one core, sums alone", bound, "" if bound else "no gcc"),
        ],
        [Target(OURS, "pandas merge + groupby", 50)],
    )


def _grid() -> Case:
    contracts = table()
    owner, contract, size = legs(GRID_ACCOUNTS, GRID_LEGS)
    book = books.book_from_legs(owner, contract, size, GRID_ACCOUNTS)
    one, zero = np.ones(CONTRACTS), np.zeros(CONTRACTS)
    scale = np.minimum(np.sqrt(30 / 365 / np.maximum(contracts.t, 1 / 365)), 1.5)
    floor = np.minimum(contracts.sigma, 0.03)
    shocks = books.Shocks(one, zero, scale, zero, floor, contracts.t, contracts.discount)
    frame = pd.DataFrame({"account": owner, "contract": contract, "size": size})
    f, k, t, s, d, right = contracts
    now = black76.price(*contracts)

    def change(m: float, v: float) -> Floats:
        vol = np.maximum(s + v / 100 * scale, floor)
        return np.asarray(black76.price(f * (1 + m), k, t, vol, d, right) - now)

    def with_pandas() -> list[Any]:
        found = []
        for m in SPOT:
            for v in VIX:
                pnl = change(float(m), float(v))[frame["contract"]] * frame["size"]
                found.append(pnl.groupby(frame["account"]).sum())
        return found

    library = sparse()
    matrix = (
        library.csr_array((book.size, book.contract, book.offsets), (GRID_ACCOUNTS, CONTRACTS))
        if library
        else None
    )

    def with_scipy() -> Any:
        assert matrix is not None
        return matrix @ np.column_stack([change(float(m), float(v)) for m in SPOT for v in VIX])

    cells = len(SPOT) * len(VIX)
    out, work = np.empty((GRID_ACCOUNTS, cells)), np.empty((CONTRACTS, cells))

    def ours() -> Floats:
        return books.scenario_grid(book, contracts, shocks, SPOT, VIX, out=out, work=work, threads=THREADS)

    return Case(
        "21 × 11 SPX × VIX grid of 1,000 accounts (86,000 legs, 4,000 contracts)",
        GRID_ACCOUNTS,
        "accounts",
        [
            Rival(OURS, ours),
            Rival("pandas loop over cells", with_pandas),
            Rival(
                "NumPy prices + scipy.sparse",
                with_scipy if library else None,
                "" if library else "not installed",
            ),
        ],
        [Target(OURS, "pandas loop over cells", 25)],
    )

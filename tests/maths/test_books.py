"""Books in one call: the sums, the grids and the errors, against plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from hedging.maths import black76
from hedging.maths.fast import books
from hedging.maths.fast.vector import Threads

CONTRACTS, OWNERS, LEGS = 300, 57, 9_001


def _contracts() -> books.Contracts:
    rng = np.random.default_rng(1)
    forward = np.where(
        rng.random(CONTRACTS) < 0.5, rng.uniform(5000, 7000, CONTRACTS), rng.uniform(12, 40, CONTRACTS)
    )
    sigma, t = rng.uniform(0.1, 1.2, CONTRACTS), rng.uniform(0.002, 1, CONTRACTS)
    strike = forward * np.exp(rng.uniform(-3, 3, CONTRACTS) * sigma * np.sqrt(t))
    return books.Contracts(forward, strike, t, sigma, np.exp(-0.04 * t), rng.choice([-1.0, 1.0], CONTRACTS))


def _legs() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    owner = rng.integers(0, OWNERS - 2, LEGS)  # the last two own nothing
    return owner, rng.integers(0, CONTRACTS, LEGS), rng.integers(-9, 10, LEGS) * 100.0


@pytest.mark.parametrize("threads", list(Threads))
def test_greeks_of_owners_are_the_sums_over_their_legs(threads: Threads):
    owner, contract, size = _legs()
    found = books.value_book(
        books.book_from_legs(owner, contract, size, OWNERS), _contracts(), threads=threads
    )
    greeks = np.array(black76.greeks(*_contracts()))[:6]
    expected = np.zeros((OWNERS, 8))
    np.add.at(expected[:, :6], owner, (greeks[:, contract] * size).T)
    assert np.abs(found - expected).max() < 1e-12 * np.abs(expected).max()
    assert not found[-2:].any()


def test_the_order_of_legs_and_the_threads_do_not_change_a_bit():
    owner, contract, size = _legs()
    book = books.book_from_legs(owner, contract, size, OWNERS)
    one = books.value_book(book, _contracts(), threads=Threads.ONE)
    assert np.array_equal(one, books.value_book(book, _contracts(), threads=Threads.ALL))
    by_owner = np.argsort(owner, kind="stable")
    again = books.book_from_legs(owner[by_owner], contract[by_owner], size[by_owner], OWNERS)
    assert np.array_equal(one, books.value_book(again, _contracts()))


def test_an_unknown_contract_reaches_only_its_holders():
    contracts = _contracts()
    contracts.sigma[7] = np.nan
    owner, contract, size = _legs()
    found = books.value_book(books.book_from_legs(owner, contract, size, OWNERS), contracts)
    holders = np.unique(owner[contract == 7])
    assert np.array_equal(np.flatnonzero(np.isnan(found[:, 0])), holders)
    assert 0 < len(holders) < OWNERS


def _shocks(contracts: books.Contracts) -> books.Shocks:
    on_vx = contracts.forward < 100
    later = contracts.t * 0.5
    return books.Shocks(
        np.where(on_vx, 0.0, 1.0), np.where(on_vx, np.exp(-3 * contracts.t), 0.0), np.where(on_vx, 0.0, 1.2),
        np.where(on_vx, 8.0, 0.0), np.full(CONTRACTS, 0.05), later, contracts.discount**0.5,
    )  # fmt: skip


@pytest.mark.parametrize("threads", list(Threads))
def test_grid_is_every_cell_repriced(threads: Threads):
    contracts = _contracts()
    shocks = _shocks(contracts)
    owner, contract, size = _legs()
    book = books.book_from_legs(owner, contract, size, OWNERS)
    spot, vix = [-0.2, 0.0, 0.07], [-15.0, 0.0, 4.0, 60.0]
    found = books.scenario_grid(book, contracts, shocks, spot, vix, threads=threads)
    assert found.shape == (OWNERS, 3, 4)
    f, k, t, s, d, right = contracts
    now = black76.price(f, k, t, s, d, right)
    for i, m in enumerate(spot):
        for j, v in enumerate(vix):
            forward = np.maximum(f * (1 + shocks.spot_beta * m) + shocks.vix_beta * v, shocks.floor_forward)
            vol = np.maximum(s + shocks.vol_beta * v / 100, shocks.floor_sigma)
            change = black76.price(forward, k, shocks.t, vol, shocks.discount, right) - now
            expected = np.zeros(OWNERS)
            np.add.at(expected, owner, change[contract] * size)
            assert np.abs(found[:, i, j] - expected).max() < 1e-11 * np.abs(expected).max() + 1e-6


def test_buffers_are_used_and_others_refused():
    owner, contract, size = _legs()
    book, contracts = books.book_from_legs(owner, contract, size, OWNERS), _contracts()
    out, grid, work = np.empty((OWNERS, 8)), np.empty((OWNERS, 2)), np.empty((CONTRACTS, 2))
    assert books.value_book(book, contracts, out=out) is out
    found = books.scenario_grid(book, contracts, _shocks(contracts), [0.0, 0.1], [3.0], out=grid, work=work)
    assert np.shares_memory(found, grid)
    with pytest.raises(ValueError, match="out must"):
        books.value_book(book, contracts, out=np.empty((OWNERS, 6)))


def test_bad_legs_are_refused():
    with pytest.raises(ValueError, match="owner index"):
        books.book_from_legs([0, 3], [0, 0], [1.0, 1.0], 3)
    with pytest.raises(ValueError, match="one length"):
        books.book_from_legs([0], [0, 1], [1.0], 3)
    book = books.book_from_legs([0, 1], [0, CONTRACTS], [1.0, 1.0], 3)
    with pytest.raises(ValueError, match="contract index"):
        books.value_book(book, _contracts())


def test_an_empty_book_is_zero():
    book = books.book_from_legs([], [], [], 4)
    assert not books.value_book(book, _contracts()).any()

"""Compiling every kernel before somebody waits for it."""

from __future__ import annotations

import numpy as np
from numba import get_num_threads

from hedging.maths.fast import black, books, bsm, implied_vol
from hedging.maths.fast.vector import Threads


def warm() -> int:
    """Run every kernel on one option, on several threads too where numba has them; how many ran.

    Machine code goes to numba's cache beside the source, or to the user's cache folder where that is not
    writable (``NUMBA_CACHE_DIR`` names another), and later processes load it in milliseconds.
    """
    one = np.ones(1)
    book = books.book_from_legs([0], [0], [1.0], 1)
    contracts = books.Contracts(one, one, one, one, one, one)
    shocks = books.Shocks(one, one, one, one, one, one, one)
    count = 0
    for threads in (Threads.ONE, Threads.ALL) if get_num_threads() > 1 else (Threads.ONE,):
        for outputs in black.Outputs:
            black.greeks(one, one, one, one, one, one, outputs=outputs, threads=threads)
            bsm.greeks(one, one, one, one, one, one, one, outputs=outputs, threads=threads)
            count += 2
        implied_vol.implied_vol(0.3 * one, one, one, one, one, one, threads=threads)
        books.value_book(book, contracts, threads=threads)
        books.scenario_grid(book, contracts, shocks, one, one, threads=threads)
        count += 3
    return count

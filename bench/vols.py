"""Implied volatility of 100,000 out-of-the-money Black-76 prices."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench.market import prices, spx
from bench.peers import Solver, all_peers
from bench.timing import THREADS, Case, Rival, Target
from hedging.maths.fast import implied_vol as fast
from hedging.maths.implied_vol import implied_vol

COUNT = 100_000
BUFFERS = "ours, buffers"


def cases() -> Iterator[Case]:
    """One case; peers without a solver are left out."""
    market = spx(COUNT).out_of_the_money()
    f, k, t, _, d, right = (np.ascontiguousarray(column) for column in market.black)
    price, out = prices(market), np.empty(COUNT)
    rivals = [
        Rival(BUFFERS, lambda: fast.implied_vol_into(price, f, k, t, d, right, out, threads=THREADS)),
        Rival("ours, allocating", lambda: fast.implied_vol(price, f, k, t, d, right, threads=THREADS)),
        Rival("ours, NumPy path", lambda: implied_vol(price, f, k, t, d, right)),
    ]
    for peer in all_peers():
        if isinstance(peer, Solver):
            part = peer.part(market)
            rivals.append(
                Rival(peer.name, None if peer.note else peer.vol(part), peer.note, items=len(part.t))
            )
    yield Case("Implied volatility", COUNT, "options", rivals, [Target(BUFFERS, "pyvolr", 9)])

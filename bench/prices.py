"""Price and Greeks of 100,000 European options, float64."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench import cbound
from bench.market import Market, spx
from bench.peers import Model, Peer, all_peers
from bench.timing import THREADS, Case, Rival, Target
from hedging.maths import black76, bsm
from hedging.maths.fast import black as fast_black
from hedging.maths.fast import bsm as fast_bsm

COUNT = 100_000
BUFFERS, ALLOCATING, NINE = "ours, buffers", "ours, allocating", "ours, buffers, nine outputs"
BOUND = "C on one core, gcc -O3 -march=native"


def peer_rivals(peers: list[Peer], market: Market, model: Model) -> list[Rival]:
    """The peers as rivals; what is missing stays in the table."""
    found = []
    for peer in peers:
        part = peer.part(market)
        run = None if peer.note else peer.six(part, model)
        found.append(Rival(peer.name, run, peer.note, items=len(part.t)))
    return found


def cases() -> Iterator[Case]:
    """Black-76, then Black-Scholes-Merton."""
    market, peers = spx(COUNT), all_peers()
    six, nine, bound = (np.empty((rows, COUNT)) for rows in (6, 9, 6))
    f, k, t, s, d, right = (np.ascontiguousarray(column) for column in market.black)
    into = fast_black.greeks_into
    bounded = cbound.black_six((f, k, t, s, d, right), bound)
    yield Case(
        "Black-76: price, delta, gamma, vega, theta, rho",
        COUNT,
        "options",
        [
            Rival(BUFFERS, lambda: into(f, k, t, s, d, right, six, threads=THREADS)),
            Rival(ALLOCATING, lambda: fast_black.greeks(f, k, t, s, d, right, threads=THREADS)),
            Rival(NINE, lambda: into(f, k, t, s, d, right, nine, threads=THREADS)),
            Rival("ours, NumPy path, nine outputs", lambda: black76.greeks(f, k, t, s, d, right)),
            *peer_rivals(peers, market, Model.BLACK),
            Rival(BOUND, bounded, "" if bounded else "no gcc"),
        ],
        [
            Target(BUFFERS, "pyvolr", 20),
            Target(ALLOCATING, "pyvolr", 7),
            Target(BUFFERS, "QuantLib loop", 800),
            Target(BUFFERS, BOUND, 0.8),
            Target(NINE, BUFFERS, 0.6),
        ],
    )
    spot, r, q = market.spot, market.rate, market.dividend
    spot_into = fast_bsm.greeks_into
    yield Case(
        "Black-Scholes-Merton with arrays of r and q: the same six",
        COUNT,
        "options",
        [
            Rival(BUFFERS, lambda: spot_into(spot, k, t, s, r, q, right, six, threads=THREADS)),
            Rival(ALLOCATING, lambda: fast_bsm.greeks(spot, k, t, s, r, q, right, threads=THREADS)),
            Rival(NINE, lambda: spot_into(spot, k, t, s, r, q, right, nine, threads=THREADS)),
            Rival("ours, NumPy path, nine outputs", lambda: bsm.greeks(spot, k, t, s, r, q, right)),
            *peer_rivals(peers, market, Model.BSM),
        ],
        [
            Target(BUFFERS, "pyvolr", 20),
            Target(ALLOCATING, "pyvolr", 7),
            Target(BUFFERS, "QuantLib loop", 800),
            Target(NINE, BUFFERS, 0.6),
        ],
    )

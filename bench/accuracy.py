"""Errors of ours and of the peers against 40-digit references (mpmath), on the kinds of options there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench import market as markets
from bench.market import Market
from bench.peers import NAMES, Model, Solver, all_peers
from hedging.maths import bsm
from hedging.maths import implied_vol as slow_vol
from hedging.maths.fast import black as fast_black
from hedging.maths.fast import bsm as fast_bsm
from hedging.maths.fast import implied_vol as fast_vol

Floats = NDArray[np.float64]

COUNT = 250
ALL_NAMES = (*NAMES, "vanna", "volga", "charm")
KINDS: dict[str, Callable[[int], Market]] = {
    "SPX": markets.spx, "VIX": markets.vix, "0DTE": markets.same_day, "wings": markets.wings,
}  # fmt: skip


class Errors(NamedTuple):
    """Largest error of each quantity over its largest value; NaN: not offered; ``note``: why nothing ran."""

    who: str
    kind: str
    errors: dict[str, float]
    note: str = ""


def reference(market: Market) -> dict[str, Floats]:
    """Black-Scholes-Merton price and Greeks in raw units, rounded once at the end."""
    import mpmath as mp  # type: ignore[import-untyped, unused-ignore]

    rows: list[list[float]] = []
    with mp.workdps(40):
        for row in zip(*(column.tolist() for column in market), strict=True):
            s, k, t, v, r, q, phi = map(mp.mpf, row)
            root = mp.sqrt(t)
            d1 = (mp.log(s / k) + (r - q + v * v / 2) * t) / (v * root)
            d2 = d1 - v * root
            dividend, discount, density = mp.exp(-q * t), mp.exp(-r * t), mp.npdf(d1)
            delta = phi * dividend * mp.ncdf(phi * d1)
            strike_side = phi * discount * k * mp.ncdf(phi * d2)
            vega = s * dividend * density * root
            rows.append(
                [
                    float(x)
                    for x in (
                        s * delta - strike_side,
                        delta,
                        dividend * density / (s * v * root),
                        vega,
                        -vega * v / (2 * t) - r * strike_side + q * s * delta,
                        t * strike_side,
                        -dividend * density * d2 / v,
                        vega * d1 * d2 / v,
                        q * delta
                        - dividend * density * (2 * (r - q) * t - d2 * v * root) / (2 * t * v * root),
                    )
                ]
            )
    return dict(zip(ALL_NAMES, np.array(rows).T, strict=True))


def greek_errors() -> Iterator[Errors]:
    """Black-Scholes-Merton, which every peer offers."""
    peers = all_peers()
    for kind, build in KINDS.items():
        market = build(COUNT)
        exact = reference(market)
        s, k, t, v, r, q, right = market
        fast = fast_bsm.greeks(s, k, t, v, r, q, right, outputs=fast_black.Outputs.ALL)
        yield Errors("ours, compiled", kind, _against(exact, dict(zip(ALL_NAMES, fast, strict=True))))
        yield Errors("ours, NumPy", kind, _against(exact, bsm.greeks(s, k, t, v, r, q, right)._asdict()))
        for peer in peers:
            yield _peer(
                peer, kind, lambda p=peer, e=exact, m=market: _against(e, p.raw(p.six(m, Model.BSM)()))
            )


def vol_errors() -> Iterator[Errors]:
    """Largest |σ - true σ| where the price, rounded, still determines it to 1e-15."""
    for kind, build in KINDS.items():
        market = build(COUNT).out_of_the_money()
        # without carry the spot is the forward, and F is not rounded before the reference sees it
        market = market._replace(spot=market.forward, dividend=market.rate)
        exact = reference(market)
        price, sigma = exact["price"], market.sigma
        conditioned = np.spacing(price) / np.maximum(exact["vega"], 1e-300) < 1e-15
        args = (price, market.spot, market.strike, market.t, market.discount, market.right)

        def worst(
            found: Any, true: Floats = sigma, where: NDArray[np.bool_] = conditioned
        ) -> dict[str, float]:
            error = np.abs(np.asarray(found, dtype=float) - true)[where]
            return {"sigma": float(np.nanmax(error)), "unsolved": float(np.isnan(error).mean())}

        yield Errors("ours, compiled", kind, worst(fast_vol.implied_vol(*args)))
        yield Errors("ours, NumPy", kind, worst(slow_vol.implied_vol(*args)))
        for peer in all_peers():
            if isinstance(peer, Solver):
                yield _peer(peer, kind, lambda p=peer, m=market: worst(p.vol(m)()))


def _peer(peer: Any, kind: str, errors: Callable[[], dict[str, float]]) -> Errors:
    if peer.note:
        return Errors(peer.name, kind, {}, peer.note)
    try:
        return Errors(peer.name, kind, errors())
    except Exception as error:  # noqa: BLE001 - a peer may fail in any way
        return Errors(peer.name, kind, {}, f"fails: {type(error).__name__}")


def _against(exact: dict[str, Floats], found: dict[str, Floats]) -> dict[str, float]:
    return {
        name: float(np.max(np.abs(found[name] - values)) / np.max(np.abs(values)))
        for name, values in exact.items()
        if name in found
    }
